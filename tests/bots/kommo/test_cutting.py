"""A long text ends where a reader would pause."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.kommo import cut
from bots.kommo.cutting import length

SENTENCES = "We open at nine. Bikes are outside! Do you want one? " * 20


def test_a_text_that_fits_stays():
    assert cut("Hello.", 6) == ("Hello.", False)
    assert cut("", 0) == ("", False)


@pytest.mark.parametrize("limit", range(60, 400, 7))
def test_a_long_text_ends_after_a_sentence(limit: int):
    text, was_cut = cut(SENTENCES, limit)
    assert was_cut
    assert text.endswith((". …", "! …", "? …"))
    assert limit / 2 < len(text) <= limit
    assert SENTENCES.startswith(text.removesuffix(" …"))


@pytest.mark.parametrize(
    ("text", "limit", "shortened"),
    [
        ("one two three four", 12, "one two…"),
        ("one two three four", 13, "one two…"),
        ("one two three four", 14, "one two three…"),
        ("one two, three four", 9, "one two,…"),
        ("A. then a very long sentence without an end", 20, "A. then a very long…"),
        ("Version 3.11 of the program is out now", 20, "Version 3.11 of the…"),
        ("First line\nsecond line goes on and on", 16, "First line …"),
        ("First part\nsecond part goes", 12, "First part…"),
        ("He said “no.” Then he left the room at once", 20, "He said “no.” …"),
        ("これは文です。次の文はとても長いです", 14, "これは文です。 …"),
        ("Так. Это второе предложение, оно длинное", 16, "Так. Это второе…"),
        ("abcdefghijklmnop", 6, "abcde…"),
        ("word abcdefghijklmnopqrstuvwxyz", 20, "word abcdefghijklmn…"),
        ("Really?! Well then, let us go on", 14, "Really?! …"),
        ("Wait... and see what happens next", 14, "Wait... …"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
        ("anything", -5, ""),
    ],
)
def test_a_text_is_cut_where_it_hurts_least(text: str, limit: int, shortened: str):
    assert cut(text, limit) == (shortened, True)


@pytest.mark.parametrize(
    "cluster",
    [
        "👨‍👩‍👧‍👦",
        "👩🏽‍💻",
        "🇫🇷",
        "1️⃣",
        "e\u0301",
        "नि",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
    ids=["family", "skin tone", "flag", "keycap", "accent", "vowel sign", "flag of tags"],
)
@pytest.mark.parametrize("limit", range(30, 60))
def test_what_looks_like_one_character_is_not_torn(cluster: str, limit: int):
    text, was_cut = cut(cluster * 40, limit)
    assert was_cut
    body = text.removesuffix("…")
    assert body == cluster * (len(body) // len(cluster))
    assert length(text) <= limit


@settings(max_examples=800, deadline=None)
@given(
    text=st.text(st.sampled_from("ab .!?\n,«»😀🏽\u200d\u0301🇫🇷。") | st.characters(exclude_categories=["Cs"])),
    limit=st.integers(0, 60),
)
def test_a_cut_text_is_the_start_of_the_text_and_never_too_long(text: str, limit: int):
    shortened, was_cut = cut(text, limit)
    assert length(shortened) <= limit or not was_cut
    assert was_cut == (length(text) > limit)
    assert text.startswith(shortened.removesuffix("…").rstrip()) or not was_cut
    if not was_cut:
        assert shortened == text


@pytest.mark.parametrize(
    "text",
    ["." * 300_000, "?" * 4095 + "x" * 300_000, " " * 300_000, "\u0301" * 300_000, "🇫" * 300_000],
    ids=["dots", "question marks", "spaces", "accents", "halves of flags"],
)
def test_a_monotonous_text_is_cut_quickly(text: str):
    started = time.thread_time()
    shortened, _ = cut(text, 4096)
    assert time.thread_time() - started < 0.3
    assert length(shortened) <= 4096
