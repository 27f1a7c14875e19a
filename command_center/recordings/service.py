"""What the desk may do with recordings and live outputs."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from ..consultation.service import open_consultation_row, require_sight
from ..consultation.tables import ConsultationRow
from ..incidents import repository as incidents
from ..incidents import timeline
from ..security import Permission, Work, service_call
from . import repository
from .errors import LocalRecordingError
from .tables import BookmarkRow, LiveOutputRow, RecordingRow
from .words import word

CONTROL = Permission.RECORDING_CONTROL


async def visible(work: Work, recording_id: UUID) -> tuple[RecordingRow, ConsultationRow]:
    """A recording that the actor may see. Raises `recording_not_found`."""
    row, consultation = await repository.recording(work.session, recording_id)
    _require_sight(work, consultation, "recording_not_found")
    return row, consultation


def _require_sight(work: Work, consultation: ConsultationRow, code: str) -> None:
    try:
        require_sight(work.actor, consultation)
    except Exception as error:
        raise LocalRecordingError(code) from error


@service_call(permission=CONTROL, audit="recording.start")
async def start(work: Work, consultation_id: UUID) -> RecordingRow:
    """Begin to record. Raises `recording_running_already`."""
    consultation = await open_consultation_row(work, consultation_id)
    if await repository.running_of(work.session, consultation_id) is not None:
        raise LocalRecordingError("recording_running_already")
    row = RecordingRow(
        consultation_id=consultation.id,
        title=consultation.title,
        started_at=work.now,
        started_by_name=work.actor.name,
        is_drill=consultation.is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    work.concerns("recording", row.id, is_drill=row.is_drill)
    tell(work, row, consultation)
    await note(work, consultation, "recording.started", word("timeline", "started"), row.id)
    return row


@service_call(permission=CONTROL, audit="recording.stop")
async def stop(work: Work, recording_id: UUID) -> RecordingRow:
    """Raises `recording_not_running`."""
    await visible(work, recording_id)
    row, consultation = await repository.recording(work.session, recording_id, lock=True)
    if row.state != "running":
        raise LocalRecordingError("recording_not_running")
    await end(work, row, consultation)
    work.concerns("recording", row.id, is_drill=row.is_drill)
    return row


async def end(work: Work, row: RecordingRow, consultation: ConsultationRow) -> None:
    """By the desk, or because the consultation ended."""
    row.state, row.stopped_at = "stopped", work.now
    row.alarm_code = row.alarm_at = None
    work.session.add(row)
    tell(work, row, consultation)
    await note(work, consultation, "recording.stopped", word("timeline", "stopped"), row.id)


@service_call(permission=CONTROL, audit="recording.bookmark")
async def bookmark(work: Work, recording_id: UUID, text: str) -> BookmarkRow:
    """Mark this moment. Raises `recording_not_running`: later there is nothing to mark by hand."""
    row, consultation = await visible(work, recording_id)
    if row.state != "running":
        raise LocalRecordingError("recording_not_running")
    mark = BookmarkRow(
        recording_id=row.id,
        at=work.now,
        text=text,
        made_by_name=work.actor.name,
        is_drill=row.is_drill,
    )
    work.session.add(mark)
    await work.session.flush()
    work.concerns("recording", row.id, is_drill=row.is_drill, bookmark_id=str(mark.id))
    tell(work, row, consultation)
    sentence = word("timeline", "bookmark", text=text)
    await note(work, consultation, "recording.bookmark", sentence, row.id)
    return mark


@service_call(permission=Permission.RECORDING_READ, audit="recording.download")
async def order_download(work: Work, recording_id: UUID, source: str) -> RecordingRow:
    """That somebody takes a film out of the house is audited. Raises `recording_expired`."""
    row, _ = await visible(work, recording_id)
    if row.state == "expired":
        raise LocalRecordingError("recording_expired")
    if not await repository.segments(work.session, row.id, source):
        raise LocalRecordingError("recording_source_not_found")
    work.concerns("recording", row.id, is_drill=row.is_drill, source=source)
    return row


@service_call(permission=Permission.RECORDING_READ, audit="recording.verify")
async def order_verification(work: Work, recording_id: UUID) -> RecordingRow:
    """That the files' hashes are looked at is audited. Raises `recording_expired`."""
    row, _ = await visible(work, recording_id)
    if row.state == "expired":
        raise LocalRecordingError("recording_expired")
    work.concerns("recording", row.id, is_drill=row.is_drill)
    return row


