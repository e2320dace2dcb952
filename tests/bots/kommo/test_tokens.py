"""Which tokens pass, and why each of the others doesn't."""

import base64
import json
import warnings
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.kommo import TokenFacts, TokenRefused, verify_token
from tests.bots.kommo.samples import sample_json
from tests.bots.kommo.signing import part, sign_token, signed

SECRET = "kT8-own-client-secret-of-the-account-5f1c"
PREVIOUS = "the-secret-before-that"
NOW = datetime(2026, 9, 21, 13, 40, tzinfo=UTC)
KOMMO_ID = 28400117
CLIENT = "3f0a9e7c-58b1-4a4e-8f34-6b1d2f7a9c10"
ORIGIN = "https://velo-lyon.kommo.com"
GOOD: dict[str, Any] = {
    **sample_json("05-bot-token-claims.json")["claims"],
    "iat": int(NOW.timestamp()) - 5,
    "nbf": int(NOW.timestamp()) - 5,
    "exp": int(NOW.timestamp()) + 1200,
}
HEAD = part('{"typ":"JWT","alg":"HS256"}')


def verified(token: object, **changed: Any) -> TokenFacts:
    expected: dict[str, Any] = {
        "secrets": [SECRET, PREVIOUS],
        "kommo_id": KOMMO_ID,
        "client_id": CLIENT,
        "origin": ORIGIN,
        "now": NOW,
    }
    return verify_token(token, **expected | changed)


def claims(**changed: Any) -> dict[str, Any]:
    """Give good claims with some changed; None takes one out."""
    return {name: value for name, value in (GOOD | changed).items() if value is not None}


def seconds(delta: float) -> float:
    return NOW.timestamp() + delta


def raw(body: str, *, head: str = HEAD) -> str:
    return signed(head, part(body), SECRET)


