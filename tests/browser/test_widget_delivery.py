"""How replies of any size, buttons and links reach a customer by our widget, and by a flow that isn't ours.

In a browser, with the whole bridge; Kommo is the stand-in with its chats.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.widget_site import LEAVING, LINKS, WidgetSite, become, read, write

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PIECE = 80  # characters of a `show`; ten of them go along
ANSWERS = ["Green tea", "Black tea", "White tea", "Oolong", "Something else"]
EMOJI = "🍵"
LONG_LABEL = "A label that is too long for the buttons of WhatsApp"


# long replies


def a_text(size: int) -> str:
    """Make a text of words, emoji and line breaks, of exactly so many characters."""
    lines = [f"Tea {line} {EMOJI} from a hill in the mist 🏔️ and its price.\n" for line in range(size // 10)]
    text = "\n".join([f"Tea {EMOJI}\nnow!", *lines])[:size].rstrip()
    return text + "." * (size - len(text))


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
    text = a_text(size)
    write(page, site.says(f"{size} signs in pieces", text))
    (body,) = site.continued("foreign", f"pieces-{size}", 1)
    pieces = read(page, len(body["execute_handlers"]))

    assert len(pieces) <= 10
    assert max(map(len, pieces)) <= PIECE
    assert without_space_between(pieces, text) == text
    assert body["data"]["show"] == "0"
    expect(page.get_by_text("Left the Widget step by the exit “success”")).to_be_visible()


def test_pieces_end_at_line_breaks_where_there_is_room(page: Page, site: WidgetSite):
    lines = ["We have three kinds of tea in the shop this week:", "Green tea from the northern hills,\nblack,\nwhite."]
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
    text = a_text(300)
    write(page, site.says("Pieces with buttons", text, buttons=ANSWERS[:2]))
    (body,) = site.continued("foreign", "below", 1)
    pieces = read(page, len(body["execute_handlers"]))

    assert without_space_between(pieces, text) == text
    having = [one.locator("button").all_text_contents() for one in page.locator(".bubble-bot").all()]
    assert having == [*([[]] * (len(pieces) - 1)), ANSWERS[:2]]
