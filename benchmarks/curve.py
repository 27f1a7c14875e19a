"""The province's curve as a drawing: cores of CPU over receivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .sections import Figures

WIDTH, HEIGHT, MARGIN = 680, 320, 48
LABEL_WIDTH, LABEL_HEIGHT = 190, 14
TICK = 500  # receivers


def points_of(result: Figures) -> list[Figures]:
    """The points of a result's curve, fewest receivers first."""
    found = result.get("curve")
    points = cast(list[Figures], found) if isinstance(found, list) else []
    return sorted(points, key=lambda point: _number(point, "receivers"))


def curve_svg(points: Sequence[Figures]) -> str:
    """Both axes from zero; late ticks and pictures a second beside each point."""
    most_x = max(_number(point, "receivers") for point in points) or 1.0
    most_y = max(1.0, *(_number(point, "cpu_cores") for point in points)) * 1.15
    inner_width, inner_height = WIDTH - 2 * MARGIN - 20, HEIGHT - 2 * MARGIN
    bottom = HEIGHT - MARGIN

    def place(point: Figures) -> tuple[float, float]:
        x = MARGIN + inner_width * _number(point, "receivers") / most_x
        return x, bottom - inner_height * _number(point, "cpu_cores") / most_y

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, points))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *_scale(most_y, bottom, inner_height),
        f'<path d="M{MARGIN} {MARGIN}V{bottom}H{WIDTH - MARGIN}" fill="none" stroke="#888"/>',
        f'<text x="{MARGIN}" y="{MARGIN - 14}">Receivers: cores, late ticks, pictures</text>',
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 12}" text-anchor="end">receivers</text>',
        f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>',
    ]
    labelled: list[tuple[float, float]] = []
    for point in reversed(points):
        x, y = place(point)
        label_y = _free(x, y + LABEL_HEIGHT + 2, labelled)
        labelled.append((x, label_y))
        side = 'text-anchor="end"' if x > WIDTH / 2 else ""
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1f6feb"/>',
            f'<text x="{x + 6:.1f}" y="{label_y:.1f}" {side}>{_label(point)}</text>',
        ]
    for count in range(0, round(most_x) + 1, TICK):
        x = MARGIN + inner_width * count / most_x
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{count}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _scale(most_y: float, bottom: int, inner_height: int) -> list[str]:
    """A thin line at each half core."""
    parts, cores = [], 0.5
    while cores < most_y:
        y = bottom - inner_height * cores / most_y
        parts += [
            f'<path d="M{MARGIN} {y:.1f}H{WIDTH - MARGIN}" stroke="#ddd"/>',
            f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end" '
            f'fill="#666">{cores:g}</text>',
        ]
        cores += 0.5
    return parts


def _label(point: Figures) -> str:
    words = [f"{_number(point, 'receivers'):g}: {_number(point, 'cpu_cores'):g}"]
    words.append(f"{_number(point, 'late_ticks_pct'):g} % late")
    if "fps" in point:
        words.append(f"{_number(point, 'fps'):.3g} a second")
    return ", ".join(words)


def _free(x: float, y: float, labelled: Sequence[tuple[float, float]]) -> float:
    """Where a label does not lie on one that is there: downwards."""
    while any(abs(x - at) < LABEL_WIDTH and abs(y - to) < LABEL_HEIGHT for at, to in labelled):
        y += LABEL_HEIGHT
    return y


def _number(point: Figures, key: str) -> float:
    value = point.get(key)
    return float(cast(float, value)) if isinstance(value, int | float) else 0.0
