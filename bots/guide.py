"""The setup guide's decisions: which steps to the first answered message are done, by what proof, and what is next.

Plain facts in, steps out. A step is done by evidence wherever evidence can exist. What happens in Kommo's own windows
nobody here can see: those steps are ticked by hand, until the first request proves them all at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bots.guide_facts import TROUBLES, Facts, Remark, Seen
from bots.widget import is_older, is_version


class StepCode(StrEnum):
    """The steps, in the order in which they are taken. The values stand in `Account.guide_ticks`."""

    ACCOUNT = "account"
    INTEGRATION = "integration"
    SECRETS = "secrets"
    BOT = "bot"
    WIDGET = "widget"
    UPLOAD = "upload"
    SETTINGS = "settings"
    SALESBOT = "salesbot"
    REQUEST = "request"
    REPLY = "reply"


IN_KOMMO = frozenset({StepCode.UPLOAD, StepCode.SETTINGS, StepCode.SALESBOT})
"""What happens in Kommo alone: ticked by hand, or proved by a request."""

FROM_OUTSIDE = frozenset({StepCode.REQUEST, StepCode.REPLY})
"""What a message of a customer decides."""


class Proof(StrEnum):
    """How a step came to be done."""

    ENTERED = "entered"
    BUILT = "built"
    SEEN = "seen"
    HAND = "hand"


class StepState(StrEnum):
    """How a step stands."""

    DONE = "done"
    NEXT = "next"
    OPEN = "open"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the guide.

    Args:
        code: which.
        state: how it stands.
        is_next: this is the one to take now; one step is, unless all are done.
        proof: what it is done by; None when it isn't.
        at: when that happened, where it is known.
        remark: what there is to say about it.
        can_be_ticked: nothing but a hand can tick it, so far.
    """

    code: StepCode
    state: StepState
    is_next: bool
    proof: Proof | None
    at: datetime | None
    remark: Remark | None
    can_be_ticked: bool


@dataclass(frozen=True, slots=True)
class _Verdict:
    proof: Proof | None = None
    at: datetime | None = None
    remark: Remark | None = None

    @property
    def is_done(self) -> bool:
        return self.proof is not None and self.remark not in TROUBLES


def checklist(facts: Facts, *, now: datetime) -> tuple[Step, ...]:
    """Give the ten steps as they stand."""
    verdicts = {
        StepCode.ACCOUNT: _account(facts),
        StepCode.INTEGRATION: _Verdict(Proof.ENTERED if facts.has_client_id else None),
        StepCode.SECRETS: _secrets(facts, now),
        StepCode.BOT: _bot(facts),
        StepCode.WIDGET: _widget(facts),
        **{code: _in_kommo(code, facts) for code in StepCode if code in IN_KOMMO},
        StepCode.REQUEST: _request(facts),
        StepCode.REPLY: _reply(facts),
    }
    following = next((code for code in StepCode if not verdicts[code].is_done), None)
    return tuple(_step(code, verdicts[code], is_next=code is following) for code in StepCode)


def count_done(steps: tuple[Step, ...]) -> int:
    """Count the steps that are done."""
    return sum(step.state is StepState.DONE for step in steps)


def is_waiting(steps: tuple[Step, ...]) -> bool:
    """Say whether a message from outside could change the page at any moment."""
    return any(step.code in FROM_OUTSIDE and step.state is not StepState.DONE for step in steps)


def with_tick(ticks: list[str], code: StepCode, *, ticked: bool) -> list[str]:
    """Give the ticks after a hand set or took one, in the order of the steps; what is no step falls away."""
    kept = {tick for tick in ticks if tick in IN_KOMMO} - {code.value} | ({code.value} if ticked else set())
    return [step.value for step in StepCode if step.value in kept]


def _step(code: StepCode, verdict: _Verdict, *, is_next: bool) -> Step:
    if verdict.is_done:
        state = StepState.DONE
    elif verdict.remark in TROUBLES:
        state = StepState.TROUBLE
    else:
        state = StepState.NEXT if is_next else StepState.OPEN
    return Step(
        code=code,
        state=state,
        is_next=is_next,
        proof=verdict.proof,
        at=verdict.at,
        remark=verdict.remark,
        can_be_ticked=code in IN_KOMMO and verdict.proof is not Proof.SEEN,
    )


def _account(facts: Facts) -> _Verdict:
    return _Verdict(Proof.ENTERED, facts.created_at, None if facts.is_on else Remark.ACCOUNT_OFF)


def _secrets(facts: Facts, now: datetime) -> _Verdict:
    if not (facts.has_secret and facts.has_token):
        return _Verdict(remark=Remark.NO_TOKEN if facts.has_secret else Remark.NO_SECRET)
    return _Verdict(Proof.ENTERED, remark=_token_trouble(facts, now))


def _token_trouble(facts: Facts, now: datetime) -> Remark | None:
    """Judge the token by its own words, but believe a reply that arrived more than the account that it names."""
    if not facts.is_readable:
        return Remark.UNREADABLE
    if facts.token.expires_at is not None and facts.token.expires_at <= now:
        return Remark.TOKEN_ENDED
    is_of_another = facts.token.kommo_id is not None and facts.token.kommo_id != facts.kommo_id
    return Remark.TOKEN_OF_ANOTHER if is_of_another and facts.first_reply is None else None


def _bot(facts: Facts) -> _Verdict:
    lacking = {
        Remark.NO_BOT: not facts.has_bot,
        Remark.NO_MODEL: not facts.has_model,
        Remark.NO_KEY: not facts.has_key,
    }
    remark = next((remark for remark, is_lacking in lacking.items() if is_lacking), None)
    if remark:
        return _Verdict(remark=remark)
    return _Verdict(Proof.ENTERED, remark=None if facts.is_bot_on else Remark.BOT_OFF)


def _widget(facts: Facts) -> _Verdict:
    """A widget was built here, or one that came from elsewhere calls."""
    if facts.widget_built_at is not None:
        return _Verdict(Proof.BUILT, facts.widget_built_at)
    return _seen(facts.first_request)


def _in_kommo(code: StepCode, facts: Facts) -> _Verdict:
    if facts.first_request is not None:
        remark = Remark.OLD_WIDGET if code is StepCode.SALESBOT and _runs_an_old_widget(facts) else None
        return _Verdict(Proof.SEEN, facts.first_request.at, remark)
    return _Verdict(Proof.HAND if code in facts.ticks else None)


def _runs_an_old_widget(facts: Facts) -> bool:
    """Say whether the newest request came from another widget than the last one built. Source: protocol §4.4."""
    version = facts.last_request.widget_version if facts.last_request else ""
    return is_version(version) and is_version(facts.widget_version) and is_older(version, than=facts.widget_version)


def _request(facts: Facts) -> _Verdict:
    seen = _seen(facts.first_request)
    if facts.refused_at:
        return replace(seen, remark=Remark.REFUSED)
    if facts.first_request is None and not facts.can_be_reached:
        return _Verdict(remark=Remark.LOCAL_ADDRESS)
    return seen


def _reply(facts: Facts) -> _Verdict:
    if facts.first_reply is not None:
        return _seen(facts.first_reply)
    return _Verdict(remark=facts.last_request.ending if facts.last_request else None)


def _seen(request: Seen | None) -> _Verdict:
    return _Verdict(Proof.SEEN, request.at) if request else _Verdict()
