"""Every query of the incidents room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Sequence as DbSequence
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from resource_dispatch import ReservationState, StockReservation

from ..directory import OrganisationRow
from .errors import (
    IncidentNotFoundError,
    OrderNotFoundError,
    ProposalNotFoundError,
    TaskNotFoundError,
)
from .tables import (
    CasualtySnapshotRow,
    ClockRow,
    DispatchProposalRow,
    IncidentRow,
    OrderRow,
    ReportRow,
    ResponseRow,
    TaskRow,
    TimelineRow,
)


async def next_number(session: AsyncSession, sequence: DbSequence) -> int:
    return int((await session.execute(select(sequence.next_value()))).scalar_one())


async def incident(session: AsyncSession, id_: UUID, *, lock: bool = False) -> IncidentRow:
    """Raises IncidentNotFoundError. `lock` serialises changes of one incident."""
    query = select(IncidentRow).where(col(IncidentRow.id) == id_)
    if lock:
        query = query.with_for_update()
    row: IncidentRow | None = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise IncidentNotFoundError()
    return row


async def incidents(
    session: AsyncSession, *, region_prefix: str, state: str, limit: int
) -> Sequence[IncidentRow]:
    """Newest first. `state` is open, closed or all."""
    query = select(IncidentRow).where(col(IncidentRow.region_code).startswith(region_prefix))
    if state != "all":
        query = query.where(col(IncidentRow.state) == state)
    query = query.order_by(col(IncidentRow.received_at).desc(), col(IncidentRow.id).desc())
    return (await session.scalars(query.limit(limit))).all()


async def reports(session: AsyncSession, incident_id: UUID) -> Sequence[ReportRow]:
    query = select(ReportRow).where(col(ReportRow.incident_id) == incident_id)
    return (await session.scalars(query.order_by(col(ReportRow.ordinal)))).all()


async def next_ordinal(session: AsyncSession, incident_id: UUID) -> int:
    query = select(func.max(ReportRow.ordinal)).where(col(ReportRow.incident_id) == incident_id)
    last = (await session.execute(query)).scalar_one()
    return 0 if last is None else int(last) + 1


async def snapshots(session: AsyncSession, incident_id: UUID) -> Sequence[CasualtySnapshotRow]:
    query = select(CasualtySnapshotRow).where(col(CasualtySnapshotRow.incident_id) == incident_id)
    return (await session.scalars(query.order_by(col(CasualtySnapshotRow.id)))).all()


async def clocks(session: AsyncSession, incident_ids: Iterable[UUID]) -> Sequence[ClockRow]:
    query = select(ClockRow).where(col(ClockRow.incident_id).in_(list(incident_ids)))
    return (await session.scalars(query.order_by(col(ClockRow.due_at), col(ClockRow.id)))).all()


async def finish_clock(
    session: AsyncSession, clock_id: UUID, *, at: datetime, by: str, explanation: str | None
) -> bool:
    """Whether this call was the one that finished it."""
    done = await session.execute(
        update(ClockRow)
        .where(
            col(ClockRow.id) == clock_id,
            col(ClockRow.done_at).is_(None),
            col(ClockRow.closed_at).is_(None),
        )
        .values(done_at=at, done_by=by, explanation=explanation)
        .returning(col(ClockRow.id))
    )
    return done.scalar_one_or_none() is not None


async def timeline(session: AsyncSession, incident_id: UUID) -> Sequence[TimelineRow]:
    query = select(TimelineRow).where(col(TimelineRow.incident_id) == incident_id)
    return (await session.scalars(query.order_by(col(TimelineRow.id)))).all()


async def responses(session: AsyncSession, incident_ids: Iterable[UUID]) -> Sequence[ResponseRow]:
    query = select(ResponseRow).where(col(ResponseRow.incident_id).in_(list(incident_ids)))
    return (await session.scalars(query.order_by(col(ResponseRow.from_at)))).all()


async def tasks(session: AsyncSession, incident_id: UUID) -> Sequence[TaskRow]:
    query = select(TaskRow).where(col(TaskRow.incident_id) == incident_id)
    return (await session.scalars(query.order_by(col(TaskRow.due_at), col(TaskRow.number)))).all()


async def task(session: AsyncSession, incident_id: UUID, task_id: UUID) -> TaskRow:
    """Locked for the change. Raises TaskNotFoundError."""
    query = select(TaskRow).where(
        col(TaskRow.id) == task_id, col(TaskRow.incident_id) == incident_id
    )
    row: TaskRow | None = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if row is None:
        raise TaskNotFoundError()
    return row


async def proposal(
    session: AsyncSession, proposal_id: UUID, *, lock: bool = False
) -> DispatchProposalRow:
    """Raises ProposalNotFoundError."""
    query = select(DispatchProposalRow).where(col(DispatchProposalRow.id) == proposal_id)
    if lock:
        query = query.with_for_update()
    row: DispatchProposalRow | None = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise ProposalNotFoundError()
    return row


async def orders(session: AsyncSession, incident_id: UUID) -> Sequence[OrderRow]:
    query = select(OrderRow).where(col(OrderRow.incident_id) == incident_id)
    return (await session.scalars(query.order_by(col(OrderRow.id)))).all()


async def orders_of_team(
    session: AsyncSession, incident_id: UUID, team_id: UUID
) -> Sequence[OrderRow]:
    query = select(OrderRow).where(
        col(OrderRow.incident_id) == incident_id, col(OrderRow.team_id) == team_id
    )
    return (await session.scalars(query.order_by(col(OrderRow.id)))).all()


async def tasks_with_orders(session: AsyncSession, incident_id: UUID) -> set[UUID]:
    """Tasks that somebody has been sent to and has not declined."""
    query = select(col(OrderRow.task_id)).where(
        col(OrderRow.incident_id) == incident_id,
        col(OrderRow.state).not_in(["declined", "cancelled"]),
        col(OrderRow.task_id).is_not(None),
    )
    return {id_ for id_ in await session.scalars(query) if id_ is not None}


async def tasks_with_stock(session: AsyncSession, incident_id: UUID) -> set[UUID]:
    """Tasks that stock has been promised to."""
    query = select(col(StockReservation.task_id)).where(
        col(StockReservation.incident_id) == incident_id,
        col(StockReservation.state).in_(
            [ReservationState.COMMITTED.value, ReservationState.DEPLOYED.value]
        ),
        col(StockReservation.task_id).is_not(None),
    )
    return {id_ for id_ in await session.scalars(query) if id_ is not None}


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """What a team that was asked answered, and after how many seconds."""

    team_id: str
    is_accepted: bool
    waited_s: int


async def request_answers(
    session: AsyncSession, since: datetime, *, is_drill: bool
) -> list[RequestAnswer]:
    """Answers to requests (商请) issued after `since`."""
    answered_at = func.coalesce(col(OrderRow.accepted_at), col(OrderRow.declined_at))
    query = select(
        col(OrderRow.team_id),
        col(OrderRow.accepted_at).is_not(None),
        func.extract("epoch", answered_at - col(OrderRow.issued_at)),
    ).where(
        col(OrderRow.kind) == "request",
        col(OrderRow.is_drill) == is_drill,
        col(OrderRow.issued_at) > since,
        answered_at.is_not(None),
    )
    return [
        RequestAnswer(str(team_id), is_accepted, max(0, round(waited)))
        for team_id, is_accepted, waited in await session.execute(query)
    ]


async def order(session: AsyncSession, order_id: UUID) -> OrderRow:
    """Raises OrderNotFoundError."""
    row = await session.get(OrderRow, order_id, populate_existing=True)
    if row is None:
        raise OrderNotFoundError()
    return row


async def move_order(
    session: AsyncSession, order_id: UUID, *, allowed: Iterable[str], values: dict[str, Any]
) -> bool:
    """One conditional UPDATE: of many who try at once, exactly one is told True."""
    query = (
        update(OrderRow)
        .where(col(OrderRow.id) == order_id, col(OrderRow.state).in_(list(allowed)))
        .values(**values)
        .returning(col(OrderRow.id))
        .execution_options(synchronize_session=False)
    )
    if "arrived_at" in values:
        query = query.where(col(OrderRow.arrived_at).is_(None))
    return (await session.execute(query)).scalar_one_or_none() is not None


async def region_name(session: AsyncSession, region_code: str) -> str:
    """The name of a division as the directory has it; of its county, its city, or nothing."""
    codes = [region_code, region_code[:6], region_code[:4] + "00"]
    query = select(col(OrganisationRow.region_code), col(OrganisationRow.region_name)).where(
        col(OrganisationRow.region_code).in_(codes), col(OrganisationRow.region_name) != ""
    )
    names = {row[0]: row[1] for row in await session.execute(query.distinct())}
    return next((str(names[code]) for code in codes if code in names), "")


async def has_other_open_drill(session: AsyncSession, incident_id: UUID) -> bool:
    """Whether a drill other than this one goes on."""
    query = select(col(IncidentRow.id)).where(
        col(IncidentRow.is_drill),
        col(IncidentRow.state) == "open",
        col(IncidentRow.id) != incident_id,
    )
    return (await session.execute(query.limit(1))).first() is not None
