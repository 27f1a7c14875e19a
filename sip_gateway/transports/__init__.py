"""The only socket code of the signalling room: SIP over UDP, TCP and TLS."""

from .tcp import StreamCallbacks, StreamTransport
from .udp import UdpTransport, route_source

__all__ = ["StreamCallbacks", "StreamTransport", "UdpTransport", "route_source"]
