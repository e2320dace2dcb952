"""Documents that are wrong: told with place and rule on one line, and applied not at all."""

from typing import Any

import pytest

from bots.models import Account, HookKey, User
from tests.bots.provisioning.documents import ACCOUNT, KEY, NOON, a_document, acme, apply, refusal

pytestmark = pytest.mark.django_db


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """Give Acme's document with one value set deep within."""
    document = a_document()
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return document


BOT = ("accounts", 0, "bots", 0)
WRONG = {
    "a misspelt field of a bot": (
        changed(*BOT, "promt", to="x"),
        "accounts[0].bots[0].promt: unknown field. Known: slug,",
    ),
    "a misspelt field of a model": (
        changed(*BOT, "models", 0, "modle", to="x"),
        "accounts[0].bots[0].models[0].modle: unknown",
    ),
    "a misspelt field of an integration": (
        changed("accounts", 0, "integration", "secret", to="x"),
        "accounts[0].integration.secret: unknown field. Known: client_id,",
    ),
    "a misspelt field of the whole": (changed("acounts", to=[]), "acounts: unknown field. Known: accounts"),
    "a list instead of an object": ([], "the document: must be an object"),
    "an object instead of a list": (changed("accounts", to={}), "accounts: must be a list"),
    "text instead of an account": (changed("accounts", to=["acme"]), "accounts[0]: must be an object"),
    "text instead of a number": (
        changed("accounts", 0, "kommo_id", to="x"),
        "accounts[0].kommo_id: must be a whole number",
    ),
    "a number instead of a secret": (
        changed("accounts", 0, "access_token", to=5),
        "accounts[0].access_token: must be text",
    ),
    "null instead of a secret": (
        changed("accounts", 0, "access_token", to=None),
        "accounts[0].access_token: must not be null",
    ),
    "an empty client secret": (
        changed("accounts", 0, "integration", "client_secret", to=""),
        "accounts[0].integration.client_secret: must not be empty",
    ),
    "text instead of a temperature": (changed(*BOT, "temperature", to="1"), "bots[0].temperature: must be a number"),
    "true as a temperature": (changed(*BOT, "temperature", to=True), "bots[0].temperature: must be a number"),
    "a temperature that is not finite": (
        changed(*BOT, "temperature", to=1e999),
        "bots[0].temperature: must be a number",
    ),
    "a temperature that is too high": (changed(*BOT, "temperature", to=2.5), "bots[0].temperature: "),
    "a deadline that is too long": (changed(*BOT, "deadline_s", to=56), "accounts[0].bots[0].deadline_s: "),
    "no slug": (changed("accounts", 0, "bots", to=[{"prompt": "x"}]), "accounts[0].bots[0].slug: must be given"),
    "no prompt": (
        changed("accounts", 0, "bots", to=[{"slug": "x"}]),
        "accounts[0].bots[0].prompt: must be given for a new bot",
    ),
    "a slug with spaces": (changed(*BOT, "slug", to="a b"), "accounts[0].bots[0].slug: "),
    "an output with the name of ours": (
        changed(*BOT, "outputs", to=[{"name": "status"}]),
        "accounts[0].bots[0].outputs: output 1: name must be",
    ),
    "an empty object for outputs": (changed(*BOT, "outputs", to={}), "bots[0].outputs: must be a list"),
    "a delivery that is none": (
        changed(*BOT, "delivery", to="mail"),
        "accounts[0].bots[0].delivery: must be one of data, chunks",
    ),
    "text instead of a switch": (
        changed(*BOT, "offers_buttons", to="perhaps"),
        "accounts[0].bots[0].offers_buttons: ",
    ),
    "a link without an address": (
        changed(*BOT, "links", to=[{"text": "Prices"}]),
        "accounts[0].bots[0].links: link 1: url must be a web address",
    ),
    "an address with a placeholder": (
        changed(*BOT, "links", to=[{"text": "Prices", "url": "https://a.example/{{lead.id}}"}]),
        "accounts[0].bots[0].links: link 1: url must be a web address",
    ),
    "an empty object for links": (changed(*BOT, "links", to={}), "bots[0].links: must be a list"),
    "a NUL in a link": (
        changed(*BOT, "links", to=[{"text": "a\0", "url": "https://a.example"}]),
        "accounts[0].bots[0].links: must hold no NUL",
    ),
    "a way out of no outcome": (
        changed(*BOT, "routes", to={"won": {"exit": "success"}}),
        "accounts[0].bots[0].routes: won: is no outcome",
    ),
    "a way out that leads nowhere": (
        changed(*BOT, "routes", to={"fail": {"exit": "won"}}),
        "accounts[0].bots[0].routes: fail: exit must be one of success",
    ),
    "an empty list for ways out": (changed(*BOT, "routes", to=[]), "bots[0].routes: must be an object"),
    "a NUL in an output": (
        changed(*BOT, "outputs", to=[{"name": "city", "description": "a\0"}]),
        "accounts[0].bots[0].outputs: must hold no NUL",
    ),
    "a NUL in a prompt": (changed(*BOT, "prompt", to="a\0"), "accounts[0].bots[0].prompt: Null characters"),
    "a provider that is not there": (
        changed(*BOT, "models", 0, "provider", to="mian"),
        "bots[0].models[0].provider: must name a provider of this account, and 'mian' is none. Known: main.",
    ),
    "an unknown vendor": (
        changed("accounts", 0, "providers", 0, "provider", to="acme"),
        "providers[0].provider: must be one of",
    ),
    "a base address that is none": (
        changed("accounts", 0, "providers", 0, "api_base", to="ftp://x"),
        "accounts[0].providers[0].api_base: must be scheme, host",
    ),
    "an unknown role": (
        changed("accounts", 0, "members", 0, "role", to="boss"),
        "accounts[0].members[0].role: must be one of owner, editor, viewer",
    ),
    "no address": (
        changed("accounts", 0, "members", to=[{"role": "owner"}]),
        "accounts[0].members[0].email: must be given",
    ),
    "an origin of somebody else": (
        changed("accounts", 0, "origin", to="https://acme.evil.com"),
        "accounts[0].origin: must be https://SUBDOMAIN.kommo.com",
    ),
    "a subdomain with a dot": (changed("accounts", 0, "subdomain", to="a.b"), "accounts[0].subdomain: "),
    "a time zone of nowhere": (
        changed("accounts", 0, "time_zone", to="Mars"),
        "accounts[0].time_zone: is not a time zone",
    ),
    "a key of the wrong form": (
        changed("accounts", 0, "key", to="not a key"),
        "accounts[0].key: must be 8 to 64 letters",
    ),
    "a key that ends in a line feed": (
        changed("accounts", 0, "key", to=f"{KEY}\n"),
        "accounts[0].key: must be 8 to 64 letters",
    ),
    "an end without a previous key": (
        changed("accounts", 0, "previous_key_until", to=NOON.isoformat()),
        "accounts[0].previous_key_until: needs a previous key",
    ),
    "an end without a previous secret": (
        changed("accounts", 0, "previous_client_secret_until", to=NOON.isoformat()),
        "accounts[0].previous_client_secret_until: needs a previous secret",
    ),
    "a previous key like the current": (
        changed("accounts", 0, "previous_key", to=KEY),
        "accounts[0].previous_key: is in use",
    ),
    "the same account twice": (a_document(ACCOUNT, ACCOUNT), "accounts[1]: names the same account as accounts[0]"),
    "the same bot twice": (
        changed("accounts", 0, "bots", to=ACCOUNT["bots"] * 2),
        "accounts[0].bots[1].slug: is the same",
    ),
    "the same member twice": (
        changed("accounts", 0, "members", to=[{"email": "a@b.test"}, {"email": "A@B.test"}]),
        "accounts[0].members[1].email: is the same as in entry 0",
    ),
    "two default bots": (
        changed("accounts", 0, "bots", to=[{"slug": s, "prompt": "x", "is_default": True} for s in ("a", "b")]),
        "accounts[0].bots[1].is_default: must be true for one bot only",
    ),
    "a client secret in two places": (
        changed("accounts", 0, "client_secret", to="again"),
        "accounts[0].client_secret: is given under integration too",
    ),
    "a new account without a secret": (
        a_document({"key": KEY, "subdomain": "acme", "kommo_id": 1, "client_id": "c"}),
        "accounts[0].client_secret: must be given for a new account. An account that exists is named by its key",
    ),
    "two accounts of one pair of ids": (
        a_document(ACCOUNT, {**ACCOUNT, "key": "another-key-of-acme-too"}),
        "accounts[1]: This Kommo account is already connected by this integration",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_document_is_refused_with_place_and_rule(name: str):
    document, told = WRONG[name]
    assert told in refusal(document)
    assert not Account.objects.exists()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", WRONG)
def test_a_refusal_is_one_line_without_a_secret(name: str):
    said = refusal(WRONG[name][0])
    assert "\n" not in said
    assert not any(secret in said for secret in ("first client secret", "long-lived token", "sk-main", "good long"))


def test_an_error_in_the_last_account_leaves_no_trace_of_the_first():
    rival = {**ACCOUNT, "key": "the-key-of-the-rival", "kommo_id": 4, "subdomain": "UPPER"}
    refusal(a_document(ACCOUNT, rival))
    assert not Account.objects.exists()
    assert not HookKey.objects.exists()


def test_an_error_in_an_update_leaves_every_value_as_it_was():
    apply(a_document())
    refusal(a_document(name="Other", client_secret="x", integration={}, bots=[{"slug": "sales", "deadline_s": 1}]))
    assert (acme().name, acme().client_secret) == ("Acme", "first client secret")


def test_many_faults_are_told_up_to_five_and_the_rest_counted():
    said = refusal(a_document(bots=[{"prompt": str(n)} for n in range(7)]))
    assert said.count("must be given") == 5
    assert said.endswith("And 2 more.")


def test_a_field_name_that_is_no_word_is_told_on_one_line_and_cut():
    said = refusal({"accounts": [], "two\nlines" + "x" * 500: 1})
    assert said.startswith(r"'two\nlinesxx")
    assert len(said) < 120


def test_a_private_base_address_needs_the_switch(settings: Any):
    private = changed("accounts", 0, "providers", 0, "api_base", to="http://127.0.0.1:9102/v1")
    settings.LLM_ALLOW_PRIVATE_HOSTS = False
    assert "the operator sets LLM_ALLOW_PRIVATE_HOSTS=1" in refusal(private)

    settings.LLM_ALLOW_PRIVATE_HOSTS = True
    apply(private)
    assert acme().providers.get().api_base == "http://127.0.0.1:9102/v1"


def test_an_origin_outside_kommo_needs_to_be_named_exactly(settings: Any):
    extra = a_document(origin="http://127.0.0.1:9101")
    settings.KOMMO_EXTRA_ORIGINS = frozenset({"http://127.0.0.1:9102"})
    assert "works only when KOMMO_EXTRA_ORIGINS names it exactly" in refusal(extra)

    settings.KOMMO_EXTRA_ORIGINS = frozenset({"http://127.0.0.1:9101"})
    apply(extra)
    assert acme().origin == "http://127.0.0.1:9101"
