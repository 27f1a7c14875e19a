"""What a node can carry: costs of the reference machine, scaled by what this one measured."""

from __future__ import annotations

from dataclasses import dataclass

USABLE_SHARE = 0.9  # of all cores; the rest is for peaks, signalling and the system
COMPOSE_MS_PER_S = 70.0  # nine tiles into 1280 x 720, 25 times a second
DECODE_MS_PER_S_MEGAPIXEL = 55.0  # of one shown leg, 25 pictures a second
USUAL_MEGAPIXELS = 640 * 360 / 1e6  # before its first picture has come
RECEIVE_MS_PER_S = 0.8  # packets of one sending leg, reports
HEAR_MS_PER_S = 0.7  # its voice, averaged over who speaks
SEND_MS_PER_S = 0.7  # packets to one receiver
CAMERA_MS_PER_S = 60.0  # a camera's own process decodes all it sends
NEW_RUNG_MS_PER_S = 50.0  # the first encoder of a node, before it is known which
SHOWN_AT_MOST = 25
LATE_SHARE = 0.05  # of pictures late: too much was promised
EASE, RECOVER_PER_S = 0.85, 0.004
LEAST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Machine:
    """`speed`: 1.0 encodes as fast as the reference machine, 2.0 twice as fast."""

    cores: int
    speed: float = 1.0

    @property
    def capacity_ms_per_s(self) -> float:
        """In milliseconds of a reference core each second."""
        return self.cores * 1000.0 * self.speed * USABLE_SHARE


@dataclass(frozen=True, slots=True)
class LegCount:
    """The legs of a node as far as they cost."""

    conferences: int = 0
    publishing: int = 0
    shown: int = 0
    shown_megapixels: float = 0.0
    playing: int = 0
    cameras: int = 0

    def plus(self, *, publish: bool, play: bool, is_camera: bool, is_shown: bool) -> LegCount:
        """With one leg more."""
        decoded = publish and is_shown and not is_camera
        return LegCount(
            self.conferences,
            self.publishing + publish,
            self.shown + decoded,
            self.shown_megapixels + USUAL_MEGAPIXELS * decoded,
            self.playing + play,
            self.cameras + is_camera,
        )

    @property
    def cost_ms_per_s(self) -> float:
        """All but the encoders."""
        return (
            self.conferences * COMPOSE_MS_PER_S
            + self.publishing * (RECEIVE_MS_PER_S + HEAR_MS_PER_S)
            + self.shown_megapixels * DECODE_MS_PER_S_MEGAPIXEL
            + self.playing * SEND_MS_PER_S
            + self.cameras * CAMERA_MS_PER_S
        )


class Strain:
    """What share of the promised capacity holds, judged by pictures that came late."""

    def __init__(self) -> None:
        self.share = 1.0
        self._looked_at: float | None = None

    def look(self, pictures: int, late: int, now: float) -> float:
        """Since the last look, `late` of `pictures` were late. Less at once, more slowly."""
        elapsed = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        if pictures and late / pictures > LATE_SHARE:
            self.share = max(LEAST_SHARE, self.share * EASE)
        else:
            self.share = min(1.0, self.share + RECOVER_PER_S * elapsed)
        return self.share
