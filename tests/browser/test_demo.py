"""`manage.py demo` as a newcomer meets it, in a fresh place and in a browser: ask, read, break, end."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import PHONE, a_page
from tests.rig import Rig
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PROJECT = Path(__file__).resolve().parents[2]
READY_S = 150.0
STOPPED_S = 40.0
ANSWERED_MS = 30_000
LONG = 1_200  # characters; the longest passage of the shop's knowledge is longer
READY = "KommoBridge is ready."


@dataclass(slots=True)
class RunningDemo:
    """A demo that was started.

    Args:
        rig: its folder, its environment and its processes.
        main: `manage.py demo`.
    """

    rig: Rig
    main: "subprocess.Popen[bytes]"

    def told(self, pattern: str) -> str:
        """Find something in what it printed."""
        found = re.search(pattern, self.rig.log())
        assert found, self.rig.log()
        return found[1]

    @property
    def sandbox(self) -> str:
        """Origin of the stand-in Kommo."""
        return self.told(r"Write as a customer +(http\S+)/")

    @property
    def admin(self) -> str:
        """First page of the admin."""
        return self.told(r"Read it in the admin +(http\S+)")

    def wait_until_ready(self) -> None:
        """Wait until it printed where everything is."""
        wait_until(lambda: READY in self.rig.log() or self.main.poll() is not None, within_seconds=READY_S)
        assert self.main.poll() is None, self.rig.log()


def start(rig: Rig) -> RunningDemo:
    """Start `manage.py demo` as `make demo` does, in a folder of its own."""
    with rig.log_file.open("ab") as log:
        main = subprocess.Popen(
            [sys.executable, str(PROJECT / "manage.py"), "demo"],
            env=rig.env,
            cwd=rig.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    rig.mains.append(main)
    return RunningDemo(rig, main)


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with Rig(migrated=False) as rig:
        running = start(rig)
        running.wait_until_ready()
        yield running


def write(page: Page, text: str) -> None:
    page.get_by_label(re.compile("^Write as")).fill(text)
    page.keyboard.press("Enter")


def bot_said(page: Page, text: str | re.Pattern[str]) -> None:
    said = page.get_by_role("article").filter(has_text="Salesbot:").filter(has_text=text)
    expect(said.last).to_be_visible(timeout=ANSWERED_MS)


def log_in(page: Page, demo: RunningDemo) -> None:
    page.goto(demo.admin)
    page.get_by_label("E-mail").fill(demo.told(r"owner of the demo accounts: (\S+),"))
    page.get_by_label("Password").fill(demo.told(r"owner of the demo accounts: \S+, password (\S+)"))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_newcomer_asks_and_reads_the_whole_answer_in_the_admin(page: Page, demo: RunningDemo):
    page.goto(demo.sandbox)
    writing = page.get_by_role("link", name="Write as a customer")
    expect(writing).to_have_attribute("href", re.compile("/chat/"))  # until the accounts are read it leads to them
    writing.click()
    expect(page.get_by_role("log")).to_be_visible()
    page.goto(f"{demo.sandbox}/chat/demo/newcomer")  # a customer whom no other test left waiting
    write(page, "How do I brew tea?")
    bot_said(page, "Here is what I know:")
    reply = page.get_by_role("article").filter(has_text="Here is what I know:").last.inner_text()
    brewing = (PROJECT / "kommobridge/demo/shop/knowledge.md").read_text(encoding="utf-8").split("# How to brew\n")[1]
    assert len(brewing.strip()) >= LONG
    assert brewing.strip() in reply

    log_in(page, demo)
    page.get_by_role("link", name="Conversations").first.click()
    page.get_by_role("link", name=re.compile("^lead ")).first.click()
    expect(page.get_by_text("How do I brew tea?").first).to_be_visible()
    expect(page.get_by_text(brewing.strip()[-80:]).first).to_be_visible()


def test_the_admin_is_not_empty_before_anybody_wrote(page: Page, demo: RunningDemo):
    log_in(page, demo)
    page.get_by_role("link", name="Conversations").first.click()
    for name in ("Leaf & Kettle", "Clínica Sonrisa", "Школа «Полиглот»"):
        expect(page.get_by_text(name, exact=False).first).to_be_visible()


@pytest.mark.parametrize(
    ("account", "question", "answer"),
    [("clinica", "¿Cuánto cuesta un empaste?", "Empaste: desde 65 €"), ("shkola", "Есть пробный урок?", "бесплатный")],
    ids=["Spanish", "Russian"],
)
def test_the_other_bots_answer_in_their_language(page: Page, demo: RunningDemo, account, question, answer):
    page.goto(f"{demo.sandbox}/chat/{account}/visitor")
    write(page, question)
    bot_said(page, answer)


def test_three_turns_with_buttons_and_then_a_timer(page: Page, demo: RunningDemo):
    page.goto(f"{demo.sandbox}/chat/clinica/paco")
    write(page, "Hola, ¿atienden a niños?")
    bot_said(page, "odontopediatra")
    page.get_by_role("button", name="¿Cuándo abren?").click()
    bot_said(page, "de 9:00 a 20:00")
    page.get_by_role("button", name="¿Cómo pido cita?").last.click()
    bot_said(page, "La cita se pide por este chat")
    page.get_by_role("button", name="Move the clock 1 h").click()
    bot_said(page, "¿Sigue ahí?")


def test_a_tap_on_an_offered_answer_is_answered_and_told_in_the_admin(page: Page, demo: RunningDemo):
    page.goto(f"{demo.sandbox}/chat/demo/tapper")
    write(page, "Hi!")
    page.get_by_role("button", name="Gift boxes").click()
    bot_said(page, "A handwritten card is free")

    log_in(page, demo)
    page.get_by_role("link", name="Conversations").first.click()
    page.get_by_role("row").filter(has_text="The small gift box").first.get_by_role("link").first.click()
    offered = page.get_by_role("list", name="Answers offered")
    expect(offered).to_have_count(1)
    expect(offered.get_by_role("listitem")).to_have_text(["Green tea", "Gift boxes", "Delivery", "Talk to a person"])


def test_what_a_newcomer_breaks_shows_in_the_page_and_in_the_admin(page: Page, demo: RunningDemo):
    page.goto(f"{demo.sandbox}/chat/demo/breaker#break")
    page.get_by_label("What goes wrong").select_option(label="Kommo answers with an error")
    page.get_by_label("Status").fill("404")
    page.get_by_role("button", name="Break it").click()
    expect(page.get_by_text("Ready: “Kommo answers with an error”.")).to_be_visible()
    write(page, "Which gift boxes are there for my aunt?")
    steps = page.get_by_role("region", name="What the Salesbot did")
    expect(steps).to_contain_text("A continue was answered with 404", timeout=ANSWERED_MS)
    expect(steps).to_contain_text("Broken on demand: Kommo answers with an error")

    log_in(page, demo)
    page.get_by_role("link", name="Exchanges").first.click()
    row = page.get_by_role("row").filter(has_text="for my aunt")
    expect(row).to_contain_text("too late")
    row.get_by_role("link").first.click()
    expect(page.get_by_text("The Salesbot waits no more").first).to_be_visible()
    expect(page.get_by_text("404").first).to_be_visible()


def test_the_pages_fit_a_phone(browser: Browser, demo: RunningDemo):
    with a_page(browser, viewport=PHONE) as page:
        log_in(page, demo)
        page.goto(f"{demo.admin}bots/conversation/")
        for address in (demo.sandbox, f"{demo.sandbox}/chat/shkola/visitor", f"{demo.admin}bots/conversation/"):
            page.goto(address)
            expect(page.get_by_role("heading").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address


def test_ctrl_c_leaves_no_process_and_no_secrets_and_remove_no_rows():
    with Rig(migrated=False) as rig:
        demo = start(rig)
        demo.wait_until_ready()
        secrets = list(rig.folder.glob("demo-sandbox-*.json"))
        assert [oct(path.stat().st_mode & 0o777) for path in secrets] == ["0o600"]
        assert len(rig.processes()) > 3

        demo.main.send_signal(signal.SIGINT)
        assert demo.main.wait(STOPPED_S) == 0
        assert rig.processes() == []
        assert not any(path.exists() for path in secrets)

        assert "Deleted 3 demo account(s)" in rig.manage("demo", "--remove")
        for table in ("account", "conversation", "exchange", "attempt", "message", "user"):
            assert rig.sql(f"SELECT count(*) AS left FROM bots_{table}") == [{"left": 0}], table  # noqa: S608
