"""The sandbox as a person meets it: whole conversations, troubles made in the page, and no barrier to anyone."""

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jwt
import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.server import SandboxServer
from tests.browsing import a_page
from tests.sandbox.bridge import SECRET, Bridge, Received, an_account, success
from tests.sandbox.pausing import PAUSING

pytestmark = pytest.mark.browser
WIDTHS = {"desktop": (1440, 900), "tablet": (768, 1024), "phone": (390, 844)}
CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def choices(text: str, *buttons: str) -> dict[str, Any]:
    show = {"handler": "show", "params": {"type": "buttons", "value": text, "buttons": list(buttons)}}
    return {"data": {"status": "success", "show": "0"}, "execute_handlers": [show]}


def book(received: Received) -> dict[str, Any]:
    """Answer as a hotel's bridge: which room, which night, done."""
    match received.data["message"]:
        case "Sea room" | "Garden room":
            return choices("Which night?", "Friday", "Saturday")
        case "Friday" | "Saturday" as night:
            return success(f"Booked for {night}.")
    return choices("Which room?", "Sea room", "Garden room")


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Bridge() as running:
        running.reply = book
        yield running


@pytest.fixture
def sandbox(bridge: Bridge) -> Iterator[SandboxServer]:
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url, name="Hotel")]}, rate=0) as running:
        yield running


def bot_said(page: Page, text: str) -> None:
    expect(page.get_by_role("article").filter(has_text="Salesbot:").last).to_contain_text(text)


@pytest.mark.parametrize(
    ("encoding", "algorithm"),
    [("form", "HS256"), ("form", "HS512"), ("json", "HS256")],
    ids=["form and HS256", "form and HS512", "JSON and HS256"],
)
def test_three_turns_with_buttons(page, sandbox, bridge, encoding, algorithm):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    page.get_by_text("Account settings").click()
    page.get_by_label("The widget_request is written as").select_option(encoding)
    page.get_by_label("Its token is signed by").select_option(algorithm)
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Saved. The next message goes out so.")).to_be_visible()

    page.get_by_label("Write as anna").fill("I need a room")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Garden room").click()
    page.get_by_role("button", name="Saturday").click()

    bot_said(page, "Booked for Saturday.")
    assert [received.data["message"] for received in bridge.received] == ["I need a room", "Garden room", "Saturday"]
    for received in bridge.received:
        assert received.headers["content-type"] == CONTENT_TYPES[encoding]
        assert jwt.get_unverified_header(received.fields["token"])["alg"] == algorithm
        jwt.decode(received.fields["token"], SECRET, algorithms=[algorithm], options={"verify_aud": False})
    expect(page.locator("#turns > li")).to_have_count(3)


def test_three_turns_with_buttons_and_then_a_timer(page, bridge):
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url, salesbot_flow=PAUSING)]}, rate=0) as sandbox:
        page.goto(f"{sandbox.url}/chat/demo/anna")
        page.get_by_label("Write as anna").fill("I need a room")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Garden room").click()
        page.get_by_role("button", name="Saturday").click()
        bot_said(page, "Booked for Saturday.")

        page.get_by_role("button", name="Move the clock 1 h").click()

        bot_said(page, "Are you still there?")
        steps = page.get_by_role("region", name="What the Salesbot did")
        expect(steps).to_contain_text("The pause's time is over")
        assert len(bridge.received) == 3


def break_it(page: Page, trouble: str, **fields: str) -> None:
    """Set a trouble in the page, by what it shows."""
    if not page.get_by_label("What goes wrong").is_visible():
        page.get_by_text("Break something").click()
    page.get_by_label("What goes wrong").select_option(label=trouble)
    for label, value in fields.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Break it").click()
    expect(page.get_by_text(f"Ready: “{trouble}”. Now write a message.")).to_be_visible()


def test_a_trouble_set_in_the_page_acts_and_the_page_says_why(page, sandbox, bridge):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    break_it(page, "Kommo answers with an error", Status="502")
    expect(page.locator("#break-count")).to_have_text("1 on")

    page.get_by_label("Write as anna").fill("I need a room")
    page.keyboard.press("Enter")

    steps = page.get_by_role("region", name="What the Salesbot did")
    expect(steps).to_contain_text("A continue was answered with 502")
    expect(steps).to_contain_text("Broken on demand: Kommo answers with an error")
    expect(page.locator("#break-done")).to_contain_text("Kommo answers with an error anna")
    expect(page.locator("#break-count")).to_be_hidden()
    expect(page.get_by_text("Which room?")).to_have_count(0)
    assert [answer.status_code for answer in bridge.answers] == [502]


def test_a_request_broken_in_the_page_is_told_at_its_turn(page, sandbox, bridge):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    replies = iter([choices("Which room?", "Sea room")])
    bridge.reply = lambda _received: next(replies, None)
    break_it(page, "The same request comes several times", Copies="4")

    page.get_by_label("Write as anna").fill("I need a room")
    page.keyboard.press("Enter")

    bot_said(page, "Which room?")
    expect(page.locator(".turn summary .badge").first).to_have_text("broken on demand")
    sandbox.wait_until(lambda: len(bridge.received) == 4)


def test_a_trouble_can_be_switched_off_and_removed(page, sandbox):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    break_it(page, "The address is blocked (403 page)")

    page.get_by_label("The address is blocked (403 page) 1 × for anna").uncheck()
    page.get_by_label("Write as anna").fill("I need a room")
    page.get_by_label("Write as anna").press("Enter")
    bot_said(page, "Which room?")
    assert [fault["on"] for fault in sandbox.faults()] == [False]

    page.get_by_role("button", name="Remove “The address is blocked (403 page)”").click()
    expect(page.get_by_text("Waiting to act")).to_be_hidden()
    assert sandbox.faults() == []


