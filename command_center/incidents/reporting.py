"""Receiving reports: the first makes the incident, each further one brings it up to date.

Each report is judged anew: casualties are checked and kept as a snapshot, the grade and 较大涉险
follow from them, and the statutory clocks follow from those.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .casualties import Casualties, brought_up_to_date, check, lowered
from .clocks import FOLLOW_UPS, Situation, to_close, to_start
from .drilling import enter_drill
from .errors import (
    DrillMismatchError,
    RegionNotYoursError,
    SignerMissingError,
    TimesImpossibleError,
)
from .grade import Judgement, judge, near_accident
from .schemas import ReportIn
from .tables import (
    DRILL_INCIDENT_NUMBERS,
    INCIDENT_NUMBERS,
    CasualtySnapshotRow,
    ClockRow,
    IncidentRow,
    ReportRow,
)
from .timeline import open_incident, tell, write
from .view import report_kind
from .words import word

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Filed:
    """What a report led to."""

    incident: IncidentRow
    report: ReportRow
    snapshot: CasualtySnapshotRow


def check_times(report: ReportIn, now: datetime) -> None:
    """Raises TimesImpossibleError: before 2000, in the future, or received before it happened."""
    for name in ("occurred_at", "received_at", "sent_at"):
        value: datetime | None = getattr(report, name)
        if value is None:
            continue
        if value < _EARLIEST:
            raise TimesImpossibleError(field=name, rule="too_early")
        if value > now + _CLOCK_SKEW:
            raise TimesImpossibleError(field=name, rule="in_the_future")
    if report.occurred_at is not None:
        if report.received_at < report.occurred_at:
            raise TimesImpossibleError(field="received_at", rule="received_before_occurred")
        if report.sent_at is not None and report.sent_at < report.occurred_at:
            raise TimesImpossibleError(field="sent_at", rule="sent_before_occurred")


def _check(work: Work, report: ReportIn) -> Casualties:
    if not report.signer:
        raise SignerMissingError()
    if not work.actor.covers(report.region_code):
        raise RegionNotYoursError(region_code=report.region_code)
    check_times(report, work.now)
    figures = report.casualties.figures()
    check(figures, report.pending)
    return figures


@service_call(permission=Permission.INCIDENT_REPORT, audit="incident.report")
async def file_report(work: Work, report: ReportIn) -> Filed:
    """接报: a first report makes the incident, numbered from the drill's or the real sequence.

    Raises CasualtiesImpossibleError, TimesImpossibleError, SignerMissingError, RegionNotYoursError.
    """
    figures = _check(work, report)
    incident = await _new_incident(work, report)
    row, snapshot = await _store(work, incident, report, figures, ordinal=0)
    write(
        work,
        incident,
        "report.first",
        word(
            "timeline",
            "report_first",
            number=incident.number,
            title=report.title,
            signer=report.signer,
        ),
        {"report_id": str(row.id)},
    )
    await _judge(work, incident, report, figures, snapshot, before=None)
    if incident.is_drill:
        await enter_drill(work, incident)
    tell(work, incident, "incident.created", {"number": incident.number, "title": incident.title})
    work.concerns("incident", incident.id, is_drill=incident.is_drill, number=incident.number)
    return Filed(incident, row, snapshot)


@service_call(permission=Permission.INCIDENT_REPORT, audit="incident.follow_up")
async def add_report(work: Work, incident_id: UUID, report: ReportIn) -> Filed:
    """续报: the newest facts win, the rows before stay. Raises what `file_report` raises, and
    IncidentNotFoundError, IncidentClosedError, DrillMismatchError."""
    incident = await open_incident(work, incident_id)
    figures = _check(work, report)
    if report.is_drill != incident.is_drill:
        raise DrillMismatchError()
    before = Casualties.of(incident.casualties)
    known = brought_up_to_date(before, figures, report.pending)
    ordinal = await repository.next_ordinal(work.session, incident.id)
    row, snapshot = await _store(work, incident, report, figures, ordinal=ordinal)
    write(
        work,
        incident,
        "report.follow_up",
        word("timeline", "report_follow_up", label=report_kind(ordinal), signer=report.signer),
        {"report_id": str(row.id), "ordinal": ordinal},
    )
    for name in ("title", "event_type", "place_name", "longitude", "latitude"):
        setattr(incident, name, getattr(report, name))
    incident.occurred_at = report.occurred_at or incident.occurred_at
    incident.course = report.course or incident.course
    incident.measures = report.measures or incident.measures
    if report.region_code != incident.region_code:
        incident.region_code = report.region_code
        incident.region_name = await repository.region_name(work.session, report.region_code)
    await _judge(work, incident, report, known, snapshot, before=before)
    tell(work, incident, "incident.updated", {"ordinal": ordinal})
    work.concerns("incident", incident.id, is_drill=incident.is_drill, ordinal=ordinal)
    return Filed(incident, row, snapshot)


async def _new_incident(work: Work, report: ReportIn) -> IncidentRow:
    sequence = DRILL_INCIDENT_NUMBERS if report.is_drill else INCIDENT_NUMBERS
    count = await repository.next_number(work.session, sequence)
    prefix = "DRL" if report.is_drill else "INC"
    row = IncidentRow(
        number=f"{prefix}-{work.now.year}-{count:04d}",
        title=report.title,
        event_type=report.event_type,
        place_name=report.place_name,
        region_code=report.region_code,
        region_name=await repository.region_name(work.session, report.region_code),
        longitude=report.longitude,
        latitude=report.latitude,
        occurred_at=report.occurred_at,
        received_at=report.received_at,
        course=report.course,
        measures=report.measures,
        created_by=work.actor.name,
        created_by_id=work.actor.id,
        created_at=work.now,
        updated_at=work.now,
        is_drill=report.is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    return row


async def _store(
    work: Work, incident: IncidentRow, report: ReportIn, figures: Casualties, *, ordinal: int
) -> tuple[ReportRow, CasualtySnapshotRow]:
    fields = report.model_dump(exclude={"casualties", "is_drill"})
    row = ReportRow(
        **fields,
        incident_id=incident.id,
        ordinal=ordinal,
        casualties=figures.as_json(),
        created_by=work.actor.name,
        created_at=work.now,
        is_drill=incident.is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    snapshot = CasualtySnapshotRow(
        incident_id=incident.id,
        report_id=row.id,
        at=work.now,
        casualties=figures.as_json(),
        pending=report.pending,
        is_drill=incident.is_drill,
    )
    work.session.add(snapshot)
    return row, snapshot


async def _judge(
    work: Work,
    incident: IncidentRow,
    report: ReportIn,
    figures: Casualties,
    snapshot: CasualtySnapshotRow,
    *,
    before: Casualties | None,
) -> None:
    judgement = judge(incident.event_type, figures)
    criteria = near_accident(figures)
    _tell_changes(work, incident, judgement, criteria, is_first=before is None)
    if before is not None and (down := lowered(before, figures)):
        snapshot.corrects_downwards = True
        changes = "、".join(f"{word('figure', k)}{a}→{b}" for k, (a, b) in down.items())
        write(
            work,
            incident,
            "figures.corrected",
            word("timeline", "figures_corrected", changes=changes),
            {name: list(pair) for name, pair in down.items()},
        )
    incident.grade = snapshot.grade = judgement.value.value if judgement.value else None
    incident.grade_label = judgement.label
    incident.grade_criterion = snapshot.criterion = judgement.criterion
    incident.near_accident = snapshot.near_accident = criteria
    incident.casualties = snapshot.casualties = figures.as_json()
    incident.pending = report.pending
    incident.updated_at = work.now
    await work.session.flush()
    situation = Situation(
        event_type=incident.event_type,
        grade=judgement.value,
        is_near_accident=bool(criteria),
        casualties=figures,
        occurred_at=incident.occurred_at,
        received_at=report.received_at,
    )
    await _run_clocks(work, incident, situation, is_first=before is None)


def _tell_changes(
    work: Work,
    incident: IncidentRow,
    judgement: Judgement,
    criteria: list[str],
    *,
    is_first: bool,
) -> None:
    after = judgement.value.value if judgement.value else None
    if is_first or after != incident.grade:
        key = "grade_set" if is_first else "grade_changed"
        write(
            work,
            incident,
            "grade.set" if is_first else "grade.changed",
            word(
                "timeline",
                key,
                before=incident.grade_label,
                after=judgement.label,
                criterion=judgement.criterion,
            ),
            {"before": incident.grade, "after": after},
        )
    if bool(criteria) != bool(incident.near_accident):
        key = "near_recognised" if criteria else "near_withdrawn"
        text = word("timeline", key, criteria=word("criterion", "separator").join(criteria))
        write(work, incident, "near_accident.changed", text, {"criteria": criteria})


async def _run_clocks(
    work: Work, incident: IncidentRow, situation: Situation, *, is_first: bool
) -> None:
    """Close what a correction took away, finish the follow-up clock, start what is due now."""
    rows = await repository.clocks(work.session, [incident.id])
    running = [row for row in rows if row.done_at is None and row.closed_at is None]
    closing = to_close(situation, {row.rule_key for row in running})
    for row in running:
        if row.rule_key in FOLLOW_UPS and not is_first:
            row.done_at, row.done_by = work.now, work.actor.name  # this report is the follow-up
        elif row.rule_key in closing:
            row.closed_at = work.now
            row.explanation = word("clock", "closed_by_correction")
    have = {
        row.rule_key
        for row in rows
        if row.closed_at is None and not (row.rule_key in FOLLOW_UPS and row.done_at is not None)
    }
    for start in to_start(situation, have):
        work.session.add(
            ClockRow(
                incident_id=incident.id,
                rule_key=start.rule.key,
                label=start.rule.label,
                basis=start.rule.basis,
                to_whom=start.rule.to_whom,
                starts_at=start.starts_at,
                due_at=start.due_at,
                is_drill=incident.is_drill,
            )
        )
    await work.session.flush()
    tell(work, incident, "clock.updated", {})
