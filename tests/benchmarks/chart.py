"""The figures as one SVG file that needs nothing else: times by rate, and what an exchange costs."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, PANEL, TOP, LEFT, GAP = 960, 230, 70, 80, 80
RIGHT = 200  # for the legend
LOWEST_MS, HIGHEST_MS = 1.0, 20_000.0
COLOURS = {"kommobridge": ("#1d4ed8", "#60a5fa"), "baseline": ("#b45309", "#fbbf24")}  # p99, p50
GROUPS = {
    "web": "#1d4ed8", "worker": "#0f766e", "queue": "#64748b", "PostgreSQL": "#7c3aed", "baseline": "#b45309",
    "load": "#d6d3d1",
}  # fmt: skip

Levels = Mapping[str, Sequence[Mapping[str, Any]]]  # subject -> its levels' summaries


def chart(title: str, levels: Levels) -> str:
    """Draw acknowledgement, overhead and CPU.

    Args:
        title: stands above.
        levels: `Figures.summary()` of each level, by subject.

    Returns:
        A whole SVG document.
    """
    height = TOP + 3 * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><rect width="100%" height="100%" fill="white"/>',
        _text(LEFT, 30, title, size=17),
        *_times("Acknowledgement, ms", "ack_ms", levels, top=TOP),
        *_times("Overhead, ms", "overhead_ms", levels, top=TOP + PANEL + GAP),
        *_costs(levels, top=TOP + 2 * (PANEL + GAP)),
        "</svg>",
    ]
    return "\n".join(parts)


def _times(title: str, field: str, levels: Levels, *, top: float) -> list[str]:
    rates = sorted({level["rate"] for found in levels.values() for level in found})
    parts = [_text(LEFT, top - 10, title), *_rules(top)]
    parts += [_text(_x(rate, rates), top + PANEL + 18, f"{rate:g}/s", anchor="middle") for rate in rates]
    lines = [
        (subject, name, colour)
        for subject in levels
        for name, colour in zip(("p99", "p50"), COLOURS[subject], strict=True)
    ]
    for place, (subject, name, colour) in enumerate(lines):
        points = [(_x(level["rate"], rates), _y(level[field][name], top)) for level in levels[subject]]
        parts += [*_line(points, colour), *_key(place, f"{subject} {name}", colour, top)]
    return parts


def _rules(top: float) -> list[str]:
    parts = []
    for value in (1, 10, 100, 1000, 10_000):
        y = _y(value, top)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{value:,}", anchor="end"))
    return parts


def _line(points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def _costs(levels: Levels, *, top: float) -> list[str]:
    bars = [(subject, level) for subject, found in levels.items() for level in found]
    most = max((sum(level["cpu_ms"].values()) for _, level in bars), default=0.0) or 1.0
    width = (WIDTH - RIGHT - LEFT) / max(1, len(bars))
    parts = [_text(LEFT, top - 10, "CPU per exchange, ms (sum without the load above each bar)")]
    for place, (subject, level) in enumerate(bars):
        parts += _bar(level, subject, x=LEFT + place * width, width=width, per_ms=0.92 * PANEL / most, top=top)
    met = [group for group in GROUPS if any(group in level["cpu_ms"] for _, level in bars)]
    for place, group in enumerate(met):
        parts += _key(place, group, GROUPS[group], top)
    return parts


def _bar(
    level: Mapping[str, Any], subject: str, *, x: float, width: float, per_ms: float, top: float
) -> list[str]:  # fmt: skip
    middle, bottom = x + width / 2, top + PANEL
    parts = [
        _text(middle, bottom + 16, f"{level['rate']:g}/s", anchor="middle", size=11),
        _text(middle, bottom + 30, subject, anchor="middle", size=10),
    ]
    y, own = bottom, 0.0
    for group in GROUPS:
        used = level["cpu_ms"].get(group, 0.0)
        own += used if group != "load" else 0.0
        y -= used * per_ms
        parts.append(
            f'<rect x="{x + width * 0.15:.1f}" y="{y:.1f}" width="{width * 0.7:.1f}" height="{used * per_ms:.1f}" '
            f'fill="{GROUPS[group]}"/>'
        )
    return [*parts, _text(middle, y - 4, f"{own:.1f}", anchor="middle", size=11)]


def _x(rate: float, rates: Sequence[float]) -> float:
    room = WIDTH - RIGHT - LEFT
    return LEFT + room * (rates.index(rate) + 0.5) / len(rates)


def _y(value_ms: float, top: float) -> float:
    """Place a time by its logarithm."""
    inside = min(max(value_ms, LOWEST_MS), HIGHEST_MS)
    return top + PANEL * (1 - math.log(inside / LOWEST_MS) / math.log(HIGHEST_MS / LOWEST_MS))


def _key(place: int, name: str, colour: str, top: float) -> list[str]:
    x, y = WIDTH - RIGHT + 24, top + 14 + 22 * place
    return [f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>', _text(x + 20, y, name)]


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
