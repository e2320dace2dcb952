"""Sending a stored reply to Kommo, exactly once where that can be known.

`begin` writes `sending` before the call goes out, `judge` says what an answer means (a table over plain data), `settle`
writes it down. A continue id is good for one continuation (protocol §1.6), so after an answer that got lost the same
body is sent once more: taken means delivered, anything else leaves it unknown.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from bots.kommo import (
    BadAccessToken,
    BadOrigin,
    ContinueBody,
    KommoAnswer,
    NoAnswer,
    NotConnected,
    ReturnUrl,
    is_extra_origin,
    plan_delivery,
    post_continue,
    shorten_for,
    still_offered,
)
from bots.models import Account, Attempt, Bot, Exchange, Message
from bots.models.exchanges import LEASE
from bots.states import Outcome, State, move

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)
PROBE_AFTER_S = 1.0
LAST_TRY_BEFORE_END_S = 3.0  # a wait that would pass the end is cut short: one last try, then the end
TOTAL_TIMEOUT_S = 10.0

Result = KommoAnswer | NotConnected | NoAnswer | BadOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from one continue call.

    Args:
        state: where the exchange ends, or SENDING when the call is to be repeated.
        after_s: how long to wait before the repetition.
        probe: the repetition is the one after an answer that got lost.
        shorten: repeated with a shorter message when Kommo's complaint is about length, else rejected.
        reason: code, "" when delivered.
        reason_text: for the owner, in plain words.
    """

    state: State
    after_s: float = 0.0
    probe: bool = False
    shorten: bool = False
    reason: str = ""
    reason_text: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether token, rights or address are wrong, so that the account's owner has to act."""
        return self.state is State.REJECTED and self.reason not in ("http_400", "http_422")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One continue call, ready to go out. Holds the token: never logged, never stored."""

    url: str
    access_token: str
    body: Mapping[str, Any]
    exempt: bool

    def __repr__(self) -> str:
        """Show the address alone."""
        return f"Parcel({self.url})"


def judge(result: Result, *, probing: bool, shortened: bool, posts: int) -> Verdict:
    """Say what follows from Kommo's answer to a continue call, or from its silence.

    Args:
        result: the answer, or the error in its place.
        probing: an earlier call may have arrived; this was the one repetition.
        shortened: the message has been shortened already.
        posts: calls so far, this one included.

    Source: protocol §2.5; the table in docs/decisions/deliveries.md.
    """
    if isinstance(result, BadAccessToken | BadOrigin):
        return _unknown() if probing else _rejected("settings", _("The call can't be made: %s") % result)
    if isinstance(result, NotConnected):
        return _again(posts, "unreachable", _("Kommo could not be reached: %s") % result)
    if isinstance(result, KommoAnswer) and 200 <= result.status < 300:
        return Verdict(state=State.DELIVERED)
    if probing:
        return _unknown()
    if isinstance(result, NoAnswer) or result.status >= 500:
        return Verdict(
            state=State.SENDING, after_s=PROBE_AFTER_S, probe=True, reason="no_answer", reason_text=_no_answer(result)
        )
    return _judge_refusal(result, shortened=shortened, posts=posts)


def _judge_refusal(answer: KommoAnswer, *, shortened: bool, posts: int) -> Verdict:
    status = answer.status
    if status == 429 or answer.is_block_page:
        wait_s = max(answer.retry_after_s or 0.0, _backoff_s(posts))
        text = _("Kommo asked us to slow down.") if status == 429 else _("Kommo has blocked this server's address.")
        return Verdict(state=State.SENDING, after_s=wait_s, reason=f"http_{status}", reason_text=text)
    if status == 404:
        text = _("The Salesbot waits no more: it was stopped, went on, or another bot took over.")
        return Verdict(state=State.GONE, reason="gone", reason_text=text)
    if status in (400, 422) and not shortened:
        text = _rejection(status, answer.detail)
        return Verdict(state=State.SENDING, shorten=True, reason=f"http_{status}", reason_text=text)
    return _rejected(f"http_{status}", _rejection(status, answer.detail))


def _rejection(status: int, detail: str) -> str:
    if status == 401:
        return _("Kommo does not accept the token: it has expired or was revoked. Set a new long-lived token.")
    if status == 403:
        return _("Kommo does not let this token continue a Salesbot: it must belong to an administrator.")
    if 300 <= status < 400:
        return _("Kommo answered with a redirect, which is never followed. Check the account's origin.")
    return _("Kommo refused the reply (%(status)d): %(detail)s") % {"status": status, "detail": detail[:300]}


def _no_answer(result: NoAnswer | KommoAnswer) -> str:
    if isinstance(result, KommoAnswer):
        return _("Kommo answered with an error of its own (%d).") % result.status
    return _("Kommo took the call and gave no answer.")


def _rejected(reason: str, reason_text: str) -> Verdict:
    return Verdict(state=State.REJECTED, reason=reason, reason_text=reason_text)


def _unknown() -> Verdict:
    text = _("Kommo's first answer got lost and the repetition was not taken: it may have arrived.")
    return Verdict(state=State.UNKNOWN, reason="unknown", reason_text=text)


def _again(posts: int, reason: str, reason_text: str) -> Verdict:
    return Verdict(state=State.SENDING, after_s=_backoff_s(posts), reason=reason, reason_text=reason_text)


def _backoff_s(posts: int) -> float:
    step = BACKOFF_S[min(max(posts, 1), len(BACKOFF_S)) - 1]
    return step * random.uniform(0.8, 1.2)  # noqa: S311  jitter, not a secret


def begin(exchange: Exchange, *, now: datetime) -> Parcel | None:
    """Write that a call goes out, and give what it carries.

    An account or bot that was switched off meanwhile makes the reply silent, unless an earlier call may have arrived.

    Returns:
        None when another worker holds the exchange by now.

    Raises:
        SecretUnreadable: the key ring does not open the account's token.
    """
    probing = exchange.probing or exchange.interrupted
    account = Account.objects.get(pk=exchange.account_id)
    changes: dict[str, Any] = {
        "probing": probing, "interrupted": False, "post_out": True, "posts": exchange.posts + 1,
        "lease_until": now + LEASE,  # longer than a call takes, so that nobody else makes it meanwhile
    }  # fmt: skip
    already_silent = exchange.outcome == Outcome.SILENT  # and says why better than we could
    if not probing and not already_silent and (why := _switched_off(account, exchange)):
        changes |= {
            "outcome": Outcome.SILENT.value,
            "reply_text": "",
            "body": _silence(exchange),
            "offered": [],
            "was_cut": False,
            "reason": "switched_off",
            "reason_text": why,
        }
    token = account.access_token
    if not move(exchange, State.SENDING, now=now, why="probe" if probing else "", **changes):
        return None
    return_url = ReturnUrl(
        bot_type=exchange.bot_type, salesbot_id=exchange.salesbot_id, continue_id=exchange.continue_id
    )
    exempt = is_extra_origin(account.origin, extra=settings.KOMMO_EXTRA_ORIGINS)
    return Parcel(url=return_url.on(account.origin), access_token=token, body=exchange.body or {}, exempt=exempt)


def _switched_off(account: Account, exchange: Exchange) -> str:
    if not account.enabled:
        return _("The account was switched off before the reply went out.")
    if exchange.bot_id and not Bot.objects.filter(pk=exchange.bot_id, enabled=True).exists():
        return _("The bot was switched off before the reply went out.")
    return ""


def _silence(exchange: Exchange) -> ContinueBody:
    """Give the body that says nothing, and leaves where the bot's silence does."""
    route = exchange.bot.route_for(Outcome.SILENT.value) if exchange.bot else None
    return plan_delivery("", status=Outcome.SILENT.value, outputs={}, origin=exchange.origin, route=route).body


