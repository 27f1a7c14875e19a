"""The way packets take between sockets and the media path: SRTP both ways, fan-out to many.

`create_fanout()` gives a rung's sender, `create_intake()` takes a socket's packets in;
`SrtpReceiver` and `SrtpSender` do single ones.
"""

from .build import DatapathStatus, status
from .departures import Departures, Passage
from .fanout import GROUP, HISTORY_BATCHES, Departure, Fanout, FanoutResult, PythonFanout
from .hub import Arrival, Counters, Flow, Hub, Line, Mode, Peer, PythonHub
from .intake import Datagram, DatagramKind, Intake, PythonIntake
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


def create_intake(sock_fd: int, srtp: SrtpKeys | None = None, *, level_id: int = 0) -> Intake:
    """Takes packets of a socket by the best datapath this machine has."""
    from . import build, native_intake

    library = build.library()
    if library is None:
        return PythonIntake(sock_fd, srtp, level_id=level_id)
    native_intake.declare(library)
    return native_intake.NativeIntake(library, sock_fd, srtp, level_id=level_id)


def create_hub() -> Hub:
    """Takes in the packets of many sockets by the best datapath this machine has."""
    from . import build, native_hub

    library = build.library()
    if library is None:
        return PythonHub()
    native_hub.declare(library)
    return native_hub.NativeHub(library)


__all__ = [
    "GROUP",
    "Arrival",
    "Counters",
    "Datagram",
    "DatagramKind",
    "DatapathStatus",
    "Departure",
    "Departures",
    "Fanout",
    "FanoutResult",
    "FanoutTarget",
    "Flow",
    "Hub",
    "Intake",
    "Line",
    "Mode",
    "Passage",
    "Peer",
    "PythonFanout",
    "PythonHub",
    "PythonIntake",
    "SrtpKeys",
    "SrtpProfile",
    "SrtpReceiver",
    "SrtpSender",
    "create_fanout",
    "create_hub",
    "create_intake",
    "status",
]
