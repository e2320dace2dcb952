"""A secret opens with its keys and in its place, or not at all."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from kommobridge.base.keyring import BadKey, KeyRing, SecretUnreadable

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))
RING = KeyRing([NEW, OLD])
HERE = "account:6f1c/client_secret"


@settings(max_examples=100, deadline=None)
@given(plain=st.text(st.characters()), binding=st.text(st.characters()))
def test_what_is_sealed_opens_again_in_its_place(plain: str, binding: str):
    sealed = RING.seal(plain, binding=binding)
    assert sealed.startswith("enc1:")
    assert sealed.isascii()
    assert RING.open(sealed, binding=binding) == plain


def test_the_same_text_is_never_sealed_the_same_way():
    assert RING.seal("secret", binding=HERE) != RING.seal("secret", binding=HERE)


def test_the_first_key_writes_and_all_read():
    sealed_before = KeyRing([OLD]).seal("secret", binding=HERE)
    assert RING.open(sealed_before, binding=HERE) == "secret"
    assert KeyRing([NEW]).open(RING.seal("secret", binding=HERE), binding=HERE) == "secret"


def test_only_what_another_key_wrote_needs_sealing_again():
    assert RING.needs_reseal(KeyRing([OLD]).seal("secret", binding=HERE))
    assert not RING.needs_reseal(RING.seal("secret", binding=HERE))


@pytest.mark.parametrize("elsewhere", ["", "account:6f1c/access_token", "account:6f1d/client_secret", HERE + " "])
def test_a_moved_ciphertext_does_not_open(elsewhere: str):
    with pytest.raises(SecretUnreadable) as refused:
        RING.open(RING.seal("secret", binding=HERE), binding=elsewhere)
    assert refused.value.reason == "moved"


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        (KeyRing([FOREIGN]).seal("secret", binding=HERE), "key"),
        ("enc1:", "key"),
        ("enc1:gAAAAABnonsense", "key"),
        ("enc1:\u0441\u0435\u043a\u0440\u0435\u0442", "key"),
        (RING.seal("secret", binding=HERE)[:-4], "key"),
        (RING.seal("secret", binding=HERE)[:-6] + "AAAAAA", "key"),
        ("enc2:gAAAAAB", "version"),
        ("enc12:x", "version"),
        ("plain secret", "plain"),
        ("", "plain"),
        ("ENC1:gAAAAAB", "plain"),
        (" " + RING.seal("secret", binding=HERE), "plain"),
        (RING.seal("secret", binding=HERE).removeprefix("enc1:"), "plain"),
    ],
    ids=[
        "another key",
        "nothing behind the prefix",
        "nonsense",
        "beyond ASCII",
        "cut off",
        "changed",
        "newer format",
        "much newer format",
        "plain text",
        "empty",
        "upper-case prefix",
        "space before",
        "no prefix",
    ],
)
def test_what_is_not_ours_fails_closed(sealed: str, reason: str):
    for use in (lambda: RING.open(sealed, binding=HERE), lambda: RING.needs_reseal(sealed)):
        with pytest.raises(SecretUnreadable) as refused:
            use()
        assert refused.value.reason == reason
        assert refused.value.fault.remedy


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [""],
        ["short"],
        [NEW, "x" * 44],
        [NEW[:-1]],
        [NEW + "\n"],
        [NEW.replace(NEW[5], "!", 1)],
        [" " + NEW[1:]],
        [NEW + NEW],
    ],
    ids=["none", "empty", "short", "no padding", "cut off", "line feed", "foreign letter", "space", "two in one"],
)
def test_a_bad_key_is_named_by_its_place_and_never_shown(keys: list[str]):
    with pytest.raises(BadKey) as refused:
        KeyRing(keys)
    told = str(refused.value) + repr(refused.value)
    assert refused.value.fault.field == "FIELD_KEYS"
    assert not any(key.strip() in told for key in keys if len(key) > 5)


def test_nothing_shows_a_key_or_a_secret():
    with pytest.raises(SecretUnreadable) as refused:
        RING.open(RING.seal("very-secret-text", binding=HERE), binding="elsewhere")
    told = repr(RING) + str(RING) + repr(refused.value) + str(refused.value)
    assert not any(text in told for text in (OLD, NEW, "very-secret-text", HERE))
