"""What the recorder process does with what it is handed: all sources of one recording.

A disk that is full, or fails, stops the writing and nothing else; it is looked at each second and
writing goes on, on the next key frame, when there is room again.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..messages import ClosedSegment
from . import files
from .segments import SEGMENT_S, SegmentedSource
from .sound import AacEncoder
from .wire import Json, Kind, Parcel

LOOK_EVERY_US = 1_000_000
ROOM_TO_RESUME = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
Say = Callable[[Json], None]


class Recorder:
    """`take` parcels, `tick` often, `close` once. What happens goes to `say`."""

    def __init__(
        self,
        folder: Path,
        say: Say,
        wall_us: int,
        *,
        minimum_free_bytes: int,
        segment_s: float = SEGMENT_S,
    ) -> None:
        self._folder = folder
        self._say = say
        self._minimum_free_bytes = minimum_free_bytes
        self._segment_s = segment_s
        self._sources: dict[str, SegmentedSource] = {}
        self._streams: dict[int, SegmentedSource] = {}
        self._aac: AacEncoder | None = None
        self._zero_ms: int | None = None
        self._sequences: dict[str, int] = {}
        self._trouble: str | None = None
        self._is_writing = False
        self._looked_us = wall_us
        self._begin(wall_us)

    def _begin(self, wall_us: int) -> None:
        """Take the folder over: its zero, its numbers, what a dead recorder left."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._free_bytes() < self._minimum_free_bytes:
                raise OSError(errno.ENOSPC, "less than the minimum is free")
            self._zero_ms = files.zero_of(self._folder, wall_us // 1000)
            self._salvage(self._zero_ms)
            self._sequences = files.next_sequences(self._folder)
            self._trouble = None
        except OSError as error:
            self._fail(error)

    def _salvage(self, zero_ms: int) -> None:
        for part in files.parts(self._folder):
            segment = files.salvage(part, zero_ms)
            if segment is not None:
                self._closed(segment)

    def _free_bytes(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def take(self, parcel: Parcel) -> None:
        """One parcel; the disk's errors end here."""
        try:
            self._take(parcel)
        except OSError as error:
            self._fail(error)

    def _take(self, parcel: Parcel) -> None:
        if parcel.kind == Kind.STREAM:
            self._set_stream(parcel.stream, json.loads(parcel.body))
            return
        if self._trouble is not None:
            return
        source = self._streams.get(parcel.stream)
        if source is None:
            return
        if parcel.kind == Kind.PICTURE:
            asks = source.picture(
                parcel.body,
                is_key=parcel.is_key,
                timestamp=parcel.timestamp,
                wall_us=parcel.wall_us,
            )
            if asks:
                self._say({"event": "key", "stream": parcel.stream})
            if source.is_open and not self._is_writing:
                self._is_writing = True
                self._say({"event": "writing"})
        elif parcel.kind == Kind.SOUND and self._aac is not None:
            samples = np.frombuffer(parcel.body[: len(parcel.body) & ~1], "<i2")
            for time, frame in self._aac.push(samples.astype(np.int16), parcel.wall_us):
                source.sound(frame, time)
        elif parcel.kind == Kind.STREAM_END:
            self._streams.pop(parcel.stream).close()

    def _set_stream(self, stream: int, said: Json) -> None:
        """Told in time of trouble, too: what is not written yet is announced only once."""
        key = str(said["source"])
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = self._new_source(key)
        self._streams[stream] = source
        source.set_stream(str(said.get("name", "")), str(said["codec"]))

    def _new_source(self, key: str) -> SegmentedSource:
        zero_us = (self._zero_ms or self._looked_us // 1000) * 1000
        if key == "programme":
            self._aac = AacEncoder(zero_us)
        return SegmentedSource(
            self._folder,
            key,
            zero_us,
            self._closed,
            first_sequence=self._sequences.get(key.replace(":", "-"), 1),
            segment_s=self._segment_s,
            aac_config=None if self._aac is None or key != "programme" else self._aac.config,
        )

    def _closed(self, segment: ClosedSegment) -> None:
        files.note(self._folder, segment)
        self._say({"event": "segment", **segment.model_dump()})

    def tick(self, wall_us: int) -> None:
        """Look at the disk each second, and at sources from which nothing comes."""
        if abs(wall_us - self._looked_us) < LOOK_EVERY_US:
            return
        self._looked_us = wall_us
        try:
            if self._trouble is None:
                if self._free_bytes() < self._minimum_free_bytes:
                    self._close_all()
                    raise OSError(errno.ENOSPC, "less than the minimum is free")
                for source in self._sources.values():
                    source.close_idle()
            elif self._has_room():
                self._resume(wall_us)
        except OSError as error:
            self._fail(error)

    def _has_room(self) -> bool:
        try:
            return self._free_bytes() >= self._minimum_free_bytes + ROOM_TO_RESUME
        except OSError:
            return False

    def _resume(self, wall_us: int) -> None:
        """Begin anew in the folder; every source on its next key frame, which is asked for."""
        known = dict(self._streams)
        self._sources, self._aac = {}, None
        self._begin(wall_us)
        for stream, source in known.items():
            said = {"source": source.source, "name": source.name, "codec": source.codec}
            self._set_stream(stream, said)
            self._say({"event": "key", "stream": stream})

    def _fail(self, error: OSError) -> None:
        code = "disk_full" if error.errno in _FULL else "recording_write_failed"
        for source in self._sources.values():
            source.abandon()
        self._is_writing = False
        if self._trouble != code:
            self._trouble = code
            self._say({"event": "failed", "code": code})

    def _close_all(self) -> None:
        for source in self._sources.values():
            source.close()

    def close(self) -> None:
        """End every segment; what cannot be closed is left for the next recorder."""
        try:
            self._close_all()
        except OSError as error:
            self._fail(error)
