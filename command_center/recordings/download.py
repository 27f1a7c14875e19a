"""One file of a source's many: made by a process of its own, kept until the recording changes."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from .tables import SegmentRow

FOLDER = "downloads"
State = Literal["making", "ready", "failed"]
_log = structlog.get_logger("command_center.recordings")


@dataclass(frozen=True, slots=True)
class Download:
    state: State
    path: Path


class Downloads:
    """`order` begins the making or says how far it is. One of the process; `stop` ends it."""

    def __init__(self) -> None:
        self._making: dict[Path, asyncio.Task[bool]] = {}

    def order(self, folder: Path, segments: Sequence[SegmentRow]) -> Download:
        """`segments` in order, of one source, at least one."""
        path = _path(folder, segments)
        task = self._making.get(path)
        if task is not None and not task.done():
            return Download("making", path)
        if path.exists():
            return Download("ready", path)
        if task is not None:
            self._making.pop(path)
            if not task.result():
                return Download("failed", path)
        files = [folder / row.file_name for row in segments]
        self._making[path] = asyncio.create_task(_make(path, files))
        return Download("making", path)

    def look(self, folder: Path, segments: Sequence[SegmentRow]) -> Download | None:
        """What was ordered; None when nothing was."""
        path = _path(folder, segments)
        if path.exists():
            return Download("ready", path)
        task = self._making.get(path)
        if task is None:
            return None
        return Download("making" if not task.done() else "failed", path)

    async def stop(self) -> None:
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)


def _path(folder: Path, segments: Sequence[SegmentRow]) -> Path:
    """Named by its content: a recording that grew gives another file."""
    first = segments[0]
    digest = hashlib.sha256("".join(row.sha256 for row in segments).encode()).hexdigest()[:12]
    suffix = Path(first.file_name).suffix
    return folder / FOLDER / f"{first.source.replace(':', '-')}-{digest}{suffix}"


async def _make(path: Path, files: Sequence[Path]) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "video_bridge.recording.join", str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate("\n".join(map(str, files)).encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        _log.warning("download_failed", said=said.decode(errors="replace")[-400:])
    return process.returncode == 0


def broken_files(folder: Path, segments: Sequence[SegmentRow]) -> list[str]:
    """Files that are missing or not what was written (SHA-256 and SM3). Reads them all."""
    return [row.file_name for row in segments if not _is_whole(folder / row.file_name, row)]


def _is_whole(path: Path, row: SegmentRow) -> bool:
    sha256, sm3 = hashlib.sha256(), hashlib.new("sm3")
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                sha256.update(part)
                sm3.update(part)
    except OSError:
        return False
    return (sha256.hexdigest(), sm3.hexdigest()) == (row.sha256, row.sm3)
