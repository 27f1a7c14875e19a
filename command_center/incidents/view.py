"""Rows -> what the API shows. States that depend on the time are computed here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from ..security.work import Work
from . import repository
from .casualties import FIGURES
from .clocks import state_of
from .schemas import (
    ClockOut,
    GradeOut,
    IncidentOut,
    NearAccidentOut,
    OrderOut,
    ReportOut,
    ResponseOut,
    TaskOut,
    TimelineEntryOut,
)
from .tables import (
    CasualtySnapshotRow,
    ClockRow,
    IncidentRow,
    OrderRow,
    ReportRow,
    ResponseRow,
    TaskRow,
    TimelineRow,
)
from .words import word

_DIGITS = word("report", "digits")


def chinese_number(number: int) -> str:
    """1 -> 一, 12 -> 十二, 21 -> 二十一; above 99 in figures."""
    if number > 99:
        return str(number)
    tens, units = divmod(number, 10)
    ten = word("report", "ten")
    head = "" if tens == 0 else (ten if tens == 1 else _DIGITS[tens] + ten)
    return head + (_DIGITS[units] if units or not tens else "")


def report_kind(ordinal: int) -> str:
    if ordinal == 0:
        return word("report", "first")
    return word("report", "follow_up", ordinal=chinese_number(ordinal))


def clock_out(row: ClockRow, now: datetime) -> ClockOut:
    state = state_of(due_at=row.due_at, done_at=row.done_at, closed_at=row.closed_at, now=now)
    return ClockOut.model_validate({**row.model_dump(), "state": state})


def response_out(row: ResponseRow) -> ResponseOut:
    level: int | Literal["standby"] = "standby" if row.level == "standby" else int(row.level)
    return ResponseOut.model_validate({**row.model_dump(), "level": level})


def incident_out(
    row: IncidentRow,
    clocks: Sequence[ClockRow],
    responses: Sequence[ResponseRow],
    now: datetime,
) -> IncidentOut:
    fields: dict[str, Any] = row.model_dump()
    fields["casualties"] = {name: row.casualties.get(name) for name in FIGURES}
    fields["grade"] = GradeOut.model_validate(
        {
            "value": row.grade,
            "label": row.grade_label,
            "criterion": row.grade_criterion,
            "stage": word("grade", "preliminary"),
        }
    )
    fields["near_accident"] = NearAccidentOut(
        recognised=bool(row.near_accident), criteria=row.near_accident
    )
    fields["clocks"] = [clock_out(c, now) for c in clocks if c.incident_id == row.id]
    fields["responses"] = [response_out(r) for r in responses if r.incident_id == row.id]
    return IncidentOut.model_validate(fields)


async def shown(work: Work, row: IncidentRow) -> IncidentOut:
    """One incident with its clocks and responses."""
    clocks = await repository.clocks(work.session, [row.id])
    responses = await repository.responses(work.session, [row.id])
    return incident_out(row, clocks, responses, work.now)


def report_out(row: ReportRow, snapshot: CasualtySnapshotRow | None) -> ReportOut:
    return ReportOut.model_validate(
        {
            **row.model_dump(),
            "kind": report_kind(row.ordinal),
            "grade": snapshot.grade if snapshot else None,
            "criterion": snapshot.criterion if snapshot else "",
        }
    )


def timeline_out(row: TimelineRow) -> TimelineEntryOut:
    return TimelineEntryOut.model_validate(row.model_dump())


def task_out(row: TaskRow, now: datetime) -> TaskOut:
    """`overdue` replaces todo and doing once the time is over; a card done late keeps its mark."""
    is_overdue = (row.done_at or now) > row.due_at
    state = "overdue" if is_overdue and row.state != "done" else row.state
    return TaskOut.model_validate({**row.model_dump(), "state": state, "is_overdue": is_overdue})


def order_out(row: OrderRow, now: datetime) -> OrderOut:
    """Overdue: not done by `due_at`; an order done late keeps its mark."""
    ended = row.state in ("declined", "cancelled")
    overdue = row.due_at is not None and not ended and (row.done_at or now) > row.due_at
    return OrderOut.model_validate({**row.model_dump(), "overdue": overdue})
