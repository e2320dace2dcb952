"""Our widget from the zip to the customer, in a browser: built, uploaded, put into a Salesbot, and talked to.

The bridge is the whole program, web and workers; Kommo is the stand-in with its designer and its chats.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bots.widget import build_widget
from sandbox.server import SandboxServer
from tests.browser.widget_site import (
    FALLBACK,
    LEAVING,
    WidgetSite,
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

HALF = '{"text": "half of an ans'
INSTRUCTION = "Speak of the evening sale."


# the way from the zip to the four exits

BY_OUTCOME: dict[str, tuple[dict[str, Any] | str, list[str]]] = {
    "success": ({"text": "Yes, plenty."}, ["Yes, plenty."]),
    "handoff": ({"text": "I will call one.", "outcome": "handoff"}, ["I will call one."]),
    "silent": ({"text": "", "outcome": "silent"}, []),
    "fail": (HALF, [FALLBACK]),
}
"""What the model says so that an outcome comes about, and what the customer reads of it."""


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
    page.get_by_label("Extra instruction").fill(INSTRUCTION)
    link_each_exit_to_a_message(page)
    save(page)
    page.get_by_role("link", name="Open a chat").click()

    shown = ["Welcome!"]
    for outcome, (said, texts) in BY_OUTCOME.items():
        words = f"{entity}, make it {outcome}"
        site.sayings[words] = said
        write(page, words)
        shown += [*texts, LEAVING[outcome]]
        assert read(page, len(shown)) == shown
        assert site.exchange(words)["outcome"] == outcome
        asked = site.asked(words)[0]
        assert asked.body["response_format"]["type"] == "json_schema"
        assert "You are evening, who sells tea." in asked.messages[0]["content"]
        assert INSTRUCTION in asked.messages[0]["content"]

    assert site.flow(account)[0]["question"][0]["params"]["data"] == {
        "message": "{{message_text}}", "bot": "evening", "instruction": INSTRUCTION, "contact_id": "{{contact.id}}",
        "talk_id": "{{talk_id}}", "origin": "{{origin}}", "widget": "1.0.0", **names,
    }  # fmt: skip
    sent = site.data_sent(account, "visitor")
    assert (sent["bot"], sent["origin"], sent["entity"]) == ("evening", "telegram", names["entity"])


def test_a_bot_leaves_an_outcome_by_the_exit_that_its_owner_chose(page: Page, site: WidgetSite):
    """Its slug comes as some accounts hand it over, and it sends in pieces, which our flow doesn't show once more."""
    install(page, f"{site.sandbox.url}/designer/routed", site.zip_of("routed"))
    page.get_by_label("A typed text reaches the script").select_option("as value_manual, as one account saw")
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Slug of the bot").fill("routed")
    link_each_exit_to_a_message(page)
    save(page)
    page.get_by_role("link", name="Open a chat").click()

    write(page, site.says("May I speak to somebody?", "Somebody comes.", outcome="handoff"))
    assert read(page, 2) == ["Somebody comes.", LEAVING["success"]]
    two = [
        "It is open every day but Sunday, from nine in the morning until six o'clock,",
        "including all the holidays of the year.",
    ]
    write(page, site.says("And is it open?", " ".join(two)))
    assert read(page, 5)[2:] == [*two, LEAVING["success"]]
    site.sayings["Break!"] = HALF
    write(page, "Break!")

    assert read(page, 7)[5:] == [FALLBACK, LEAVING["silent"]]
    assert site.exchange("May I speak to somebody?")["outcome"] == "handoff"
    told = [(body["data"]["status"], body["data"].get("exit")) for body in site.bodies("routed", "visitor")]
    assert told == [("handoff", "success"), ("success", "success"), ("fail", "silent")]


def test_a_jump_to_where_the_message_is_shown_shows_it_once_and_no_placeholder(page: Page, site: WidgetSite):
    build_salesbot(page, f"{site.sandbox.url}/designer/jumping", site.zip_of("jumping"))
    page.get_by_role("link", name="Open a chat").click()

    write(page, site.says("Jump with a text", "Here it is."))
    assert read(page, 2) == ["Here it is.", LEAVING["success"]]
    write(page, site.says("Jump with buttons", "Which one?", buttons=["Green tea", "Black tea"]))
    assert read(page, 4)[2:] == ["Which one?", LEAVING["success"]]
    write(page, site.says("Jump with nothing", outcome="silent"))

    assert read(page, 5)[4:] == [LEAVING["silent"]]


# braces

BY_THE_MODEL: dict[str, tuple[dict[str, Any], str, str]] = {
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


def test_placeholders_are_broken_on_buttons_and_in_pieces_too(page: Page, site: WidgetSite, usual: str):
    form: Any = {"text": "Pick {{json.x}}", "buttons": ["{{json.y}}", "Plain"]}
    for account in (usual, "foreign"):
        become(page, site.sandbox, account, name="Tagger")
        write(page, site.says(f"Buttons with braces, {account}", **form))
        assert read(page, 2 if account == usual else 1)[0] == "Pick { {json.x} }"
        assert page.locator(".bubble-bot").first.locator("button").all_text_contents() == ["{ {json.y} }", "Plain"]
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
# `conditions` compare whole values, so that our flow can't see whether a message is filled or what is in it. What keeps
# these from customers is the bridge: it sends `show` "1" with a text only, and no two braces in a row.
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
