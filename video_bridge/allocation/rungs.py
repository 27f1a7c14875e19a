"""The rungs that a programme may be encoded as, best first for each codec, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass

FULL_FPS, LOW_FPS = 25, 15
DEFAULT_CAP_BPS = 3_000_000  # of one site's line, sound and picture together
LINE_OVERHEAD = 1.07  # RTP, SRTP, UDP and IP headers on packets of 1,200 bytes
CIF, QCIF = (352, 288), (176, 144)  # ITU-T H.261 section 3.1: all that old rooms have


@dataclass(frozen=True, slots=True)
class RungKey:
    """What makes two receivers able to share one encoding."""

    codec: str
    width: int
    height: int
    bitrate_bps: int
    packetization_mode: int = 1
    fps: int = FULL_FPS

    def __hash__(self) -> int:
        """Keys are looked up for every receiver at every tick; these two tell most apart."""
        return hash((self.codec, self.bitrate_bps))

    @property
    def line_bps(self) -> int:
        """What the rung takes of a line, headers included."""
        return round(self.bitrate_bps * LINE_OVERHEAD)

    @property
    def is_large(self) -> bool:
        """Whether the usual canvas of 1280 x 720 is too small for it."""
        return self.height > 720

    def is_due(self, tick: int) -> bool:
        """Whether the programme's picture `tick` (25 a second) is one of this rung's."""
        return tick * self.fps // FULL_FPS != (tick - 1) * self.fps // FULL_FPS


@dataclass(frozen=True, slots=True)
class Screen:
    """The largest picture that a receiver takes, by its level, its word or its setting."""

    width: int = 1280
    height: int = 720

    def shows(self, key: RungKey) -> bool:
        return key.width <= self.width and key.height <= self.height


H264_1080P = RungKey("H264", 1920, 1080, 2_500_000)
H264_720P = RungKey("H264", 1280, 720, 1_500_000)
H264_360P = RungKey("H264", 640, 360, 500_000)
H264_360P_SLOW = RungKey("H264", 640, 360, 280_000, fps=LOW_FPS)
H264_180P = RungKey("H264", 320, 180, 120_000, fps=LOW_FPS)
H264_720P_SINGLE = RungKey("H264", 1280, 720, 1_500_000, 0)
H264_360P_SINGLE = RungKey("H264", 640, 360, 500_000, 0)
H264_180P_SINGLE = RungKey("H264", 320, 180, 120_000, 0, LOW_FPS)
VP8_720P = RungKey("VP8", 1280, 720, 1_500_000)
VP8_360P = RungKey("VP8", 640, 360, 500_000)
VP8_180P = RungKey("VP8", 320, 180, 120_000, fps=LOW_FPS)
H263_CIF = RungKey("H263", *CIF, 384_000)
H263_QCIF = RungKey("H263", *QCIF, 120_000, fps=LOW_FPS)
H263_1998_CIF = RungKey("H263-1998", *CIF, 384_000)
H263_1998_QCIF = RungKey("H263-1998", *QCIF, 120_000, fps=LOW_FPS)
H261_CIF = RungKey("H261", *CIF, 384_000)
H261_QCIF = RungKey("H261", *QCIF, 120_000, fps=LOW_FPS)

_STEPS: dict[tuple[str, int], tuple[RungKey, ...]] = {
    ("H264", 1): (H264_1080P, H264_720P, H264_360P, H264_360P_SLOW, H264_180P),
    ("H264", 0): (H264_720P_SINGLE, H264_360P_SINGLE, H264_180P_SINGLE),
    ("VP8", 1): (VP8_720P, VP8_360P, VP8_180P),
    ("H263", 1): (H263_CIF, H263_QCIF),
    ("H263-1998", 1): (H263_1998_CIF, H263_1998_QCIF),
    ("H261", 1): (H261_CIF, H261_QCIF),
}

# Milliseconds of one core per picture on the reference machine, scaling and packetising included
# (docs/allocation.md says how they were measured); a node scales them by its own calibration.
_ENCODE_MS_PER_MEGAPIXEL = {"H264": 9.0, "VP8": 8.0, "H263": 20.0, "H263-1998": 20.0, "H261": 16.0}
_ENCODE_MS_LEAST = 0.3
_LARGE_CANVAS_MS_PER_S = 160.0  # a rung above 720p has a canvas of its own: nine tiles


def steps_for(codec: str, packetization_mode: int, screen: Screen) -> tuple[RungKey, ...]:
    """Rungs that such a receiver can decode and show, best first; empty for an unknown codec.

    A screen smaller than every rung gets the smallest: a player can scale it down.
    """
    mode = packetization_mode if codec == "H264" else 1
    steps = _STEPS.get((codec, mode), ())
    return tuple(key for key in steps if screen.shows(key)) or steps[-1:]


def encode_ms_per_s(key: RungKey) -> float:
    """What the rung costs in milliseconds of one core each second, on the reference machine."""
    megapixels = key.width * key.height / 1e6
    per_picture = max(_ENCODE_MS_LEAST, megapixels * _ENCODE_MS_PER_MEGAPIXEL[key.codec])
    canvas = _LARGE_CANVAS_MS_PER_S if key.is_large else 0.0
    return per_picture * key.fps + canvas
