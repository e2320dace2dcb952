"""Cutting a text to a length where it hurts least: after a sentence, else after a word."""

import bisect
import itertools
import re

ELLIPSIS = "…"
# A sentence's end that lies before this share of the limit would throw too much away; then a word's end is better.
SENTENCE_SHARE = 0.5
WORD_SHARE = 0.5
CLUSTER_MAX_CHARS = 40  # the longest emoji have about a dozen code points

SENTENCE_END = re.compile(r"(?:(?<![.!?…؟۔।॥])[.!?…؟۔।॥]+[\"'»”’)\]]*(?=\s)|[。！？｡]+[」』”’）]*|\n)")
SPACE = re.compile(r"\s+")
# What belongs to the character before it: marks, selectors, joiners, skin tones, tags.
EXTENDS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a"
    "\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")
FLAG_LETTERS_AT_END = re.compile("[\U0001f1e6-\U0001f1ff]+$")


def length(text: str) -> int:
    """Count as the strictest channels do: UTF-16 units, so that most emoji count two."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, limit: int) -> tuple[str, bool]:
    """Shorten a text.

    Args:
        text: any.
        limit: most UTF-16 units of the result, the ellipsis included.

    Returns:
        The text, and whether it was shortened. Shortened, it ends in an ellipsis: after a space when a whole
        sentence stands before it, at once when a word does. Characters made of several code points stay whole as
        far as there is room.
    """
    if length(text) <= limit:
        return text, False
    if limit <= len(ELLIPSIS):
        return ELLIPSIS[: max(limit, 0)], True
    room = fitting(text, limit - len(ELLIPSIS))
    sentence = _sentence_end(text, room - 1)
    if sentence > room * SENTENCE_SHARE:
        return f"{text[:sentence].rstrip()} {ELLIPSIS}", True
    word = _word_end(text, room)
    return f"{text[:word].rstrip()}{ELLIPSIS}", True


def fitting(text: str, limit: int) -> int:
    """Give how many characters from the start have at most this length."""
    lengths = itertools.accumulate(2 if character > "\uffff" else 1 for character in text[: limit + 1])
    return bisect.bisect_right(list(lengths), limit)


def _sentence_end(text: str, room: int) -> int:
    """Give the index behind the last sentence that ends within room, 0 when none does."""
    end = 0
    for found in SENTENCE_END.finditer(text, 0, max(room, 0) + 1):
        if found.end() <= room:
            end = found.end()
    return end


def _word_end(text: str, room: int) -> int:
    """Give the index behind the last whole word; within a word when there is no space far enough back."""
    if text[room : room + 1].isspace():
        return room
    spaces = [found.start() for found in SPACE.finditer(text, int(room * WORD_SHARE), room)]
    return spaces[-1] if spaces else cluster_end(text, room)


def cluster_end(text: str, room: int) -> int:
    """Step back to where no character is torn; gives up on a heap of marks that no script writes."""
    for end in range(room, max(room - CLUSTER_MAX_CHARS, 0), -1):
        if not _is_torn(text, end):
            return end
    return room


def _is_torn(text: str, end: int) -> bool:
    following = text[end : end + 1]
    if EXTENDS.match(following) or text[end - 1] in "\u200c\u200d":
        return True
    letters = FLAG_LETTERS_AT_END.search(text[max(0, end - CLUSTER_MAX_CHARS) : end])
    return bool(FLAG_LETTER.match(following)) and letters is not None and len(letters[0]) % 2 == 1
