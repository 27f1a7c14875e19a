"""The plan as one picture for a consultation: map, time table, figures, what stays open."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import cos, radians
from typing import Any, Literal

from ..onemap import regions
from . import canvas as c
from .canvas import Canvas, Point
from .words import word

WIDTH, HEIGHT = 1920, 1080
MAP_BOX = (24.0, 110.0, 1180.0, 700.0)
SIDE_BOX = (1204.0, 110.0, 1896.0, 700.0)
TIME_BOX = (24.0, 720.0, 1896.0, 1056.0)
ROWS = 9
MOST_OF_A_LIST = 4
BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Scene:
    """An incident on the slide."""

    id: str
    title: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Slide:
    """What is drawn: one alternative of a plan as it is stored, and the incidents it is for."""

    answer: dict[str, Any]
    orders: list[dict[str, Any]]
    accepted: frozenset[str]
    scenes: Sequence[Scene]
    closed: Sequence[Sequence[Point]]
    created_at: datetime
    created_by: str
    is_drill: bool


def draw(slide: Slide, form: Literal["png", "jpeg"]) -> bytes:
    """1920 x 1080 in the hall's colours, words in Chinese; a tenth of a second of one core."""
    page = Canvas(WIDTH, HEIGHT)
    _head(page, slide)
    _map(page, slide)
    _side(page, slide)
    _times(page, slide)
    out = io.BytesIO()
    if form == "png":
        page.image.save(out, "PNG", optimize=False, compress_level=4)
    else:
        page.image.save(out, "JPEG", quality=90)
    return out.getvalue()


def _head(page: Canvas, slide: Slide) -> None:
    name = word("names", slide.answer["name"])
    titles = "、".join(scene.title for scene in slide.scenes)
    page.box((0, 0, WIDTH, 90), c.SURFACE)
    x = 32.0
    if slide.is_drill:
        page.box((0, 0, WIDTH, 10), c.YELLOW)
        x += page.text((x, 26), word("slide", "drill"), 36, c.YELLOW) + 20
    x += page.text((x, 22), word("slide", "title", name=name), 40) + 28
    page.text((x, 34), titles, 26, c.MUTED, width=WIDTH - x - 420)
    at = slide.created_at.astimezone(BEIJING).strftime("%m-%d %H:%M:%S")
    made = word("slide", "made", at=at, by=slide.created_by)
    page.text((WIDTH - 32, 36), made, 24, c.MUTED, anchor="ra")


def _map(page: Canvas, slide: Slide) -> None:
    points = [(scene.longitude, scene.latitude) for scene in slide.scenes]
    routes = [line["route"] for line in (*slide.answer["lines"], *slide.orders)]
    points += [tuple(p) for route in routes for p in route]
    plane = _Plane(points)
    sheet = Canvas(int(MAP_BOX[2] - MAP_BOX[0]), int(MAP_BOX[3] - MAP_BOX[1]))
    sheet.box((0, 0, sheet.image.width, sheet.image.height), c.SEA)
    missing = {one["region_code"] for one in slide.answer["cover"] if one["left"] < one["wanted"]}
    for region in regions("city"):
        fill = "#4A2A38" if region.code in missing else c.LAND
        for polygon in region.polygons:
            sheet.polygon([plane.at(p) for p in polygon[0]], fill, c.BORDER)
    for order in slide.orders:
        sheet.line([plane.at(p) for p in order["route"]], c.BLUE, 3)
    for line in slide.answer["lines"]:
        sheet.line([plane.at(p) for p in line["route"]], _tone(line), 5)
    for road in slide.closed:
        sheet.line([plane.at(p) for p in road], c.RED, 9)
        sheet.text(plane.at(road[0]), "✕", 26, c.RED, anchor="mm", halo=c.SEA)
    taken = [_scene(sheet, slide, scene, plane) for scene in slide.scenes]
    for line in slide.answer["lines"]:
        if not line["route"]:
            continue
        start = plane.at(line["route"][0])
        sheet.dot(start, 6, _tone(line))
        box = (start[0] + 9, start[1] - 14, start[0] + 269, start[1] + 14)
        if not any(_meet(box, other) for other in taken):
            words = f"{line['team_name']} {_clock(line['arrive_at'])}"
            sheet.text((box[0], box[1] + 2), words, 19, halo=c.SEA, width=260)
            taken.append(box)
    page.image.paste(sheet.image, (int(MAP_BOX[0]), int(MAP_BOX[1])))
    page.line(_frame(MAP_BOX), c.LINE, 2)


