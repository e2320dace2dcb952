"""The kinds of trouble that the sandbox makes on demand, what each does, and how one is asked for.

Kinds of `continue` act on the bridge's call that resumes a Salesbot, kinds of `widget_request` on the Salesbot's call
to the bridge. Source: protocol §1.2 to §1.4 (requests), §2.5 and §9 (answers).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any, Final, Literal

JSON = dict[str, Any]
Where = Literal["continue", "widget_request"]
HUGE_BYTES: Final = 1_000_000_000
COUNT_MAX: Final = 1_000_000
COPIES_MAX: Final = 100
SECONDS_MAX: Final = 3_600
DAY_SECONDS: Final = 86_400
SIZE_MAX: Final = 10_000_000_000
CUT: Final = frozenset({"drop_before", "drop_after", "lost"})  # no status reaches the caller
STATUSES: Final = {"rate_limit": 429, "block_page": 403, "redirect": 307}
_ids: Final = count(1)


class WrongFault(ValueError):
    """A fault that makes no sense; the text names the field and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of trouble.

    Args:
        title: its name for people.
        story: what happens, and what a good bridge makes of it.
        where: the call that it acts on.
        accepts: whether the continue counts although its answer is bad.
        defaults: the fields that may be set beside the usual ones, with their usual values.
    """

    title: str
    story: str
    where: Where = "continue"
    accepts: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)


KINDS: Final[dict[str, Kind]] = {
    "status": Kind(
        title="Kommo answers with an error",
        story="The bridge's continue is answered with this status and not accepted. After a 5xx a good bridge sends "
        "the same answer once more.",
        defaults={"status": 500, "html": False, "retry_after": None, "accept": None},
    ),
    "slow": Kind(
        title="Kommo answers slowly",
        story="The continue is accepted at once, but its answer comes late. A good bridge waits, or counts the answer "
        "as unknown; it never asks the model again.",
        accepts=True,
        defaults={"seconds": 10.0, "accept": None},
    ),
    "drop_before": Kind(
        title="The connection is cut before acceptance",
        story="The continue did not arrive. The bridge cannot know that, and sends it once more.",
    ),
    "drop_after": Kind(
        title="The connection is cut after acceptance",
        story="The continue arrived and the customer has the message, but the bridge hears nothing. When it sends "
        "again it gets 404, which here means: delivered, perhaps.",
        accepts=True,
    ),
    "lost": Kind(
        title="The answer is lost",
        story="The continue was accepted, and then there is silence: no answer and no end until the time is over.",
        accepts=True,
        defaults={"seconds": 60.0},
    ),
    "wrong_type": Kind(
        title="The answer has the wrong type",
        story="202, said to be JSON, but it is a web page. A good bridge goes by the status alone.",
        accepts=True,
    ),
    "rate_limit": Kind(
        title="Too many requests (429)",
        story="Kommo's limit: not accepted, come again after retry_after seconds.",
        defaults={"retry_after": 1},
    ),
    "block_page": Kind(
        title="The address is blocked (403 page)",
        story="A web server's own page instead of Kommo: the bridge called too often. Not accepted.",
    ),
    "redirect": Kind(
        title="Sent elsewhere (307)",
        story="An answer that names another address. A good bridge never follows: it would carry the account's token "
        "there.",
        defaults={"url": "/elsewhere"},
    ),
    "huge": Kind(
        title="A huge answer",
        story="Accepted, and then a body that does not end. A good bridge stops reading.",
        accepts=True,
        defaults={"size": HUGE_BYTES, "accept": None},
    ),
    "drip": Kind(
        title="An answer that drips",
        story="Accepted, and then one byte each half second. A good bridge gives up at its own time.",
        accepts=True,
        defaults={"seconds": 10.0, "accept": None},
    ),
    "clock_skew": Kind(
        title="The account's clock is wrong",
        story="The request's token is made with times moved by these seconds: far in the past it has expired (401), "
        "within a minute it must be taken.",
        where="widget_request",
        defaults={"seconds": -7200},
    ),
    "duplicate": Kind(
        title="The same request comes several times",
        story="So many copies of one request arrive at once. A good bridge answers each with 200 and writes once.",
        where="widget_request",
        defaults={"copies": 3},
    ),
    "request_type": Kind(
        title="The request has the wrong type",
        story="The body is as always, its Content-Type is not. A good bridge looks at the first character.",
        where="widget_request",
        defaults={"content_type": "text/plain"},
    ),
}

USUAL: Final[dict[str, tuple[type, ...]]] = {"account": (str,), "customer": (str,), "count": (int,), "on": (bool,)}
FIELDS: Final[dict[str, tuple[type, ...]]] = USUAL | {
    "accept": (bool, type(None)),
    "status": (int,),
    "html": (bool,),
    "retry_after": (int, float, type(None)),
    "url": (str,),
    "seconds": (int, float),
    "size": (int,),
    "copies": (int,),
    "content_type": (str,),
}
RANGES: Final[dict[str, tuple[int, int]]] = {
    "count": (1, COUNT_MAX),
    "status": (200, 599),
    "retry_after": (0, DAY_SECONDS),
    "seconds": (0, SECONDS_MAX),
    "size": (0, SIZE_MAX),
    "copies": (2, COPIES_MAX),
}
WRITTEN: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One misbehaviour that waits for its call.

    Args:
        kind: a key of `KINDS`.
        account: subdomain that it is for; empty for any.
        customer: customer that it is for; empty for any.
        count: how many calls it still acts on.
        on: a fault that is switched off keeps its place and does nothing.
        accept: whether the continue is accepted before the fault acts; None takes the kind's way.
        status: for `status`.
        html: for `status`: a web server's plain page instead of problem+json.
        retry_after: for `status` and `rate_limit`: seconds, in the body; None leaves it out.
        url: for `redirect`.
        seconds: for `slow`, `lost` and `drip`: how long; for `clock_skew`: how far, negative into the past.
        size: for `huge`: bytes.
        copies: for `duplicate`: how many requests arrive in all.
        content_type: for `request_type`.
        id: names it in the control API.
    """

    kind: str
    account: str = ""
    customer: str = ""
    count: int = 1
    on: bool = True
    accept: bool | None = None
    status: int = 500
    html: bool = False
    retry_after: float | None = None
    url: str = ""
    seconds: float = 10.0
    size: int = HUGE_BYTES
    copies: int = 3
    content_type: str = ""
    id: int = field(default_factory=lambda: next(_ids))

    @property
    def accepts(self) -> bool:
        """Tell whether the continue counts although its answer is bad."""
        usual = KINDS[self.kind].accepts
        return usual if self.accept is None else self.accept

    @property
    def answer_status(self) -> int | None:
        """Give the status that the caller reads; None when none reaches it."""
        if self.kind in CUT:
            return None
        return self.status if self.kind == "status" else STATUSES.get(self.kind, 202)

    def fits(self, where: Where, account: str, customer: str) -> bool:
        """Tell whether it acts on a call of this chat."""
        mine = self.account in {"", account} and self.customer in {"", customer}
        return self.on and mine and KINDS[self.kind].where == where

    def told(self) -> JSON:
        """Give the fault as JSON: the usual fields, and those that its kind uses."""
        wanted = {"id", "kind", *USUAL, *KINDS[self.kind].defaults}
        facts = {key: value for key, value in asdict(self).items() if key in wanted}
        return {**facts, "title": KINDS[self.kind].title, "where": KINDS[self.kind].where}


