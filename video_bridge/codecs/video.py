"""Video decoders and encoders over PyAV, each used by one thread at a time.

FFmpeg never makes threads of its own here (`thread_type` NONE): the node's worker threads call in,
and PyAV lets go of the GIL. Whatever FFmpeg says about a peer's bytes becomes RemoteMediaError and
the decoder stays usable.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import av.error
import numpy as np
from av.codec.context import ThreadType
from av.video.frame import PictureType

from ..errors import LocalMediaError, RemoteMediaError
from ..payload import h263, h264
from .picture import Picture, Plane

# our name -> FFmpeg decoder: nothing else is ever fed to FFmpeg
DECODERS = {"H264": "h264", "VP8": "vp8", "H263": "h263", "H263-1998": "h263", "H261": "h261"}
ENCODERS = {
    "H264": "libx264",
    "VP8": "libvpx",
    "H263": "h263",
    "H263-1998": "h263p",
    "H261": "h261",
}
MAX_WIDTH, MAX_HEIGHT = 4096, 2304
PLANAR_420 = ("yuv420p", "yuvj420p")

av.logging.set_level(av.logging.PANIC)  # peers' bad bytes are counted, not printed


def _plane(frame: av.VideoFrame, index: int) -> Plane:
    """A plane's visible part as a view of the frame's own memory (the view keeps it alive)."""
    plane = frame.planes[index]
    flat: Plane = np.frombuffer(memoryview(plane), np.uint8)
    return flat.reshape(plane.height, plane.line_size)[:, : plane.width]


class VideoDecoder:
    """One stream of one codec: `H264` (Annex B), `VP8`, `H263`, `H263-1998` or `H261`."""

    def __init__(self, codec: str) -> None:
        """Raises LocalMediaError for a codec that is not on the list."""
        if codec not in DECODERS:
            raise LocalMediaError("video_codec_unknown", codec=codec)
        self.codec = codec
        self.frames_decoded = 0
        self.errors = 0
        self._context = self._new_context()

    def _new_context(self) -> av.VideoCodecContext:
        context = cast(av.VideoCodecContext, av.CodecContext.create(DECODERS[self.codec], "r"))
        context.thread_type = ThreadType.NONE
        context.thread_count = 1
        context.flags |= 1 << 19  # AV_CODEC_FLAG_LOW_DELAY: give a frame as soon as it is there
        return context

    def decode(self, access_unit: bytes) -> list[Picture]:
        """Pictures that came out, usually one. Planes are views: copy what has to outlive them.

        Raises RemoteMediaError `video_undecodable`; ask for a key frame and go on.
        """
        if not access_unit:
            return []
        try:
            frames = self._context.decode(av.Packet(access_unit))
        except (av.error.FFmpegError, ValueError) as error:
            self.errors += 1
            raise RemoteMediaError("video_undecodable", codec=self.codec) from error
        pictures = [self._picture(frame) for frame in frames]
        self.frames_decoded += len(pictures)
        return pictures

    def _picture(self, frame: av.VideoFrame) -> Picture:
        if frame.width > MAX_WIDTH or frame.height > MAX_HEIGHT:
            raise RemoteMediaError("video_too_large", width=frame.width, height=frame.height)
        if frame.format.name not in PLANAR_420:
            frame = frame.reformat(format="yuv420p")
        return Picture(_plane(frame, 0), _plane(frame, 1), _plane(frame, 2))

    def reset(self) -> None:
        """Forget all reference pictures."""
        self._context = self._new_context()


def _without_encoder_settings(access_unit: bytes) -> bytes:
    """x264 tells its settings in 700 bytes of SEI in the first frame; slices may be smaller."""
    units = h264.split_annexb(access_unit)
    return h264.join_annexb(unit for unit in units if unit[0] & 0x1F != h264.NAL_SEI)


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """`data` is an Annex B access unit (H264) or the codec's frame.

    `macroblocks`: where an H263 frame may be cut besides its GOBs (`payload.h263.packetise`).
    """

    data: bytes
    is_key: bool
    pts: int
    macroblocks: tuple[h263.Macroblock, ...] = ()


class VideoEncoder:
    """One rung's encoder. H.264 carries SPS and PPS in-band before every key frame, no SEI.

    `max_slice_bytes` limits NAL units for peers that take single ones only (packetisation mode 0).
    `level` is H.264's (for instance "3.1"); None lets x264 choose by size and rate.
    """

    def __init__(  # noqa: PLR0917 - the order of words in which a rung is named
        self,
        codec: str,
        width: int,
        height: int,
        fps: float,
        bitrate_bps: int,
        keyframe_every_s: float = 10.0,
        max_slice_bytes: int | None = None,
        level: str | None = None,
    ) -> None:
        """Raises LocalMediaError for an unknown codec or a size the codec cannot have."""
        if codec not in ENCODERS:
            raise LocalMediaError("video_codec_unknown", codec=codec)
        if codec == "H264" and (width % 2 or height % 2):
            raise LocalMediaError("video_size_odd", width=width, height=height)
        self.codec, self.width, self.height = codec, width, height
        self.fps, self.bitrate_bps = fps, bitrate_bps
        self.frames_encoded = 0
        self.keyframes_encoded = 0
        self._gop = max(1, round(fps * keyframe_every_s))
        self._max_slice_bytes = max_slice_bytes
        self._level = level
        self._context = self._open()

    def _open(self) -> av.VideoCodecContext:
        context = cast(av.VideoCodecContext, av.CodecContext.create(ENCODERS[self.codec], "w"))
        context.width, context.height = self.width, self.height
        context.pix_fmt = "yuv420p"
        rate = Fraction(self.fps).limit_denominator(1001)
        context.framerate = rate
        context.time_base = Fraction(1, 30000) if self.codec[:3] != "H26" else 1 / rate
        if self.codec == "H264":
            context.time_base = 1 / rate
        context.bit_rate = self.bitrate_bps
        context.gop_size = self._gop
        context.thread_type = ThreadType.NONE
        context.thread_count = 1
        context.options = self._options()
        try:
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise LocalMediaError(
                "video_encoder_refused", codec=self.codec, width=self.width, height=self.height
            ) from error
        return context

    def _options(self) -> dict[str, str]:
        if self.codec == "H264":
            kbps = self.bitrate_bps // 1000
            x264 = [
                "repeat-headers=1",
                "annexb=1",
                "scenecut=0",
                f"vbv-maxrate={kbps}",
                f"vbv-bufsize={kbps}",  # one second: key frames fit without a burst of quality loss
            ]
            if self._max_slice_bytes is not None:
                x264.append(f"slice-max-size={self._max_slice_bytes}")
            options = {
                "preset": "superfast",
                "tune": "zerolatency",
                "profile": "baseline",
                "forced-idr": "1",
                "x264-params": ":".join(x264),
            }
            if self._level is not None:
                options["level"] = self._level
            return options
        if self.codec == "VP8":
            return {
                "deadline": "realtime",
                "cpu-used": "-12",
                "lag-in-frames": "0",
                "error-resilient": "0",
                "static-thresh": "100",
                "qmin": "4",
                "qmax": "56",
                "undershoot-pct": "50",
                "auto-alt-ref": "0",
                "max-intra-rate": "800",  # per cent of a frame: a key frame in a third of a second
            }
        if self.codec == "H263":
            return {"ps": "400", "mb_info": "400"}  # GOB headers and cuts every 400 bytes
        if self.codec == "H263-1998":
            return {"ps": "800"}
        return {}

    def encode(self, picture: Picture, pts: int, *, force_keyframe: bool = False) -> EncodedFrame:
        """Encode one picture of the encoder's size; `pts` counts frames and must grow.

        Raises LocalMediaError when the size differs.
        """
        if (picture.width, picture.height) != (self.width, self.height):
            raise LocalMediaError("video_size_differs", width=picture.width, height=picture.height)
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        for index, source in enumerate((picture.y, picture.u, picture.v)):
            _plane(frame, index)[:] = source
        frame.pts = pts
        frame.time_base = 1 / Fraction(self.fps).limit_denominator(1001)
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        try:
            packets = self._context.encode(frame)
        except av.error.FFmpegError as error:
            raise LocalMediaError("video_encode_failed", codec=self.codec) from error
        data = b"".join(bytes(packet) for packet in packets)
        is_key = any(packet.is_keyframe for packet in packets)
        if self.codec == "H264" and self.frames_encoded == 0:
            data = _without_encoder_settings(data)
        self.frames_encoded += 1
        self.keyframes_encoded += is_key
        return EncodedFrame(data, is_key, pts, self._macroblocks(packets))

    def _macroblocks(self, packets: list[av.Packet[av.VideoStream]]) -> tuple[h263.Macroblock, ...]:
        if self.codec != "H263":
            return ()
        return tuple(
            block
            for packet in packets
            for side in packet.iter_sidedata()
            if side.data_type == "h263_mb_info"
            for block in h263.Macroblock.parse_all(bytes(side))
        )
