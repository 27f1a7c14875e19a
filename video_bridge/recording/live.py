"""Live out: the programme as HLS in a folder, or pushed by RTMP; with or without a delay."""

from __future__ import annotations

import contextlib
import io
import json
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from ..messages import ClosedSegment
from . import boxes
from .muxing import Mp4Muxer
from .playlist import PlaylistEntry, hls_playlist
from .recorder import Recorder, Say
from .sizes import size_of
from .sound import AacEncoder
from .times import TICKS_PER_S, MediaTime
from .wire import Kind, Parcel

HLS_SEGMENT_S = 2.0
LISTED, KEPT = 6, 12  # segments in the playlist, and on the disk for who reads an older one
PLAYLIST = "live.m3u8"
RETRY_US = 3_000_000
CONNECT_S, WRITE_S = 5.0, 5.0


class HlsOut(Recorder):
    """A recording that forgets: only its newest segments are listed and kept."""

    def __init__(self, folder: Path, say: Say, wall_us: int, *, minimum_free_bytes: int) -> None:
        self._hls_folder = folder
        self._listed: deque[ClosedSegment] = deque()
        super().__init__(
            folder, say, wall_us, minimum_free_bytes=minimum_free_bytes, segment_s=HLS_SEGMENT_S
        )

    def _closed(self, segment: ClosedSegment) -> None:
        self._listed.append(segment)
        while len(self._listed) > LISTED:
            self._listed.popleft()
        for path in self._hls_folder.glob("*.mp4"):  # those of a dead predecessor, too
            number = path.stem.rpartition("-")[2]
            if number.isdigit() and int(number) <= segment.sequence - KEPT:
                path.unlink(missing_ok=True)
        self._write_playlist(is_ended=False)

    def _write_playlist(self, *, is_ended: bool) -> None:
        entries = [
            PlaylistEntry(s.file_name, s.head_bytes, s.size_bytes, s.started_at_ms, s.duration_ms)
            for s in self._listed
        ]
        path = self._hls_folder / PLAYLIST
        part = path.with_name(PLAYLIST + ".part")
        first = self._listed[0].sequence if self._listed else 1
        text = hls_playlist(entries, first_number=first)
        part.write_text(text + ("#EXT-X-ENDLIST\n" if is_ended else ""))
        part.rename(path)

    def close(self) -> None:
        super().close()
        with contextlib.suppress(OSError):
            self._write_playlist(is_ended=True)


class RtmpPush:
    """The programme remuxed to FLV and pushed; connected again and again until closed."""

    def __init__(self, url: str, say: Say, wall_us: int) -> None:
        self._url = url
        self._say = say
        self._zero_us = wall_us
        self._times = MediaTime(wall_us)
        self._aac = AacEncoder(wall_us)
        self._stream = 0
        self._container: Any = None
        self._tracks: tuple[Any, Any] | None = None
        self._retry_us = 0
        self._is_failed = False
        self._start_ticks = 0

    def take(self, parcel: Parcel) -> None:
        if parcel.kind == Kind.STREAM:
            self._stream = parcel.stream
            self._codec = str(json.loads(parcel.body)["codec"])
        elif parcel.kind == Kind.PICTURE and parcel.stream == self._stream:
            self._picture(parcel)
        elif parcel.kind == Kind.SOUND:
            samples = np.frombuffer(parcel.body[: len(parcel.body) & ~1], "<i2").astype(np.int16)
            for time, frame in self._aac.push(samples, parcel.wall_us):
                self._send(1, frame, time, boxes.AUDIO_CLOCK)

    def _picture(self, parcel: Parcel) -> None:
        ticks = self._times.at(parcel.timestamp, parcel.wall_us)
        if self._container is None:
            if not parcel.is_key:
                self._ask(parcel)
                return
            if parcel.wall_us >= self._retry_us:
                self._connect(parcel, ticks)
        self._send(0, boxes.length_prefixed(parcel.body), ticks, TICKS_PER_S, is_key=parcel.is_key)

    def _ask(self, parcel: Parcel) -> None:
        if parcel.wall_us >= self._retry_us:
            self._retry_us = parcel.wall_us + 500_000
            self._say({"event": "key", "stream": parcel.stream})

    def _connect(self, parcel: Parcel, ticks: int) -> None:
        self._retry_us = parcel.wall_us + RETRY_US
        size = size_of("H264", parcel.body)
        template = _template(parcel.body, size, self._aac.config)
        try:
            container = av.open(
                self._url, "w", format="flv", timeout=(CONNECT_S, WRITE_S),
                options={"flvflags": "no_duration_filesize"},
            )  # fmt: skip
            video = container.add_stream_from_template(template.streams.video[0])
            audio = container.add_stream_from_template(template.streams.audio[0])
            container.start_encoding()
        except (av.error.FFmpegError, OSError, ValueError):
            self._fail()
            return
        finally:
            template.close()
        self._container, self._tracks = container, (video, audio)
        self._start_ticks = ticks
        self._is_failed = False
        self._say({"event": "writing"})

    def _send(self, track: int, data: bytes, time: int, clock: int, *, is_key: bool = True) -> None:
        if self._container is None or self._tracks is None:
            return
        time -= self._start_ticks * clock // TICKS_PER_S
        if time < 0:
            return
        packet = av.Packet(data)
        packet.stream = self._tracks[track]
        packet.time_base = Fraction(1, clock)
        packet.pts = packet.dts = time
        packet.is_keyframe = is_key
        try:
            self._container.mux(packet)
        except (av.error.FFmpegError, OSError):
            self._fail()

    def _fail(self) -> None:
        container, self._container, self._tracks = self._container, None, None
        if container is not None:
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()
        if not self._is_failed:
            self._is_failed = True
            self._say({"event": "failed", "code": "live_target_unreachable"})

    def tick(self, wall_us: int) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()


def _template(key_frame: bytes, size: tuple[int, int], aac_config: bytes) -> Any:
    """A container opened on one picture, whose streams know codec and parameters."""
    muxer = Mp4Muxer(key_frame, size, aac_config=aac_config)
    data = muxer.picture(key_frame, 0, is_key=True) + muxer.finish(3600)
    return av.open(io.BytesIO(data))


class Delayed:
    """Holds pictures and sound back for `delay_us` before `take` gets them."""

    def __init__(self, take: Callable[[Parcel], None], delay_us: int) -> None:
        self._take = take
        self._delay_us = delay_us
        self._held: deque[Parcel] = deque()

    def take(self, parcel: Parcel) -> None:
        if self._delay_us == 0 or parcel.kind not in (Kind.PICTURE, Kind.SOUND):
            self._take(parcel)
        else:
            self._held.append(parcel)

    def tick(self, wall_us: int) -> None:
        while self._held and self._held[0].wall_us + self._delay_us <= wall_us:
            self._take(self._held.popleft())