def test_trouble_by_chance_is_started_and_stopped_in_the_page(page, sandbox, bridge):
    page.goto(f"{sandbox.url}/chat/demo/anna#break")
    page.get_by_text("By chance, replayable by a seed").click()
    for box in page.get_by_role("group", name="Which troubles").get_by_role("checkbox").all():
        box.set_checked(box.input_value() == "rate_limit")
    page.get_by_label("Seed", exact=True).fill("tuesday")
    page.get_by_label("Calls that fail, %").fill("100")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("On, with the seed “tuesday”.")).to_be_visible()

    sandbox.say("anna", "hi")
    expect(page.locator("#break-done")).to_contain_text("by the seed")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    sandbox.say("ben", "hi")

    sandbox.wait_until(lambda: len(bridge.answers) == 2)
    assert [answer.status_code for answer in bridge.answers] == [429, 202]


def test_a_number_out_of_range_stops_at_its_field(page, sandbox):
    page.goto(f"{sandbox.url}/chat/demo/anna#break")
    page.get_by_label("What goes wrong").select_option(label="Kommo answers with an error")
    page.get_by_label("Status").fill("99")
    page.get_by_role("button", name="Break it").click()

    assert page.get_by_label("Status").evaluate("(box) => box.validity.rangeUnderflow")
    expect(page.get_by_label("Status")).to_be_focused()
    assert sandbox.faults() == []


def test_what_the_sandbox_refuses_is_told_by_the_page(browser: Browser, sandbox):
    page = browser.new_page()  # its console may tell of the 400
    try:
        page.goto(f"{sandbox.url}/chat/demo/anna#break")
        page.get_by_label("What goes wrong").select_option(label="The request has the wrong type")
        page.get_by_label("Content-Type").fill("текст/plain")
        page.get_by_role("button", name="Break it").click()

        expect(page.get_by_role("alert").filter(has_text="content_type: must be of printable")).to_be_visible()
    finally:
        page.close()


def test_a_newcomer_gets_an_answer_breaks_something_and_reads_why(page, sandbox, bridge):
    """Only what the pages show is used: no address but the first, no selector but texts, labels and roles."""
    page.goto(sandbox.url)
    writing = page.get_by_role("link", name="Write as a customer")
    expect(writing).to_have_attribute("href", re.compile("/chat/"))  # until the accounts are read it leads to them
    writing.click()
    page.get_by_label("Write as").fill("I need a room")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Sea room").click()
    expect(page.get_by_role("log")).to_contain_text("Which night?")

    page.get_by_role("link", name="Start").click()
    breaking = page.get_by_role("link", name="Break something")
    expect(breaking).to_have_attribute("href", re.compile("/chat/"))
    breaking.click()
    page.get_by_label("What goes wrong").select_option(label="Too many requests (429)")
    expect(page.get_by_text("Kommo's limit: not accepted, come again after retry_after seconds.")).to_be_visible()
    page.get_by_role("button", name="Break it").click()
    expect(page.get_by_text("Now write a message.")).to_be_visible()
    page.get_by_role("button", name="Friday").click()

    expect(page.get_by_text("Broken on demand: Too many requests (429)")).to_be_visible()
    expect(page.get_by_text("A continue was answered with 429")).to_be_visible()
    page.get_by_role("link", name="Journal").click()
    expect(page.get_by_text("broken on demand: Too many requests (429)")).to_be_visible()


def test_everything_can_be_done_by_keyboard(page, sandbox, bridge):
    page.goto(sandbox.url)
    expect(page.get_by_role("button", name="Open chat")).to_be_visible()

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if name in page.evaluate(
                "() => { const e = document.activeElement; return e.innerText || e.labels?.[0]?.innerText || ''; }"
            ):
                outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"the focus on {name} is not seen"
                return
        raise AssertionError(f"{name} cannot be reached with Tab")

    tab_to("Break something")
    page.keyboard.press("Enter")
    expect(page.get_by_label("What goes wrong")).to_be_visible()
    tab_to("Break it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Now write a message.")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.get_by_role("link", name="Skip to the message box").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Write as").focus()
    page.keyboard.type("I need a room")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Broken on demand: Kommo answers with an error")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(browser: Browser, sandbox, bridge, width, scheme):
    sandbox.fault("slow", on=False)
    for text in ("I need a room", "Sea room"):
        sandbox.say("anna", text)
        sandbox.wait_until(lambda: sandbox.chat("anna")["state"] == "listening")
    sandbox.fault("status", customer="anna")
    sandbox.say("anna", "Friday")
    sandbox.wait_until(lambda: sandbox.chat("anna")["turns"][-1]["refused"])
    size = dict(zip(("width", "height"), WIDTHS[width], strict=True))

    with a_page(browser, viewport=size) as page:  # type: ignore[arg-type] # made of two ints
        page.emulate_media(color_scheme=scheme)
        for path, there in (("/", ".account-chat"), ("/chat/demo/anna#break", ".turn"), ("/journal", ".row")):
            page.goto(sandbox.url + path)
            expect(page.locator(there).first).to_be_visible()
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert faults_by_axe(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") == size["width"], path


def faults_by_axe(page: Page) -> list[str]:
    """List what axe calls serious or critical, one line a place."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_axe_would_find_a_button_without_a_name(page, sandbox):
    page.goto(sandbox.url)
    expect(page.locator(".account")).to_be_visible()
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")

    assert any(line.startswith("button-name") for line in faults_by_axe(page))
