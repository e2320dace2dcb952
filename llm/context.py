"""How much of the conversation goes along: the newest lines that fit, by a cheap estimate of tokens."""

from collections.abc import Sequence

from llm.config import Line

BYTES_PER_TOKEN = 4  # English has about 4 letters to a token; Cyrillic, at 2 bytes a letter, about 2 to 3
TOKENS_PER_MESSAGE = 4
CONTEXT_TOKENS = 12_000  # for everything; ample for a chat, and what a long prompt costs stays bounded
SMALLEST_CONTEXT = 1_000
ANSWER_TOKENS = 1_000  # kept free for the answer when the model's window is known
MESSAGE_TOKENS = 6_000  # of the customer's message; what is longer is cut at its end


def tokens_in(text: str) -> int:
    """Estimate a text's tokens, rather too many than too few."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def budget(max_input_tokens: int | None) -> int:
    """Tokens that prompt, knowledge and conversation may fill together.

    Args:
        max_input_tokens: the model's window; None when unknown.
    """
    if max_input_tokens is None:
        return CONTEXT_TOKENS
    return max(SMALLEST_CONTEXT, min(CONTEXT_TOKENS, max_input_tokens - ANSWER_TOKENS))


def newest_that_fit(history: Sequence[Line], tokens: int) -> tuple[Line, ...]:
    """Take lines from the end of a history while they fit.

    What is left of a cut history begins with the customer, as vendors expect.
    """
    taken: list[Line] = []
    for line in reversed(history):
        tokens -= tokens_in(line.text) + TOKENS_PER_MESSAGE
        if tokens < 0:
            break
        taken.append(line)
    taken.reverse()
    if len(taken) < len(history):
        while taken and taken[0].role != "customer":
            del taken[0]
    return tuple(taken)


def clip(text: str, tokens: int) -> str:
    """Cut a text at its end to an estimate of tokens, never within a character."""
    data = text.encode("utf-8", "replace")
    return text if tokens_in(text) <= tokens else data[: tokens * BYTES_PER_TOKEN].decode("utf-8", "ignore")
