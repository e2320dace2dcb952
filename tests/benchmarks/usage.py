"""What processes use: CPU and memory as the kernel counts them, by group."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")

Groups = Mapping[str, Iterable[int]]  # name of a group -> process ids


def cpu_s(pids: Iterable[int]) -> float:
    """Give the seconds of CPU of these processes, and of their children that have ended and were collected.

    A child's time stays counted when it ends between two looks, as long as its parent is among them too.
    """
    return sum(_ticks(pid) for pid in pids) / TICKS


def pss_mb(pids: Iterable[int]) -> float:
    """Give the proportional set size of these processes together: shared pages count once, split between sharers."""
    return sum(_pss_kb(pid) for pid in pids) / 1024


def family(pid: int) -> list[int]:
    """Give a process and all its descendants."""
    parents = {int(entry.name): _parent(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == member]
    return found


def _fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; none for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def _ticks(pid: int) -> int:
    return sum(map(int, _fields(pid)[11:15]))  # utime, stime, cutime, cstime


def _pss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