def read_fault(asked: JSON) -> Fault:
    """Read a fault as the control API takes it.

    Raises:
        WrongFault: the kind or a field is unknown or wrong.
    """
    name = asked.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise WrongFault(f"kind: must be one of {', '.join(KINDS)}")
    fields = {key: value for key, value in asked.items() if key != "kind"}
    for key, value in fields.items():
        check_field(name, key, value)
    return Fault(kind=name, **{**KINDS[name].defaults, **fields})


def check_field(kind: str, key: str, value: object) -> None:
    """Check one field of a fault.

    Raises:
        WrongFault: the kind has no such field, or the value is wrong.
    """
    known = (*USUAL, *KINDS[kind].defaults)
    if key not in known:
        raise WrongFault(f"{key}: is not known; known for {kind} are {', '.join(known)}")
    types = FIELDS[key]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise WrongFault(f"{key}: must be {' or '.join(WRITTEN[one] for one in types)}")
    limits = range_of(kind, key)
    if limits and isinstance(value, int | float) and not limits[0] <= value <= limits[1]:
        raise WrongFault(f"{key}: must be from {limits[0]} to {limits[1]}")
    if key in {"content_type", "url"} and not _is_header_text(value):
        raise WrongFault(f"{key}: must be of printable Latin signs")


def range_of(kind: str, key: str) -> tuple[int, int] | None:
    """Give the lowest and the highest value of a field; None when it has no such limits."""
    if kind == "clock_skew" and key == "seconds":
        return -DAY_SECONDS, DAY_SECONDS
    return RANGES.get(key)


def kinds_told() -> list[JSON]:
    """List all kinds as JSON, for pages that offer them."""
    return [_kind_told(name, kind) for name, kind in KINDS.items()]


def _kind_told(name: str, kind: Kind) -> JSON:
    facts = {"kind": name, "title": kind.title, "story": kind.story, "where": kind.where}
    ranges = {key: limits for key in kind.defaults if (limits := range_of(name, key))}
    return {**facts, "defaults": dict(kind.defaults), "ranges": ranges}


def _is_header_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()