# --- live out --------------------------------------------------------------------------------


@service_call(permission=CONTROL, audit="live_output.start")
async def start_live(
    work: Work, consultation_id: UUID, kind: str, target: str, delay_s: float
) -> LiveOutputRow:
    """Raises `live_target_refused`, `live_output_running_already`."""
    consultation = await open_consultation_row(work, consultation_id)
    target = checked_target(target) if kind == "rtmp" else ""
    for other in await repository.live_outputs(work.session, consultation_id):
        if (other.kind, other.target) == (kind, target):
            raise LocalRecordingError("live_output_running_already")
    row = LiveOutputRow(
        consultation_id=consultation.id,
        kind=kind,
        target=target,
        delay_s=delay_s,
        started_at=work.now,
        started_by_name=work.actor.name,
        is_drill=consultation.is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    work.concerns("live_output", row.id, is_drill=row.is_drill, output=kind)
    tell_live(work, row, consultation)
    await note(work, consultation, "live.started", word("timeline", f"live_{kind}"), row.id)
    return row


def checked_target(target: str) -> str:
    """An RTMP address with a host. Raises `live_target_refused`."""
    try:
        parts = urlsplit(target)
        is_good = parts.scheme in ("rtmp", "rtmps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not target.isprintable() or any(c.isspace() for c in target):
        raise LocalRecordingError("live_target_refused")
    return target


@service_call(permission=CONTROL, audit="live_output.stop")
async def stop_live(work: Work, live_id: UUID) -> LiveOutputRow:
    """Stopping what has stopped is done already."""
    row, consultation = await repository.live_output(work.session, live_id, lock=True)
    _require_sight(work, consultation, "live_output_not_found")
    if row.state == "running":
        await end_live(work, row, consultation)
    work.concerns("live_output", row.id, is_drill=row.is_drill)
    return row


async def end_live(work: Work, row: LiveOutputRow, consultation: ConsultationRow) -> None:
    row.state, row.stopped_at = "stopped", work.now
    row.is_flowing, row.alarm_code = False, None
    work.session.add(row)
    tell_live(work, row, consultation)
    await note(work, consultation, "live.stopped", word("timeline", "live_stopped"), row.id)


# --- telling ---------------------------------------------------------------------------------


def tell(work: Work, row: RecordingRow, consultation: ConsultationRow) -> None:
    work.emit(
        "recording.updated",
        {"id": str(row.id), "state": row.state, "alarm_code": row.alarm_code},
        incident_id=consultation.incident_id,
        consultation_id=consultation.id,
        region_code=consultation.region_code,
        is_drill=row.is_drill,
    )


def tell_live(work: Work, row: LiveOutputRow, consultation: ConsultationRow) -> None:
    work.emit(
        "live_output.updated",
        {
            "id": str(row.id),
            "state": row.state,
            "is_flowing": row.is_flowing,
            "alarm_code": row.alarm_code,
        },
        incident_id=consultation.incident_id,
        consultation_id=consultation.id,
        region_code=consultation.region_code,
        is_drill=row.is_drill,
    )


async def note(work: Work, consultation: ConsultationRow, kind: str, text: str, id_: UUID) -> None:
    """A line on the incident's timeline where the consultation has an incident."""
    if consultation.incident_id is None:
        return
    incident = await incidents.incident(work.session, consultation.incident_id)
    timeline.write(work, incident, kind, text, {"id": str(id_)})
