"""Two accounts with a row of every kind, Rival's full of one word, so that any of it is seen wherever it turns up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from bots.models import Account, Attempt, User
from bots.states import Outcome, State
from tests.cast import (
    Cast,
    a_bot,
    a_conversation,
    a_message,
    a_model_choice,
    a_provider,
    an_attempt,
    an_exchange,
    the_cast,
)

MARK = "zebramark"


@dataclass(frozen=True, slots=True)
class World:
    """Who and what there is.

    Args:
        rows: of both accounts, by the account's primary key: one of each model that has a page, and more.
    """

    people: Cast
    rows: dict[int, list[Model]]

    def of_rival(self) -> list[Model]:
        """Give the rows that nobody of Acme may see; the stranger is one of them."""
        return self.rows[self.people.rival.pk]

    def of_acme(self) -> list[Model]:
        """Give the rows of the account that looks."""
        return self.rows[self.people.acme.pk]


def a_world(
    *, acme_mark: str = "acmemark", rival_mark: str = "zebramark", states: Collection[State] = (State.DELIVERED,)
) -> World:
    """Make both accounts, each with its mark in every text that a person or a model may write.

    Args:
        acme_mark: the word, or the text, of Acme's rows.
        rival_mark: likewise of Rival's.
        states: an exchange of each is made.
    """
    people = the_cast()
    mark_people(people, rival_mark)
    mine = fill(people.acme, acme_mark, [people.owner, people.editor, people.viewer], states=states)
    foreign = fill(people.rival, rival_mark, [people.stranger], states=states)
    return World(people, {people.acme.pk: mine, people.rival.pk: foreign})


def mark_people(people: Cast, mark: str) -> None:
    """Put a mark into the stranger's address."""
    User.objects.filter(pk=people.stranger.pk).update(email=f"{mark}@rival.test", name=mark)
    people.stranger.refresh_from_db()


def fill(
    account: Account, mark: str, users: list[User], *, states: Collection[State] = (State.DELIVERED,)
) -> list[Model]:
    """Give an account a row of every kind and a history."""
    name_account(account, mark)
    provider = a_provider(account, name=slug_of(mark), api_key=f"api_key-of-{account.pk}-canary", api_base="")
    bot = a_bot(account, **bot_texts(mark), slug=slug_of(mark))
    choice = a_model_choice(bot, provider, model=mark[:60])
    conversation = a_conversation(account, origin=mark[:60], contact_id=mark[:60], talk_id=mark[:60])
    a_message(conversation, mark, role="human")
    exchanges = [one_exchange(conversation, bot, state, mark) for state in states]
    attempts = [attempt for exchange in exchanges for attempt in both_attempts(exchange, provider, mark)]
    rows: list[Model] = [account, provider, bot, conversation, *exchanges]
    remember(users, rows, mark)
    return [*rows, choice, *attempts, *users]


def name_account(account: Account, mark: str) -> None:
    """Mark an account and give it secrets that are found when they leak."""
    account.name = mark[:120]
    account.trouble, account.trouble_at = mark[:500], timezone.now()
    for secret in ("client_secret", "previous_client_secret", "access_token"):
        setattr(account, secret, f"{secret}-of-{account.pk}-canary")
    account.previous_client_secret_until = datetime.now(UTC) + timedelta(hours=5)
    account.save()
    account.set_key(f"{slug_of(mark)[:20]}-newer-key-{account.pk}", now=timezone.now())


def bot_texts(mark: str) -> dict[str, Any]:
    """Give a bot's texts."""
    texts = dict.fromkeys(("prompt", "knowledge", "fallback_text", "empty_text"), mark)
    outputs = [{"name": "city", "type": "text", "description": mark, "choices": [mark]}]
    links = [{"text": mark[:80], "url": "https://example.com/", "description": mark}]
    return {"name": mark[:120], **texts, "outputs": outputs, "links": links, "offers_buttons": True}


def one_exchange(conversation: Any, bot: Any, state: State, mark: str) -> Any:
    """Make an exchange in a state, marked wherever text may stand."""
    outcome = {State.GONE: Outcome.FAIL, State.UNKNOWN: Outcome.HANDOFF, State.FAILED: Outcome.SILENT}
    is_answered = state not in (State.RECEIVED, State.ANSWERING)
    reply: dict[str, Any] = {"reply_text": mark, "outcome": outcome.get(state, Outcome.SUCCESS)} if is_answered else {}
    return an_exchange(
        conversation=conversation,
        state=state,
        bot=bot,
        text=mark,
        instruction=mark,
        origin=mark[:60],
        widget_version=mark[:60],
        asked_bot=mark[:60],
        data={mark: mark},
        token_facts={"jti": mark},
        reason=mark[:40],
        reason_text=mark[:1000],
        offered=[mark] if is_answered else [],
        meaning=mark[:200],
        **reply,
    )


def both_attempts(exchange: Any, provider: Any, mark: str) -> list[Attempt]:
    """Make a call of a model and one of Kommo."""
    texts = {"error": mark[:40], "error_text": mark[:1000], "received": mark, "ok": False}
    asked = [{"role": mark, "content": mark}, {"role": "user", "content": [{"type": "text", "text": mark}]}]
    return [
        an_attempt(exchange, provider=provider, model=mark[:160], knowledge=mark, sent=asked, **texts),
        an_attempt(exchange, kind=Attempt.Kind.CONTINUE, **texts),
    ]


def remember(users: list[User], rows: list[Model], mark: str) -> None:
    """Write a history: each user of the account has changed each row."""
    for user in users:
        for row in rows:
            LogEntry.objects.create(
                user=user,
                content_type=ContentType.objects.get_for_model(row),
                object_id=str(row.pk),
                object_repr=mark[:200],
                action_flag=CHANGE,
                change_message=mark,
            )


def slug_of(mark: str) -> str:
    """Give a mark as a slug."""
    return "".join(letter for letter in mark.lower() if letter.isalnum())[:40] or "slug"


def as_(user: User) -> Client:
    """Give a browser in which somebody is logged in."""
    client = Client()
    client.force_login(user)
    return client


def assert_silent(response: Any, where: str) -> None:
    """Fail when an answer holds anything of Rival's, in its body or where it leads."""
    told = response.content.decode("utf-8", "replace").lower() + response.headers.get("Location", "").lower()
    assert MARK not in told, where


def stored(rows: list[Model]) -> str:
    """Give rows as the database has them."""
    return str(serializers.serialize("json", [type(row)._default_manager.get(pk=row.pk) for row in rows]))