def twin_of(good: str) -> str:
    """Give another spelling of the last character of the signature, which decodes to the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    end = alphabet.index(good[-1])
    twin = good[:-1] + alphabet[end + 1 if end % 4 != 3 else end - 1]
    first, second = (base64.urlsafe_b64decode(token.rpartition(".")[2] + "=") for token in (good, twin))
    assert first == second
    assert twin != good
    return twin


GOOD_TOKEN = sign_token(GOOD, SECRET)
UNSIGNED_BODY = part(json.dumps(GOOD))

BAD: dict[str, tuple[object, str]] = {
    # no token
    "none": (None, "missing"),
    "empty text": ("", "missing"),
    "a number": (12, "missing"),
    "a list": ([GOOD_TOKEN], "missing"),
    "bytes": (GOOD_TOKEN.encode(), "missing"),
    # not the shape of one
    "a word": ("token", "malformed"),
    "two parts": (GOOD_TOKEN.rpartition(".")[0], "malformed"),
    "four parts": (GOOD_TOKEN + ".e30", "malformed"),
    "empty signature": (GOOD_TOKEN.rpartition(".")[0] + ".", "malformed"),
    "space before": (" " + GOOD_TOKEN, "malformed"),
    "line feed behind": (GOOD_TOKEN + "\n", "malformed"),
    "NUL behind": (GOOD_TOKEN + "\x00", "malformed"),
    "line feed within": (GOOD_TOKEN.replace(".", ".\n", 1), "malformed"),
    "padded signature": (GOOD_TOKEN + "=", "malformed"),
    "second spelling of the signature": (twin_of(GOOD_TOKEN), "malformed"),
    "standard base64 alphabet": (signed(HEAD, part(json.dumps(GOOD)) + "+/", SECRET), "malformed"),
    "foreign characters that a decoder skips": (GOOD_TOKEN[:-3] + "!" + GOOD_TOKEN[-3:], "malformed"),
    "full-width letters": (GOOD_TOKEN.replace("e", "\uff45", 1), "malformed"),
    "impossible length of a part": (f"{HEAD}.{UNSIGNED_BODY}.AAAAA", "malformed"),
    "over the length limit": (sign_token(GOOD | {"padding": "x" * 4096}, SECRET), "malformed"),
    "a megabyte": ("a" * 1_000_000, "malformed"),
    # header
    "header no JSON": (signed(part("alg: HS256"), UNSIGNED_BODY, SECRET), "malformed"),
    "header a list": (signed(part('["HS256"]'), UNSIGNED_BODY, SECRET), "malformed"),
    "header not UTF-8": (signed(part(b'{"alg":"HS256\xff"}'), UNSIGNED_BODY, SECRET), "malformed"),
    "header with two algorithms": (signed(part('{"alg":"none","alg":"HS256"}'), UNSIGNED_BODY, SECRET), "malformed"),
    "header too deep": (signed(part("[" * 2000), UNSIGNED_BODY, SECRET), "malformed"),
    "critical extension": (sign_token(GOOD, SECRET, crit=["exp"]), "malformed"),
    "empty critical list": (sign_token(GOOD, SECRET, crit=[]), "malformed"),
    "unencoded payload": (sign_token(GOOD, SECRET, b64=False, crit=["b64"]), "malformed"),
    "b64 alone": (sign_token(GOOD, SECRET, b64=True), "malformed"),
    # algorithm
    "no algorithm": (signed(part('{"typ":"JWT"}'), UNSIGNED_BODY, SECRET), "algorithm"),
    "none, unsigned": (".".join([part('{"alg":"none"}'), UNSIGNED_BODY, "AA"]), "algorithm"),
    "none, signed": (sign_token(GOOD, SECRET, alg="none"), "algorithm"),
    "None": (sign_token(GOOD, SECRET, alg="None"), "algorithm"),
    "NONE": (sign_token(GOOD, SECRET, alg="NONE"), "algorithm"),
    "null": (sign_token(GOOD, SECRET, alg=None), "algorithm"),
    "a list of algorithms": (sign_token(GOOD, SECRET, alg=["HS256"]), "algorithm"),
    "lower case": (sign_token(GOOD, SECRET, alg="hs256"), "algorithm"),
    "space behind the algorithm": (sign_token(GOOD, SECRET, alg="HS256 "), "algorithm"),
    "HS384": (sign_token(GOOD, SECRET, "HS384"), "algorithm"),
    "RS256": (sign_token(GOOD, SECRET, alg="RS256"), "algorithm"),
    "ES256": (sign_token(GOOD, SECRET, alg="ES256"), "algorithm"),
    # signature
    "another secret": (sign_token(GOOD, "another-accounts-secret"), "signature"),
    "empty key": (sign_token(GOOD, ""), "signature"),
    "secret and line feed": (sign_token(GOOD, SECRET + "\n"), "signature"),
    "secret in upper case": (sign_token(GOOD, SECRET.upper()), "signature"),
    "HS512 under the name HS256": (sign_token(GOOD, SECRET, "HS512", alg="HS256"), "signature"),
    "HS256 under the name HS512": (sign_token(GOOD, SECRET, "HS256", alg="HS512"), "signature"),
    "half a signature": (".".join([*GOOD_TOKEN.split(".")[:2], part(b"x" * 16)]), "signature"),
    "other claims under a good signature": (
        f"{HEAD}.{part(json.dumps(GOOD | {'account_id': 1}))}.{GOOD_TOKEN.split('.')[2]}",
        "signature",
    ),
    "key named by the header": (
        sign_token(GOOD, "k", kid="../../dev/null", jwk={"kty": "oct", "k": part("k")}),
        "signature",
    ),
    # claims
    "claims no JSON": (raw("exp=1"), "malformed"),
    "claims a list": (raw("[]"), "malformed"),
    "claims a text": (raw('"exp"'), "malformed"),
    "claims null": (raw("null"), "malformed"),
    "claims twice": (raw(json.dumps(GOOD)[:-1] + ', "exp": 9999999999}'), "malformed"),
    "claims too deep": (raw('{"a":' + "[" * 900), "malformed"),
    # times
    "no exp": (sign_token(claims(exp=None), SECRET), "malformed"),
    "exp null": (raw(json.dumps(GOOD | {"exp": None})), "malformed"),
    "exp a text": (sign_token(claims(exp=str(GOOD["exp"])), SECRET), "malformed"),
    "exp true": (sign_token(claims(exp=True), SECRET), "malformed"),
    "exp infinite": (raw(json.dumps(GOOD | {"exp": float("inf")})), "malformed"),
    "exp 1e999": (raw(json.dumps(claims(exp=None))[:-1] + ', "exp": 1e999}'), "malformed"),
    "exp not a number": (raw(json.dumps(GOOD | {"exp": float("nan")})), "malformed"),
    "exp beyond all calendars": (sign_token(claims(exp=10**17), SECRET), "malformed"),
    "exp of 3,000 digits": (raw(json.dumps(claims(exp=None))[:-1] + ', "exp": ' + "9" * 3000 + "}"), "malformed"),
    "exp a list": (sign_token(claims(exp=[GOOD["exp"]]), SECRET), "malformed"),
    "expired": (sign_token(claims(exp=seconds(-61)), SECRET), "expired"),
    "expired by the leeway to the second": (sign_token(claims(exp=seconds(-60)), SECRET), "expired"),
    "expired long ago": (sign_token(claims(exp=0), SECRET), "expired"),
    "nbf to come": (sign_token(claims(nbf=seconds(61)), SECRET), "not-yet"),
    "iat to come": (sign_token(claims(iat=seconds(61)), SECRET), "not-yet"),
    "nbf a text": (sign_token(claims(nbf="now"), SECRET), "malformed"),
    "iat true": (sign_token(claims(iat=True), SECRET), "malformed"),
    "iat null": (raw(json.dumps(GOOD | {"iat": None})), "malformed"),
    # whose
    "no account": (sign_token(claims(account_id=None), SECRET), "account"),
    "another account": (sign_token(claims(account_id=KOMMO_ID + 1), SECRET), "account"),
    "account true": (sign_token(claims(account_id=True), SECRET), "account"),
    "account a fraction": (sign_token(claims(account_id=float(KOMMO_ID)), SECRET), "account"),
    "account with a sign": (sign_token(claims(account_id=f"+{KOMMO_ID}"), SECRET), "account"),
    "account with a zero before it": (sign_token(claims(account_id=f"0{KOMMO_ID}"), SECRET), "account"),
    "account with a space": (sign_token(claims(account_id=f"{KOMMO_ID} "), SECRET), "account"),
    "account in Arabic digits": (
        sign_token(claims(account_id="".join(chr(0x660 + int(digit)) for digit in str(KOMMO_ID))), SECRET),
        "account",
    ),
    "account a list": (sign_token(claims(account_id=[KOMMO_ID]), SECRET), "account"),
    "no client": (sign_token(claims(client_uuid=None), SECRET), "client"),
    "another client": (sign_token(claims(client_uuid=CLIENT[:-1] + "1"), SECRET), "client"),
    "client in upper case": (sign_token(claims(client_uuid=CLIENT.upper()), SECRET), "client"),
    "client null": (raw(json.dumps(GOOD | {"client_uuid": None})), "client"),
    "client a list": (sign_token(claims(client_uuid=[CLIENT]), SECRET), "client"),
    "two clients, the second another": (sign_token(claims(client_uid="other"), SECRET), "client"),
    "two clients, the first another": (sign_token(claims(client_uuid="other", client_uid=CLIENT), SECRET), "client"),
    "another issuer": (sign_token(claims(iss="https://rival.kommo.com"), SECRET), "issuer"),
    "issuer with a slash": (sign_token(claims(iss=ORIGIN + "/"), SECRET), "issuer"),
    "issuer with another scheme": (sign_token(claims(iss=ORIGIN.replace("https", "http")), SECRET), "issuer"),
    "issuer null": (raw(json.dumps(GOOD | {"iss": None})), "issuer"),
    "issuer a list": (sign_token(claims(iss=[ORIGIN]), SECRET), "issuer"),
}


@pytest.mark.parametrize(("token", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_refused_with_its_reason(token: object, code: str):
    with pytest.raises(TokenRefused) as refused:
        verified(token)
    assert refused.value.code == code
    assert refused.value.fault.field == "token"


def test_the_corpus_of_bad_tokens_is_large_enough():
    assert len(BAD) >= 50


@pytest.mark.parametrize("token", [token for token, _ in BAD.values()], ids=BAD.keys())
def test_a_refusal_tells_nothing_of_the_token_or_the_secret(token: object):
    with pytest.raises(TokenRefused) as refused:
        verified(token)
    told = str(refused.value) + repr(refused.value)
    parts = token.split(".") if isinstance(token, str) else []
    assert not any(piece in told for piece in parts if len(piece) > 5)
    assert SECRET not in told


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"account_id": str(KOMMO_ID)},
        {"client_uuid": None, "client_uid": CLIENT},
        {"client_uid": CLIENT},
        {"iss": None},
        {"iat": None, "nbf": None},
        {"exp": seconds(-59)},
        {"exp": seconds(1200.5)},
        {"nbf": seconds(59), "iat": seconds(59)},
        {"exp": seconds(86400 * 3650)},
        {"aud": None, "jti": None, "bot_type": None, "subdomain": None},
        {"aud": ["https://a.example", "https://b.example"]},
        {"aud": {"x": 1}, "jti": 17, "bot_type": [], "subdomain": False, "sub": 5},
        {"entity_type": None, "entity_id": None},
    ],
    ids=[
        "as documented",
        "account in digits",
        "client under its other name",
        "client under both names",
        "no issuer",
        "no start",
        "expired within the leeway",
        "a fraction of a second",
        "of the near future",
        "ten years of life",
        "nothing that is only recorded",
        "two audiences",
        "odd types of what is only recorded",
        "no entity",
    ],
)
@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_good_token_passes(changed: dict[str, Any], algorithm: str):
    facts = verified(sign_token(claims(**changed), SECRET, algorithm))
    assert (facts.algorithm, facts.secret_index, facts.account_id) == (algorithm, 0, KOMMO_ID)


def test_the_facts_are_the_claims():
    facts = verified(sign_token(GOOD, SECRET, "HS512"))
    assert facts == TokenFacts(
        algorithm="HS512",
        secret_index=0,
        entity_type=2,
        entity_id="7204418",
        account_id=KOMMO_ID,
        subdomain="velo-lyon",
        bot_type="salesbot",
        jti="7b6c1a52-0d0e-4a53-9a43-9f6a3c1d2e01",
        aud="https://answers.velo.example",
        issued_at=NOW - timedelta(seconds=5),
        expires_at=NOW + timedelta(seconds=1200),
    )


@pytest.mark.parametrize(
    ("given_type", "read"),
    [
        (2, 2),
        ("2", 2),
        (12, 12),
        ("12", 12),
        (1, None),
        ("02", None),
        (True, None),
        (2.0, None),
        ([2], None),
        (-2, None),
    ],
)
def test_an_entity_type_is_a_lead_a_customer_or_nothing(given_type: object, read: int | None):
    assert verified(sign_token(claims(entity_type=given_type), SECRET)).entity_type == read


@pytest.mark.parametrize(
    ("given_id", "read"),
    [
        (7, "7"),
        ("7", "7"),
        (10**18, "1" + "0" * 18),
        ("9" * 19, "9" * 19),
        ("9" * 20, None),
        (0, None),
        ("0", None),
        ("007", None),
        (-7, None),
        (True, None),
        (7.5, None),
        ("7 ", None),
        ("\u0667", None),
        ({"id": 7}, None),
        ("{{lead.id}}", None),
    ],
)
def test_an_entity_id_is_a_plain_number_or_nothing(given_id: object, read: str | None):
    assert verified(sign_token(claims(entity_id=given_id), SECRET)).entity_id == read


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "x" * 2000], ids=["NUL", "lone surrogate", "very long"])
def test_what_is_only_recorded_can_be_stored(text: str):
    facts = verified(sign_token(claims(jti=text, aud=text[:100], bot_type=text[:100]), SECRET))
    for name in ("jti", "aud", "bot_type"):
        value = getattr(facts, name)
        assert "\x00" not in value
        assert len(value.encode("utf-8")) <= 255


@pytest.mark.parametrize(
    "secret",
    [
        "s",
        "short",
        "contraseña-größe-секрет",
        "x" * 5000,
        " spaces around ",
        "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
        '{"kty": "oct", "k": "AAAA"}',
        "ssh-rsa AAAAB3NzaC1yc2E= somebody",
    ],
    ids=["one letter", "short", "beyond ASCII", "long", "spaces", "like a public key", "like a JWK", "like an SSH key"],
)
def test_a_secret_of_any_form_verifies_without_a_warning(secret: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert verified(sign_token(GOOD, secret), secrets=[secret]).secret_index == 0


def test_the_previous_secret_passes_and_is_told_apart():
    assert verified(sign_token(GOOD, PREVIOUS)).secret_index == 1


def test_an_empty_secret_signs_nothing():
    with pytest.raises(TokenRefused) as refused:
        verified(sign_token(GOOD, ""), secrets=["", ""])
    assert refused.value.code == "no-secret"
    assert verified(sign_token(GOOD, SECRET), secrets=["", SECRET]).secret_index == 1


def test_of_twenty_accounts_each_ones_token_passes_only_at_its_own():
    secrets = [f"secret-of-account-{number:02}-{'z' * number}" for number in range(20)]
    tokens = [sign_token(GOOD, secret) for secret in secrets]
    passed = []
    for row, secret in enumerate(secrets):
        for column, token in enumerate(tokens):
            try:
                verified(token, secrets=[secret])
            except TokenRefused:
                continue
            passed.append((row, column))
    assert passed == [(number, number) for number in range(20)]


@pytest.mark.parametrize("name", ["kid", "jku", "x5u", "jwk", "x5c"])
def test_a_header_that_names_keys_is_not_looked_at(name: str):
    token = sign_token(GOOD, SECRET, **{name: "http://127.0.0.1:9/keys.json"})
    assert verified(token).secret_index == 0


def test_the_facts_hold_no_token():
    assert {field.name for field in fields(TokenFacts)}.isdisjoint({"token", "signature", "raw"})


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_token_with_one_character_changed_never_passes(data: st.DataObject):
    place = data.draw(st.integers(0, len(GOOD_TOKEN) - 1))
    character = data.draw(st.characters().filter(lambda found: found != GOOD_TOKEN[place]))
    with pytest.raises(TokenRefused):
        verified(GOOD_TOKEN[:place] + character + GOOD_TOKEN[place + 1 :])


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(), st.binary().map(part), st.lists(st.binary().map(part), max_size=5).map(".".join), st.none())
)
def test_whatever_comes_as_a_token_is_refused_in_words(token: object):
    with pytest.raises(TokenRefused):
        verified(token)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(GOOD)),
        st.one_of(st.none(), st.text(), st.floats(), st.booleans(), st.integers(), st.lists(st.integers(), max_size=2)),
        min_size=1,
    )
)
def test_odd_claims_never_crash_and_never_belong_to_another_account(odd: dict[str, Any]):
    try:
        verified(sign_token(GOOD | odd, SECRET))
    except TokenRefused:
        return
    merged = GOOD | odd
    assert str(merged["account_id"]) == str(KOMMO_ID)
    assert merged["client_uuid"] == CLIENT
    assert merged["iss"] == ORIGIN
