"""The media room: receives, mixes, composes and sends pictures and sound.

It knows conferences and legs, nothing of incidents or of signalling. Other rooms speak to a media
node through `NodeClient`; importing this room loads no codec and no WebRTC stack.
"""

from . import messages
from .client import NodeClient
from .errors import LocalMediaError, NodeUnreachableError, RemoteMediaError, VideoBridgeError
from .messages import CloseReason, LegKind, LegState
from .recording.playlist import PlaylistEntry, hls_playlist
from .wire import WireClient, WireServer

__all__ = [
    "CloseReason",
    "LegKind",
    "LegState",
    "LocalMediaError",
    "NodeClient",
    "NodeUnreachableError",
    "PlaylistEntry",
    "RemoteMediaError",
    "VideoBridgeError",
    "WireClient",
    "WireServer",
    "hls_playlist",
    "messages",
]
