"""The benchmark in short: one slow level of the real program. It has to count rightly; how fast it was is not asked."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.table import COLUMNS

RATE, SECONDS = 4.0, 3.0


@pytest.mark.processes
@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")  # which says when there is none
def test_a_short_run_measures_program_and_baseline_without_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["--rates", f"{RATE}", "--seconds", f"{SECONDS}", "--llm", "0.5", "--out", str(tmp_path)])

    kept = json.loads(next(tmp_path.glob("*-postgresql.json")).read_text())
    assert list(kept["levels"]) == ["baseline", "kommobridge"]
    for (level,) in kept["levels"].values():
        assert level["completed"] == level["sent"] == RATE * SECONDS
        assert [level[name] for name in ("lost", "twice", "refused", "fallback", "unsent")] == [0] * 5
        assert 0 < level["ack_ms"]["p50"] <= level["ack_ms"]["p99"] <= level["ack_ms"]["max"]
        assert 0 < level["overhead_ms"]["p50"] <= level["overhead_ms"]["p99"]
        assert 0 < level["in_flight_max"] <= level["sent"]
        assert level["memory_mb"] > 0
    (ours,) = kept["levels"]["kommobridge"]
    used = {group for group, spent in ours["cpu_ms"].items() if spent > 0}
    assert used >= {"web", "worker", "PostgreSQL", "load"}  # the queue's others may rest that long
    (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("kommobridge")]
    assert len(row) >= len(COLUMNS)
    assert next(tmp_path.glob("*-postgresql.svg")).read_text().startswith("<svg")
