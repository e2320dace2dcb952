"""Exchanges: one widget_request and everything that it led to. Queries and the claim live here."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bots.models.accounts import Account
from bots.models.bots import Bot
from bots.models.conversations import Conversation
from bots.models.scoped import AccountScoped
from bots.states import OPEN, Outcome, State, timeline_entry

OPEN_VALUES = sorted(state.value for state in OPEN)
UNANSWERED = frozenset({State.RECEIVED.value, State.ANSWERING.value})
LEASE = timedelta(seconds=12)  # renewed every 2 s while its owner lives
HANGS_AFTER = timedelta(seconds=5)  # past the answer deadline, which ends every call to a model in time


class Literal(models.Value):
    """A constant of ours that stands in the statement itself.

    A database takes a partial index only when it sees that the condition is the index's own. SQLite never sees that
    of a parameter, and would read the whole table at each look for work; PostgreSQL doesn't in a prepared statement.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[()]]:
        """Give the quoted word.

        Raises:
            ValueError: it is no plain word.
        """
        if not self.value.isidentifier():
            raise ValueError(f"{self.value!r} is no plain word")
        return f"'{self.value}'", ()


OPEN_LITERALS = [Literal(value) for value in OPEN_VALUES]


class ExchangeQuerySet(models.QuerySet["Exchange"]):
    """The questions that are asked of exchanges, by name."""

    def open(self) -> "ExchangeQuerySet":
        """Those that a Salesbot still waits for."""
        return self.filter(state__in=OPEN_LITERALS)

    def takeable(self, now: datetime) -> "ExchangeQuerySet":
        """Open ones that nobody works on, that are due, and that no earlier one of their conversation holds back."""
        earlier = Exchange.objects.open().filter(conversation=OuterRef("conversation"), pk__lt=OuterRef("pk"))
        return (
            self.open()
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lte=now))
            .filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))
            .exclude(Exists(earlier))
        )

    def claim(self, *, limit: int, owner: str, now: datetime, full: Collection[int] = ()) -> "list[Exchange]":
        """Take up to `limit` takeable exchanges, oldest first, for one worker.

        Accounts that are `full` already hold their share of the worker: of theirs only those are taken whose answer
        deadline has passed, because these ask no model.

        Each gets a lease, the next claim number and, when it has no reply yet, the state `answering`. Two workers never
        get the same one: the rows are locked where the database can, and a second claim finds the lease.
        """
        with transaction.atomic(savepoint=False):
            found = list(
                self.takeable(now)
                .exclude(account__in=full, answer_due__gt=now)
                .select_related("account", "bot", "conversation")
                .order_by("received_at", "pk")
                .select_for_update(skip_locked=True, of=("self",))[:limit]
            )
            self._write_claims(found, owner=owner, now=now)
        return found

    def _write_claims(self, found: "list[Exchange]", *, owner: str, now: datetime) -> None:
        """Write a claim into rows that are locked: one statement for those without a reply, one for the others."""
        unanswered = [exchange.pk for exchange in found if exchange.state in UNANSWERED]
        answered = [exchange.pk for exchange in found if exchange.state not in UNANSWERED]
        for exchange in found:
            exchange._claimed(owner=owner, now=now)
        claim: dict[str, Any] = {
            "claim": F("claim") + 1, "owner": owner, "lease_until": now + LEASE, "retry_at": None,
            "interrupted": F("post_out"),
        }  # fmt: skip
        entry = timeline_entry(State.ANSWERING, now=now, who=owner)
        answering = claim | {
            "state": State.ANSWERING.value, "state_since": now, "answer_claims": F("answer_claims") + 1,
            "timeline": Appended("timeline", Value(json.dumps(entry))),
        }  # fmt: skip
        for ids, changes in ((unanswered, answering), (answered, claim)):
            if ids:
                self.filter(pk__in=ids).update(**changes)

    def renew(self, claims: Sequence[tuple[int, int]], *, now: datetime) -> None:
        """Hold the leases of what a worker has in flight: pairs of primary key and claim number.

        One that still asks its model well after the answer deadline hangs; its lease runs out, and another process
        sends the fallback.
        """
        hangs = Q(state=State.ANSWERING.value, answer_due__lte=now - HANGS_AFTER)
        for claim in {number for _pk, number in claims}:
            ids = [pk for pk, number in claims if number == claim]
            self.open().filter(pk__in=ids, claim=claim).exclude(hangs).update(lease_until=now + LEASE)


class Appended(Func):
    """A JSON list with one more entry, written by the database: `Appended(column, Value(JSON text of the entry))`."""

    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Concatenate."""
        return self.as_sql(compiler, connection, template="%(expressions)s::jsonb", arg_joiner=" || ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Insert behind the last entry."""
        joined = {"template": "json_insert(%(expressions)s))", "arg_joiner": ", '$[#]', json("}
        return self.as_sql(compiler, connection, **joined, **context)


