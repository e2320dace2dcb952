"""A text in pieces keeps its words, its order, its line breaks and its emoji."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.kommo.cutting import length
from bots.kommo.pieces import Pieces, at_words, within

CLUSTERS = ("👨‍👩‍👧‍👦", "👩🏽‍💻", "🇫🇷", "1️⃣", "e\u0301", "नि", "می‌خواهم")
writing = st.lists(
    st.sampled_from([*CLUSTERS, "a", "word", "Wort.", "слово", " ", "  ", "\n", "\n\n", "x" * 30, "{", "}"]),
    max_size=200,
).map(lambda parts: "".join(parts).strip())


def put_together(pieces: Pieces) -> str:
    """Put the pieces over the text that they were made of, with nothing but white space in the gaps."""
    place = 0
    for piece in pieces.texts:
        found = pieces.read.index(piece, place)
        assert pieces.read[place:found].strip() == ""
        place = found + len(piece)
    return pieces.read[:place]


def test_a_short_text_is_one_piece():
    assert within("Yes, on Sunday.\nAt nine.", 10) == Pieces(
        texts=("Yes, on Sunday.\nAt nine.",), read="Yes, on Sunday.\nAt nine.", was_cut=False
    )


@pytest.mark.parametrize("most", [1, 2, 10])
def test_no_text_is_no_piece(most: int):
    assert within("", most) == Pieces(texts=(), read="", was_cut=False)


def test_pieces_end_at_words():
    text = " ".join(f"word{number}" for number in range(60))
    pieces = within(text, 10)
    assert not pieces.was_cut
    assert " ".join(pieces.texts) == text
    assert [length(piece) > 70 for piece in pieces.texts[:-1]] == [True] * (len(pieces.texts) - 1)


def test_a_line_is_not_parted_when_it_can_be_helped():
    lines = ["We open at nine on working days and at ten on Sunday.", "Bikes are outside, helmets inside.", "Come in!"]
    assert within("\n".join(lines), 10).texts == (lines[0], "\n".join(lines[1:]))


def test_line_breaks_within_a_piece_stay():
    assert within("one\n\ntwo\n three", 1).texts == ("one\n\ntwo\n three",)


def test_a_word_that_is_longer_than_a_piece_is_split():
    pieces = within("see " + "x" * 200 + " there", 10)
    assert pieces.texts == ("see", "x" * 80, "x" * 80, "x" * 40 + " there")


@pytest.mark.parametrize(
    "cluster", CLUSTERS, ids=["family", "job", "flag", "keycap", "accent", "vowel sign", "Persian"]
)
@pytest.mark.parametrize("lead", range(4))
def test_what_looks_like_one_character_is_not_torn(cluster: str, lead: int):
    text = "x" * lead + cluster * 30
    pieces = within(text, 10)
    rest = pieces.texts[0].removeprefix("x" * lead)
    assert len(pieces.texts) > 1 or length(text) <= 80
    if "\u200c" not in cluster:  # a word may be split, only not at its joiner
        assert rest == cluster * (len(rest) // len(cluster))
    assert not any(piece.startswith(("\u200c", "\u200d", "\ufe0f", "\u0301", "\u093f")) for piece in pieces.texts)
    assert not any(piece.endswith(("\u200c", "\u200d")) for piece in pieces.texts)


def test_more_than_fits_is_cut_with_an_ellipsis_in_the_last_piece():
    pieces = within("This is one sentence. " * 60, 10)
    assert pieces.was_cut
    assert len(pieces.texts) == 10
    assert pieces.texts[-1].endswith("…")
    assert not any("…" in piece for piece in pieces.texts[:-1])
    assert pieces.read == " ".join(pieces.texts)


@pytest.mark.parametrize("words", ["Wir öffnen um neun Uhr und freuen uns. ", "Extraordinarily uncompromising. "])
@pytest.mark.parametrize("size", [785, 800])
def test_eight_hundred_characters_arrive_whole_though_some_words_are_torn_then(words: str, size: int):
    text = (words * 40)[:size].strip()
    pieces = within(text, 10)
    assert not pieces.was_cut
    assert len(pieces.texts) == 10
    assert put_together(pieces) == text
    if size < 790:  # as long as there is slack, words stay whole
        assert text[len(pieces.texts[0])] == " "


@pytest.mark.parametrize("unit", ["Чай 🍵\n", "🍵", "tea 🍵 and 🍃 "], ids=["lines", "emoji alone", "words"])
def test_eight_hundred_characters_arrive_whole_though_emoji_count_two(unit: str):
    text = (unit * 800)[:799] + "!"
    pieces = within(text, 10)
    assert (length(text) > 800, len(pieces.texts), pieces.was_cut) == (True, 10, False)
    assert put_together(pieces) == text
    assert all(len(piece) <= 80 for piece in pieces.texts)


def test_emoji_count_two_as_long_as_there_is_room():
    pieces = within("🍵" * 400, 10)
    assert pieces.texts == ("🍵" * 40,) * 10


@settings(max_examples=300, deadline=None)
@given(text=writing, most=st.integers(1, 10), size=st.sampled_from([20, 40, 80]))
@example(text="a" * 801, most=10, size=80)
@example(text="\n".join(["x" * 41] * 12), most=10, size=80)
def test_pieces_hold_their_limits_and_go_together_again(text: str, most: int, size: int):
    pieces = within(text, most, size=size)
    assert len(pieces.texts) <= most
    assert all(piece and len(piece) <= size for piece in pieces.texts)
    assert put_together(pieces) == pieces.read
    assert pieces.was_cut or pieces.read == text
    assert not pieces.was_cut or (pieces.texts[-1].endswith("…") and length(text) > size * most * 0.3)
    if pieces.was_cut:
        kept = pieces.read.removesuffix("…").rstrip()
        assert text.startswith(kept)


@settings(max_examples=300, deadline=None)
@given(text=writing)
def test_as_many_pieces_as_it_takes_leave_nothing_out(text: str):
    pieces = at_words(text)
    assert put_together(Pieces(texts=pieces, read=text, was_cut=False)) == text
    assert all(0 < length(piece) <= 80 for piece in pieces)
