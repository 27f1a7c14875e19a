"""The only socket code of the signalling room: SIP over UDP, TCP and TLS."""

from .tcp import StreamCallbacks, StreamTransport
from .tls import client_context, server_context
from .udp import UdpTransport, route_source

__all__ = [
    "StreamCallbacks",
    "StreamTransport",
    "UdpTransport",
    "client_context",
    "route_source",
    "server_context",
]
