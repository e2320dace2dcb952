"""Our widget from the zip to the customer, in a browser: built, uploaded, put into a Salesbot, and talked to.

The bridge is the whole program, web and workers; Kommo is the stand-in with its designer and its chats.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bots.kommo.cutting import length
from bots.widget import build_widget
from sandbox.server import SandboxServer
from tests.browser.widget_site import (
    FALLBACK,
    LEAVING,
    LINKS,
    WidgetSite,
    a_widget_site,
    become,
    build_salesbot,
    install,
    link_each_exit_to_a_message,
    read,
    save,
    write,
)
from tests.sandbox.bridge import Bridge, an_account

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PIECE = 80  # UTF-16 units of a `show`; ten of them go along
ANSWERS = ["Green tea", "Black tea", "White tea", "Oolong", "Something else"]
EMOJI = "🍵"
LONG_LABEL = "A label that is too long for the buttons of WhatsApp"


@pytest.fixture(scope="module")
def site() -> Iterator[WidgetSite]:
    with a_widget_site() as running:
        yield running


@pytest.fixture
def usual(page: Page, site: WidgetSite) -> str:
    """Give the name of an account that runs our step; the first test that asks for it builds the Salesbot."""
    address = f"{site.sandbox.url}/designer/usual"
    page.goto(address)
    expect(page.get_by_text("What the account runs")).to_be_visible()
    if not site.built:
        build_salesbot(page, address, site.zip_of("usual"))
        site.built = True
    return "usual"


# the way from the zip to the four exits


@pytest.mark.parametrize(
    ("account", "entity", "names"),
    [
        ("leads", "Leads", {"entity": "lead", "lead_id": "{{lead.id}}"}),
        ("customers", "Customers", {"entity": "customer", "customer_id": "{{customer.id}}"}),
    ],
    ids=["for leads", "for customers"],
)
def test_a_chat_leaves_by_all_four_exits(page: Page, site: WidgetSite, account: str, entity: str, names: Any):
    install(page, f"{site.sandbox.url}/designer/{account}", site.zip_of(account))
    page.get_by_label("The Salesbot is for").select_option(entity)
    page.get_by_label("Greeting").fill("Welcome!")
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Slug of the bot").fill("evening")
    page.get_by_label("Extra instruction").fill("Speak of the evening sale.")
    link_each_exit_to_a_message(page)
    save(page)
    page.get_by_role("link", name="Open a chat").click()

    shown = ["Welcome!"]
    for words, form, text in (
        (f"Is there tea, {account}?", {"text": "Yes, plenty."}, ["Yes, plenty."]),
        (f"A person, {account}!", {"text": "I will call one.", "outcome": "handoff"}, ["I will call one."]),
        (f"Say nothing, {account}.", {"outcome": "silent"}, []),
        (f"Break, {account}.", None, [FALLBACK]),
    ):
        if form is None:
            site.sayings[words] = '{"text": "half of an ans'
        else:
            site.says(words, **form)
        write(page, words)
        outcome = "fail" if form is None else form.get("outcome", "success")
        shown += [*text, LEAVING[outcome]]

        assert read(page, len(shown)) == shown
        assert site.exchange(words)["outcome"] == outcome
        told = site.asked(words)[0].messages[0]["content"]
        assert "You are evening, who sells tea." in told
        assert "Speak of the evening sale." in told

    sent = site.data_sent(account, "visitor")
    saved = site.flow(account)[0]["question"][0]["params"]["data"]
    common = {"message": "{{message_text}}", "bot": "evening", "instruction": "Speak of the evening sale."}
    common |= {"contact_id": "{{contact.id}}", "talk_id": "{{talk_id}}", "origin": "{{origin}}", "widget": "1.0.0"}
    assert saved == common | names
    assert (sent["message"], sent["bot"], sent["origin"], sent["entity"]) == (
        f"Break, {account}.", "evening", "telegram", names["entity"],
    )  # fmt: skip


def test_a_bot_leaves_an_outcome_by_the_exit_that_its_owner_chose(page: Page, site: WidgetSite):
    build_salesbot(page, f"{site.sandbox.url}/designer/routed", site.zip_of("routed"))
    page.get_by_role("link", name="Open a chat").click()

    write(page, site.says("May I speak to somebody?", "Somebody comes.", outcome="handoff"))
    assert read(page, 2) == ["Somebody comes.", LEAVING["success"]]
    write(page, site.says("And is it open?", "It is."))
    assert read(page, 4)[2:] == ["It is.", LEAVING["success"]]
    site.sayings["Break!"] = '{"text": "half of an ans'
    write(page, "Break!")

    assert read(page, 6)[4:] == [FALLBACK, LEAVING["silent"]]
    assert site.exchange("May I speak to somebody?")["outcome"] == "handoff"
    statuses = [turn["continue"]["body"]["data"]["status"] for turn in site.turns("routed", "visitor")]
    assert statuses == ["handoff", "success", "fail"]


# braces

BY_THE_MODEL = {
    "a placeholder": ({"text": "Your size: {{json.x}}"}, "Your size: { {json.x} }", "success"),
    "our own placeholder": (
        {"text": "{{json.message}} {{json.status}}"},
        "{ {json.message} } { {json.status} }",
        "success",
    ),
    "three braces": ({"text": "{{{json.message}}}"}, "{ { {json.message} } }", "success"),
    "invisible signs between": ({"text": "{\u200b{json.x}\u200b}"}, "{ {json.x} }", "success"),
    "no text": ({"outcome": "success"}, FALLBACK, "fail"),
    "an empty text": ({"text": ""}, FALLBACK, "fail"),
    "a blank text": ({"text": " \n\t"}, FALLBACK, "fail"),
    "a text that is none": ({"text": None}, FALLBACK, "fail"),
}


def test_whatever_the_model_says_the_customer_sees_no_braces(page: Page, site: WidgetSite, usual: str):
    become(page, site.sandbox, usual, name="Braces")
    shown: list[str] = []
    for words, (form, text, outcome) in BY_THE_MODEL.items():
        site.sayings[words] = {"outcome": "success"} | form
        write(page, words)
        shown += [text, LEAVING[outcome]]
        assert read(page, len(shown)) == shown

    assert not any("{{" in text or "}}" in text for text in shown)
    assert page.locator(".bubble-leaked").count() == 0


GUARDED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an empty object": ({}, [LEAVING["fail"]]),
    "empty data": ({"data": {}}, [LEAVING["fail"]]),
    "a status alone": ({"data": {"status": "success"}}, [LEAVING["success"]]),
    "an empty message": ({"data": {"status": "success", "message": "", "show": "0"}}, [LEAVING["success"]]),
    "an empty show": ({"data": {"status": "success", "message": "", "show": ""}}, [LEAVING["success"]]),
    "nulls": ({"data": {"status": "silent", "message": None, "show": None}}, [LEAVING["silent"]]),
    "a message without show": ({"data": {"status": "handoff", "message": "{{json.x}}"}}, [LEAVING["handoff"]]),
    "a placeholder that isn't shown": (
        {"data": {"status": "success", "message": "{{{json.message}}}", "show": "0"}},
        [LEAVING["success"]],
    ),
    "a placeholder as show": ({"data": {"status": "success", "show": "{{json.show}}"}}, [LEAVING["success"]]),
    "a placeholder as status": ({"data": {"status": "{{json.status}}"}}, [LEAVING["fail"]]),
    "a placeholder as exit": ({"data": {"status": "silent", "exit": "{{json.x}}"}}, [LEAVING["silent"]]),
    "an unknown status": ({"data": {"status": "done", "exit": "done"}}, [LEAVING["fail"]]),
    "a text without a status": ({"data": {"message": "Hi", "show": "1"}}, ["Hi", LEAVING["fail"]]),
}
# `conditions` compare for equality alone, so that no flow can see whether a message is filled or what is in it. What
# keeps these from customers is the bridge: it sends `show` "1" with a text only, and no two braces in a row.
UNGUARDED: dict[str, tuple[dict[str, Any], str]] = {
    "show without a message": ({"data": {"status": "success", "show": "1"}}, "{{json.message}}"),
    "show and an empty message": ({"data": {"status": "success", "show": "1", "message": ""}}, "{{json.message}}"),
    "show and a placeholder": ({"data": {"status": "success", "show": "1", "message": "{{json.x}}"}}, "{{json.x}}"),
}


@pytest.fixture
def careless(page: Page, tmp_path: Any) -> Iterator[SandboxServer]:
    """Give a stand-in Kommo with our step, whose bridge isn't ours and sends what the customer's words name."""
    with Bridge() as bridge, SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}, rate=0) as sandbox:
        sent = GUARDED | UNGUARDED
        bridge.reply = lambda received: sent[received.data["message"]][0]
        widget = tmp_path / "widget.zip"
        mail = "help@bridge.example"
        widget.write_bytes(
            build_widget(hook_url=bridge.url, version="1.0.0", support_link="https://a.example", support_email=mail)
        )
        build_salesbot(page, f"{sandbox.url}/designer/demo", widget)
        page.get_by_role("link", name="Open a chat").click()
        yield sandbox


def test_the_flow_itself_shows_no_placeholder_whatever_a_bridge_leaves_out(page: Page, careless: SandboxServer):
    shown: list[str] = []
    for words, (_body, texts) in GUARDED.items():
        write(page, words)
        shown += texts
        assert read(page, len(shown)) == shown, words

    assert page.locator(".bubble-leaked").count() == 0


def test_a_bridge_that_orders_to_show_nothing_gets_past_the_flow_and_the_chat_says_so(
    page: Page, careless: SandboxServer
):
    shown: list[str] = []
    for words, (_body, text) in UNGUARDED.items():
        write(page, words)
        shown += [text, LEAVING["success"]]
        assert read(page, len(shown)) == shown

    expect(page.locator(".bubble-leaked")).to_have_count(len(UNGUARDED))


# long replies


def a_text(size: int, *, measure: Any = len) -> str:
    """Make a text of words, emoji and line breaks, of exactly this size."""
    text = "Tea 🍵\nnow"
    line = 0
    while measure(text) < size:
        line += 1
        text += f"\nLine {line} tells of a tea {EMOJI} that grows on a hill in the mist, and of its price.\n"
    while measure(text) > size:
        text = text[:-1]
    text = text.rstrip()
    return text + "." * (size - measure(text))


@pytest.mark.parametrize("channel", ["telegram", "waba"])
def test_a_reply_of_any_length_arrives_whole(page: Page, site: WidgetSite, usual: str, channel: str):
    become(page, site.sandbox, usual, name=f"Reader {channel}", channel=channel)
    shown: list[str] = []
    for size in (10, 81, 800, 4_000):
        text = a_text(size)
        assert (len(text), text.count("\n") > 0, EMOJI in text) == (size, True, True)
        write(page, site.says(f"{size} signs by {channel}", text))
        shown += [text, LEAVING["success"]]
        assert read(page, len(shown)) == shown

    assert site.data_sent(usual, f"reader-{channel}")["origin"] == channel
    assert not any("execute_handlers" in body for body in site.bodies(usual, f"reader-{channel}"))


@pytest.mark.parametrize("size", [10, 81, 800])
def test_a_foreign_flow_gets_a_reply_whole_in_pieces(page: Page, site: WidgetSite, size: int):
    become(page, site.sandbox, "foreign", name=f"Pieces {size}")
    text = a_text(size, measure=length)
    write(page, site.says(f"{size} signs in pieces", text))
    (body,) = site.continued("foreign", f"pieces-{size}", 1)
    pieces = read(page, len(body["execute_handlers"]))

    assert len(pieces) <= 10
    assert max(map(length, pieces)) <= PIECE
    assert without_space_between(pieces, text) == text
    assert body["data"]["show"] == "0"
    expect(page.get_by_text("Left the Widget step by the exit “success”")).to_be_visible()


def test_pieces_end_at_line_breaks_where_there_is_room(page: Page, site: WidgetSite):
    lines = ["We have three kinds of tea in the shop this week, all of them fresh:", "Green,\nblack,\nwhite."]
    become(page, site.sandbox, "foreign", name="Lines")
    write(page, site.says("Lines, please", "\n".join(lines)))

    assert read(page, 2) == lines


def without_space_between(pieces: list[str], text: str) -> str:
    """Put pieces together with the white space that the text has between them."""
    whole = ""
    for piece in pieces:
        rest = text[len(whole) :]
        whole += rest[: len(rest) - len(rest.lstrip())] + piece
    return whole


# buttons and links


def test_a_short_reply_with_buttons_is_one_message_and_a_tap_means_its_answer(page: Page, site: WidgetSite, usual: str):
    become(page, site.sandbox, usual, name="Tapper")
    site.says(ANSWERS[3], "Oolong it is.")
    write(page, site.says("Which teas?", "Which one would you like?", buttons=ANSWERS))
    assert read(page, 2) == ["Which one would you like?", LEAVING["success"]]
    (bubble, _exit) = page.locator(".bubble-bot").all()
    assert bubble.locator("button").all_text_contents() == ANSWERS

    page.get_by_role("button", name="Oolong").click()

    assert read(page, 4)[2:] == ["Oolong it is.", LEAVING["success"]]
    assert site.exchange("Oolong")["meaning"] == "Oolong"
    (first, second) = site.bodies(usual, "tapper")
    show = {"type": "buttons", "value": "Which one would you like?", "buttons": ANSWERS}
    assert first["execute_handlers"] == [{"handler": "show", "params": show}]
    assert (first["data"]["show"], second["data"]["show"]) == ("0", "1")


def test_more_buttons_than_whatsapp_takes_become_a_numbered_list_and_a_number_chooses(
    page: Page, site: WidgetSite, usual: str
):
    become(page, site.sandbox, usual, name="Typist", channel="waba")
    site.says(ANSWERS[1], "Black tea it is.")
    write(page, site.says("Which teas, by number?", "Which one would you like?", buttons=ANSWERS))
    listed = "\n".join(f"{number}. {answer}" for number, answer in enumerate(ANSWERS, start=1))
    assert read(page, 2)[0] == f"Which one would you like?\n\n{listed}"
    assert page.locator(".bubble-bot button").count() == 0

    write(page, "2")

    assert read(page, 4)[2:] == ["Black tea it is.", LEAVING["success"]]
    row = site.exchange("2")
    assert (row["meaning"], row["outcome"]) == ("Black tea", "success")


@pytest.mark.parametrize(
    ("channel", "buttons"),
    [("waba", ["Green tea", "Black tea"]), ("waba", ["Green tea", LONG_LABEL]), ("whatsapp", ["Yes", "No"])],
    ids=["two fit WhatsApp", "a label that is too long", "a channel without buttons"],
)
def test_a_customer_sees_buttons_or_the_same_as_text(
    page: Page, site: WidgetSite, usual: str, channel: str, buttons: list[str]
):
    name = f"Chooser {channel} {len(buttons[1])}"
    become(page, site.sandbox, usual, name=name, channel=channel)
    write(page, site.says(f"Choose by {name}", "This or that?", buttons=buttons))
    text, _exit = read(page, 2)

    if (channel, LONG_LABEL in buttons) == ("waba", False):
        assert (text, page.locator(".bubble-bot button").all_text_contents()) == ("This or that?", buttons)
    else:
        assert text == f"This or that?\n\n1. {buttons[0]}\n2. {buttons[1]}"
        assert page.locator(".bubble-bot button").count() == 0


def test_a_text_that_is_too_long_for_a_show_has_its_answers_and_links_below_it(
    page: Page, site: WidgetSite, usual: str
):
    become(page, site.sandbox, usual, name="Long")
    long = a_text(200)
    write(page, site.says("Long with buttons", long, buttons=ANSWERS[:2]))
    assert read(page, 2)[0] == f"{long}\n\n1. Green tea\n2. Black tea"
    write(page, site.says("Long with links", long, links=["Prices", "How to find us"]))

    addresses = "\n".join(f"{link['text']}: {link['url']}" for link in LINKS)
    assert read(page, 4)[2] == f"{long}\n\n{addresses}"
    assert page.locator(".bubble-bot button, .bubble-bot a").count() == 0


def test_links_can_be_opened_below_a_short_text(page: Page, site: WidgetSite, usual: str):
    become(page, site.sandbox, usual, name="Linked")
    write(page, site.says("Where are prices?", "Have a look.", links=["Prices", "How to find us"]))

    assert read(page, 2)[0] == "Have a look."
    below = page.locator(".bubble-bot").first.get_by_role("link")
    assert [(one.inner_text(), one.get_attribute("href")) for one in below.all()] == [
        (link["text"], link["url"]) for link in LINKS
    ]


def test_buttons_of_a_reply_in_pieces_stand_under_its_last_piece(page: Page, site: WidgetSite):
    become(page, site.sandbox, "foreign", name="Below")
    text = a_text(300, measure=length)
    write(page, site.says("Pieces with buttons", text, buttons=ANSWERS[:2]))
    (body,) = site.continued("foreign", "below", 1)
    pieces = read(page, len(body["execute_handlers"]))

    assert without_space_between(pieces, text) == text
    having = [one.locator("button").all_text_contents() for one in page.locator(".bubble-bot").all()]
    assert having == [*([[]] * (len(pieces) - 1)), ANSWERS[:2]]
