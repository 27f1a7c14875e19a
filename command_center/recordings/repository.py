"""Queries of the recordings room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from ..consultation.tables import ConsultationRow
from .errors import LocalRecordingError
from .tables import BookmarkRow, LiveOutputRow, RecordingRow, SegmentRow


async def recording(
    session: AsyncSession, recording_id: UUID, *, lock: bool = False
) -> tuple[RecordingRow, ConsultationRow]:
    """Raises LocalRecordingError `recording_not_found`."""
    query = (
        select(RecordingRow, ConsultationRow)
        .join(ConsultationRow, col(ConsultationRow.id) == RecordingRow.consultation_id)
        .where(RecordingRow.id == recording_id)
    )
    if lock:
        query = query.with_for_update(of=RecordingRow)
    found = (await session.execute(query)).first()
    if found is None:
        raise LocalRecordingError("recording_not_found")
    return found[0], found[1]


async def recordings(
    session: AsyncSession,
    *,
    region_prefix: str,
    consultation_id: UUID | None,
    incident_id: UUID | None,
    limit: int,
) -> list[tuple[RecordingRow, ConsultationRow]]:
    """Newest first, of one's region."""
    query = select(RecordingRow, ConsultationRow).join(
        ConsultationRow, col(ConsultationRow.id) == RecordingRow.consultation_id
    )
    if region_prefix:
        query = query.where(
            col(ConsultationRow.region_code).startswith(region_prefix)
            | (col(ConsultationRow.region_code) == "")
        )
    if consultation_id is not None:
        query = query.where(RecordingRow.consultation_id == consultation_id)
    if incident_id is not None:
        query = query.where(ConsultationRow.incident_id == incident_id)
    query = query.order_by(col(RecordingRow.started_at).desc()).limit(limit)
    return [(row, of) for row, of in (await session.execute(query)).all()]


async def running(session: AsyncSession) -> list[tuple[RecordingRow, bool]]:
    """Recordings that should run, and whether their consultation is open."""
    query = (
        select(RecordingRow, ConsultationRow.state)
        .join(ConsultationRow, col(ConsultationRow.id) == RecordingRow.consultation_id)
        .where(RecordingRow.state == "running")
    )
    return [(row, state == "open") for row, state in (await session.execute(query)).all()]


async def running_of(session: AsyncSession, consultation_id: UUID) -> RecordingRow | None:
    query = select(RecordingRow).where(
        RecordingRow.consultation_id == consultation_id, RecordingRow.state == "running"
    )
    return (await session.execute(query)).scalars().first()


async def older_than(session: AsyncSession, before: datetime) -> Sequence[RecordingRow]:
    """Stopped recordings whose files may go."""
    query = select(RecordingRow).where(
        RecordingRow.state == "stopped", col(RecordingRow.stopped_at) < before
    )
    return (await session.execute(query.limit(100))).scalars().all()


async def segments(
    session: AsyncSession, recording_id: UUID, source: str | None = None
) -> Sequence[SegmentRow]:
    query = select(SegmentRow).where(SegmentRow.recording_id == recording_id)
    if source is not None:
        query = query.where(SegmentRow.source == source)
    query = query.order_by(col(SegmentRow.source), col(SegmentRow.sequence))
    return (await session.execute(query)).scalars().all()


async def segment_of_file(session: AsyncSession, recording_id: UUID, file_name: str) -> SegmentRow:
    """Raises LocalRecordingError `recording_source_not_found`."""
    query = select(SegmentRow).where(
        SegmentRow.recording_id == recording_id, SegmentRow.file_name == file_name
    )
    found = (await session.execute(query)).scalars().first()
    if found is None:
        raise LocalRecordingError("recording_source_not_found")
    return found


async def sizes(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Bytes of all files, and milliseconds of the programme, by recording."""
    is_programme = col(SegmentRow.source) == "programme"
    query = (
        select(
            SegmentRow.recording_id,
            func.sum(SegmentRow.size_bytes),
            func.coalesce(func.sum(SegmentRow.duration_ms).filter(is_programme), 0),
        )
        .where(col(SegmentRow.recording_id).in_(ids))
        .group_by(col(SegmentRow.recording_id))
    )
    return {id_: (int(size), int(ms)) for id_, size, ms in (await session.execute(query)).all()}


async def book(session: AsyncSession, row: SegmentRow) -> None:
    """A closed segment; booked already: nothing to do."""
    values = row.model_dump()
    statement = insert(SegmentRow).values(**values).on_conflict_do_nothing()
    await session.execute(statement)


async def bookmarks(session: AsyncSession, recording_id: UUID) -> Sequence[BookmarkRow]:
    query = select(BookmarkRow).where(BookmarkRow.recording_id == recording_id)
    return (await session.execute(query.order_by(col(BookmarkRow.at)))).scalars().all()


async def live_output(
    session: AsyncSession, live_id: UUID, *, lock: bool = False
) -> tuple[LiveOutputRow, ConsultationRow]:
    """Raises LocalRecordingError `live_output_not_found`."""
    query = (
        select(LiveOutputRow, ConsultationRow)
        .join(ConsultationRow, col(ConsultationRow.id) == LiveOutputRow.consultation_id)
        .where(LiveOutputRow.id == live_id)
    )
    if lock:
        query = query.with_for_update(of=LiveOutputRow)
    found = (await session.execute(query)).first()
    if found is None:
        raise LocalRecordingError("live_output_not_found")
    return found[0], found[1]


async def live_outputs(session: AsyncSession, consultation_id: UUID) -> Sequence[LiveOutputRow]:
    """Those that run."""
    query = select(LiveOutputRow).where(
        LiveOutputRow.consultation_id == consultation_id, LiveOutputRow.state == "running"
    )
    return (await session.execute(query.order_by(col(LiveOutputRow.started_at)))).scalars().all()


async def running_lives(session: AsyncSession) -> list[tuple[LiveOutputRow, bool]]:
    """Live outputs that should run, and whether their consultation is open."""
    query = (
        select(LiveOutputRow, ConsultationRow.state)
        .join(ConsultationRow, col(ConsultationRow.id) == LiveOutputRow.consultation_id)
        .where(LiveOutputRow.state == "running")
    )
    return [(row, state == "open") for row, state in (await session.execute(query)).all()]
