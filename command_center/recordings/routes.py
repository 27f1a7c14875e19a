"""Routes of recordings and live outputs."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from ..consultation.desk_routes import visible as visible_consultation
from ..consultation.service import require_sight
from ..consultation.tables import ConsultationRow
from ..security import Permission
from ..web import Context, route
from . import repository, service
from .download import Download, Downloads, broken_files
from .errors import LocalRecordingError
from .keeper import RecordingKeeper
from .schemas import (
    BookmarkIn,
    DownloadIn,
    DownloadOut,
    LiveIn,
    LiveOutputOut,
    LiveOutputsOut,
    RecordingDetailOut,
    RecordingOut,
    RecordingsOut,
    StartIn,
    VerifiedOut,
)
from .settings import RecordingSettings
from .tables import RecordingRow, SegmentRow
from .view import detail_out, live_out, playlist, recording_out

READ = Permission.RECORDING_READ
_ONE = "/recordings/{recording_id}"
_M3U8 = "application/vnd.apple.mpegurl"
_TYPES = {".mp4": "video/mp4", ".mkv": "video/x-matroska"}
_LIVE_FILE = re.compile(r"programme-[0-9]{1,9}\.mp4")


def _settings(ctx: Context[Any]) -> RecordingSettings:
    return ctx.service(RecordingKeeper).settings


def _retention(ctx: Context[Any]) -> timedelta:
    return timedelta(days=_settings(ctx).retention_days)


def _folder(ctx: Context[Any], row: RecordingRow) -> Path:
    return _settings(ctx).recording_folder(row.id)


async def _out(ctx: Context[Any], row: RecordingRow, consultation: ConsultationRow) -> RecordingOut:
    sizes = await repository.sizes(ctx.work.session, [row.id])
    return recording_out(row, consultation, sizes.get(row.id, (0, 0)), _retention(ctx))


async def _detail(ctx: Context[Any], recording_id: UUID) -> RecordingDetailOut:
    row, consultation = await service.visible(ctx.work, recording_id)
    segments = await repository.segments(ctx.work.session, row.id)
    marks = await repository.bookmarks(ctx.work.session, row.id)
    return detail_out(await _out(ctx, row, consultation), segments, marks)


@route(
    "POST",
    "/consultations/{consultation_id}/recordings",
    access=service.start,
    body=StartIn,
    reply=RecordingDetailOut,
    status=201,
)
async def post_recording(ctx: Context[StartIn]) -> RecordingDetailOut:
    """Begin to record the consultation."""
    row = await service.start(ctx.work, ctx.path_id("consultation_id"))
    return await _detail(ctx, row.id)


@route("POST", f"{_ONE}/stop", access=service.stop, reply=RecordingDetailOut)
async def post_stop(ctx: Context[None]) -> RecordingDetailOut:
    """Stop recording."""
    row = await service.stop(ctx.work, ctx.path_id("recording_id"))
    return await _detail(ctx, row.id)


@route("GET", "/recordings", access=READ, reply=RecordingsOut)
async def list_recordings(ctx: Context[None]) -> RecordingsOut:
    """Recordings of one's region, newest first."""
    found = await repository.recordings(
        ctx.work.session,
        region_prefix=ctx.actor.region_prefix,
        consultation_id=_query_id(ctx, "consultation_id"),
        incident_id=_query_id(ctx, "incident_id"),
        limit=ctx.query_int("limit", 50, low=1, high=200),
    )
    sizes = await repository.sizes(ctx.work.session, [row.id for row, _ in found])
    return RecordingsOut(
        items=[
            recording_out(row, consultation, sizes.get(row.id, (0, 0)), _retention(ctx))
            for row, consultation in found
        ]
    )


def _query_id(ctx: Context[Any], name: str) -> UUID | None:
    """An id of the query; one that is none finds nothing."""
    text = ctx.query(name)
    try:
        return UUID(text) if text else None
    except ValueError:
        return UUID(int=0)