def send(parcel: Parcel) -> Result:
    """Make the call; every way in which it can go wrong comes back as a value."""
    try:
        return post_continue(
            parcel.url,
            access_token=parcel.access_token,
            body=parcel.body,
            exempt=parcel.exempt,
            total_timeout_s=TOTAL_TIMEOUT_S,
        )
    except (NotConnected, NoAnswer, BadOrigin) as error:
        return error


def settle(exchange: Exchange, result: Result, *, started_at: datetime, now: datetime) -> bool:
    """Write down a continue call and what follows from it, in one transaction.

    Returns:
        False when another worker holds the exchange by now; then nothing is written.
    """
    verdict = judge(result, probing=exchange.probing, shortened=exchange.shortened, posts=exchange.posts)
    changes = _changes(exchange, verdict, result, now=now)
    with transaction.atomic(durable=True):
        moved = move(exchange, changes.pop("to"), now=now, why=verdict.reason, **changes)
        if moved:
            Attempt.objects.bulk_create([_attempt(exchange, result, verdict, started_at=started_at, now=now)])
            _tell(exchange, verdict, now=now)
    return moved


def end(exchange: Exchange, state: State, *, now: datetime, why: str, reason: str, reason_text: str) -> bool:
    """End an exchange without another call.

    Returns:
        False when another worker holds the exchange by now; then nothing is written.
    """
    with transaction.atomic(savepoint=False):
        moved = move(exchange, state, now=now, why=why, reason=reason, reason_text=reason_text)
        if moved:
            _tell(exchange, Verdict(state=state), now=now)
    return moved


