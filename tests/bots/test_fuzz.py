"""Ten thousand broken, hostile and absurd requests: every one gets an answer, and none an error of ours.

Seeded, so that a failure can be run again: its seed and number are in the message. Half of them are well-formed and
properly signed, and strange inside, because what passes the checks reaches the most code.
"""

import json
import random
from collections import Counter
from typing import Any

import pytest
from django.test import Client

from tests.bots.door import FORM, JSON, Door, as_form
from tests.bots.kommo.samples import FOLDER as PAYLOADS
from tests.bots.kommo.signing import sign_token
from tests.cast import a_bot, an_account

SEEDS = 10
REQUESTS = 1000  # for each seed
EXPECTED = {200, 400, 401, 413}

CONTENT_TYPES = (
    JSON, FORM, "", "text/plain", "application/x-www-form-urlencoded; charset=utf-16", "multipart/form-data",
    "multipart/form-data; boundary=x", 'multipart/form-data; boundary="', "application/json; charset=latin-1",
    "\xff/;=", "nonsense", "*/*", "application/vnd.api+json", "application/xml", "a" * 3000,
)  # fmt: skip
STRANGE_TEXTS = (
    "", " ", "\0", "\ud800", "\udfff\ud800", "{{message}}", "{{{{}}}}", "}}{{", "\u202e\u200b", "🙂" * 300,
    "a" * 40_000, "null", "true", "-0", "1e999", "[]", "{}", '{"a":', "%00", "%ff%fe", "&=&=", "[", "]", "data[",
    "../../etc/passwd",
    "'; DROP TABLE bots_exchange; --", "<script>", "\r\n\r\n", "9" * 400, "٣", "İ", "ß", "\u0085", "\ufffe",
)  # fmt: skip
STRANGE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0, float("inf"), float("nan"), [],
    {}, [[]], [{}], {"": ""}, {"\0": "\0"}, {"\ud800": 1},
)  # fmt: skip
NAMES = (
    "message", "bot", "lead_id", "contact_id", "talk_id", "origin", "widget", "instruction", "status", "show", "", "\0",
    "__proto__", "a" * 300, "0", "1", "message[0]", "[]", "\ud83d",
)  # fmt: skip
CLAIMS = (
    "exp", "iat", "nbf", "iss", "aud", "jti", "account_id", "client_uuid", "client_uid", "entity_type", "entity_id",
    "bot_type", "subdomain", "user_id",
)  # fmt: skip
URL_PARTS = ("1", "0", "9" * 19, "9" * 20, "00017", "-1", "1.0", "1%30", "١", "1 ", "1\n", "", "1/2", "1?x=1", "1#")


