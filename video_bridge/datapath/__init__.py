"""The way packets take between sockets and the media path: SRTP both ways, fan-out to many.

`create_fanout()` gives a rung's sender; `SrtpReceiver` opens what peers send.
"""

from .build import DatapathStatus, status
from .fanout import GROUP, HISTORY_BATCHES, Departure, Fanout, FanoutResult, PythonFanout
from .keys import SrtpKeys, SrtpProfile
from .srtp import SrtpReceiver, SrtpSender
from .target import FanoutTarget


def create_fanout(history_batches: int = HISTORY_BATCHES) -> Fanout:
    """The best datapath this machine has: C, else the Python twin (`status()` says why)."""
    from . import build, native

    library = build.library()
    if library is None:
        return PythonFanout(history_batches)
    native.declare(library)
    return native.NativeFanout(library, history_batches)


__all__ = [
    "GROUP",
    "DatapathStatus",
    "Departure",
    "Fanout",
    "FanoutResult",
    "FanoutTarget",
    "PythonFanout",
    "SrtpKeys",
    "SrtpProfile",
    "SrtpReceiver",
    "SrtpSender",
    "create_fanout",
    "status",
]
