"""docs/benchmarks.md out of what the benchmarks gave, with the province's curve as a drawing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

Figures = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Run:
    """One benchmark with its options; `title` is its heading."""

    benchmark: str
    options: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return " ".join((self.benchmark, *self.options))


RUNS = (
    Run("fanout"),
    Run("province"),
    Run("province", ("--visible", "25x360p", "--curve", "")),
    *(
        Run(name)
        for name in ("latency", "join", "sip", "h323", "dispatch", "roads", "search", "desk")
    ),
)


def write(
    path: Path,
    jobs: Mapping[str, str],
    results: Mapping[str, Figures],
    failed: Mapping[str, str],
) -> None:
    """Every figure with the machine that gave it; beside it `province-curve.svg`."""
    lines = ["# Benchmarks", "", "Written by `make bench`; each can be run again by its name.", ""]
    machine = next((result["machine"] for result in results.values()), None)
    if isinstance(machine, dict):
        lines += ["Machine: " + ", ".join(f"{k} {v}" for k, v in machine.items()) + ".", ""]
    for title, result in results.items():
        lines += _section(title, jobs[title.split()[0]], result)
        curve = result.get("curve")
        if isinstance(curve, list) and len(curve) > 1:
            drawing = path.with_name("province-curve.svg")
            drawing.write_text(curve_svg(curve), encoding="utf-8")
            lines += [f"![CPU by receivers]({drawing.name})", ""]
    for title, reason in failed.items():
        lines += [f"## {title}", "", f"Did not finish: {reason}", ""]
    seen = {title.split()[0] for title in (*results, *failed)}
    missing = [name for name in jobs if name not in seen]
    if missing:
        lines += ["Not run or not built: " + ", ".join(missing) + ".", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _section(title: str, job: str, result: Figures) -> list[str]:
    lines = [f"## {title}", "", f"{job[0].upper()}{job[1:]}.", "", "| key | value |", "|---|---|"]
    for key, value in result.items():
        if key in ("benchmark", "machine"):
            continue
        text = json.dumps(value, ensure_ascii=False).replace("|", "\\|")
        lines.append(f"| {key} | {text} |")
    return [*lines, ""]


# --- the curve ----------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN = 640, 320, 48


def curve_svg(points: Sequence[Figures]) -> str:
    """Cores of CPU over receivers, both from zero; the share of late ticks beside each point."""
    ordered = sorted(points, key=lambda point: _number(point, "receivers"))
    most_x = max(_number(point, "receivers") for point in ordered) or 1.0
    most_y = max(1.0, *(_number(point, "cpu_cores") for point in ordered)) * 1.1
    inner_width, inner_height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN

    def place(point: Figures) -> tuple[float, float]:
        x = MARGIN + inner_width * _number(point, "receivers") / most_x
        return x, HEIGHT - MARGIN - inner_height * _number(point, "cpu_cores") / most_y

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, ordered))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" '
        'fill="none" stroke="#888"/>',
        f'<text x="{MARGIN}" y="{MARGIN - 14}">CPU, cores</text>',
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 12}" text-anchor="end">receivers</text>',
        f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>',
    ]
    for point in ordered:
        x, y = place(point)
        count, cores = _number(point, "receivers"), _number(point, "cpu_cores")
        late = _number(point, "late_ticks_pct")
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1f6feb"/>',
            f'<text x="{x + 5:.1f}" y="{y - 6:.1f}">{cores:g}, {late:g} % late</text>',
            f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 14}" text-anchor="middle">{count:g}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _number(point: Figures, key: str) -> float:
    value = point.get(key)
    return float(cast(float, value)) if isinstance(value, int | float) else 0.0
