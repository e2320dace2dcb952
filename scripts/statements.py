"""Print how many of the protocol's statements a test proves: `.venv/bin/python -m scripts.statements [PROJECT]`.

Uses the standard library only and runs no test. The statements are the rows of `docs/kommo-statements.md`; a test names
those that it proves with `@pytest.mark.statement("S2.1.ten")`. Fails when a statement has no test, when a test names
one that is not on the page, and when a row or a marker can't be read.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path("docs", "kommo-statements.md")
TESTS = Path("tests")
ROW = re.compile(r"\| S(?P<section>\d+(?:\.\d+)?)\.(?P<name>[\w-]+) \| (?P<sentence>[^|]+) \| (?P<marks>[^|]+) \|")
MARKS = frozenset({"D", "S", "O", "I", "U", "⚠", "ours"})


@dataclass(frozen=True, slots=True)
class Marker:
    """A test's claim that it proves a statement; `place` is file and line. An id that isn't a plain text is empty."""

    id: str
    place: str


def main(project: Path) -> int:
    """Print a line for each section and one for each fault; give an exit code."""
    sections, faults = read_page((project / PAGE).read_text(encoding="utf-8"))
    markers = list(read_markers(project))
    faults += faults_between(sections, markers)
    sys.stdout.writelines(f"{line}\n" for line in coverage(sections, {marker.id for marker in markers}))
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


def read_page(text: str) -> tuple[dict[str, str], list[str]]:
    """Give the section of each statement by its id, in the page's order, and what is wrong with the page."""
    sections: dict[str, str] = {}
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("| S"):
            continue
        row = ROW.fullmatch(line)
        if not row or not MARKS.issuperset(row["marks"].split(", ")):
            faults.append(f"{PAGE}:{number} can't be read: write | id | statement | marks |")
            continue
        statement = f"S{row['section']}.{row['name']}"
        if statement in sections:
            faults.append(f"{PAGE}:{number} has {statement} once more: give each statement an id of its own")
        sections[statement] = row["section"]
    return sections, faults if sections else [*faults, f"{PAGE} has no statements: write | id | statement | marks |"]


def read_markers(project: Path) -> Iterator[Marker]:
    """Give what the markers in the project's test files name; a marker on what is no test counts for nothing."""
    for path in sorted((project / TESTS).rglob("test_*.py")):
        name = path.relative_to(project)
        for call in _marker_calls(ast.parse(path.read_text(encoding="utf-8"))):
            for argument in call.args or [call]:
                value = argument.value if isinstance(argument, ast.Constant) else ""
                yield Marker(id=value if isinstance(value, str) else "", place=f"{name}:{argument.lineno}")


def faults_between(sections: Iterable[str], markers: Sequence[Marker]) -> list[str]:
    """Tell what page and tests disagree on: statements without a test first, in the page's order."""
    known, proven = set(sections), {marker.id for marker in markers}
    lacking = [f"{statement} has no test: mark one that proves it" for statement in sections if statement not in proven]
    unknown = [
        f"{marker.place} names {marker.id or 'no plain text'}, which {PAGE} doesn't have: correct one of them"
        for marker in markers
        if marker.id not in known
    ]
    return lacking + unknown


def coverage(sections: dict[str, str], proven: set[str]) -> Iterator[str]:
    """Give a line for each section, such as `§2.1 18/18`, and the sum."""
    totals = Counter(sections.values())
    covered = Counter(section for statement, section in sections.items() if statement in proven)
    for section, total in totals.items():
        yield f"§{section:<5} {covered[section]:>3}/{total}"
    yield f"{'all':<6} {covered.total():>3}/{totals.total()}"


def _marker_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Give each call of `pytest.mark.statement`, also those on single parameters."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("test"):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.statement":
            yield node
        yield from _marker_calls(node)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parent.parent))
