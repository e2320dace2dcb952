"""The list of conversations, and the transcript."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bots.models import Account, Conversation, Message
from bots.states import Outcome, State
from tests.bots.admin.conftest import queries_of
from tests.cast import NOON, Cast, a_bot, a_conversation, a_message, an_exchange
from tests.promises.pages import list_page, row_pages


@pytest.fixture
def talk(people: Cast) -> Conversation:
    return a_conversation(people.acme, entity_id="7001234", contact_id="55", talk_id="901", origin="telegram")


def page_of(client: Client, talk: Conversation, query: str = "") -> str:
    return client.get(row_pages(talk)["change"] + query).content.decode()


def lines_of(client: Client, talk: Conversation, query: str = "") -> list[tuple[str, str]]:
    """Give the kinds and texts of the lines, in their order on the page."""
    context = client.get(row_pages(talk)["change"] + query).context
    return [(line.kind, line.text) for line in context["lines"]]


def test_the_list_shows_channel_last_words_and_the_number_of_messages(viewer: Client, talk: Conversation):
    a_message(talk, "first")
    a_message(talk, "and\nlast   words")
    shown = viewer.get(list_page(Conversation)).content.decode()
    assert "telegram" in shown
    assert "and last words" in shown
    row = viewer.get(list_page(Conversation)).context["cl"].result_list[0]
    assert row.messages_in_all == 2


def test_the_newest_conversation_stands_first(viewer: Client, people: Cast, talk: Conversation):
    newer = a_conversation(people.acme, last_message_at=timezone.now() + timedelta(minutes=5))
    assert list(viewer.get(list_page(Conversation)).context["cl"].result_list) == [newer, talk]


@pytest.mark.parametrize("term", ["7001234", "55", "901"], ids=["lead", "contact", "talk"])
def test_a_conversation_is_found_by_its_ids(viewer: Client, people: Cast, talk: Conversation, term: str):
    a_conversation(people.acme)
    assert list(viewer.get(list_page(Conversation), {"q": term}).context["cl"].result_list) == [talk]


def test_the_list_costs_the_same_number_of_queries_for_more_conversations(viewer: Client, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED)
    before = queries_of(viewer, list_page(Conversation))
    for _ in range(20):
        an_exchange(people.acme, state=State.DELIVERED)
    assert queries_of(viewer, list_page(Conversation)) == before


def test_lines_stand_in_their_order_by_role(viewer: Client, talk: Conversation):
    an_exchange(conversation=talk, state=State.DELIVERED, text="Blue?", reply_text="Yes, blue.")
    a_message(talk, "I take over.", role=Message.Role.HUMAN)
    assert lines_of(viewer, talk) == [("customer", "Blue?"), ("bot", "Yes, blue."), ("human", "I take over.")]


def test_line_breaks_and_markup_stay_as_they_were_typed(viewer: Client, talk: Conversation):
    a_message(talk, "one\n\n  two <b>three</b> & {{ four }}")
    assert "one\n\n  two &lt;b&gt;three&lt;/b&gt; &amp; {{ four }}</div>" in page_of(viewer, talk)


def test_a_very_long_text_is_there_to_its_end(viewer: Client, talk: Conversation):
    a_message(talk, "ж" * 60_000 + "the end")
    assert "the end</div>" in page_of(viewer, talk)


def test_a_message_without_words_says_so(viewer: Client, talk: Conversation):
    a_message(talk, "")
    assert "no words: a picture, a voice message or nothing" in page_of(viewer, talk)


def test_each_line_of_the_bot_leads_to_its_exchange(viewer: Client, talk: Conversation):
    exchange = an_exchange(conversation=talk, state=State.DELIVERED)
    assert f'href="{row_pages(exchange)["change"]}"' in page_of(viewer, talk)


def test_the_bot_is_named(viewer: Client, people: Cast, talk: Conversation):
    an_exchange(conversation=talk, state=State.DELIVERED, bot=a_bot(people.acme, name="Bicycle Bob"))
    assert "Bicycle Bob" in page_of(viewer, talk)


@pytest.mark.parametrize(
    ("state", "fields", "words"),
    [
        (State.DELIVERED, {"outcome": Outcome.HANDOFF}, ["handed over"]),
        (State.DELIVERED, {"outcome": Outcome.FAIL, "reason": "no_reply"}, ["fallback", "no model answered"]),
        (State.DELIVERED, {"outcome": Outcome.SILENT, "reply_text": ""}, ["silent"]),
        (State.DELIVERED, {"was_cut": True}, ["shortened"]),
        (State.GONE, {"reason": "gone"}, ["too late", "the Salesbot waits no more"]),
        (State.REJECTED, {"reason": "http_401"}, ["refused", "Kommo does not accept the token"]),
        (State.UNKNOWN, {"reason": "unknown"}, ["uncertain", "nobody can tell whether it arrived"]),
        (State.FAILED, {"reason": "unreachable"}, ["not sent", "Kommo could not be reached"]),
        (State.RECEIVED, {}, ["received"]),
        (State.ANSWERING, {}, ["answering"]),
        (State.SENDING, {}, ["sending"]),
    ],
    ids=lambda value: str(value) if isinstance(value, State) else None,
)
def test_what_became_of_a_message_is_marked(
    viewer: Client, talk: Conversation, state: State, fields: dict[str, Any], words: list[str]
):
    an_exchange(conversation=talk, state=state, **fields)
    shown = re.findall(r'<span class="kb-chip[^>]*>([^<]+)</span>', page_of(viewer, talk))
    assert shown == words


def test_the_answers_that_a_reply_offered_stand_below_it(viewer: Client, talk: Conversation):
    an_exchange(conversation=talk, state=State.DELIVERED, reply_text="Which day?", offered=["Today", "1 < 2"])
    shown = page_of(viewer, talk)
    assert re.findall(r'<li class="kb-offer">([^<]+)</li>', shown) == ["Today", "1 &lt; 2"]
    assert shown.index("Which day?") < shown.index('class="kb-offer"')


@pytest.mark.parametrize(
    ("text", "meaning", "told"),
    [("2", "Tomorrow", "2 → Tomorrow"), ("tomorrow!", "Tomorrow", "tomorrow! → Tomorrow")],
    ids=["a number", "other letters"],
)
def test_what_a_number_meant_stands_at_the_customers_line(
    viewer: Client, talk: Conversation, text: str, meaning: str, told: str
):
    an_exchange(conversation=talk, state=State.DELIVERED, text=text, meaning=meaning)
    shown = page_of(viewer, talk)
    assert shown.count("→") == 1
    assert told in shown


@pytest.mark.parametrize(("text", "meaning"), [("Tomorrow", "Tomorrow"), ("2", "")], ids=["a tap", "nothing"])
def test_what_says_itself_is_not_explained(viewer: Client, talk: Conversation, text: str, meaning: str):
    an_exchange(conversation=talk, state=State.DELIVERED, text=text, meaning=meaning)
    shown = page_of(viewer, talk)
    assert "→" not in shown
    assert "kb-offer" not in shown


def test_a_plain_success_bears_no_mark(viewer: Client, talk: Conversation):
    an_exchange(conversation=talk, state=State.DELIVERED)
    assert "kb-chip" not in page_of(viewer, talk)


def test_times_and_days_are_those_of_the_accounts_zone(viewer: Client, people: Cast, talk: Conversation):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Asia/Tokyo")
    a_message(talk, "evening", created_at=NOON)  # 21:00 in Tokyo
    a_message(talk, "after midnight", created_at=NOON + timedelta(hours=4))  # the next day there
    shown = page_of(viewer, talk)
    assert re.findall(r'class="kb-day"><span>([^<]+)<', shown) == ["24 November 2026", "25 November 2026"]
    assert re.findall(r">(\d\d:\d\d:\d\d)</time>", shown) == ["21:00:00", "01:00:00"]
    assert "Asia/Tokyo" in shown


def test_a_long_conversation_comes_in_pages_without_a_gap(viewer: Client, talk: Conversation):
    Message.objects.bulk_create(
        Message(conversation=talk, role=Message.Role.CUSTOMER, text=f"line {number}") for number in range(450)
    )
    seen: list[str] = []
    query = ""
    for _ in range(3):
        seen = [text for _kind, text in lines_of(viewer, talk, query)] + seen
        link = re.search(r'href="(\?before=\d+)"', page_of(viewer, talk, query))
        query = link.group(1) if link else ""
    assert seen == [f"line {number}" for number in range(450)]
    assert query == ""


@pytest.mark.parametrize(
    "before", ["x", "-1", "1e9", "9" * 30, "٣"], ids=["a letter", "negative", "a float", "huge", "Arabic"]
)
def test_a_strange_page_is_no_error(viewer: Client, talk: Conversation, before: str):
    a_message(talk, "here")
    assert viewer.get(row_pages(talk)["change"], {"before": before}).status_code == 200


def test_the_page_leads_to_the_lead_in_kommo_and_to_its_exchanges(viewer: Client, people: Cast, talk: Conversation):
    mine, other = an_exchange(conversation=talk), an_exchange(people.acme)
    shown = page_of(viewer, talk)
    assert f"{people.acme.origin}/leads/detail/7001234" in shown
    link = re.search(r'href="([^"]+conversation=[^"]+)"', shown)
    assert link
    listed = list(viewer.get(link.group(1)).context["cl"].result_list)
    assert listed == [mine]
    assert other not in listed


def test_an_unknown_entity_has_no_link(viewer: Client, people: Cast):
    talk = a_conversation(people.acme, entity_type=0, entity_id="request-1")
    assert "detail" not in page_of(viewer, talk)


def test_nobody_changes_a_conversation(operator: Client, talk: Conversation):
    assert operator.post(row_pages(talk)["change"], {"origin": "x"}).status_code == 405
    assert operator.post(row_pages(talk)["delete"], {"post": "yes"}).status_code == 403
    assert Conversation.objects.get(pk=talk.pk).origin == "telegram"


def test_a_transcript_costs_the_same_number_of_queries_for_more_lines(viewer: Client, people: Cast, talk: Conversation):
    bot = a_bot(people.acme)
    an_exchange(conversation=talk, state=State.DELIVERED, bot=bot)
    before = queries_of(viewer, row_pages(talk)["change"])
    for _ in range(25):
        an_exchange(conversation=talk, state=State.DELIVERED, bot=bot)
    assert queries_of(viewer, row_pages(talk)["change"]) == before
