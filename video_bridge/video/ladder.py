"""The few encodings of a programme that some leg needs now: encode once, send to many.

A rung exists while a leg stands on it. Key frames are asked for per rung, never per leg, and not
oftener than `KEYFRAME_PAUSE_S`.
"""

from __future__ import annotations

from ..allocation.rungs import CIF, FULL_FPS, QCIF, RungKey
from ..codecs.video import EncodedFrame, VideoEncoder
from ..datapath import Departure, Fanout, FanoutTarget, create_fanout
from ..datapath.fanout import GROUP
from ..payload import h261, h263, h263_1998, h264, vp8
from .catch_up import CatchUp, History
from .layouts import Pane
from .picture import Picture, blank, scale_into, scaled, view

FPS = FULL_FPS
KEYFRAME_PAUSE_S = 0.7
KEYFRAME_EVERY_S = 10.0
KEYFRAME_EVERY_DEAF_S = 4.0  # while a leg stands here that cannot ask
SINGLE_NAL_SIZE = 1200
VIDEO_CLOCK = 90_000


CIF_PIXEL_SHAPE = 12 / 11  # ITU-T H.261 3.1: a CIF picture is 4:3
_OLD_SIZES = (CIF, QCIF)


def timestamp_of(now: float) -> int:
    """The RTP timestamp of a picture composed now, before each target's own offset."""
    return round(now * VIDEO_CLOCK) & 0xFFFFFFFF


class KeyframeWish:
    """Joins wishes of many legs into key frames at least `pause_s` apart."""

    def __init__(self, pause_s: float = KEYFRAME_PAUSE_S) -> None:
        self._pause_s = pause_s
        self._is_wanted = False
        self._last: float | None = None

    def want(self) -> None:
        self._is_wanted = True

    def take(self, now: float) -> bool:
        """Whether the next picture shall be a key frame."""
        if not self._is_wanted or (self._last is not None and now - self._last < self._pause_s):
            return False
        self.made(now)
        return True

    def made(self, now: float) -> None:
        """A key frame was made, asked for or not."""
        self._is_wanted = False
        self._last = now


class Train:
    """Pictures one behind the other, sent as one `Departure`."""

    def __init__(self, departures: list[Departure]) -> None:
        self._departures = departures

    @property
    def remaining(self) -> int:
        return sum(departure.remaining for departure in self._departures)

    def send(self, packets: int = GROUP) -> None:
        """The next `packets`."""
        for departure in self._departures:
            count = min(packets, departure.remaining)
            departure.send(count)
            packets -= count


class Rung:
    """One encoding: `encode` in a worker thread, then `send` on the event loop."""

    def __init__(self, key: RungKey) -> None:
        self.key = key
        self.fanout: Fanout = create_fanout()
        self.wish = KeyframeWish()
        self.frames = 0
        self.has_deaf_leg = False
        self.newest: EncodedFrame | None = None  # for recorders, who take frames whole
        self.history = History()  # for those who come later
        self._picture_id = 0
        self._departure: Departure | None = None
        self._trains: list[Train] = []
        self._letterbox: Picture | None = None
        self._encoder: VideoEncoder | None = None
        self._last_key_at: float | None = None

    def close(self) -> None:
        """Give the encoder back, whoever holds the rung still: it takes up to 15 MiB."""
        self._encoder = self._letterbox = self.newest = None

    @property
    def fps(self) -> int:
        return self.key.fps

    def _open(self) -> VideoEncoder:
        """Opening takes milliseconds, so the first `encode` does it in its worker thread."""
        key = self.key
        return VideoEncoder(
            key.codec,
            key.width,
            key.height,
            key.fps,
            key.bitrate_bps,
            keyframe_every_s=KEYFRAME_EVERY_S,
            max_slice_bytes=SINGLE_NAL_SIZE - 60 if key.packetization_mode == 0 else None,
        )

    def encode(self, programme: Picture, now: float) -> list[bytes]:
        """RTP payloads of the programme's picture; not to be called twice at once."""
        picture = programme
        if (self.key.width, self.key.height) in _OLD_SIZES:
            picture = self._letterboxed(programme)
        elif (programme.width, programme.height) != (self.key.width, self.key.height):
            picture = scaled(programme, self.key.width, self.key.height)
        # By the clock: counted in pictures, a busy machine's key frames would be far apart.
        every_s = KEYFRAME_EVERY_DEAF_S if self.has_deaf_leg else KEYFRAME_EVERY_S
        if self._last_key_at is None or now - self._last_key_at >= every_s:
            self.wish.want()
        if self._encoder is None:
            self._encoder = self._open()
        frame = self._encoder.encode(picture, self.frames, force_keyframe=self.wish.take(now))
        self.newest = frame
        self.frames += 1
        self.newest = frame
        if frame.is_key:
            self._last_key_at = now
            self.wish.made(now)
        return self._packetise(frame)

    def _letterboxed(self, programme: Picture) -> Picture:
        """The 16:9 programme undistorted on the 4:3 picture of old rooms."""
        width, height = self.key.width, self.key.height
        shown = round(width * CIF_PIXEL_SHAPE * programme.height / programme.width) & ~1
        if self._letterbox is None:
            self._letterbox = blank(width, height)
        area = Pane(0, (height - shown) // 2 & ~1, width, shown)
        scale_into(programme, view(self._letterbox, area))
        return self._letterbox

    def _packetise(self, frame: EncodedFrame) -> list[bytes]:
        codec = self.key.codec
        if codec == "VP8":
            self._picture_id = (self._picture_id + 1) & 0x7FFF
            return vp8.packetise(frame.data, self._picture_id)
        if codec == "H263":
            return h263.packetise(frame.data, frame.macroblocks)
        if codec == "H263-1998":
            return h263_1998.packetise(frame.data)
        if codec == "H261":
            return h261.packetise(frame.data, is_intra=frame.is_key)
        if self.key.packetization_mode == 0:
            return h264.packetise(frame.data, mode=0, max_payload=SINGLE_NAL_SIZE + 160)
        return h264.packetise(frame.data)

    def send(self, targets: list[FanoutTarget], payloads: list[bytes], now: float) -> Departure:
        """Begin to send the picture to all who stand on this rung: its first packets leave now.

        Call `send` of what is returned every few milliseconds until nothing remains; what the
        picture before has not sent by now leaves first.
        """
        if self._departure is not None:
            self._departure.send(self._departure.remaining)
        for train in self._trains:
            train.send(train.remaining)
        self._trains.clear()
        self._departure = self.fanout.prepare(targets, payloads, timestamp_of(now))
        self._departure.send()
        if payloads:
            is_key = self.newest is not None and self.newest.is_key
            octets = sum(map(len, payloads))
            self.history.add(self.fanout.newest_batch, octets, now, is_key=is_key)
        return self._departure

    def lead(self, target: FanoutTarget, way: CatchUp, line_bps: float, timestamp: int) -> Train:
        """Send a newcomer the next of what he missed, after the picture of `timestamp` was sent.

        The train is to be sent on as what `send` returns.
        """
        found = [
            self.fanout.repeat(target, batch, stamp)
            for batch, stamp in way.due(line_bps / 8 / self.fps, timestamp)
        ]
        train = Train([departure for departure in found if departure is not None])
        train.send()
        self._trains.append(train)
        return train
