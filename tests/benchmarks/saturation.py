"""How much a subject can take: the highest rate that it holds."""

from collections.abc import Callable

STEP = 1.3
CLOSE_ENOUGH = 0.05  # of the rate; noise is greater
RATE_MAX = 600.0
TRIES_MAX = 14


def highest_held(holds: Callable[[float], bool], *, start: float) -> float:
    """Find the highest rate that is held, by steps upwards until one isn't and then by halves.

    Args:
        holds: measures a rate; called at most TRIES_MAX times.
        start: where to begin, requests a second.

    Returns:
        The highest rate that was measured and held; 0 when not even a fraction of the start is.
    """
    held, broken, rate = 0.0, 0.0, start
    for _ in range(TRIES_MAX):
        if holds(rate):
            held = rate
        else:
            broken = rate
        if held >= RATE_MAX or (broken and broken - held <= CLOSE_ENOUGH * broken):
            break
        rate = round(_next(held, broken), 1)
    return held


def _next(held: float, broken: float) -> float:
    if not broken:
        return min(held * STEP, RATE_MAX)
    return (held + broken) / 2 if held else broken / STEP
