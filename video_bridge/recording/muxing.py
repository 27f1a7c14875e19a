"""One segment's bytes: H.264 in fragmented MP4, older codecs and VP8 in Matroska.

A writer takes pictures in order and gives the bytes that may be written by now; what is written
so far can be played at any time, but for the last second.
"""

from __future__ import annotations

from typing import Protocol

from ..errors import LocalMediaError
from . import boxes, matroska
from .times import TICKS_PER_S

FRAGMENT_TICKS = TICKS_PER_S
DEFAULT_TICKS = TICKS_PER_S // 25


class Muxer(Protocol):
    """`head_bytes` of what comes first open the file; 0 where the container has no such part."""

    suffix: str
    head_bytes: int

    def picture(self, frame: bytes, ticks: int, *, is_key: bool) -> bytes:
        """Add one; the bytes that are ready."""

    def sound(self, frame: bytes, samples: int) -> None:
        """Add one AAC frame where the segment has sound."""

    def finish(self, end_ticks: int) -> bytes:
        """The last bytes."""


class Mp4Muxer:
    """H.264 and perhaps AAC, a fragment each second."""

    suffix = "mp4"

    def __init__(
        self, key_frame: bytes, size: tuple[int, int], *, aac_config: bytes | None = None
    ) -> None:
        """Raises LocalMediaError `parameter_sets_missing`."""
        sets = boxes.parameter_sets(key_frame)
        if sets is None:
            raise LocalMediaError("parameter_sets_missing")
        self._ready = boxes.head(*sets, size, aac_config=aac_config)
        self.head_bytes = len(self._ready)
        self._pictures: list[boxes.Sample] = []
        self._start = 0
        self._pending: tuple[bytes, int, bool] | None = None
        self._sound: list[tuple[int, bytes]] = []
        self._fragments = 0

    def picture(self, frame: bytes, ticks: int, *, is_key: bool) -> bytes:
        self._settle(ticks)
        if self._pictures and ticks - self._start >= FRAGMENT_TICKS:
            self._flush()
        if not self._pictures:
            self._start = ticks
        self._pending = (boxes.length_prefixed(frame), ticks, is_key)
        ready, self._ready = self._ready, b""
        return ready

    def sound(self, frame: bytes, samples: int) -> None:
        self._sound.append((samples, frame))

    def finish(self, end_ticks: int) -> bytes:
        if self._pending is not None:
            self._settle(max(end_ticks, self._pending[1] + 1))
        self._flush()
        ready, self._ready = self._ready, b""
        return ready

    def _settle(self, next_ticks: int) -> None:
        """The pending picture lasts until the next."""
        if self._pending is None:
            return
        data, ticks, is_key = self._pending
        self._pictures.append(boxes.Sample(data, next_ticks - ticks, is_key))
        self._pending = None

    def _flush(self) -> None:
        runs = [boxes.Run(boxes.VIDEO_TRACK, self._start, self._pictures)]
        sounds = _unbroken(self._sound)
        if sounds:
            runs.append(sounds[0])
        for run in sounds[1:]:  # after a hole in the sound: a fragment of its own
            self._fragments += 1
            runs_before, runs = runs, [run]
            self._ready += boxes.fragment(self._fragments, runs_before)
        if any(run.samples for run in runs):
            self._fragments += 1
            self._ready += boxes.fragment(self._fragments, runs)
        self._pictures, self._sound = [], []


def _unbroken(frames: list[tuple[int, bytes]]) -> list[boxes.Run]:
    """AAC frames by runs without a hole."""
    runs: list[tuple[int, list[boxes.Sample]]] = []
    due = None
    for samples, data in frames:
        if due is None or samples != due:
            runs.append((samples, []))
        runs[-1][1].append(boxes.Sample(data, 1024))
        due = samples + 1024
    return [boxes.Run(boxes.AUDIO_TRACK, start, found) for start, found in runs]


class MatroskaMuxer:
    """VP8, H.263 or H.261 as received, a cluster each second."""

    suffix = "mkv"
    head_bytes = 0

    def __init__(self, codec: str, size: tuple[int, int]) -> None:
        self._ready = matroska.head(codec, size)
        self._pictures: list[tuple[int, bytes, bool]] = []

    def picture(self, frame: bytes, ticks: int, *, is_key: bool) -> bytes:
        ms = ticks // 90
        if self._pictures and ms - self._pictures[0][0] >= matroska.MS_PER_CLUSTER:
            self._flush()
        self._pictures.append((ms, frame, is_key))
        ready, self._ready = self._ready, b""
        return ready

    def sound(self, frame: bytes, samples: int) -> None:
        """The sites' own sound is in the programme."""

    def finish(self, end_ticks: int) -> bytes:
        del end_ticks
        self._flush()
        ready, self._ready = self._ready, b""
        return ready

    def _flush(self) -> None:
        self._ready += matroska.cluster(self._pictures)
        self._pictures = []


def muxer_for(
    codec: str, key_frame: bytes, size: tuple[int, int], *, aac_config: bytes | None = None
) -> Muxer:
    """Raises LocalMediaError `parameter_sets_missing`, `video_codec_unknown`."""
    if codec == "H264":
        return Mp4Muxer(key_frame, size, aac_config=aac_config)
    if codec in matroska.CODECS:
        return MatroskaMuxer(codec, size)
    raise LocalMediaError("video_codec_unknown", codec=codec)