class Wild:
    """A source of requests: the same seed gives the same ones."""

    def __init__(self, seed: int, door: Door) -> None:
        self.random = random.Random(seed)
        self.door = door
        self.samples = [file.read_bytes() for file in sorted(PAYLOADS.iterdir()) if file.suffix in (".form", ".json")]

    def request(self) -> tuple[bytes, str]:
        """Make one: a body and its content type."""
        make = self.random.choice((self.strange, self.strange, self.strange, self.mangled, self.noise))
        return make()

    def strange(self) -> tuple[bytes, str]:
        """Write something absurd in a proper way, signed with the account's secret."""
        body: dict[str, Any] = {
            "token": self.token(),
            "data": self.value(depth=3) if self.random.random() < 0.3 else self.fields(),
            "return_url": self.return_url(),
        }
        if self.random.random() < 0.1:
            body[self.random.choice(("token", "return_url", "more"))] = self.value(depth=2)
        if self.random.random() < 0.5:
            return json.dumps(body).encode("utf-8", "surrogatepass"), JSON
        return as_form(body), FORM

    def mangled(self) -> tuple[bytes, str]:
        """Take a good body, or a sample of a real one, and damage its bytes."""
        good, _ = self.strange()
        raw = bytearray(self.random.choice([good, *self.samples]))
        for _ in range(self.random.randint(1, 12)):
            self.damage(raw)
        return bytes(raw), self.random.choice(CONTENT_TYPES)

    def noise(self) -> tuple[bytes, str]:
        """Make bytes without sense, some of them many."""
        size = self.random.choice((0, 1, 2, 30, 500, 5000, 263_000 if self.random.random() < 0.1 else 50))
        start = self.random.choice((b"", b"{", b"[", b"--x\r\n", b"token=", b"data[", b"\xef\xbb\xbf", b"data[a]=1&"))
        letters = self.random.choice((bytes(range(256)), b'{}[]",:0', b"&=[]%da", b"-x\r\n:;"))
        return start + bytes(self.random.choices(letters, k=size)), self.random.choice(CONTENT_TYPES)

    def damage(self, raw: bytearray) -> None:
        """Flip, cut, double or insert something."""
        at = self.random.randrange(len(raw) + 1)
        to = min(len(raw), at + self.random.randint(1, 40))
        match self.random.randrange(5):
            case 0:
                raw[at:to] = b""
            case 1:
                raw[at:at] = raw[at:to]
            case 2:
                raw[at:at] = self.random.choice(STRANGE_TEXTS).encode("utf-8", "surrogatepass")
            case 3:
                raw[at:to] = bytes(self.random.choices(range(256), k=to - at))
            case _:
                raw[at:at] = self.random.choice((b"%00", b"]", b"[", b'"', b"&", b"=", b"\0", b"{" * 40, b"\\u0000"))

    def token(self) -> str:
        """Sign claims, most of the time good ones, with the account's own secret."""
        claims = self.door.claims()
        if self.random.random() < 0.4:
            claims[self.random.choice(CLAIMS)] = self.value(depth=1)
        algorithm = self.random.choice(("HS256", "HS256", "HS512"))
        return sign_token(claims, self.door.account.client_secret, algorithm)

    def return_url(self) -> str:
        """Give an address, most of the time a good one, of a new continue id."""
        if self.random.random() < 0.8:
            return self.door.return_url(self.random.randrange(10**18))
        bot, number = self.random.choice(URL_PARTS), self.random.choice(URL_PARTS)
        return f"{self.door.account.origin}/api/v4/salesbot/{bot}/continue/{number}"

    def fields(self) -> dict[str, Any]:
        """Give data with names that we know and some that we don't."""
        return {self.random.choice(NAMES): self.value(depth=2) for _ in range(self.random.randint(0, 6))}

    def value(self, *, depth: int) -> Any:
        """Give a strange value, now and then one with others in it."""
        kind = self.random.random()
        if depth and kind < 0.2:
            return [
                self.value(depth=depth - 1) for _ in range(self.random.choice((1, 2, 3, 1200 if depth == 1 else 3)))
            ]
        if depth and kind < 0.4:
            return self.fields() if depth == 1 else {self.random.choice(NAMES): self.value(depth=depth - 1)}
        if depth and kind < 0.45:
            return self.nested(self.random.choice((5, 31, 33, 200)))
        return self.random.choice(STRANGE_TEXTS if kind < 0.75 else STRANGE_VALUES)

    def nested(self, depth: int) -> Any:
        """Give lists or objects in each other."""
        value: Any = "deep"
        for _ in range(depth):
            value = [value] if self.random.random() < 0.5 else {"a": value}
        return value


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_request_gets_an_error_of_ours(seed: int):
    account = an_account()
    a_bot(account)
    door = Door(account)
    wild = Wild(seed, door)
    client = Client(raise_request_exception=False)
    url = f"/kommo/{account.key}/widget-request/"
    seen: Counter[int] = Counter()
    for number in range(REQUESTS):
        body, content_type = wild.request()
        answer = client.generic("POST", url, body, content_type)
        seen[answer.status_code] += 1
        told = f"seed {seed}, request {number}: {answer.status_code} for {content_type[:60]!r} {body[:300]!r}"
        assert answer.status_code in EXPECTED, told

    # it isn't one answer to all: many pass, and of every kind of refusal there are some
    assert seen[200] > REQUESTS / 10
    assert seen[400] > REQUESTS / 10
    assert seen[401] > REQUESTS / 20
