"""Which rung of the programme each receiver stands on: pure code, explained in docs/allocation.md.

`LineState` judges one line from its reports, `Allocator` shares the node's encoders among all.
"""

from .allocator import Allocation, Allocator, Wish
from .congestion import DelayWatch, InboundBound
from .line import LineState
from .links import AudioTerms, Link, LinkTerms, audio_line_bps, terms_of
from .rungs import DEFAULT_CAP_BPS, RungKey, Screen, steps_for
from .sending import SendingBound

__all__ = [
    "DEFAULT_CAP_BPS",
    "Allocation",
    "Allocator",
    "AudioTerms",
    "DelayWatch",
    "InboundBound",
    "LineState",
    "Link",
    "LinkTerms",
    "RungKey",
    "Screen",
    "SendingBound",
    "Wish",
    "audio_line_bps",
    "steps_for",
    "terms_of",
]