@route("GET", _ONE, access=READ, reply=RecordingDetailOut)
async def get_recording(ctx: Context[None]) -> RecordingDetailOut:
    """One recording with its films and bookmarks."""
    return await _detail(ctx, ctx.path_id("recording_id"))


@route(
    "POST",
    f"{_ONE}/bookmarks",
    access=service.bookmark,
    body=BookmarkIn,
    reply=RecordingDetailOut,
    status=201,
)
async def post_bookmark(ctx: Context[BookmarkIn]) -> RecordingDetailOut:
    """Mark this moment."""
    mark = await service.bookmark(ctx.work, ctx.path_id("recording_id"), ctx.body.text)
    return await _detail(ctx, mark.recording_id)


async def _film(ctx: Context[Any], row: RecordingRow, source: str) -> list[SegmentRow]:
    """A source's segments. Raises `recording_expired`, `recording_source_not_found`."""
    if row.state == "expired":
        raise LocalRecordingError("recording_expired")
    found = await repository.segments(ctx.work.session, row.id, source)
    if not found:
        raise LocalRecordingError("recording_source_not_found")
    return list(found)


@route("GET", f"{_ONE}/films/{{source}}.m3u8", access=READ)
async def get_film(ctx: Context[None]) -> web.Response:
    """The HLS playlist of one source."""
    row, _ = await service.visible(ctx.work, ctx.path_id("recording_id"))
    segments = await _film(ctx, row, ctx.path("source"))
    if any(segment.codec != "H264" for segment in segments):
        raise LocalRecordingError("recording_not_playable")
    text = playlist(segments, is_ended=row.state != "running")
    return web.Response(text=text, content_type=_M3U8, headers={"Cache-Control": "no-cache"})


@route("GET", f"{_ONE}/files/{{file_name}}", access=READ)
async def get_file(ctx: Context[None]) -> web.StreamResponse:
    """One segment, whole or by byte ranges."""
    row, _ = await service.visible(ctx.work, ctx.path_id("recording_id"))
    if row.state == "expired":
        raise LocalRecordingError("recording_expired")
    segment = await repository.segment_of_file(ctx.work.session, row.id, ctx.path("file_name"))
    return await _file(_folder(ctx, row) / segment.file_name)


async def _file(path: Path, *, attachment: str | None = None) -> web.StreamResponse:
    if not await asyncio.to_thread(path.is_file):
        raise LocalRecordingError("recording_source_not_found")
    headers = {"Content-Type": _TYPES.get(path.suffix, "application/octet-stream")}
    if attachment is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(attachment)}"
    return web.FileResponse(path, headers=headers)


@route(
    "POST",
    f"{_ONE}/downloads",
    access=service.order_download,
    body=DownloadIn,
    reply=DownloadOut,
    status=202,
)
async def post_download(ctx: Context[DownloadIn]) -> DownloadOut:
    """Order one file of a source; ask again until it is ready."""
    source = ctx.body.source
    row = await service.order_download(ctx.work, ctx.path_id("recording_id"), source)
    segments = await _film(ctx, row, source)
    return _download_out(source, ctx.service(Downloads).order(_folder(ctx, row), segments), row)


def _download_out(source: str, found: Download, row: RecordingRow) -> DownloadOut:
    size = found.path.stat().st_size if found.state == "ready" else None
    name = _film_name(row, found.path.suffix)
    return DownloadOut(source=source, state=found.state, file_name=name, size_bytes=size)


def _film_name(row: RecordingRow, suffix: str) -> str:
    title = re.sub(r"[^\w\-（）]+", "_", row.title)[:60]
    return f"{title}-{row.started_at:%Y%m%d-%H%M%S}{suffix}"


