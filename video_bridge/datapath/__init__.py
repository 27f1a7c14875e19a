"""The way packets take between sockets and the media path: SRTP both ways, fan-out to many.

`create_fanout()` gives a rung's sender; `SrtpReceiver` opens what peers send.
"""

from .fanout import Fanout, FanoutResult, PythonFanout, create_fanout
from .keys import SrtpKeys, SrtpProfile
from .srtp import SrtpReceiver, SrtpSender
from .target import FanoutTarget

__all__ = [
    "Fanout",
    "FanoutResult",
    "FanoutTarget",
    "PythonFanout",
    "SrtpKeys",
    "SrtpProfile",
    "SrtpReceiver",
    "SrtpSender",
    "create_fanout",
]