class Exchange(AccountScoped):
    """One widget_request, its reply, and how that reached Kommo."""

    SAME_ACCOUNT = ("conversation", "bot")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="exchanges", verbose_name=_("account"))
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="exchanges", verbose_name=_("conversation")
    )
    bot = models.ForeignKey(
        Bot, on_delete=models.RESTRICT, null=True, blank=True, related_name="exchanges", verbose_name=_("bot")
    )

    # what Kommo asked
    bot_type = models.CharField(_("kind of Salesbot"), max_length=16)
    salesbot_id = models.CharField(_("Salesbot id"), max_length=19)
    continue_id = models.CharField(_("continue id"), max_length=19)
    text = models.TextField(_("customer's text"), blank=True)
    instruction = models.TextField(_("instruction of the step"), blank=True)
    origin = models.CharField(_("channel"), max_length=64, blank=True)
    widget_version = models.CharField(_("widget version"), max_length=64, blank=True)
    asked_bot = models.CharField(_("bot asked for"), max_length=64, blank=True)
    data = models.JSONField(_("other data"), default=dict, blank=True)
    encoding = models.CharField(_("encoding"), max_length=16, blank=True)
    token_algorithm = models.CharField(_("token algorithm"), max_length=8, blank=True)
    token_facts = models.JSONField(_("facts of the token"), default=dict, blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    answer_due = models.DateTimeField(_("answer due"))
    end_due = models.DateTimeField(_("end due"))

    # where it stands
    state = models.CharField(
        _("state"), max_length=10, choices=[(s.value, s.value) for s in State], default=State.RECEIVED
    )
    state_since = models.DateTimeField(default=timezone.now)
    claim = models.PositiveIntegerField(default=0)
    answer_claims = models.PositiveSmallIntegerField(default=0)
    owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(_("tried again at"), null=True, blank=True)
    timeline = models.JSONField(_("timeline"), default=list, blank=True)
    queue_row = models.BigIntegerField(null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    # the reply, and how it was sent
    outcome = models.CharField(_("outcome"), max_length=8, blank=True, choices=[(o.value, o.value) for o in Outcome])
    reply_text = models.TextField(_("reply"), blank=True)
    body = models.JSONField(_("continue body"), null=True, blank=True)
    offered = models.JSONField(_("answers offered"), default=list, blank=True)
    meaning = models.CharField(_("what a tap or number meant"), max_length=200, blank=True)
    was_cut = models.BooleanField(_("cut to the channel's limit"), default=False)
    posts = models.PositiveSmallIntegerField(_("continue calls"), default=0)
    post_out = models.BooleanField(default=False)
    interrupted = models.BooleanField(default=False)
    probing = models.BooleanField(default=False)
    shortened = models.BooleanField(default=False)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    reason_text = models.CharField(_("reason in words"), max_length=1000, blank=True)

    objects = ExchangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange")
        verbose_name_plural = _("exchanges")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "bot_type", "salesbot_id", "continue_id"], name="one_exchange_per_continue"
            ),
            models.UniqueConstraint(fields=["id", "conversation"], name="exchange_of_conversation"),
            models.UniqueConstraint(fields=["id", "account"], name="exchange_of_account"),
            models.CheckConstraint(condition=Q(state__in=sorted(s.value for s in State)), name="exchange_state_known"),
        ]
        indexes = [
            models.Index(fields=["received_at", "id"], condition=Q(state__in=OPEN_VALUES), name="exchange_open"),
            models.Index(
                fields=["conversation", "id"], condition=Q(state__in=OPEN_VALUES), name="exchange_open_in_order"
            ),
            models.Index(fields=["account", "-received_at"], name="exchange_newest"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether a Salesbot still waits for this one."""
        return State(self.state) in OPEN

    @property
    def has_reply(self) -> bool:
        """Whether the reply is stored; then no model is asked again."""
        return self.body is not None

    def is_overdue(self, now: datetime) -> bool:
        """Say whether the end deadline has passed."""
        return now >= self.end_due

    def _claimed(self, *, owner: str, now: datetime) -> None:
        """Change this row as a claim does; the caller writes it."""
        if self.state in UNANSWERED:
            self.state, self.state_since = State.ANSWERING.value, now
            self.answer_claims += 1
            self.timeline = [*self.timeline, timeline_entry(State.ANSWERING, now=now, who=owner)]
        # a call was out when its worker died: it may have arrived
        self.interrupted = self.post_out
        self.claim += 1
        self.owner, self.lease_until, self.retry_at = owner, now + LEASE, None
