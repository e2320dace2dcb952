"""A text in pieces that `show` takes inside a continue: 80 characters each, split at words.

Between two pieces one run of white space is left out, since each piece is a message of its own; within a word nothing
is. Line breaks inside a piece stay.

Source: protocol §2.2, §2.3 (pattern C).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bots.kommo.cutting import EXTENDS, cluster_end, cut, fitting, length

PIECE_MAX_CHARS = 80  # UTF-16 units, the strictest way to count, as long as a text fits in them
LINE_SHARE = 0.5  # a line's end before this share of a piece would make too many pieces

# A mark that follows a space belongs to it.
SPACES = re.compile(rf"\s+(?!{EXTENDS.pattern})")

Rule = Callable[[str, int], int]
"""From a text without space before it and the room of a piece in characters to the piece's end; both over 0."""
Measure = Callable[[str], int]
"""`length`, the strict way to count, or `len`, which counts characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """A text in pieces.

    Args:
        texts: in their order, none empty.
        read: the text as far as the pieces have it, with its own white space between them.
        was_cut: not all of it found room; the last piece ends in an ellipsis.
    """

    texts: tuple[str, ...]
    read: str
    was_cut: bool


def at_words(text: str, *, size: int = PIECE_MAX_CHARS) -> tuple[str, ...]:
    """Split a text into as many pieces as it takes, at lines and words; only a word over `size` is torn."""
    return tuple(text[start:end] for start, end in _spans(text, size, len(text), rule=_line_or_word))


def within(text: str, most: int, *, size: int = PIECE_MAX_CHARS) -> Pieces:
    """Split a text into at most so many pieces.

    At lines and words; when these don't fit, at words alone; when these don't either though the text is short enough
    for it, words are torn as soon as there is no slack left, since all of a text is worth more than its looks. A text
    that fits only when an emoji counts as one character, as Kommo presumably counts, is sent so. What doesn't fit at
    all is cut.

    Args:
        text: without white space around it.
        most: at least 1.
        size: of a piece, in UTF-16 units, else in characters.
    """
    by_word = _spans(text, size, most, rule=_word)
    torn = (_with_slack(text, size, most, measure=measure) for measure in (length, len))
    for spans in (_spans(text, size, most, rule=_line_or_word), by_word, *torn):
        if _is_whole(text, spans):
            return _pieces(text, spans)
    return _cut(text, by_word[: most - 1], size)


def _cut(text: str, spans: list[tuple[int, int]], size: int) -> Pieces:
    """Keep these pieces and let what comes next end in an ellipsis."""
    start = _after_space(text, spans[-1][1]) if spans else 0
    last, _was_cut = cut(text[start:], size)
    shown = _pieces(text, spans)
    return Pieces(texts=(*shown.texts, last), read=text[:start] + last, was_cut=True)


def _pieces(text: str, spans: list[tuple[int, int]]) -> Pieces:
    return Pieces(texts=tuple(text[start:end] for start, end in spans), read=text, was_cut=False)


def _spans(text: str, size: int, most: int, *, rule: Rule) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = _after_space(text, 0)
    while start < len(text) and len(spans) < most:
        end = start + _end(text[start : start + size + 1], size, rule, length)
        spans.append((start, end))
        start = _after_space(text, end)
    return spans


def _with_slack(text: str, size: int, most: int, *, measure: Measure) -> list[tuple[int, int]]:
    """Split at words as long as full pieces would hold all the rest, then tear."""
    spans: list[tuple[int, int]] = []
    start = _after_space(text, 0)
    while start < len(text) and len(spans) < most:
        window = text[start : start + size + 1]
        end = start + _end(window, size, _word, measure)
        if measure(text[_after_space(text, end) :]) > size * (most - len(spans) - 1):
            end = start + _end(window, size, cluster_end, measure)
        spans.append((start, end))
        start = _after_space(text, end)
    return spans


def _end(window: str, size: int, rule: Rule, measure: Measure) -> int:
    """Give where a piece ends that begins with this window, which is one character longer than a piece may be."""
    if measure(window) <= size:
        return len(window.rstrip()) or len(window)
    return rule(window, size if measure is len else max(1, fitting(window, size)))


def _line_or_word(window: str, room: int) -> int:
    line = window.rfind("\n", 0, room + 1)
    return len(window[:line].rstrip()) if line > room * LINE_SHARE else _word(window, room)


def _word(window: str, room: int) -> int:
    """Give the end of the last whole word; within a word that is longer than a piece."""
    ends = [found.start() for found in SPACES.finditer(window) if 0 < found.start() <= room]
    return ends[-1] if ends else cluster_end(window, room)


def _after_space(text: str, place: int) -> int:
    found = SPACES.match(text, place)
    return found.end() if found else place


def _is_whole(text: str, spans: list[tuple[int, int]]) -> bool:
    return not spans or _after_space(text, spans[-1][1]) >= len(text)
