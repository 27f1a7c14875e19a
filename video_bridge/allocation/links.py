"""What is known of a site's line before a packet was sent: its profile, as the directory has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .rungs import DEFAULT_CAP_BPS

Link = Literal["private_line", "internet", "mobile", "satellite"]
LINKS: tuple[Link, ...] = get_args(Link)


@dataclass(frozen=True, slots=True)
class AudioTerms:
    """How Opus is encoded for a line: few values, as listeners of equal terms share an encoder."""

    bitrate_bps: int = 32_000
    expected_loss_pct: int = 10


CLEAR = AudioTerms(32_000, 5)
USUAL = AudioTerms(32_000, 10)
LOSSY = AudioTerms(40_000, 25)  # more for redundancy: in-band FEC takes from the voice's own bits
NARROW = AudioTerms(20_000, 10)


@dataclass(frozen=True, slots=True)
class LinkTerms:
    """How a line is treated. `start_bps` before it has proved anything, `cap_bps` at most.

    `climb_after_s`: how long it must have been clean before a better rung is tried.
    """

    start_bps: int
    cap_bps: int
    audio: AudioTerms
    climb_after_s: float


_TERMS: dict[Link, LinkTerms] = {
    "private_line": LinkTerms(DEFAULT_CAP_BPS, DEFAULT_CAP_BPS, CLEAR, 6.0),
    "internet": LinkTerms(2_000_000, DEFAULT_CAP_BPS, USUAL, 10.0),
    "mobile": LinkTerms(700_000, 2_000_000, LOSSY, 12.0),
    "satellite": LinkTerms(400_000, 512_000, NARROW, 20.0),
}


def terms_of(link: Link) -> LinkTerms:
    return _TERMS[link]


def audio_line_bps(codec: str | None, terms: AudioTerms) -> int:
    """What the sound takes of a line: 50 packets a second with 54 bytes of headers and tag each."""
    if codec is None:
        return 0
    bitrate_bps = terms.bitrate_bps if codec == "opus" else 64_000
    return bitrate_bps + 50 * 54 * 8
