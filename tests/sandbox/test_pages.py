"""The pages in a browser, as a newcomer uses them."""

import re
from contextlib import closing
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from sandbox.server import SandboxServer
from tests.browsing import PHONE
from tests.sandbox.bridge import an_account, success
from tests.sandbox.pausing import PAUSING

WEB = Path(__file__).parents[2] / "sandbox" / "web"
OWN_SCRIPTS = [path for path in sorted(WEB.rglob("*.js")) if "vendor" not in path.parts]
PAGES = (
    "/",
    "/chat/demo/anna",
    "/chat/nobody/anna",
    "/journal",
    "/designer/demo",
    "/designer/nobody",
    "/static/vendor/jquery-3.8.0.min.js",
    "/static/chat/chat.js",
    "/static/base.css",
    "/static/icon.svg",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_allows_scripts_and_styles_of_its_own_alone(sandbox, path):
    answer = requests.get(sandbox.url + path, timeout=10)

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.html")), ids=lambda path: path.name)
def test_a_page_needs_nothing_from_elsewhere_and_nothing_inline(path):
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style", text) == []
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert [address for address in addresses if not address.startswith(("/", "#"))] == []


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=lambda path: path.name)
def test_scripts_write_text_as_text_only(path):
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text()) == []


@pytest.mark.parametrize(
    "path", ["/chat/nobody/anna", "/chat/demo/an%20na", "/static/../config.py", "/static/%2e%2e/config.py", "/x"]
)
def test_what_is_not_there_is_404(sandbox, path):
    assert requests.get(sandbox.url + path, timeout=10).status_code == 404


@pytest.mark.browser
def test_a_newcomer_opens_a_customer_writes_and_reads_the_answer(page, sandbox, bridge):
    bridge.reply = lambda received: success(f"Hello {received.data['name']}, you wrote {received.data['message']}.")

    page.goto(sandbox.url)
    expect(page.get_by_text("Stand-in for Kommo")).to_be_visible()
    page.get_by_label("New customer").fill("María José")
    page.get_by_role("button", name="Open chat").click()
    page.get_by_label("Write as María José").fill("good morning")
    page.keyboard.press("Enter")

    expect(page.get_by_role("log")).to_contain_text("Hello María José, you wrote good morning.")
    expect(page.get_by_label("Write as María José")).to_have_value("")
    steps = page.get_by_role("region", name="What the Salesbot did")
    expect(steps).to_contain_text("Left the Widget step by the exit “success”")
    expect(steps.locator("summary").first).to_contain_text("success")
    assert page.url.endswith("/chat/demo/maria-jose")


@pytest.mark.browser
def test_what_customers_and_bridges_write_stays_text(page, sandbox, bridge):
    attack = "<img src=x onerror=alert(1)><script>alert(1)</script> & {{x}}"
    bridge.reply = lambda received: success(f"{received.data['message']}\nsecond line", tag="<b>bold</b>")
    page.goto(f"{sandbox.url}/chat/demo/anna")

    page.get_by_label("Write as anna").fill(attack)
    page.get_by_role("button", name="Send").click()

    expect(page.locator(".bubble-bot .bubble-text")).to_have_text(f"{attack}\nsecond line")
    expect(page.locator(".hidden-from-customer")).to_contain_text("For the Salesbot only: tag = <b>bold</b>")
    assert page.locator(".bubble img, .bubble script, .did b").count() == 0


@pytest.mark.browser
def test_a_long_reply_is_shown_whole(page, sandbox, bridge):
    text = "A sentence of some words. " * 200
    bridge.reply = lambda _received: success(text)
    sandbox.configure(channel="livechat")
    sandbox.say("anna", "hi")

    page.goto(f"{sandbox.url}/chat/demo/anna")

    expect(page.locator(".bubble-bot .bubble-text")).to_have_text(text.strip())
    expect(page.get_by_text("Not delivered")).to_have_count(0)


@pytest.mark.browser
def test_a_message_that_the_channel_refuses_is_seen_as_not_delivered_and_why(page, sandbox, bridge):
    bridge.reply = lambda _received: success("x" * 4_097)
    sandbox.configure(channel="waba")
    sandbox.say("anna", "hi")

    page.goto(f"{sandbox.url}/chat/demo/anna")

    expect(page.locator(".bubble-bot")).to_contain_text("Not delivered: WhatsApp takes at most 4,096 characters")
    expect(page.locator(".hidden-from-customer")).to_contain_text("was not delivered: WhatsApp takes at most 4,096")


