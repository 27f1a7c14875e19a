"""The signalling room: how conference rooms talk to us, by SIP (and later H.323).

It sees no media packet: addresses come from a media node and are copied into session descriptions.
"""

from . import messages, ports

__all__ = ["messages", "ports"]
