"""Keeps the media node to what was decided, and books what it closes.

Each web process has one; the one that holds the lock works. It looks each second and when poked:
what should run and does not is started (after a node's restart, too), what runs and should not is
stopped, and every closed segment is booked - from the node's word, or from the folder's own
manifest where nobody listened.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from video_bridge import NodeClient, VideoBridgeError
from video_bridge import messages as node_words

from ..database import sync_url
from ..security import SYSTEM, Desk, Work
from . import repository, service
from .errors import RecordingError
from .settings import MEBIBYTE, RecordingSettings
from .tables import LiveOutputRow, RecordingRow, SegmentRow
from .words import alarm_text, word

LOCK = 0x434C5245  # one working keeper per installation
LOOK_EVERY_S = 1.0
SWEEP_EVERY_S = 3600.0
MANIFEST = "segments.jsonl"
_BOOKED = set(node_words.ClosedSegment.model_fields) - {"started_at_ms"}
_log = structlog.get_logger("command_center.recordings")

_Told = (
    node_words.RecordingSegment
    | node_words.RecordingFailed
    | node_words.RecordingResumed
    | node_words.LiveFailed
    | node_words.LiveFlowing
)


class RecordingKeeper:
    """`start` and `stop` it with the process; `poke` it when something was decided."""

    def __init__(self, desk: Desk, node_socket: Path, settings: RecordingSettings) -> None:
        self._desk = desk
        self.settings = settings
        self._node = NodeClient(node_socket, self._on_event, self._on_link)
        self._told: list[_Told] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._swept_at = float("-inf")
        self._must_read_folders = True

    async def start(self) -> None:
        await self._node.start()
        self._task = asyncio.create_task(self._run(), name="recordings")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._node.stop()

    def poke(self) -> None:
        self._wake.set()

    def _on_event(self, event: node_words.Event) -> None:
        if isinstance(event, _Told):
            self._told.append(event)
            self._wake.set()

    def _on_link(self, is_up: bool) -> None:
        self._must_read_folders = self._must_read_folders or is_up
        self._wake.set()

    # --- the task -------------------------------------------------------------------------

    async def _run(self) -> None:
        """Work while the lock is held; on losing the database begin again."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    sync_url(self._desk.database.url), autocommit=True, connect_timeout=5
                ) as connection:
                    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
                    row = await cursor.fetchone()
                    while row and row[0]:
                        await self._turn()
                        await connection.execute("SELECT 1")  # the lock is the connection's
            except (psycopg.Error, SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("recordings_interrupted", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - outermost loop of the task
                _log.exception("recordings_failed")
                self._told.clear()
            self._told.clear()  # another keeper writes; what is missed stands in the manifests
            self._must_read_folders = True
            await asyncio.sleep(LOOK_EVERY_S)

    async def _turn(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._wake.wait()
        self._wake.clear()
        while self._told:
            await self._write(self._told[0])
            self._told.pop(0)
        await self._reconcile()
        now = asyncio.get_running_loop().time()
        if now - self._swept_at >= SWEEP_EVERY_S:
            self._swept_at = now
            await self._sweep()

    async def _reconcile(self) -> None:
        async with self._desk.database.session() as session:
            recordings = await repository.running(session)
            lives = await repository.running_lives(session)
        await self._end_with_their_consultation(recordings, lives)
        if self._must_read_folders:
            self._must_read_folders = False
            for row, _ in recordings:
                await self._read_folder(row)
        try:
            snapshot = await self._node.snapshot()
            for conference in snapshot.conferences:
                await self._match(conference, recordings, lives)
        except VideoBridgeError as error:
            if error.code in ("media_node_unreachable", "media_node_timeout"):
                await self._show_unreachable([row for row, is_open in recordings if is_open])
            else:
                _log.warning("recording_order_refused", code=error.code)

    async def _match(
        self,
        conference: node_words.ConferenceStats,
        recordings: list[tuple[RecordingRow, bool]],
        lives: list[tuple[LiveOutputRow, bool]],
    ) -> None:
        """Start what should run in this conference, stop what should not."""
        id_ = conference.conference_id
        wanted = {
            str(row.id): row
            for row, is_open in recordings
            if is_open and str(row.consultation_id) == id_
        }
        given = {
            str(row.id): row
            for row, is_open in lives
            if is_open and str(row.consultation_id) == id_
        }
        for recording_id in set(conference.recording_ids) - wanted.keys():
            await self._node.send(node_words.RecordStop(recording_id=recording_id))
            await self._book_the_rest(recording_id)
        for live_id in set(conference.live_ids) - given.keys():
            await self._node.send(node_words.LiveStop(live_id=live_id))
        for recording_id in wanted.keys() - set(conference.recording_ids):
            await self._node.send(self._record_start(id_, recording_id))
        for live_id in given.keys() - set(conference.live_ids):
            await self._node.send(self._live_start(id_, given[live_id]))

    def _record_start(self, conference_id: str, recording_id: str) -> node_words.RecordStart:
        return node_words.RecordStart(
            conference_id=conference_id,
            recording_id=recording_id,
            folder=str(self.settings.recording_folder(UUID(recording_id))),
            minimum_free_bytes=self.settings.minimum_free_mib * MEBIBYTE,
        )

    def _live_start(self, conference_id: str, row: LiveOutputRow) -> node_words.LiveStart:
        target = row.target if row.kind == "rtmp" else str(self.settings.live_folder(row.id))
        return node_words.LiveStart(
            conference_id=conference_id,
            live_id=str(row.id),
            kind="rtmp" if row.kind == "rtmp" else "hls",
            target=target,
            delay_s=row.delay_s,
        )

    async def _end_with_their_consultation(
        self,
        recordings: list[tuple[RecordingRow, bool]],
        lives: list[tuple[LiveOutputRow, bool]],
    ) -> None:
        for row, is_open in recordings:
            if not is_open:
                await self._read_folder(row)
                async with self._desk.work(SYSTEM) as work:
                    fresh, consultation = await repository.recording(
                        work.session, row.id, lock=True
                    )
                    if fresh.state == "running":
                        await service.end(work, fresh, consultation)
        for live, is_open in lives:
            if not is_open:
                async with self._desk.work(SYSTEM) as work:
                    output, consultation = await repository.live_output(
                        work.session, live.id, lock=True
                    )
                    if output.state == "running":
                        await service.end_live(work, output, consultation)
                await asyncio.to_thread(
                    shutil.rmtree, self.settings.live_folder(live.id), ignore_errors=True
                )

    async def _show_unreachable(self, rows: list[RecordingRow]) -> None:
        for row in rows:
            if row.alarm_code is None:
                await self._alarm(row.id, "media_node_unreachable")

    # --- writing --------------------------------------------------------------------------

    async def _write(self, told: _Told) -> None:
        try:
            match told:
                case node_words.RecordingSegment():
                    await self._book(UUID(told.recording_id), [told])
                case node_words.RecordingFailed():
                    await self._alarm(UUID(told.recording_id), told.code)
                case node_words.RecordingResumed():
                    await self._alarm(UUID(told.recording_id), None)
                case node_words.LiveFailed():
                    await self._live_is(UUID(told.live_id), alarm_code=told.code)
                case node_words.LiveFlowing():
                    await self._live_is(UUID(told.live_id), alarm_code=None)
        except (RecordingError, ValueError) as error:  # of a recording that is not ours
            _log.warning("recording_report_dropped", error=str(error))

    async def _book(self, recording_id: UUID, lines: Sequence[node_words.ClosedSegment]) -> None:
        if not lines:
            return
        async with self._desk.work(SYSTEM) as work:
            row, consultation = await repository.recording(work.session, recording_id)
            for line in lines:
                values = line.model_dump(include=_BOOKED)
                started_at = datetime.fromtimestamp(line.started_at_ms / 1000, UTC)
                segment = SegmentRow(
                    **values,
                    recording_id=recording_id,
                    started_at=started_at,
                    is_drill=row.is_drill,
                )
                await repository.book(work.session, segment)
            service.tell(work, row, consultation)
            if row.alarm_code == "media_node_unreachable":
                await self._set_alarm(work, row.id, None)

    async def _read_folder(self, row: RecordingRow) -> None:
        """What was closed while nobody listened."""
        path = self.settings.recording_folder(row.id) / MANIFEST
        lines = await asyncio.to_thread(_manifest, path)
        async with self._desk.database.session() as session:
            known = {s.file_name for s in await repository.segments(session, row.id)}
        await self._book(row.id, [line for line in lines if line.file_name not in known])

    async def _book_the_rest(self, recording_id: str) -> None:
        with contextlib.suppress(RecordingError, ValueError):
            async with self._desk.database.session() as session:
                row, _ = await repository.recording(session, UUID(recording_id))
            await self._read_folder(row)

    async def _alarm(self, recording_id: UUID, code: str | None) -> None:
        async with self._desk.work(SYSTEM) as work:
            await self._set_alarm(work, recording_id, code)

    async def _set_alarm(self, work: Work, recording_id: UUID, code: str | None) -> None:
        row, consultation = await repository.recording(work.session, recording_id, lock=True)
        if row.state != "running" or row.alarm_code == code:
            return
        row.alarm_code, row.alarm_at = code, None if code is None else work.now
        work.session.add(row)
        service.tell(work, row, consultation)
        if code is None:
            sentence = word("timeline", "resumed")
        else:
            sentence = word("timeline", "interrupted", reason=alarm_text(code))
        await service.note(work, consultation, "recording.alarm", sentence, row.id)

    async def _live_is(self, live_id: UUID, *, alarm_code: str | None) -> None:
        async with self._desk.work(SYSTEM) as work:
            row, consultation = await repository.live_output(work.session, live_id, lock=True)
            if row.state != "running":
                return
            row.is_flowing, row.alarm_code = alarm_code is None, alarm_code
            work.session.add(row)
            service.tell_live(work, row, consultation)

    # --- retention ------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Delete files that were kept long enough; the rows stay and say so."""
        before = self._desk.clock() - timedelta(days=self.settings.retention_days)
        async with self._desk.database.session() as session:
            old = await repository.older_than(session, before)
        for row in old:
            folder = self.settings.recording_folder(row.id)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            async with self._desk.work(SYSTEM) as work:
                fresh, consultation = await repository.recording(work.session, row.id, lock=True)
                fresh.state = "expired"
                work.session.add(fresh)
                service.tell(work, fresh, consultation)


def _manifest(path: Path) -> list[node_words.ClosedSegment]:
    """A line that a full disk cut is passed over."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    lines = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            lines.append(node_words.ClosedSegment.model_validate_json(line))
    return lines