@pytest.mark.browser
def test_a_timer_is_seen_and_rings_when_the_clock_is_moved(page, bridge):
    bridge.reply = lambda _received: success("Hello Anna!")
    config = {"accounts": [an_account(hook_url=bridge.url, salesbot_flow=PAUSING)]}
    with SandboxServer(config, rate=0) as sandbox, closing(page):
        page.goto(f"{sandbox.url}/chat/demo/anna")
        sandbox.say("anna", "hi")
        expect(page.get_by_text("(a pause of 1 h)")).to_be_visible()

        page.get_by_role("button", name="Move the clock to then").click()

        expect(page.get_by_role("log")).to_contain_text("Are you still there?")
        page.get_by_role("button", name="Move the clock 1 h").click()
        expect(page.get_by_role("article").filter(has_text="Are you still there?")).to_have_count(2)


@pytest.mark.browser
def test_shift_enter_begins_a_new_line_and_an_empty_message_is_not_sent(page, sandbox, bridge):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    box = page.get_by_label("Write as anna")

    box.press("Enter")
    box.type("one")
    box.press("Shift+Enter")
    box.type("two")
    box.press("Enter")

    expect(page.locator(".bubble-customer .bubble-text")).to_have_text("one\ntwo")
    assert [received.data["message"] for received in bridge.received] == ["one\ntwo"]


@pytest.mark.browser
def test_the_wait_for_the_bridge_is_seen_until_it_ends(page, sandbox, bridge):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    receipt = sandbox.say("anna", "hi")
    expect(page.locator("#thinking")).to_be_visible()
    expect(page.locator("#spoken-state")).to_have_text("The Salesbot waits for the bridge.")

    requests.post(
        receipt.return_url, json=success(), headers={"Authorization": "Bearer access-token-of-demo"}, timeout=10
    )

    expect(page.locator("#thinking")).to_be_hidden()
    expect(page.get_by_role("log")).to_contain_text("Hello!")


@pytest.mark.browser
def test_a_silent_outcome_shows_nothing_to_the_customer_and_why_beside_it(page, sandbox, bridge):
    bridge.reply = lambda _received: {"data": {"status": "silent", "message": "for nobody", "show": "0"}}
    page.goto(f"{sandbox.url}/chat/demo/anna")

    sandbox.say("anna", "thanks")

    expect(page.locator(".hidden-from-customer")).to_contain_text("for nobody")
    expect(page.locator(".turn summary .badge").first).to_have_text("silent")
    assert page.locator(".bubble-bot").count() == 0


@pytest.mark.browser
def test_a_stuck_salesbot_says_why_and_can_be_restarted(page, sandbox, bridge):
    bridge.status = 500
    page.goto(f"{sandbox.url}/chat/demo/anna")
    sandbox.say("anna", "hi")
    expect(page.get_by_text("The bridge answered 500")).to_be_visible()
    sandbox.say("anna", "hello?")
    expect(page.locator("#held")).to_contain_text("1 more from the customer")

    bridge.status, bridge.reply = 200, lambda received: success(f"Now to {received.data['message']}")
    page.get_by_role("button", name="Restart the Salesbot").click()

    expect(page.get_by_role("log")).to_contain_text("Now to hello?")
    expect(page.locator("#stuck")).to_be_hidden()


@pytest.mark.browser
def test_pressing_a_button_of_a_message_writes_its_text(page, sandbox, bridge):
    buttons = {
        "handler": "show",
        "params": {"type": "buttons", "value": "Which?", "buttons": ["Sea room", "Garden room"]},
    }
    bridge.reply = lambda received: (
        success("The sea room it is.")
        if received.data["message"] == "Sea room"
        else {"data": {"status": "success", "show": "0"}, "execute_handlers": [buttons]}
    )
    page.goto(f"{sandbox.url}/chat/demo/anna")
    sandbox.say("anna", "hi")

    page.get_by_role("button", name="Sea room").click()

    expect(page.get_by_role("log")).to_contain_text("The sea room it is.")


@pytest.mark.browser
def test_another_customer_has_a_chat_of_their_own(page, sandbox, bridge):
    bridge.reply = lambda received: success(f"Hello {received.data['name']}, on {received.data['origin']}")
    sandbox.say("anna", "hi")
    page.goto(f"{sandbox.url}/chat/demo/anna")
    expect(page.get_by_role("log")).to_contain_text("Hello anna")

    page.get_by_role("button", name="+ New customer").click()
    box = page.get_by_role("dialog", name="New customer")
    box.get_by_label("Name").fill("Ben")
    box.get_by_label("Channel").select_option("instagram")
    page.get_by_role("button", name="Open chat").click()
    page.get_by_label("Write as Ben").fill("hi")
    page.keyboard.press("Enter")

    expect(page.get_by_role("log")).to_contain_text("Hello Ben, on instagram")
    expect(page.get_by_role("log")).not_to_contain_text("anna")
    expect(page.get_by_role("navigation", name="Customers").locator(".person")).to_have_text(["anna", "Ben"])


