"""docs/benchmarks.md out of what the benchmarks gave, one section for each that was ever run.

The raw figures lie beside the page as JSON: a later run replaces its own section and keeps the
others, each with its day, machine and command.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .curve import curve_svg, points_of
from .sections import SECTIONS, Figure, Figures

Entry = dict[str, object]  # command, day, result or failed (both: the result is an older one)


@dataclass(frozen=True, slots=True)
class Run:
    """One benchmark with its options, as `all` runs it. `variant` is part of its heading."""

    benchmark: str
    variant: str = ""
    options: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.benchmark} {self.variant}".strip()

    @property
    def words(self) -> list[str]:
        return [*self.variant.split(), *self.options]


INTRODUCTION = """
Written by `make bench`, or for one of them by
`python -m benchmarks NAME --write docs/benchmarks.md`; each section says when it was run, by which
command and where. A rival is run in the same invocation on the same work. Senders, receivers and
rivals share the machine's cores with what is measured. Figures count from a run whose threads
waited less than 5 % of their time for a processor; else they are the best of three tries, and the
notes say so. All keys are in [{data}]({data}).
"""
WIDTH = 120
SMALL = "--visible 25x360p"
RUNS = (
    Run("fanout"),
    Run("province", "", ("--runs", "2")),
    Run("province", SMALL, ("--runs", "2", "--curve", "")),
    *(Run(name) for name in SECTIONS if name not in ("fanout", "province")),
)


def title_of(name: str, result: Figures) -> str:
    """Whose section a result belongs to."""
    visible = result.get("visible")
    is_usual = name != "province" or visible in (None, "9x720p")
    return name if is_usual else f"{name} --visible {visible}"


def data_path(page: Path) -> Path:
    return page.with_suffix(".json")


def entries(page: Path) -> dict[str, Entry]:
    """All that was recorded beside this page."""
    path = data_path(page)
    found: dict[str, Entry] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def record(page: Path, title: str, entry: Entry) -> None:
    """Replace one section by what this run gave, and write page and drawings anew.

    A run that failed keeps the older figures beside its reason; one without a curve the older one.
    """
    known = entries(page)
    before = known.get(title, {})
    if "result" not in entry and "result" in before:
        kept = {key: before[key] for key in ("result", "command", "day")}
        entry = {**kept, "failed": entry.get("failed"), "failed_on": entry.get("day")}
    else:
        _keep_curve(entry, before)
    known[title] = entry
    text = json.dumps(known, ensure_ascii=False, indent=1)
    data_path(page).write_text(text + "\n", encoding="utf-8")
    write(page)


def _keep_curve(entry: Entry, before: Entry) -> None:
    result, older = entry.get("result"), before.get("result")
    if not isinstance(result, dict) or not isinstance(older, dict):
        return
    if len(points_of(result)) < 2 <= len(points_of(older)):
        result["curve"] = older["curve"]
        result["curve_day"] = older.get("curve_day", before.get("day"))


def write(page: Path) -> None:
    """The page, and a drawing for each curve."""
    known = entries(page)
    lines = [
        "# Benchmarks",
        "",
        *_prose(INTRODUCTION.format(data=data_path(page).name)),
        *_summary(known),
    ]
    for title, entry in sorted(known.items(), key=lambda item: _place(item[0])):
        lines += _section(page, title, entry)
    seen = {title.split(maxsplit=1)[0] for title in known}
    missing = [name for name in SECTIONS if name not in seen]
    if missing:
        lines += ["## Not here", "", "Not run yet or not built: " + ", ".join(missing) + ".", ""]
    page.write_text("\n".join(lines), encoding="utf-8")


def _place(title: str) -> tuple[int, str]:
    return list(SECTIONS).index(title.split(maxsplit=1)[0]), title


def _figures(title: str) -> tuple[Figure, ...]:
    name, _, variant = title.partition(" ")
    return SECTIONS[name].figures_of(variant)


def _summary(known: Mapping[str, Entry]) -> list[str]:
    """Every figure that has a limit."""
    rows = ["| benchmark | figure | measured | limit | holds |", "|---|---|---|---|---|"]
    for title, entry in sorted(known.items(), key=lambda item: _place(item[0])):
        result = cast(Figures, entry.get("result") or {})
        for figure in _figures(title):
            if figure.limit and result:
                rows.append(f"| {title} {_cells(figure, result)}")
    return [*rows, ""] if len(rows) > 2 else []


def _cells(figure: Figure, result: Figures) -> str:
    verdict = {True: "yes", False: "**no**", None: ""}[figure.holds(result)]
    return f"| {figure.label} | {_text(figure.value(result))} | {figure.limit} | {verdict} |"


def _text(value: object) -> str:
    if value is None:
        return "none, see the notes"
    if isinstance(value, bool | int | float):
        return f"{value:,}"
    return json.dumps(value, ensure_ascii=False).replace("|", "\\|")


def _section(page: Path, title: str, entry: Entry) -> list[str]:
    section = SECTIONS[title.split(maxsplit=1)[0]]
    job = f"{section.job[0].upper()}{section.job[1:]}. {section.measured}"
    lines = [f"## {title}", "", *_prose(job), *_prose(section.rivals)]
    if "failed" in entry:
        older = " What follows is older." if "result" in entry else ""
        day = entry.get("failed_on", entry.get("day"))
        lines += [f"Did not finish on {day}: {entry['failed']}.{older}", ""]
    result = entry.get("result")
    if not isinstance(result, dict):
        return lines
    lines += [f"`{entry['command']}` on {entry['day']}, {_machine(result)}.", ""]
    lines += ["| figure | measured | limit | holds |", "|---|---|---|---|"]
    lines += [_cells(figure, result) for figure in _figures(title)]
    lines += [""]
    if runs := result.get("runs"):
        lines += _table("Each run", cast(list[Figures], runs))
    if len(points_of(result)) > 1:
        lines += _curve(page, title, result)
    if notes := result.get("notes"):
        lines += _prose(f"Notes: {'; '.join(map(str, cast(list[object], notes)))}.")
    return lines


def _prose(text: str) -> list[str]:
    """A paragraph."""
    lines = textwrap.wrap(" ".join(text.split()), WIDTH, break_on_hyphens=False)
    return [*lines, ""]


def _machine(result: Figures) -> str:
    machine = cast(Figures, result.get("machine") or {})
    names = {"cpu": "{}", "cores": "{} cores", "kernel": "Linux {}", "python": "Python {}"}
    return ", ".join(text.format(machine[key]) for key, text in names.items() if key in machine)


def _curve(page: Path, title: str, result: Figures) -> list[str]:
    suffix = "" if " " not in title else "-" + title.rsplit(maxsplit=1)[-1]
    drawing = page.with_name(f"{title.split(maxsplit=1)[0]}-curve{suffix}.svg")
    drawing.write_text(curve_svg(points_of(result)), encoding="utf-8")
    day = f", of {result['curve_day']}" if "curve_day" in result else ""
    table = _table(f"By receivers (at most 144 of them send){day}", points_of(result))
    return [*table, f"![CPU by receivers]({drawing.name})", ""]


def _table(heading: str, rows: list[Figures]) -> list[str]:
    keys = list(rows[0])
    return [
        f"{heading}:",
        "",
        "| " + " | ".join(key.replace("_pct", ", %").replace("_", " ") for key in keys) + " |",
        "|" + "---|" * len(keys),
        *("| " + " | ".join(_text(row.get(key)) for key in keys) + " |" for row in rows),
        "",
    ]
