"""A bot's knowledge text: parted into passages, searched for those that a question is about.

The search is BM25 over stems in plain Python: no index to keep, no model to load, the same on every machine.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from llm.language import stems_of

WHOLE_CHARS = 6_000  # up to here the whole text goes into the prompt
PASSAGES_CHARS = 6_000  # of the passages that are picked out of a longer one
OPENING_PASSAGES = 4
PASSAGE_CHARS = 1_800  # a longer paragraph is parted between sentences
BETWEEN = "\n\n"
K1, B = 1.5, 0.75  # BM25's usual weights of repetition and length

_PARAGRAPHS = re.compile(r"\n[ \t]*\n+")
_HEADING = re.compile(r"#{1,6}\s+\S[^\n]*|[^\n]{1,80}:")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of knowledge that can stand alone.

    Args:
        heading: the heading above it, without its marks; may be empty.
        text: the stretch itself.
    """

    heading: str
    text: str

    def __str__(self) -> str:
        """Give heading and text."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text


def pick_knowledge(knowledge: str, question: str, *, chars: int = PASSAGES_CHARS) -> str:
    """Give what of the knowledge belongs into the prompt: all of a short text, else the passages that fit best.

    Args:
        knowledge: the bot's whole knowledge text.
        question: what the customer asks, with a little of what came before.
        chars: the most that may come back of a long text; a short one comes whole when it fits.

    Returns:
        Passages in the text's own order; its beginning when none shares a word with the question, which may be in
        another language than the text.
    """
    if len(knowledge) <= min(WHOLE_CHARS, chars):
        return knowledge.strip()
    passages = passages_of(knowledge)
    picked: set[int] = set()
    for number in rank(passages, question) or range(min(OPENING_PASSAGES, len(passages))):
        if sum(len(str(passages[each])) for each in picked) + len(str(passages[number])) <= chars:
            picked.add(number)
    return BETWEEN.join(str(passages[number]) for number in sorted(picked))


def rank(passages: Sequence[Passage], question: str) -> list[int]:
    """Order the passages that share a word with the question, the closest first; by their numbers."""
    scores = score(passages, question)
    return sorted((number for number in range(len(passages)) if scores[number] > 0), key=lambda n: (-scores[n], n))


def score(passages: Sequence[Passage], question: str) -> list[float]:
    """BM25 of each passage for the question; 0 where they share no word."""
    counts = [_counts(str(passage)) for passage in passages]
    lengths = [counted.total() for counted in counts]
    mean = sum(lengths) / len(lengths) if lengths else 0.0
    totals = [0.0] * len(passages)
    for word in set(stems_of(question)):
        holding = [number for number, counted in enumerate(counts) if word in counted]
        rarity = log(1 + (len(passages) - len(holding) + 0.5) / (len(holding) + 0.5))
        for number in holding:
            often = counts[number][word]
            totals[number] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * lengths[number] / mean))
    return totals


@lru_cache(maxsize=64)
def passages_of(text: str) -> tuple[Passage, ...]:
    """Part a text at blank lines and headings; a heading goes with each passage under it, alone when it has none."""
    passages: list[Passage] = []
    heading, is_alone = "", False
    for paragraph in _PARAGRAPHS.split(text.replace("\r\n", "\n")):
        first, _, rest = paragraph.strip().partition("\n")
        body = paragraph.strip()
        if _HEADING.fullmatch(first.strip()) and (first.startswith("#") or not rest):
            passages += [Passage("", heading)] * is_alone
            heading, body, is_alone = first.lstrip("# ").strip(), rest.strip(), True
        pieces = _pieces(body)
        is_alone = is_alone and not pieces
        passages += [Passage(heading, piece) for piece in pieces]
    return (*passages, *[Passage("", heading)] * is_alone)


def _pieces(body: str) -> list[str]:
    """Part a long paragraph between sentences; a sentence that is too long itself stays whole."""
    if len(body) <= PASSAGE_CHARS:
        return [body] if body else []
    pieces, start, last = [], 0, 0
    for end in [match.end() for match in _SENTENCE_END.finditer(body)] + [len(body)]:
        if end - start > PASSAGE_CHARS and last > start:
            pieces.append(body[start:last].strip())
            start = last
        last = end
    return [*pieces, body[start:].strip()]


@lru_cache(maxsize=4_096)
def _counts(text: str) -> Counter[str]:
    return Counter(stems_of(text))
