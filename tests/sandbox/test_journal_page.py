"""The journal as a page: what it hides, what it draws, and that it goes on by itself."""

import json

import pytest
import requests
from playwright.sync_api import expect

from sandbox.api.journal_page import masked
from tests.browsing import PHONE
from tests.sandbox.bridge import TOKEN, resume, success


def stream_of(sandbox, query=""):
    """Give the entries of the page's stream, batch by batch; must be closed."""
    answer = requests.get(f"{sandbox.url}/sandbox/api/journal/events{query}", stream=True, timeout=10)
    lines = (line for line in answer.iter_lines(decode_unicode=True) if line.startswith("data: "))
    return answer, (json.loads(line[6:]) for line in lines)


def test_the_stream_gives_what_was_and_then_what_comes(sandbox, bridge):
    sandbox.say("anna", "one")
    answer, batches = stream_of(sandbox)
    with answer:
        first = next(batches)
        sandbox.say("anna", "two", when_busy="restart")
        told = list(first)
        while "two" not in [entry.get("text") for entry in told]:
            told += next(batches)

    assert first[0]["text"] == "one"
    seen = [entry["seq"] for entry in told]
    assert seen == sorted(set(seen))


def test_the_stream_can_be_narrowed_to_one_customer(sandbox, bridge):
    sandbox.say("anna", "one")
    sandbox.say("ben", "two")
    answer, batches = stream_of(sandbox, "?account=demo&customer=ben")
    with answer:
        batch = next(batches)

    assert {entry["customer"] for entry in batch} == {"ben"}


@pytest.mark.parametrize("encoding", ["form", "json"])
def test_the_page_never_gets_a_token_and_the_lines_have_it(sandbox, bridge, encoding):
    sandbox.configure(encoding=encoding)
    resume(sandbox.say("anna", "hi").return_url, success())
    received = sandbox.wait_until(lambda: bridge.received and bridge.received[0])
    sandbox.wait_until(lambda: any(entry["kind"] == "widget_request" for entry in sandbox.journal))
    answer, batches = stream_of(sandbox)
    with answer:
        told = json.dumps(next(batches), ensure_ascii=False)
    lines = requests.get(f"{sandbox.url}/sandbox/api/journal", timeout=10).text

    token = received.fields["token"]
    assert "Bearer •••demo" in told
    for secret in (TOKEN, token, token.split(".")[2]):
        assert secret in lines
        assert secret not in told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bearer abcdefghijklmnop", "Bearer •••mnop"),
        ("bearer short", "bearer •••"),
        ("token=eyJhbGciOiJI.eyJpc3MiOi.c2lnbmF0dXJl&x=1", "token=•••dXJl&x=1"),
        ("plain text", "plain text"),
    ],
)
def test_a_masked_token_shows_its_end_at_most(text, shown):
    assert masked({"a": [text]}) == {"a": [shown]}


def test_a_very_long_text_is_cut_and_says_so():
    (cut,) = masked(["x" * 50_000])

    assert len(cut) < 21_000
    assert cut.endswith("(50,000 characters; the JSON lines have them all)")


@pytest.fixture
def told(page, sandbox, bridge):
    """Open the journal page after one whole turn of anna; gives the page."""
    bridge.reply = lambda _received: success("Hello Anna!")
    sandbox.say("anna", "good morning")
    sandbox.wait_until(lambda: any(entry["kind"] == "continue_answer" for entry in sandbox.journal))
    page.goto(f"{sandbox.url}/journal")
    return page


def rows(page):
    return page.get_by_role("list").last.get_by_role("listitem")


@pytest.mark.browser
def test_each_call_is_an_arrow_from_who_speaks_to_who_listens(told):
    for said in (
        "Customer to Salesbot: “good morning”",
        "Salesbot to Bridge: widget_request",
        "Bridge to Salesbot: 200 in ",
        "Bridge to Salesbot: continue",
        "Salesbot to Customer: “Hello Anna!”",
        "Salesbot to Bridge: 202 in ",
    ):
        expect(rows(told).filter(has_text=said)).to_have_count(1)


@pytest.mark.browser
def test_the_diagram_grows_while_things_happen(told, sandbox):
    expect(rows(told).filter(has_text="good morning")).to_have_count(1)

    sandbox.say("ben", "I am new")

    expect(rows(told).filter(has_text="I am new")).to_have_count(1)
    expect(rows(told).filter(has_text="I am new")).to_be_in_viewport()


@pytest.mark.browser
def test_the_diagram_can_be_narrowed_to_one_customer(told, sandbox):
    sandbox.say("ben", "I am new")
    expect(rows(told).filter(has_text="I am new")).to_have_count(1)

    told.get_by_label("Customer").select_option(label="ben")

    expect(rows(told).filter(has_text="I am new")).to_have_count(1)
    expect(rows(told).filter(has_text="good morning")).to_have_count(0)
    assert told.url.endswith("/journal?customer=ben")
    told.reload()
    expect(told.get_by_label("Customer")).to_have_value("ben")
    expect(rows(told).filter(has_text="good morning")).to_have_count(0)


@pytest.mark.browser
def test_an_entry_opens_by_keyboard_and_shows_itself_whole_but_for_tokens(told):
    row = rows(told).filter(has_text="Bridge to Salesbot: continue")
    row.locator("summary").focus()
    told.keyboard.press("Enter")

    expect(row.locator("pre")).to_contain_text('"message": "Hello Anna!"')
    expect(row.locator("pre")).to_contain_text("Bearer •••demo")
    assert TOKEN not in told.content()


@pytest.mark.browser
def test_what_people_write_stays_text(told, sandbox):
    sandbox.say("ben", "<b>bold</b><img src=x onerror=alert(1)>")

    expect(rows(told).filter(has_text="<b>bold</b>")).to_have_count(1)
    assert told.locator("#rows b, #rows img").count() == 0


@pytest.mark.browser
def test_a_fault_is_told_by_its_name_for_people(told, sandbox, bridge):
    assert requests.post(f"{sandbox.url}/sandbox/api/faults", json={"kind": "rate_limit"}, timeout=10).ok
    sandbox.say("ben", "hi")

    expect(rows(told).filter(has_text="trouble set: Too many requests (429)")).to_have_count(1)
    expect(rows(told).filter(has_text="broken on demand: Too many requests (429)")).to_have_count(1)


@pytest.mark.browser
def test_a_phone_needs_no_sideways_scrolling(told):
    told.set_viewport_size(PHONE)

    expect(rows(told).first).to_be_visible()
    assert told.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.browser
def test_a_call_of_the_bridges_to_the_api_is_an_arrow_with_its_answer(told, sandbox):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(f"{sandbox.url}/api/v4/account", headers=headers, timeout=10).status_code == 200

    row = rows(told).filter(has_text="Bridge to Salesbot: GET /api/v4/account")
    expect(row).to_contain_text("answered 200")


@pytest.mark.browser
def test_a_message_that_was_not_delivered_is_told_as_such(told, sandbox, bridge):
    bridge.reply = lambda _received: success("x" * 5_000)
    sandbox.say("ben", "hi")

    expect(rows(told).filter(has_text="not delivered: Telegram takes at most 4,096")).to_have_count(1)
