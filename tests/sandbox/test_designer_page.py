"""The designer's page in a browser: a widget goes all the way, and each of its mistakes is told."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox.server import SandboxServer
from tests.browser.test_sandbox import faults_by_axe
from tests.browsing import DESKTOP, PHONE, a_page
from tests.sandbox.bridge import an_account, success
from tests.sandbox.test_designer import an_export
from tests.sandbox.widgets import SCRIPT, a_widget, designer, upload

pytestmark = pytest.mark.browser
WIDTHS = {"desktop": DESKTOP, "phone": PHONE}


@pytest.fixture
def widget(bridge: Any, tmp_path: Path) -> Any:
    """Give a function that packs the test's widget with this bridge's address, as a file."""

    def pack(*, version: str = "1.0.0", script: str = SCRIPT) -> Path:
        path = tmp_path / f"widget-{version}.zip"
        path.write_bytes(a_widget(bridge.url, version=version, script=script))
        return path

    return pack


def open_designer(page: Page, sandbox: SandboxServer) -> None:
    page.goto(f"{sandbox.url}/designer/demo")
    expect(page.get_by_role("heading", name="Designer · demo")).to_be_visible()


def choose(page: Page, path: Path) -> None:
    page.get_by_label("Widget archive (zip)").set_input_files(path)


def install(page: Page, team: str = "sales") -> None:
    page.get_by_role("button", name="Install", exact=True).click()
    page.get_by_role("dialog", name="Test widget").get_by_label("Team").fill(team)
    page.get_by_role("button", name="Save settings").click()


def installed(page: Page, sandbox: SandboxServer, path: Path) -> None:
    open_designer(page, sandbox)
    choose(page, path)
    install(page)
    expect(page.get_by_text("The settings are saved.")).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the Salesbot").click()


def calls(page: Page) -> list[str]:
    return [line.split(" ")[0] for line in page.locator("#calls-list li").all_text_contents()]


@pytest.mark.statement("S4.6.order", "S4.6.helpers", "S4.6.settings", "S4.6.exits")
def test_a_widget_is_uploaded_installed_configured_and_saved_and_a_chat_leaves_by_two_exits(
    page, sandbox, bridge, widget
):
    """Only what the pages show is used."""
    bridge.reply = lambda received: success(
        f"{received.data['topic']} {received.data['team']}",
        status="fail" if received.data["message"] == "bad" else "success",
    )
    page.goto(sandbox.url)
    page.get_by_role("link", name="Designer").click()
    choose(page, widget())
    expect(page.get_by_text("Widget 1.0.0 was uploaded.")).to_be_visible()
    expect(page.get_by_text("No widget is offered yet")).to_be_visible()

    page.get_by_role("button", name="Install", exact=True).click()
    window = page.get_by_role("dialog", name="Test widget")
    expect(window.get_by_text("Account 31337")).to_be_visible()
    window.get_by_label("Team").fill("sales")
    window.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()  # typed before, it would go into the dialog
    page.get_by_label("Greeting").fill("Welcome!")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Asks about rooms")).to_be_visible()
    page.get_by_label("Topic").fill("boats")
    page.get_by_label("Who asks").select_option("{{contact.name}}")
    page.get_by_label("Not fine bad").select_option("a message, then listen")
    page.get_by_label("Message after “Not fine”").fill("A person comes.")
    save(page)
    expect(page.get_by_text("The Salesbot is saved. New runs follow it.")).to_be_visible()
    assert page.evaluate("window.bound") == "1.0.0install"

    page.get_by_role("link", name="Open a chat").click()
    for text, answer in (("good", "boats sales"), ("bad", "A person comes.")):
        page.get_by_label("Write as visitor").fill(text)
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_contain_text(answer)

    assert sandbox.shown("visitor") == ["Welcome!", "boats sales", "boats sales", "A person comes."]
    said = bridge.received[0].data
    assert (said["handler"], said["who"], said["base"], said["version"]) == ("ask", "visitor", "leads", "1.0.0")


def test_the_page_calls_the_script_in_kommos_order(page, sandbox, widget):
    installed(page, sandbox, widget())
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Asks about rooms")).to_be_visible()
    save(page)
    expect(page.get_by_text("The Salesbot is saved.")).to_be_visible()

    started = ["define([jquery])", "render", "init", "bind_actions"]
    assert calls(page) == [
        *started,
        *("onInstall", "settings", "onSave", "salesbotDesignerSettings", "onSalesbotDesignerSave"),
    ]


@pytest.mark.statement("S4.6.order")
def test_nothing_follows_a_render_that_did_not_give_true(page, sandbox, widget):
    script = SCRIPT.replace("render: function () { return true; }", "render: function () { return 1; }")
    open_designer(page, sandbox)
    choose(page, widget(script=script))

    expect(page.get_by_text("Widget 1.0.0 was uploaded.")).to_be_visible()
    assert calls(page) == ["define([jquery])", "render"]


def test_a_widget_speaks_the_language_of_the_page_and_learns_whom_the_salesbot_is_for(page, sandbox, bridge, widget):
    bridge.reply = lambda _received: success("Hi")
    installed(page, sandbox, widget())
    page.get_by_label("Page language").select_option("es")
    page.get_by_label("The Salesbot is for").select_option("Customers")
    expect(page.get_by_role("heading", name="Widget de prueba")).to_be_visible()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("Tema")).to_have_value("rooms")
    save(page)
    expect(page.get_by_text("The Salesbot is saved.")).to_be_visible()

    sandbox.say("anna", "hi")
    assert sandbox.wait_until(lambda: bridge.received and bridge.received[0]).data["base"] == "customers"


@pytest.mark.statement("S4.6.params", "S4.6.value-manual")
@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("in its field, as documented", {"who": "{{contact.id}}", "topic": "boats"}),
        ("as value_manual, as one account saw", {"who": "{{contact.id}}", "topic": "rooms", "value_manual": "boats"}),
    ],
    ids=["documented", "as seen"],
)
def test_a_typed_text_reaches_the_script_in_the_way_that_is_chosen(page, sandbox, widget, way, told):
    tell = "onSalesbotDesignerSave: function (handler, params) { window.told = params;"
    script = SCRIPT.replace("onSalesbotDesignerSave: function (handler, params) {", tell)
    installed(page, sandbox, widget(script=script))
    page.get_by_label("A typed text reaches the script").select_option(way)
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Who asks").select_option("{{contact.id}}")
    page.get_by_label("Topic").fill("boats")
    save(page)
    expect(page.get_by_text("The Salesbot is saved.")).to_be_visible()

    assert page.evaluate("window.told") == told


@pytest.mark.statement("S4.4.frozen")
def test_a_newer_zip_changes_nothing_until_the_salesbot_is_saved_again_and_the_page_says_so(
    page, sandbox, bridge, widget
):
    bridge.reply = lambda received: success(f"by {received.data['version']}")
    installed(page, sandbox, widget())
    page.get_by_role("button", name="Add").click()
    save(page)
    expect(page.get_by_text("The Salesbot is saved.")).to_be_visible()

    choose(page, widget(version="2.0.0"))
    expect(page.get_by_text("the Salesbot still runs the flow of 1.0.0")).to_be_visible()
    sandbox.say("anna", "hi")
    sandbox.wait_until(lambda: sandbox.shown("anna") == ["by 1.0.0"])
    page.get_by_role("button", name="Open", exact=True).click()
    save(page)

    expect(page.get_by_text("with the step of widget 2.0.0")).to_be_visible()
    expect(page.get_by_text("the Salesbot still runs")).to_be_hidden()
    sandbox.say("anna", "hi")
    sandbox.wait_until(lambda: sandbox.shown("anna") == ["by 1.0.0", "by 2.0.0"])


@pytest.mark.statement("S4.4.reading-id")
def test_a_widget_without_exits_fails_in_the_designer_in_the_known_way(page, sandbox, widget):
    installed(page, sandbox, widget(script=SCRIPT.replace("salesbotDesignerSettings:", "otherwise:")))

    page.get_by_role("button", name="Add").click()

    expect(page.get_by_role("alert").filter(has_text="reading 'id'")).to_contain_text("salesbotDesignerSettings")
    expect(page.get_by_role("button", name="Save the Salesbot")).to_be_disabled()


@pytest.mark.statement("S4.6.text")
@pytest.mark.parametrize(
    ("topic", "told"), [("throw", "No such topic"), ("object", "must return the flow as JSON text")]
)
def test_a_save_that_throws_or_gives_no_text_is_told_and_saves_nothing(browser, sandbox, widget, topic, told):
    page = browser.new_page()  # its console may tell of the 400
    with closing(page):
        installed(page, sandbox, widget())
        page.get_by_role("button", name="Add").click()
        page.get_by_label("Topic").fill(topic)
        save(page)

        expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()
        expect(page.get_by_text("This account runs the sandbox's usual Salesbot")).to_be_visible()
    assert designer(sandbox).json()["step"] is None


@pytest.mark.statement("S4.6.settings")
def test_settings_that_the_widget_does_not_confirm_are_not_saved(page, sandbox, widget):
    open_designer(page, sandbox)
    choose(page, widget())
    install(page, team="nobody")

    expect(page.get_by_role("alert").filter(has_text="onSave did not give true")).to_be_visible()
    assert designer(sandbox).json()["widget"]["status"] == "not_configured"


@pytest.mark.statement("S4.6.off")
def test_switching_off_calls_on_save_and_then_destroy(page, sandbox, widget):
    installed(page, sandbox, widget())

    page.get_by_role("button", name="Switch off").click()

    expect(page.get_by_text("The widget is switched off.")).to_be_visible()
    assert calls(page)[-2:] == ["onSave", "destroy"]
    assert page.evaluate("window.destroyed") is True
    expect(page.get_by_text("No widget is offered yet")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (SCRIPT.replace("['jquery']", "['jquery', 'moment']"), "script.js asks for “moment”; the sandbox gives jquery"),
        ("var nothing = 1;", "script.js does not call define()"),
        ("define(['jquery'], function () { return {}; });", "must return the function CustomWidget"),
        ("define([], function () { return function () {}; });", "the widget has no callbacks"),
        (
            SCRIPT.replace("render: function () { return true; }", "render: function () { return gone(); }"),
            "gone is not",
        ),
    ],
    ids=["an unknown dependency", "no module", "no constructor", "no callbacks", "a render that throws"],
)
def test_a_script_that_kommos_page_would_break_at_is_told_by_name(page, sandbox, widget, script, told):
    open_designer(page, sandbox)
    choose(page, widget(script=script))

    expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()


def test_a_refused_zip_shows_kommos_words_and_the_broken_rules(browser, sandbox, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"nonsense")
    page = browser.new_page()  # its console may tell of the 400
    with closing(page):
        open_designer(page, sandbox)
        choose(page, tmp_path / "bad.zip")

        refusal = page.get_by_role("alert").filter(has_text="Kommo's answer")
        expect(refusal).to_contain_text('{"error":"Something went wrong"}')
        expect(refusal).to_contain_text("The file is no zip archive")


def test_a_salesbot_is_imported_in_the_page_and_takes_the_step(page, sandbox, bridge, widget, tmp_path):
    bridge.reply = lambda _received: success("From the import")
    (tmp_path / "salesbot.json").write_text(json.dumps(an_export()))
    installed(page, sandbox, widget())

    page.get_by_label("Import a Salesbot").set_input_files(tmp_path / "salesbot.json")
    expect(page.get_by_text("The imported Salesbot needs its Widget step")).to_be_visible()
    page.get_by_role("button", name="Add").click()
    save(page)
    expect(page.get_by_text("This account runs an imported Salesbot")).to_be_visible()
    page.get_by_role("link", name="Open a chat").click()
    expect(page.get_by_text("waits for the first message")).to_be_visible()
    page.get_by_label("Write as visitor").fill("hi")
    page.keyboard.press("Enter")

    expect(page.get_by_role("log")).to_contain_text("From the import")


def test_what_a_widget_and_its_owner_write_stays_text(page, sandbox, widget):
    attack = "<img src=x onerror=alert(1)>"
    script = SCRIPT.replace("title: self.langs.salesbot.bad", f"title: '{attack}'").replace(
        "'Asks about '", f"'{attack}'"
    )
    installed(page, sandbox, widget(script=script))
    page.get_by_role("button", name="Add").click()

    expect(page.locator("#branches")).to_contain_text(attack)
    assert page.locator("#salesbot img").count() == 0


def test_code_in_a_zip_meets_the_pages_policy(browser, sandbox, widget):
    attack = SCRIPT.replace(
        "window.bound =", "try { window.evil = eval('1'); } catch (e) { window.stopped = e.name; } window.bound ="
    )
    page = browser.new_page()  # its console tells of the policy
    with closing(page):
        open_designer(page, sandbox)
        choose(page, widget(script=attack))
        expect(page.get_by_text("Widget 1.0.0 was uploaded.")).to_be_visible()

        assert page.evaluate("[window.evil, window.stopped]") == [None, "EvalError"]


def test_the_step_can_be_built_by_keyboard(page, sandbox, widget):
    installed(page, sandbox, widget())

    page.get_by_label("Greeting").focus()
    page.keyboard.type("Hello")
    page.get_by_role("button", name="Add").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Topic").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("The Salesbot is saved.")).to_be_visible()
    assert designer(sandbox).json()["step"]["greeting"] == "Hello"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious_and_a_phone_needs_no_sideways_scrolling(browser, sandbox, widget, width, scheme):
    upload(sandbox, b"nonsense")
    with a_page(browser, viewport=WIDTHS[width]) as page:
        page.emulate_media(color_scheme=scheme)
        open_designer(page, sandbox)
        expect(page.get_by_text("Kommo's answer")).to_be_visible()
        assert faults_by_axe(page) == []
        choose(page, widget())
        page.get_by_role("button", name="Install", exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert faults_by_axe(page) == []
        page.get_by_label("Team").fill("sales")
        page.get_by_role("button", name="Save settings").click()
        expect(page.get_by_text("The settings are saved.")).to_be_visible()
        page.get_by_role("button", name="Add").click()
        page.get_by_label("Not fine bad").select_option("a message, then listen")
        page.get_by_label("Message after “Not fine”").fill("x" * 200)
        save(page)
        expect(page.get_by_text("The Salesbot is saved.")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")

        assert faults_by_axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS[width]["width"]


def test_the_designer_is_reached_from_the_first_page_and_from_the_chat(page, bridge):
    config = {"accounts": [an_account(hook_url=bridge.url)], "bridge_admin_url": "http://127.0.0.1:1/admin/"}
    with SandboxServer(config, rate=0) as sandbox, closing(page):
        for path in ("/", "/chat/demo/anna"):
            page.goto(sandbox.url + path)
            expect(page.get_by_role("link", name="Designer")).to_have_attribute("href", "/designer/demo")
        open_designer(page, sandbox)
        expect(page.get_by_role("link", name="Bridge admin")).to_have_attribute("href", "http://127.0.0.1:1/admin/")
