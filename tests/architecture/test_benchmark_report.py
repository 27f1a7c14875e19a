"""What `make bench`, and one benchmark with `--write`, makes of docs/benchmarks.md."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.sections import SECTIONS

ROOT = Path(__file__).parents[2]
MACHINE = {"cpu": "any", "cores": 2, "kernel": "6.1", "python": "3.11"}
CURVE = [
    {"receivers": 1754, "cpu_cores": 1.9, "late_ticks_pct": 12.5},
    {"receivers": 10, "cpu_cores": 0.6, "late_ticks_pct": 0.0},
]


def entry(day: str, command: str = "python -m benchmarks x", **result: object) -> report.Entry:
    return {"command": command, "day": day, "result": {**result, "machine": MACHINE}}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "benchmarks.md"


def section(page: Path, title: str) -> str:
    parts = page.read_text("utf-8").split("\n## ")
    return next(part for part in parts if part.split("\n", 1)[0] == title)


def test_a_section_has_figures_limits_machine_and_command(page: Path) -> None:
    """A figure without its limit and its machine says nothing."""
    report.record(page, "province", entry("2026-05-01", "a command", cpu_cores=1.7, curve=CURVE))
    text = section(page, "province")
    assert "| node, cores | 1.7 | ≤ 1.6 | **no** |" in text
    assert "| pictures a second at the sites | none, see the notes | ≥ 24.9 |  |" in text
    assert "`a command` on 2026-05-01, any, 2 cores, Linux 6.1, Python 3.11." in text
    assert "| 10 | 0.6 | 0.0 |\n| 1,754 | 1.9 | 12.5 |" in text
    drawing = ET.parse(page.with_name("province-curve.svg")).getroot()  # noqa: S314 - our own
    words = [node.text for node in drawing if node.tag.endswith("text")]
    assert {"10: 0.6, 0 % late", "1754: 1.9, 12.5 % late", "1500"} <= set(words)
    assert "Not run yet or not built: fanout, latency, join," in page.read_text("utf-8")


def test_one_benchmark_replaces_its_own_section_only(page: Path) -> None:
    """So that each can be run in a quiet moment."""
    report.record(page, "join", entry("2026-05-01", whep_first_frame_p95_ms=650))
    report.record(page, "fanout", entry("2026-05-02", janus_ratio=6.4))
    fanout = section(page, "fanout")
    report.record(page, "join", entry("2026-05-03", whep_first_frame_p95_ms=250))
    assert section(page, "fanout") == fanout
    assert "| WHEP, p95, ms | 250 | ≤ 500 | yes |" in section(page, "join")
    text = page.read_text("utf-8")
    assert "650" not in text and "| join | WHEP, p95, ms | 250 | ≤ 500 | yes |" in text
    assert text.index("## fanout") < text.index("## join"), "always in the same order"


def test_a_benchmark_that_broke_is_named_beside_its_older_figures(page: Path) -> None:
    """No figure is left out in silence, none passes for new."""
    report.record(page, "sip", entry("2026-05-01", cpu_ms_per_call=1.2))
    report.record(page, "sip", {"failed": "it broke", "day": "2026-05-02"})
    text = section(page, "sip")
    assert "Did not finish on 2026-05-02: it broke. What follows is older." in text
    assert "on 2026-05-01" in text and "| ours, ms a call | 1.2 |" in text
    report.record(page, "sip", entry("2026-05-03", cpu_ms_per_call=1.1))
    assert "Did not finish" not in section(page, "sip")
    report.record(page, "roads", {"failed": "it broke", "day": "2026-05-02"})
    assert "Did not finish on 2026-05-02: it broke.\n" in section(page, "roads")


def test_a_run_without_the_curve_keeps_the_older_one(page: Path) -> None:
    """The curve takes minutes; the figure at 144 sites is wanted oftener."""
    report.record(page, "province", entry("2026-05-01", cpu_cores=1.2, curve=CURVE))
    report.record(page, "province", entry("2026-05-02", cpu_cores=1.1, curve=CURVE[:1]))
    for _ in range(2):
        text = section(page, "province")
        assert "By receivers (at most 144 of them send), of 2026-05-01:" in text
        assert "| node, cores | 1.1 |" in text and "| 10 | 0.6 | 0.0 |" in text
        report.record(page, "province", entry("2026-05-03", cpu_cores=1.1, curve=CURVE[:1]))


def test_variants_have_sections_and_limits_of_their_own() -> None:
    """25 small pictures cost less than nine large ones."""
    small = {"visible": "25x360p"}
    assert report.title_of("province", small) == "province --visible 25x360p"
    assert report.title_of("province", {"visible": "9x720p"}) == "province"
    assert report.title_of("join", {"visible": 4}) == "join"
    limits = [
        next(f.at_most for f in SECTIONS["province"].figures_of(variant) if f.key == "cpu_cores")
        for variant in ("", report.SMALL)
    ]
    assert limits == [1.6, 1.5]
    assert {run.title for run in report.RUNS} >= {"province", "province --visible 25x360p"}


def test_a_benchmark_writes_its_section_when_told(page: Path) -> None:
    """End to end with the quickest of all, and what it prints is what it wrote."""
    command = [sys.executable, "-m", "benchmarks", "roads", "--nodes", "400", "--json"]
    done = subprocess.run(
        [*command, "--write", str(page)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    printed = json.loads(done.stdout.splitlines()[-1])
    written = report.entries(page)["roads"]
    assert written["result"] == printed
    assert written["command"] == "python -m benchmarks roads --nodes 400"
    assert f"| nodes | {printed['nodes']:,} |" in section(page, "roads")
    missing = subprocess.run(
        [sys.executable, "-m", "benchmarks", "search"], cwd=ROOT, capture_output=True, check=False
    )
    assert missing.returncode == 2


def test_the_committed_page_is_what_its_figures_give(tmp_path: Path) -> None:
    """Nobody edits a figure by hand."""
    page = ROOT / "docs/benchmarks.md"
    copy = tmp_path / page.name
    copy.with_suffix(".json").write_bytes(report.data_path(page).read_bytes())
    report.write(copy)
    assert copy.read_text("utf-8") == page.read_text("utf-8")
    for drawing in copy.parent.glob("*.svg"):
        assert drawing.read_bytes() == page.with_name(drawing.name).read_bytes()