@route("GET", f"{_ONE}/downloads/{{source}}", access=READ)
async def get_download(ctx: Context[None]) -> web.StreamResponse:
    """The file that was ordered. `download_not_ready` while it is being made."""
    row, _ = await service.visible(ctx.work, ctx.path_id("recording_id"))
    segments = await _film(ctx, row, ctx.path("source"))
    found = ctx.service(Downloads).look(_folder(ctx, row), segments)
    if found is None or found.state != "ready":
        raise LocalRecordingError("download_not_ready")
    return await _file(found.path, attachment=_film_name(row, found.path.suffix))


@route("POST", f"{_ONE}/verify", access=service.order_verification, reply=VerifiedOut)
async def post_verify(ctx: Context[None]) -> VerifiedOut:
    """Compare every file with its hashes: one flipped bit is found."""
    row = await service.order_verification(ctx.work, ctx.path_id("recording_id"))
    segments = await repository.segments(ctx.work.session, row.id)
    broken = await asyncio.to_thread(broken_files, _folder(ctx, row), segments)
    return VerifiedOut(checked=len(segments), broken=broken)


# --- live out --------------------------------------------------------------------------------


@route("GET", "/consultations/{consultation_id}/live-outputs", access=Permission.CONSULTATION_READ,
       reply=LiveOutputsOut)  # fmt: skip
async def list_lives(ctx: Context[None]) -> LiveOutputsOut:
    """Live outputs that run."""
    consultation = await visible_consultation(ctx.work, ctx.path_id("consultation_id"))
    rows = await repository.live_outputs(ctx.work.session, consultation.id)
    return LiveOutputsOut(items=[live_out(row) for row in rows])


@route(
    "POST",
    "/consultations/{consultation_id}/live-outputs",
    access=service.start_live,
    body=LiveIn,
    reply=LiveOutputOut,
    status=201,
)
async def post_live(ctx: Context[LiveIn]) -> LiveOutputOut:
    """Give the programme out: HLS for the console, or an RTMP push."""
    body = ctx.body
    row = await service.start_live(
        ctx.work, ctx.path_id("consultation_id"), body.kind, body.target, body.delay_s
    )
    return live_out(row)


@route("POST", "/live-outputs/{live_id}/stop", access=service.stop_live, reply=LiveOutputOut)
async def post_live_stop(ctx: Context[None]) -> LiveOutputOut:
    """End a live output."""
    return live_out(await service.stop_live(ctx.work, ctx.path_id("live_id")))


async def _live_folder(ctx: Context[Any]) -> Path:
    row, consultation = await repository.live_output(ctx.work.session, ctx.path_id("live_id"))
    require_sight(ctx.actor, consultation)
    if row.kind != "hls":
        raise LocalRecordingError("live_output_not_found")
    return _settings(ctx).live_folder(row.id)


@route("GET", "/live-outputs/{live_id}/live.m3u8", access=Permission.CONSULTATION_READ)
async def get_live_playlist(ctx: Context[None]) -> web.Response:
    """The live playlist; not found until the first segment is there."""
    path = await _live_folder(ctx) / "live.m3u8"
    try:
        text = await asyncio.to_thread(path.read_text)
    except OSError as error:
        raise LocalRecordingError("live_output_not_found") from error
    return web.Response(text=text, content_type=_M3U8, headers={"Cache-Control": "no-cache"})


@route("GET", "/live-outputs/{live_id}/{file_name}", access=Permission.CONSULTATION_READ)
async def get_live_file(ctx: Context[None]) -> web.StreamResponse:
    """One segment of a live output."""
    name = ctx.path("file_name")
    if not _LIVE_FILE.fullmatch(name):
        raise LocalRecordingError("live_output_not_found")
    return await _file(await _live_folder(ctx) / name)


ROUTES = [
    post_recording,
    post_stop,
    list_recordings,
    get_recording,
    post_bookmark,
    get_film,
    get_file,
    post_download,
    get_download,
    post_verify,
    list_lives,
    post_live,
    post_live_stop,
    get_live_playlist,
    get_live_file,
]
