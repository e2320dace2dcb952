"""The key ring: secrets sealed for the database, bound to the place that they belong to.

A sealed text is `enc1:` and a Fernet token. Fernet has no associated data, so the binding travels inside: the plain
text is preceded by the SHA-256 of the binding, and opening compares it. A ciphertext that was copied to another row
or field therefore doesn't open. Nothing here ever answers with a text that it could not verify.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from kommobridge.base.faults import Fault, Faulty

PREFIX = "enc1:"
BINDING_BYTES = hashlib.sha256().digest_size
# Fernet itself drops characters outside the alphabet in silence, so a mistyped key could pass as another one.
KEY_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}=")
MAKE_ONE = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'

UnreadableReason = Literal["plain", "version", "key", "moved"]
FAULTS: dict[UnreadableReason, Fault] = {
    "plain": Fault("secret", "must be sealed, but the database holds something else", "Enter the secret again."),
    "version": Fault("secret", "must be sealed in the format enc1, and this one isn't", "Upgrade KommoBridge."),
    "key": Fault("FIELD_KEYS", "must hold the key that sealed the stored secrets", "Put that key back at the end."),
    "moved": Fault("secret", "must stay in the record and field that it was sealed for", "Enter the secret again."),
}


class BadKey(Faulty):
    """A key of the ring isn't a Fernet key, or the ring is empty."""


class SecretUnreadable(Faulty):
    """A sealed text can't be opened here.

    Attributes:
        reason: "plain" (not sealed at all), "version" (sealed by a format that we don't know), "key" (no key of the
            ring opens it, or it is damaged), "moved" (it was sealed for another place).
    """

    def __init__(self, reason: UnreadableReason) -> None:
        """Tell what stands in the way, and what helps."""
        super().__init__(FAULTS[reason])
        self.reason = reason


class KeyRing:
    """Fernet keys in order: the first writes, all read.

    Args:
        keys: urlsafe base64 of 32 bytes each, as `Fernet.generate_key()` makes them.

    Raises:
        BadKey: there is no key, or one isn't a Fernet key; the text names its position, never the key.
    """

    __slots__ = ("_all", "_count", "_first")

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise BadKey(Fault("FIELD_KEYS", "must hold at least one Fernet key", f"Make one: {MAKE_ONE}."))
        fernets = [_fernet(key, position) for position, key in enumerate(keys, start=1)]
        self._first = fernets[0]
        self._all = MultiFernet(fernets)
        self._count = len(fernets)

    def __repr__(self) -> str:
        return f"<KeyRing of {self._count}>"

    def seal(self, plain: str, *, binding: str) -> str:
        """Encrypt with the first key.

        Args:
            plain: any text, lone surrogates included.
            binding: names the one place where the text may be opened again.
        """
        token = self._first.encrypt(_digest(binding) + plain.encode("utf-8", "surrogatepass"))
        return PREFIX + token.decode("ascii")

    def open(self, sealed: str, *, binding: str) -> str:
        """Decrypt with any key and check the binding.

        Raises:
            SecretUnreadable: wrong key, damaged or moved ciphertext, a text that isn't sealed, an unknown version.
        """
        try:
            content = self._all.decrypt(_token(sealed))
        except InvalidToken:
            raise SecretUnreadable("key") from None
        if not hmac.compare_digest(content[:BINDING_BYTES], _digest(binding)):
            raise SecretUnreadable("moved")
        return content[BINDING_BYTES:].decode("utf-8", "surrogatepass")

    def needs_reseal(self, sealed: str) -> bool:
        """Say whether another key than the first wrote it.

        Raises:
            SecretUnreadable: no key of the ring opens it, or it isn't sealed.
        """
        token = _token(sealed)
        try:
            self._first.decrypt(token)
        except InvalidToken:
            return self._opens_with_another(token)
        return False

    def _opens_with_another(self, token: bytes) -> bool:
        try:
            self._all.decrypt(token)
        except InvalidToken:
            raise SecretUnreadable("key") from None
        return True


def _fernet(key: str, position: int) -> Fernet:
    if not KEY_SHAPE.fullmatch(key):
        rule = f"must hold Fernet keys (32 bytes as urlsafe base64), and key {position} isn't one"
        raise BadKey(Fault("FIELD_KEYS", rule, f"Restore the key that was there, or make a new one: {MAKE_ONE}."))
    return Fernet(key)


def _digest(binding: str) -> bytes:
    return hashlib.sha256(binding.encode("utf-8", "surrogatepass")).digest()


def _token(sealed: str) -> bytes:
    """Take the prefix off; fails on everything that isn't ours."""
    if sealed.startswith(PREFIX):
        return sealed.removeprefix(PREFIX).encode("ascii", "replace")
    if re.match(r"enc[0-9]+:", sealed):
        raise SecretUnreadable("version")
    raise SecretUnreadable("plain")
