"""Trouble by chance that can be replayed: a seed, and for each kind its share of the calls.

What meets a call depends on the seed, the account, the customer and how many such calls that customer has had, and on
nothing else: a second run with the same seed and the same customers meets the same faults, in whatever order the
customers come.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.api.fault_kinds import KINDS, USUAL, Fault, Where, WrongFault, read_fault

JSON = dict[str, Any]
SEED_MAX_CHARS: Final = 80
FIELDS: Final = ("seed", "shares", "account", "customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A replayable plan of faults; `shares` gives each kind's share of its calls, 0 to 1, and the fault it makes."""

    seed: str
    shares: Mapping[str, tuple[float, Fault]]
    account: str = ""
    customer: str = ""

    def draw(self, where: Where, *, account: str, customer: str, number: int) -> Fault | None:
        """Say what meets the customer's call of this number (from 1); None when nothing does."""
        if self.account not in {"", account} or self.customer not in {"", customer}:
            return None
        dice = random.Random(f"{self.seed}|{where}|{account}|{customer}|{number}").random()  # noqa: S311 - a replay
        for kind, (share, fault) in self.shares.items():
            if KINDS[kind].where != where:
                continue
            if dice < share:
                return replace(fault, account=account, customer=customer)
            dice -= share
        return None

    def told(self) -> JSON:
        """Give the schedule as the control API takes it."""
        shares = {kind: {"share": share, **_own_fields(fault)} for kind, (share, fault) in self.shares.items()}
        return {"seed": self.seed, "shares": shares, "account": self.account, "customer": self.customer}


def read_schedule(asked: JSON) -> Schedule:
    """Read `{"seed": "…", "shares": {"slow": 0.1, "status": {"share": 0.05, "status": 502}}}`.

    Raises:
        WrongFault: names the field that is missing, unknown or wrong.
    """
    for key in asked:
        if key not in FIELDS:
            raise WrongFault(f"{key}: is not known; known are {', '.join(FIELDS)}")
    seed, listed = asked.get("seed"), asked.get("shares")
    if isinstance(seed, bool) or not isinstance(seed, str | int) or not 1 <= len(str(seed)) <= SEED_MAX_CHARS:
        raise WrongFault(f"seed: must be a text of 1 to {SEED_MAX_CHARS} characters or a whole number")
    if not isinstance(listed, dict) or not listed:
        raise WrongFault("shares: must be an object with at least one kind")
    # in the order of KINDS, so that the order in which somebody lists them changes nothing
    order = [*KINDS, *(kind for kind in listed if kind not in KINDS)]
    shares = {kind: _read_share(kind, listed[kind]) for kind in order if kind in listed}
    _check_sums(shares)
    return Schedule(seed=str(seed), shares=shares, account=_name(asked, "account"), customer=_name(asked, "customer"))


def _read_share(kind: str, raw: object) -> tuple[float, Fault]:
    fields = dict(raw) if isinstance(raw, dict) else {"share": raw}
    share = fields.pop("share", None)
    fault = read_fault({"kind": kind, **fields})
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise WrongFault(f"shares.{kind}: must be a number from 0 to 1, or an object with such a share")
    if own := fields.keys() & USUAL.keys():
        raise WrongFault(f"shares.{kind}.{min(own)}: has no place here; a schedule acts on every call it draws")
    return float(share), fault


def _check_sums(shares: Mapping[str, tuple[float, Fault]]) -> None:
    for where in ("continue", "widget_request"):
        if sum(share for kind, (share, _) in shares.items() if KINDS[kind].where == where) > 1:
            raise WrongFault(f"shares: those of the {where} kinds must not be more than 1 together")


def _name(asked: JSON, key: str) -> str:
    value = asked.get(key, "")
    if not isinstance(value, str):
        raise WrongFault(f"{key}: must be a text")
    return value


def _own_fields(fault: Fault) -> JSON:
    return {key: getattr(fault, key) for key in KINDS[fault.kind].defaults}
