"""What a run says at its end: the line of the table, the chart, the file, the highest rate."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.benchmarks.__main__ import Run, options
from tests.benchmarks.chart import GROUPS, chart
from tests.benchmarks.figures import Figures
from tests.benchmarks.levels import Bench
from tests.benchmarks.saturation import CLOSE_ENOUGH, RATE_MAX, TRIES_MAX, highest_held
from tests.benchmarks.subjects import group_of
from tests.benchmarks.table import COLUMNS, cells_of, heading, line
from tests.rig import PROJECT, Process

CPU = {"web": 5.0, "worker": 11.0, "queue": 0.5, "PostgreSQL": 3.5, "load": 3.0}
NOBODY: Any = None  # no stand-ins are needed where no load leaves


def figures(**fields: Any) -> Figures:
    defaults: dict[str, Any] = {
        "rate": 40.0, "sent": 100, "unsent": 0, "refused": 0, "completed": 100, "fallback": 0, "lost": 0, "twice": 0,
        "asked_again": 0, "ack": [7.0, 8.0, 30.0], "overhead": [19.0, 22.0, 60.0], "late": [0.1], "in_flight": 204,
        "memory_mb": 570.4, "cpu_ms": CPU,
    }  # fmt: skip
    return Figures(**defaults | fields)


# the table


def test_a_line_has_a_cell_for_each_column_and_stands_under_the_heading():
    told = line("kommobridge", figures())

    assert len(told) == len(heading()) == sum(width for _, width in COLUMNS)
    assert told.split() == [
        "kommobridge", "40", "8", "30", "30", "0", "22", "60", "204", "100/100", "0", "0", "570", "5.0", "11.0", "0.5",
        "3.5", "20.0", "3.0", "yes",
    ]  # fmt: skip


def test_the_sum_of_cpu_is_without_the_load():
    assert cells_of("kommobridge", figures())[-3:] == ["20.0", "3.0", "yes"]


def test_what_a_subject_does_not_have_is_a_dash():
    assert cells_of("baseline", figures(cpu_ms={"baseline": 9.0, "load": 3.0}))[-7:-1] == ["-"] * 4 + ["9.0", "3.0"]


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        pytest.param({"lost": 2}, "2 lost", id="lost"),
        pytest.param({"asked_again": 3}, "model asked again for 3", id="asked again"),
        pytest.param({"late": [80.0]}, "the load left late: p99 80 ms", id="a load that was late itself"),
    ],
)
def test_what_spoils_a_line_stands_behind_it(changes: dict[str, Any], remark: str):
    assert line("kommobridge", figures(**changes)).endswith(f"  {remark}")


# processes


@pytest.mark.parametrize(
    ("title", "group"),
    [
        ("gunicorn: master [kommobridge web]", "web"),
        ("python manage.py web --bind 127.0.0.1:8000", "web"),
        ("qcluster Process-b85b idle", "worker"),
        ("qcluster Process-b85b processing wake 'bots.tasks.wake'", "worker"),
        ("qcluster Process-b85b pusher", "queue"),
        ("python manage.py serve --bind 127.0.0.1:8000", "queue"),
    ],
)
def test_a_process_belongs_to_the_group_that_its_title_tells(title: str, group: str):
    assert group_of(Process(1, 0, title)) == group


# saturation


@pytest.mark.parametrize("ceiling", [0.9, 17.0, 80.0, 143.0, 399.0])
def test_the_highest_rate_is_found_within_a_twentieth(ceiling: float):
    tried: list[float] = []

    def holds(rate: float) -> bool:
        tried.append(rate)
        return rate <= ceiling

    found = highest_held(holds, start=40.0)

    assert found <= ceiling <= found / (1 - CLOSE_ENOUGH) + 0.2 or (ceiling < 1 and found == 0)
    assert len(tried) <= TRIES_MAX
    assert found in {*tried, 0}


def test_a_subject_without_a_ceiling_ends_the_search():
    assert highest_held(lambda _: True, start=40.0) == RATE_MAX


def test_a_subject_that_holds_nothing_ends_the_search_at_zero():
    assert highest_held(lambda _: False, start=5.0) == 0.0


# files


def test_the_chart_is_one_whole_svg_that_loads_nothing_and_shows_each_level():
    levels = {
        "baseline": [figures(rate=rate, cpu_ms={"baseline": 9.0, "load": 3.0}).summary() for rate in (5.0, 40.0)],
        "kommobridge": [figures(rate=5.0).summary()],
    }

    svg = chart("SQLite <2 cores>", levels)

    root = ET.fromstring(svg)  # noqa: S314  our own text
    assert not [name for element in root.iter() for name in element.attrib if "href" in name or name == "src"]
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "SQLite <2 cores>" in texts
    assert texts.count("40/s") == 3  # two axes and a bar
    assert {"baseline p99", "kommobridge p50", *(CPU.keys() & GROUPS.keys())} <= set(texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 2 * 2 * 3  # p50 and p99, twice, three levels


def test_a_chart_of_nothing_is_whole_too():
    assert ET.fromstring(chart("nothing", {})).tag.endswith("svg")  # noqa: S314  our own text


def test_the_files_keep_every_figure_and_the_ratio(tmp_path: Path):
    given = options(["--out", str(tmp_path / "new"), "--embedded", "--set", "LOG_LEVEL=ERROR", "--rates", "20,5"])
    run = Run(given, Bench(NOBODY, llm_s=5.0))
    run.levels = {"kommobridge": [figures().summary()]}
    run.highest = {"kommobridge": 80.0, "baseline": 100.0}

    data, picture = run.keep()

    kept = json.loads(data.read_text())
    assert kept["ratio_to_baseline"] == 0.8
    assert kept["levels"]["kommobridge"][0]["ack_ms"] == {"p50": 8.0, "p99": 30.0, "max": 30.0}
    assert kept["levels"]["kommobridge"][0]["cpu_ms"] == CPU
    assert (kept["options"]["rates"], kept["options"]["set"]) == ([5.0, 20.0], [["LOG_LEVEL", "ERROR"]])
    assert (data.parent, data.stem) == (picture.parent, picture.stem) == (tmp_path / "new", data.stem)
    assert picture.suffix == ".svg"


# levels in turn


class Weak(Bench):
    """Holds up to 40 requests a second."""

    def level(self, subject: Any, *, rate: float, seconds: float) -> Figures:
        return figures(rate=rate, lost=3 if rate > 40 else 0)


def test_after_a_level_that_was_not_held_the_rest_is_told_and_not_tried(capsys: pytest.CaptureFixture[str]):
    run, subject = Run(options([]), Weak(NOBODY, llm_s=5.0)), SimpleNamespace(name="kommobridge")

    run.measure(subject)

    assert [level["rate"] for level in run.levels["kommobridge"]] == [5.0, 20.0, 40.0, 80.0]
    assert "kommobridge: 120/s not tried, since 80/s was not held" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rates", "0"], ["--rates", "5,1001"], ["--rates", "fast"], ["--set", "X"]])
def test_an_option_that_makes_no_sense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        options(arguments)
    assert "invalid" in capsys.readouterr().err


def test_the_page_explains_each_option_and_each_column(capsys: pytest.CaptureFixture[str]):
    page = (PROJECT / "docs" / "benchmarks.md").read_text()
    with pytest.raises(SystemExit):
        options(["--help"])

    known = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))

    assert set(re.findall(r"^\| `(--[a-z-]+)`", page, re.MULTILINE)) == known - {"--help"}
    explained = re.findall(r"^\| ([^`|]+) \|", page, re.MULTILINE)
    headings = {part.strip() for row in explained for part in row.split(",")}
    cpu = {"CPU web", "worker", "queue", "database", "sum", "load"}
    assert {name.strip() for name, _ in COLUMNS} - cpu - {"subject", "rate/s"} <= headings