def _end_untold(exchange: Exchange) -> State:
    """Give the end when Kommo can't be told any more: an earlier call may have arrived, or none did."""
    return State.UNKNOWN if exchange.probing or exchange.interrupted else State.FAILED


def give_up_unsent(exchange: Exchange, *, now: datetime) -> bool:
    """End an exchange whose second call was cut off too: nobody can tell whether it arrived."""
    text = _("The worker stopped during both calls: it may have arrived.")
    return end(exchange, State.UNKNOWN, now=now, why="interrupted", reason="unknown", reason_text=text)


def end_without_place(exchange: Exchange, *, now: datetime) -> bool:
    """End an exchange that gets no place among the calls to Kommo before its end."""
    text = _("Too many replies waited for their turn: Kommo allows only so many calls a second.")
    return end(exchange, _end_untold(exchange), now=now, why="pace", reason="pace", reason_text=text)


def unreadable_token(exchange: Exchange, *, now: datetime) -> bool:
    """Wait for the operator to mend the key ring, or end when there is no time left."""
    text = _("The account's token can't be decrypted. Check FIELD_KEYS, or set the token anew.")
    if now >= exchange.end_due:
        return end(exchange, _end_untold(exchange), now=now, why="secret", reason="secret", reason_text=text)
    later = min(now + timedelta(seconds=BACKOFF_S[-1]), exchange.end_due)
    mine = Exchange.objects.filter(pk=exchange.pk, claim=exchange.claim)
    return bool(mine.update(retry_at=later, lease_until=None, reason="secret", reason_text=text))


def _changes(exchange: Exchange, verdict: Verdict, result: Result, *, now: datetime) -> dict[str, Any]:
    """Turn a verdict into the columns of the move; "to" is the state."""
    words = {"reason": verdict.reason, "reason_text": verdict.reason_text[:1000]}
    if verdict.state is State.DELIVERED:  # a fallback that was delivered still says why it is one
        return {"to": verdict.state}
    if verdict.state is not State.SENDING:
        return {"to": verdict.state, **words}
    if verdict.shorten:
        shorter = shorten_for(cast(ContinueBody, exchange.body), complaint(result))
        if shorter is None:
            return {"to": State.REJECTED, **words}
        return {
            "to": State.SENDING, "post_out": False, "shortened": True, "was_cut": True, "body": shorter,
            "reply_text": shorter["data"]["message"], "offered": still_offered(shorter, exchange.offered),
            "retry_at": now, "lease_until": None,
        }  # fmt: skip
    retry_at = now + timedelta(seconds=verdict.after_s)
    last_try = exchange.end_due - timedelta(seconds=LAST_TRY_BEFORE_END_S)
    if now >= last_try:
        return {"to": State.UNKNOWN if exchange.probing or verdict.probe else State.FAILED, **words}
    return {
        "to": State.SENDING, "post_out": False, "probing": exchange.probing or verdict.probe,
        "retry_at": min(retry_at, last_try), "lease_until": None,
    }  # fmt: skip


def complaint(result: Result) -> tuple[str, ...]:
    """Give the codes and words with which Kommo refused."""
    return (*result.codes, result.detail) if isinstance(result, KommoAnswer) else ()


def _attempt(exchange: Exchange, result: Result, verdict: Verdict, *, started_at: datetime, now: datetime) -> Attempt:
    answer = result if isinstance(result, KommoAnswer) else None
    return Attempt(
        account_id=exchange.account_id,
        exchange=exchange,
        kind=Attempt.Kind.CONTINUE,
        started_at=started_at,
        latency_ms=max(0, int((now - started_at).total_seconds() * 1000)),
        ok=verdict.state is State.DELIVERED,
        error=verdict.reason,
        error_text=verdict.reason_text[:1000],
        sent=dict(exchange.body or {}),
        received=answer.detail if answer else "",
        http_status=answer.status if answer else None,
    )


def _tell(exchange: Exchange, verdict: Verdict, *, now: datetime) -> None:
    """Write what others see of it: the line in the conversation, the trouble of the account."""
    seen = exchange.state in (State.DELIVERED, State.UNKNOWN)  # a probe that has no time left ends as unknown
    if seen and exchange.reply_text:
        Message.objects.create(
            conversation=exchange.conversation,
            exchange=exchange,
            role=Message.Role.BOT,
            text=exchange.reply_text,
            created_at=now,
        )
    if verdict.is_trouble:
        Account.objects.filter(pk=exchange.account_id).update(trouble=verdict.reason_text[:500], trouble_at=now)
    elif verdict.state is State.DELIVERED and exchange.account.trouble:
        Account.objects.filter(pk=exchange.account_id).update(trouble="", trouble_at=None)
