"""Segments on the disk: written beside their name, hashed as they grow, then fsync and rename.

A `.part` file that its writer left behind (kill -9, a full disk) is cut to its last whole
fragment and kept: `salvage`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import av
import av.error

from ..errors import RemoteMediaError, VideoBridgeError
from ..messages import ClosedSegment
from . import boxes
from .times import TICKS_PER_S

PART = ".part"
MANIFEST = "segments.jsonl"
ZERO = "recording.json"
_CODECS = {"h264": "H264", "vp8": "VP8", "h263": "H263", "h261": "H261"}


class PartFile:
    """`write` until `close`. All its errors are OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + PART)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._fd = os.open(self._part, flags, 0o640)
        self._sha256, self._sm3 = hashlib.sha256(), hashlib.new("sm3")
        self.size = 0

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.write(self._fd, left)
            left = left[written:]
        self.size += len(data)
        self._sha256.update(data)
        self._sm3.update(data)

    def close(self) -> tuple[str, str]:
        """On the disk and under its name; SHA-256 and SM3 in hexadecimal."""
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
        _publish(self._part, self.path)
        return self._sha256.hexdigest(), self._sm3.hexdigest()

    def abandon(self) -> None:
        """Leave the part for `salvage`."""
        with contextlib.suppress(OSError):
            os.close(self._fd)


def _publish(part: Path, path: Path) -> None:
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def file_name(source: str, sequence: int, suffix: str) -> str:
    return f"{source.replace(':', '-')}-{sequence:06d}.{suffix}"


def zero_of(folder: Path, now_ms: int) -> int:
    """The recording's zero, ms since 1970: of the folder's first start."""
    path = folder / ZERO
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads(path.read_text())["zero_ms"])
    part = path.with_name(ZERO + PART)
    part.write_text(json.dumps({"zero_ms": now_ms}))
    part.rename(path)
    return now_ms


def note(folder: Path, segment: ClosedSegment) -> None:
    """One more line of the manifest."""
    line = json.dumps(segment.model_dump(), ensure_ascii=False) + "\n"
    with (folder / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write(line)
        manifest.flush()
        os.fsync(manifest.fileno())


def manifest(folder: Path) -> Iterator[ClosedSegment]:
    """What was closed; a line that was cut by a full disk is passed over."""
    with contextlib.suppress(FileNotFoundError):
        for line in (folder / MANIFEST).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                yield ClosedSegment.model_validate_json(line)


def next_sequences(folder: Path) -> dict[str, int]:
    """By source as it stands in file names: the number after the highest that is there."""
    found: dict[str, int] = {}
    for path in folder.iterdir():
        stem, _, number = path.name.split(".")[0].rpartition("-")
        if stem and number.isdigit():
            found[stem] = max(found.get(stem, 1), int(number) + 1)
    return found


def parts(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob(f"*{PART}") if p.name != ZERO + PART)


def salvage(part: Path, zero_ms: int, name: str = "") -> ClosedSegment | None:
    """Close what a dead writer left: all but its last second. None: nothing could be kept."""
    data = part.read_bytes()
    path = part.with_name(part.name.removesuffix(PART))
    try:
        whole, head_bytes = len(data), 0
        if path.suffix == ".mp4":
            found = boxes.span(data)
            whole, head_bytes = found.whole_bytes, found.head_bytes
        data = data[:whole]
        codec, size, start, end = _probe(part, whole)
    except (VideoBridgeError, av.error.FFmpegError, ValueError):
        part.unlink(missing_ok=True)
        return None
    os.truncate(part, whole)
    fd = os.open(part, os.O_WRONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    _publish(part, path)
    stem, _, number = path.stem.rpartition("-")
    return ClosedSegment(
        source=stem.replace("-", ":", 1), name=name, sequence=int(number), file_name=path.name,
        codec=codec, width=size[0], height=size[1],
        started_at_ms=zero_ms + start * 1000 // TICKS_PER_S,
        duration_ms=(end - start) * 1000 // TICKS_PER_S,
        size_bytes=whole, head_bytes=head_bytes,
        sha256=hashlib.sha256(data).hexdigest(), sm3=hashlib.new("sm3", data).hexdigest(),
    )  # fmt: skip


def _probe(path: Path, whole: int) -> tuple[str, tuple[int, int], int, int]:
    """Codec, size, first and last time (ticks) of the pictures in the first `whole` bytes."""
    os.truncate(path, whole)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [
            round(packet.pts * float(packet.time_base) * TICKS_PER_S)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None
        ]
        if not times:
            raise RemoteMediaError("recording_malformed")
        context = stream.codec_context
        codec = _CODECS.get(context.name, context.name)
        return codec, (context.width, context.height), min(times), max(times)
