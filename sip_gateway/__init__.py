"""The signalling room: how conference rooms talk to us, by SIP (and later H.323).

It sees no media packet: addresses come from a media node and are copied into session descriptions.
Importing it loads the words, ports, errors and settings; `Gateway` and its like load on first use.
"""

from typing import TYPE_CHECKING

from . import messages, ports
from .errors import LocalSipError, RemoteSipError, SignallingError
from .settings import GatewaySettings

if TYPE_CHECKING:
    from .gateway import Gateway, run, settle_memory


def __getattr__(name: str) -> object:
    if name in ("Gateway", "run", "settle_memory"):
        from . import gateway

        return getattr(gateway, name)
    raise AttributeError(name)


__all__ = [
    "Gateway",
    "GatewaySettings",
    "LocalSipError",
    "RemoteSipError",
    "SignallingError",
    "messages",
    "ports",
    "run",
    "settle_memory",
]