def _scene(sheet: Canvas, slide: Slide, scene: Scene, plane: _Plane) -> c.Box:
    """An incident with its name and what stays open there; returns the room that they take."""
    x, y = plane.at((scene.longitude, scene.latitude))
    sheet.dot((x, y), 12, c.RED)
    is_right = x > sheet.image.width - 440
    at, anchor = (x - 16 if is_right else x + 16), "ra" if is_right else "la"
    sheet.text((at, y + 6), scene.title, 24, halo=c.SEA, width=420, anchor=anchor)
    left = [u for u in slide.answer["unassigned"] if u["incident_id"] == scene.id]
    if left:
        words = word("slide", "open_here", n=len(left))
        sheet.text((at, y + 36), words, 22, c.ORANGE, halo=c.SEA, anchor=anchor)
    return (at - 420 if is_right else x - 14, y - 14, at if is_right else at + 420, y + 64)


def _meet(a: c.Box, b: c.Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _frame(box: c.Box) -> list[Point]:
    west, north, east, south = box
    return [(west, north), (east, north), (east, south), (west, south), (west, north)]


class _Plane:
    """WGS-84 degrees to pixels of the map's sheet, with a margin around what matters."""

    def __init__(self, points: Sequence[Any]) -> None:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        width, height = MAP_BOX[2] - MAP_BOX[0], MAP_BOX[3] - MAP_BOX[1]
        self._squeeze = cos(radians(sum(ys) / len(ys)))
        middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        span_x = max(0.25, max(xs) - min(xs)) * self._squeeze * 1.25
        span_y = max(0.25, max(ys) - min(ys)) * 1.3
        self._scale = min(width / span_x, height / span_y)
        self._middle, self._centre = middle, (width / 2, height / 2)

    def at(self, point: Sequence[float]) -> Point:
        x = (point[0] - self._middle[0]) * self._squeeze * self._scale
        y = (self._middle[1] - point[1]) * self._scale
        return self._centre[0] + x, self._centre[1] + y


def _side(page: Canvas, slide: Slide) -> None:
    west, north, east, south = SIDE_BOX
    page.box(SIDE_BOX, c.SURFACE, outline=c.LINE)
    figures = slide.answer["figures"]
    names = ("served", "unserved", "late", "mean_arrive_minutes", "last_arrive_minutes")
    step = (east - west - 40) / len(names)
    for k, name in enumerate(names):
        x = west + 20 + k * step
        is_bad = name in ("unserved", "late") and figures[name] > 0
        page.text((x, north + 12), str(figures[name]), 46, c.ORANGE if is_bad else c.TEXT)
        page.text((x, north + 70), word("slide", name), 20, c.MUTED, width=step - 8)
    y = north + 112
    lists = _lists(slide)
    last = lists[-1][0]
    for heading, tone, rows in lists:
        if not rows or y > south - 70:
            continue
        page.line([(west + 20, y), (east - 20, y)], c.LINE, 1)
        page.text((west + 20, y + 8), f"{heading} {len(rows)}", 24, tone)
        y += 44
        for number, (first, second) in enumerate(rows):
            if y > south - 64 or (number == MOST_OF_A_LIST and heading != last):
                page.text((west + 20, y - 6), "…", 22, c.MUTED)
                y += 22
                break
            page.text((west + 20, y), first, 22, width=east - west - 40)
            y += 30
            if second:
                page.text((west + 40, y), second, 19, c.MUTED, width=east - west - 60)
                y += 28
        y += 8


def _lists(slide: Slide) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(heading, colour, rows of two lines) of the side."""
    answer = slide.answer
    nobody = word("slide", "nobody")
    touched = [o for o in slide.orders if o["delay_minutes"] > 0 or o["is_cut_off"]]
    return [
        (
            "▲ " + word("slide", "open"),
            c.ORANGE,
            [(u["task_text"], u["reason"]) for u in answer["unassigned"]],
        ),
        (
            "▲ " + word("slide", "touched"),
            c.ORANGE,
            [
                (
                    f"{o['team_name']} → {o['task_text']}",
                    word("slide", "cut_off")
                    if o["is_cut_off"]
                    else word("slide", "delayed", n=o["delay_minutes"]),
                )
                for o in touched
            ],
        ),
        (
            "⇄ " + word("slide", "changes"),
            c.YELLOW,
            [
                (ch["task_text"], f"{ch['from_team'] or nobody} → {ch['to_team'] or nobody}")
                for ch in answer["changes"]
            ],
        ),
        (
            word("slide", "lines"),
            c.TEXT,
            [
                (
                    f"{_clock(li['arrive_at'])}  {li['team_name']}",
                    ("✓ " if li["id"] in slide.accepted else "") + li["task_text"],
                )
                for li in answer["lines"]
            ],
        ),
    ]


def _times(page: Canvas, slide: Slide) -> None:
    west, north, east, south = TIME_BOX
    page.box(TIME_BOX, c.SURFACE, outline=c.LINE)
    bars = [_Bar.of(line, _tone(line)) for line in slide.answer["lines"]]
    done = {(bar.team, bar.text) for bar in bars}
    bars += [
        _Bar.of(order | {"start_at": order["arrive_at"]}, c.BLUE)
        for order in slide.orders
        if (order["team_name"], order["task_text"]) not in done
    ]
    if not bars:
        page.text(((west + east) / 2, (north + south) / 2), word("slide", "nothing"), 28, c.MUTED)
        return
    teams = list(dict.fromkeys(bar.team for bar in sorted(bars, key=lambda bar: bar.arrive)))
    begin = min(bar.depart for bar in bars)
    length = max((max(bar.finish for bar in bars) - begin).total_seconds(), 3_600.0)
    left, right = west + 300, east - 24

    def x(at: datetime) -> float:
        return left + (at - begin).total_seconds() / length * (right - left)

    height = (south - north - 50) / min(ROWS, len(teams))
    for tick in _ticks(begin, length):
        page.line([(x(tick), north + 40), (x(tick), south - 8)], c.LINE, 1)
        page.text((x(tick), north + 10), _clock(tick.isoformat()), 20, c.MUTED, anchor="ma")
    for k, team in enumerate(teams[:ROWS]):
        y = north + 42 + k * height
        page.text((west + 20, y + height / 2), team, 21, width=265, anchor="lm")
        for bar in (one for one in bars if one.team == team):
            page.box(
                (x(bar.depart), y + height / 2 - 3, x(bar.arrive), y + height / 2 + 3), bar.tone
            )
            ends = x(bar.start), max(x(bar.start) + 4, x(bar.finish))
            page.box((ends[0], y + 3, ends[1], y + height - 4), bar.tone, radius=4)
            if ends[1] - ends[0] > 60:
                at = (ends[0] + 8, y + height / 2)
                page.text(at, bar.text, 18, c.GROUND, width=ends[1] - ends[0] - 14, anchor="lm")
    if len(teams) > ROWS:
        words = word("slide", "more_teams", n=len(teams) - ROWS)
        page.text((east - 20, south - 28), words, 20, c.MUTED, anchor="ra")


@dataclass(frozen=True, slots=True)
class _Bar:
    team: str
    text: str
    tone: str
    depart: datetime
    arrive: datetime
    start: datetime
    finish: datetime

    @staticmethod
    def of(line: dict[str, Any], tone: str) -> _Bar:
        times = (line[name] for name in ("depart_at", "arrive_at", "start_at", "finish_at"))
        return _Bar(
            line["team_name"], line["task_text"], tone, *(datetime.fromisoformat(t) for t in times)
        )


def _ticks(begin: datetime, length_s: float) -> list[datetime]:
    steps = (15, 30, 60, 120, 240, 480, 720, 1440)
    minutes = next((m for m in steps if length_s / (m * 60) <= 12), steps[-1])
    day = begin.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    count = int((begin - day).total_seconds() // (minutes * 60)) + 1
    end = begin + timedelta(seconds=length_s)
    found = []
    while (at := day + timedelta(minutes=count * minutes)) <= end:
        found.append(at)
        count += 1
    return found


def _tone(line: dict[str, Any]) -> str:
    if line["is_override"]:
        return c.VIOLET
    return c.YELLOW if line["is_changed"] else c.ORANGE


def _clock(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(BEIJING).strftime("%H:%M")
