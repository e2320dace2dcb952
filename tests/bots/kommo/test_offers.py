"""What a channel shows to tap, and what the customer's tap, number or word means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.kommo import LinkButton, meaning_of
from bots.kommo.offers import LABEL_MAX_CHARS, button_limits, can_tap, distinct, listing, may_be_choice, split_off_list

DAYS = ("Today", "Tomorrow", "Next week")


# what a message means


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Tomorrow", "Tomorrow"),
        ("tomorrow", "Tomorrow"),
        ("  TOMORROW!  ", "Tomorrow"),
        ("«Next  week»", "Next week"),
        ("Ｔｏｄａｙ", "Today"),
        ("tomorrow 👍", "Tomorrow"),
        ("2", "Tomorrow"),
        ("2.", "Tomorrow"),
        ("2)", "Tomorrow"),
        (" (2) ", "Tomorrow"),
        ("#2", "Tomorrow"),
        ("2️⃣", "Tomorrow"),
        ("２", "Tomorrow"),
        ("２．", "Tomorrow"),
        ("٢", "Tomorrow"),
        ("۲", "Tomorrow"),
        ("२", "Tomorrow"),
        ("03", "Next week"),
    ],
)
def test_a_tap_a_number_and_a_word_choose_an_answer(text: str, meaning: str):
    assert meaning_of(text, DAYS) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "4",
        "12",
        "-2",
        "2 3",
        "2 people",
        "2€",
        "2%",
        "²",
        "1.5",
        "99999999999",
        "Tomor",
        "Today or tomorrow?",
        "!",
        "👍",
    ],
)
def test_anything_else_is_what_it_says(text: str):
    assert meaning_of(text, DAYS) == ""


def test_nothing_was_offered():
    assert meaning_of("1", ()) == ""


def test_a_label_that_is_a_number_goes_before_the_number_of_a_place():
    assert meaning_of("2", ("3", "2", "1")) == "2"
    assert meaning_of("1.", ("3", "2", "1")) == "1"


def test_labels_that_differ_by_a_sign_are_told_apart_or_left_alone():
    languages = ("C", "C++", "C#")
    assert meaning_of("c++", languages) == "C++"
    assert meaning_of("c", languages) == "C"
    assert meaning_of("“c”", languages) == ""


def test_labels_that_differ_by_a_vowel_sign_are_two():
    assert meaning_of("की", ("कि", "की")) == "की"


def test_a_label_of_pictures_alone_is_chosen_by_the_picture():
    assert meaning_of("👍", ("👍", "👎")) == "👍"
    assert meaning_of("❤", ("❤️", "👎")) == "❤️"


@given(text=st.text(max_size=30), offered=st.lists(st.text(min_size=1, max_size=8), max_size=6))
def test_a_meaning_is_one_of_the_answers_or_none(text: str, offered: list[str]):
    assert meaning_of(text, offered) in {*offered, ""}


@given(offered=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=25))
def test_each_tap_chooses_the_answer_it_stood_on(offered: list[str]):
    labels = distinct(offered)
    assert [meaning_of(label, labels) for label in labels] == list(labels)


def test_only_a_short_message_may_be_a_choice():
    assert may_be_choice("2")
    assert may_be_choice("x" * LABEL_MAX_CHARS)
    assert not may_be_choice("word " * 200)
    assert not may_be_choice("  ")


# what can be tapped


@pytest.mark.parametrize(
    ("origin", "answers", "links", "chars"),
    [
        ("waba", 3, 1, 20),
        ("facebook", 13, 3, 20),
        ("instagram", 13, 3, 20),
        ("instagram_business", 13, 3, 20),
        (" Telegram", 25, 25, 80),
        ("whatsapp", 0, 0, 0),
        ("livechat", 0, 0, 0),
        ("", 0, 0, 0),
    ],
)
def test_a_channel_has_its_limits_and_an_unknown_one_no_buttons(origin: str, answers: int, links: int, chars: int):
    limits = button_limits(origin)
    assert (limits.answers, limits.links, limits.chars) == (answers, links, chars)


@pytest.mark.parametrize(
    ("labels", "is_tapped"),
    [
        (["a", "b", "c"], True),
        (["a", "b", "c", "d"], False),
        (["x" * 20], True),
        (["x" * 21], False),
        (["😀" * 10], True),
        (["😀" * 10 + "!"], False),
        ([], False),
    ],
    ids=["as many", "one more", "as long", "one longer", "emoji count two", "one over with emoji", "none"],
)
def test_labels_are_tapped_when_each_and_all_fit(labels: list[str], *, is_tapped: bool):
    assert can_tap(labels, at_most=3, chars=20) is is_tapped


def test_labels_are_on_one_line_and_neither_blank_nor_repeated_nor_a_paragraph():
    labels = ["Yes", " ", "No\nway", "yes", "x" * (LABEL_MAX_CHARS + 1), "", "YES "]
    assert distinct(labels) == ("Yes", "No way")


# the list in the text


def test_answers_are_numbered_and_links_follow():
    links = [LinkButton("Prices", "https://a.example/p"), LinkButton("Map: how to come", "http://a.example/m")]
    under = listing(DAYS, links)
    assert under == (
        "1. Today\n2. Tomorrow\n3. Next week\nPrices: https://a.example/p\nMap: how to come: http://a.example/m"
    )
    assert split_off_list(f"Which day?\n\nSay it.\n\n{under}") == ("Which day?\n\nSay it.", under)


@pytest.mark.parametrize("text", ["", "Hello", "We have:\n\n1. Tea\n2. Coffee\n\nWhich one?", "1. a\n2. b"])
def test_a_text_without_a_list_at_its_end_has_none(text: str):
    assert split_off_list(text) == (text, "")