@pytest.mark.browser
def test_a_phone_needs_no_sideways_scrolling(page, sandbox, bridge):
    bridge.reply = lambda _received: success("x" * 300 + " " + "word " * 50)
    page.set_viewport_size(PHONE)
    sandbox.say("anna", "y" * 200)
    sandbox.wait_until(lambda: sandbox.shown("anna"))

    for path in ("/", "/chat/demo/anna"):
        page.goto(sandbox.url + path)
        expect(page.locator(".account-chat, .turn").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.browser
def test_a_page_finds_its_way_back_after_the_sandbox_was_restarted(browser, bridge):
    bridge.reply = lambda _received: success("back")
    config = {"accounts": [an_account(hook_url=bridge.url)]}
    page = browser.new_page()  # its console may complain of the cut connection
    try:
        with SandboxServer(config) as sandbox:
            page.goto(f"{sandbox.url}/chat/demo/anna")
            sandbox.say("anna", "forget me")
            expect(page.get_by_role("log")).to_contain_text("back")
            port = int(sandbox.url.rsplit(":", 1)[1])
        expect(page.locator("#trouble")).to_be_visible()
        with SandboxServer(config, port=port):
            expect(page.locator("#trouble")).to_be_hidden(timeout=10_000)
            expect(page.get_by_role("log")).not_to_contain_text("forget me")
            expect(page.locator(".turn")).to_have_count(0)
    finally:
        page.close()


@pytest.mark.browser
def test_a_file_is_sent_without_a_word_and_the_bridge_gets_an_empty_message(page, sandbox, bridge):
    bridge.reply = lambda received: success(f"I got “{received.data['message']}”.")
    page.goto(f"{sandbox.url}/chat/demo/anna")

    page.get_by_role("button", name="Attach").click()
    page.get_by_label("File name").fill("passport.pdf")
    page.get_by_role("button", name="Send file").click()

    expect(page.locator(".bubble-customer .bubble-text")).to_have_text("File: passport.pdf")
    expect(page.get_by_role("log")).to_contain_text("I got “”.")


@pytest.mark.browser
def test_customers_of_every_account_are_at_hand(page, bridge):
    clinic = an_account(subdomain="clinic", name="Clinic", access_token="clinic-token", hook_url=bridge.url)
    config = {"accounts": [an_account(hook_url=bridge.url), clinic]}
    with SandboxServer(config, rate=0) as sandbox, closing(page):
        sandbox.say("maria", "hola", account="clinic")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(f"{sandbox.url}/chat/demo/anna")

        page.get_by_role("region", name="Clinic").get_by_role("link", name="maria").click()

        expect(page.get_by_role("log")).to_contain_text("hola")


@pytest.mark.browser
def test_settings_that_are_being_changed_are_not_overwritten(page, sandbox, bridge):
    page.goto(f"{sandbox.url}/chat/demo/anna")
    page.get_by_text("Account settings").click()
    page.get_by_label("The widget_request is written as").select_option("json")

    with page.expect_response("**/sandbox/api/accounts"):
        sandbox.configure(when_busy="restart")
    expect(page.get_by_label("The widget_request is written as")).to_have_value("json")
    page.get_by_role("button", name="Save settings").click()

    expect(page.get_by_text("Saved. The next message goes out so.")).to_be_visible()
    expect(page.locator("#settings-now")).to_have_text("json, HS256")


@pytest.mark.browser
def test_a_bridge_admin_is_linked_when_its_address_is_known(page, sandbox):
    page.goto(sandbox.url)
    expect(page.locator(".account")).to_be_visible()
    expect(page.get_by_role("link", name="admin")).to_have_count(0)

    admin = "http://127.0.0.1:1/admin/"
    with SandboxServer({"accounts": [an_account()], "bridge_admin_url": admin}) as linked, closing(page):
        for path in ("/", "/chat/demo/anna", "/journal"):
            page.goto(linked.url + path)
            expect(page.get_by_role("link", name="Bridge admin")).to_have_attribute("href", admin)
