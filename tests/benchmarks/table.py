"""The table that people read while it grows: a line for each level as soon as it is measured."""

from tests.benchmarks.figures import Figures, share
from tests.benchmarks.subjects import DATABASE

# heading, width
COLUMNS = (
    ("subject", 11), ("rate/s", 7), ("ack p50", 8), ("p99", 6), ("max", 6), (">1s", 4), ("overhead p50", 13),
    ("p99", 6), ("in flight", 10), ("completed", 12), ("lost", 5), ("twice", 6), ("PSS MB", 7), ("CPU web", 8),
    ("worker", 7), ("queue", 6), ("database", 9), ("sum", 6), ("load", 6), (" held", 6),
)  # fmt: skip
LOAD_LATE_MS = 50.0


def heading() -> str:
    """Give the first line. Times are milliseconds; CPU is milliseconds per completed exchange."""
    return "".join(name.rjust(width) for name, width in COLUMNS)


def line(subject: str, figures: Figures) -> str:
    """Give a level's line."""
    cells = cells_of(subject, figures)
    told = "".join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
    return told + _remarks(figures)


def cells_of(subject: str, figures: Figures) -> list[str]:
    """Give a level's cells, one for each column; what a subject doesn't have is a dash."""
    cpu = figures.cpu_ms
    own = sum(used for group, used in cpu.items() if group != "load")
    return [
        subject, f"{figures.rate:g}",
        *(f"{value:.0f}" for value in (share(figures.ack, 0.5), share(figures.ack, 0.99), share(figures.ack, 1.0))),
        str(figures.slow_acks),
        *(f"{value:.0f}" for value in (share(figures.overhead, 0.5), share(figures.overhead, 0.99))),
        str(figures.in_flight), f"{figures.completed}/{figures.sent}", str(figures.lost), str(figures.twice),
        f"{figures.memory_mb:.0f}",
        *(f"{cpu[group]:.1f}" if group in cpu else "-" for group in ("web", "worker", "queue", DATABASE)),
        f"{own:.1f}", f"{cpu.get('load', 0.0):.1f}", "no" if figures.complaint else "yes",
    ]  # fmt: skip


def _remarks(figures: Figures) -> str:
    told = [figures.complaint] if figures.complaint else []
    if figures.asked_again:
        told.append(f"model asked again for {figures.asked_again}")
    if share(figures.late, 0.99) > LOAD_LATE_MS:
        told.append(f"the load left late: p99 {share(figures.late, 0.99):.0f} ms")
    return f"  {'; '.join(told)}" if told else ""
