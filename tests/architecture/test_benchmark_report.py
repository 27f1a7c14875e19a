"""What `make bench` writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks import report

JOBS = {"province": "a province's sites in one consultation", "search": "finding documents"}


def test_figures_failures_and_what_is_not_built_are_all_named(tmp_path: Path) -> None:
    """A benchmark that broke is no figure left out in silence."""
    points = [
        {"receivers": 10, "cpu_cores": 0.6, "late_ticks_pct": 0.0},
        {"receivers": 1754, "cpu_cores": 1.9, "late_ticks_pct": 12.5},
    ]
    page = tmp_path / "benchmarks.md"
    result = {"cpu_cores": 1.2, "curve": points, "machine": {"cores": 2}}
    report.write(page, JOBS, {"province": result}, {"province --visible 25x360p": "it broke"})
    text = page.read_text(encoding="utf-8")
    assert "| cpu_cores | 1.2 |" in text
    assert "Did not finish: it broke" in text
    assert "Not run or not built: search." in text
    drawing = ET.parse(tmp_path / "province-curve.svg").getroot()  # noqa: S314 - our own
    words = [node.text for node in drawing if node.tag.endswith("text")]
    assert {"10", "1754", "0.6, 0 % late", "1.9, 12.5 % late"} <= set(words)
