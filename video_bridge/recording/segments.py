"""One source's segments: opened on a key frame, closed on a later one, each playable by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import VideoBridgeError
from ..messages import ClosedSegment
from .files import PartFile, file_name
from .muxing import DEFAULT_TICKS, Muxer, muxer_for
from .sizes import size_of
from .times import TICKS_PER_S, MediaTime

SEGMENT_S = 6.0  # closed on the first key frame after so long; one is asked for then
ASK_AGAIN_TICKS = TICKS_PER_S
IDLE_LOOKS = 4  # a source from which nothing came for so many looks: its segment is closed


@dataclass(slots=True)
class _Open:
    muxer: Muxer
    file: PartFile
    sequence: int
    start: int
    last: int
    size: tuple[int, int]


class SegmentedSource:
    """Feed `picture` and `sound`; `closed` gets each segment. Raises OSError when it cannot write.

    `wants_key` is true while the next picture should be a key frame.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        zero_us: int,
        closed: Callable[[ClosedSegment], None],
        *,
        first_sequence: int = 1,
        segment_s: float = SEGMENT_S,
        aac_config: bytes | None = None,
    ) -> None:
        self.source = source
        self.name = ""
        self.codec = ""
        self._folder = folder
        self._zero_us = zero_us
        self._closed = closed
        self._next = first_sequence
        self._segment_ticks = round(segment_s * TICKS_PER_S)
        self._aac_config = aac_config
        self._times = MediaTime(zero_us)
        self._open: _Open | None = None
        self._asked_at: int | None = None
        self._quiet_looks = 0

    @property
    def is_open(self) -> bool:
        return self._open is not None

    def set_stream(self, name: str, codec: str) -> None:
        """Who sends, and in which codec: another codec closes the segment."""
        if codec != self.codec:
            self.close()
        self.name, self.codec = name, codec
        self._asked_at = None

    def picture(self, frame: bytes, *, is_key: bool, timestamp: int, wall_us: int) -> bool:
        """Take one picture; True when a key frame should be asked for now."""
        self._quiet_looks = 0
        ticks = self._times.at(timestamp, wall_us)
        opened = self._open
        if is_key and (opened is None or ticks - opened.start >= self._segment_ticks):
            self.close(ticks)
            self._begin(frame, ticks)
            opened = self._open
        if opened is None:
            return self._asks(ticks)
        self._write(opened, opened.muxer.picture(frame, ticks, is_key=is_key))
        opened.last = ticks
        return ticks - opened.start >= self._segment_ticks and self._asks(ticks)

    def sound(self, frame: bytes, samples: int) -> None:
        if self._open is not None:
            self._open.muxer.sound(frame, samples)

    def close(self, end_ticks: int | None = None) -> None:
        """End the segment that is open."""
        opened, self._open = self._open, None
        if opened is None:
            return
        end = end_ticks if end_ticks is not None else opened.last + DEFAULT_TICKS
        try:
            self._write(opened, opened.muxer.finish(end))
            sha256, sm3 = opened.file.close()
        except OSError:
            opened.file.abandon()
            raise
        self._closed(
            ClosedSegment(
                source=self.source, name=self.name, sequence=opened.sequence,
                file_name=opened.file.path.name, codec=self.codec,
                width=opened.size[0], height=opened.size[1],
                started_at_ms=self._zero_us // 1000 + opened.start * 1000 // TICKS_PER_S,
                duration_ms=(end - opened.start) * 1000 // TICKS_PER_S,
                size_bytes=opened.file.size, head_bytes=opened.muxer.head_bytes,
                sha256=sha256, sm3=sm3,
            )
        )  # fmt: skip

    def close_idle(self) -> None:
        """One look a second. By looks, not by clock: a recorder that lags is not idle."""
        self._quiet_looks += 1
        if self._quiet_looks >= IDLE_LOOKS:
            self.close()

    def abandon(self) -> None:
        """The disk takes no more: leave the part as it is."""
        if self._open is not None:
            self._open.file.abandon()
            self._open = None
        self._asked_at = None

    def _asks(self, ticks: int) -> bool:
        if self._asked_at is not None and 0 <= ticks - self._asked_at < ASK_AGAIN_TICKS:
            return False
        self._asked_at = ticks
        return True

    def _begin(self, frame: bytes, ticks: int) -> None:
        try:
            size = size_of(self.codec, frame)
            muxer = muxer_for(self.codec, frame, size, aac_config=self._aac_config)
        except VideoBridgeError:
            return  # a key frame without its head: the next one may have it
        name = file_name(self.source, self._next, muxer.suffix)
        file = PartFile(self._folder / name)
        self._open = _Open(muxer, file, self._next, ticks, ticks, size)
        self._next += 1

    def _write(self, opened: _Open, data: bytes) -> None:
        if not data:
            return
        try:
            opened.file.write(data)
        except OSError:
            self.abandon()
            raise
