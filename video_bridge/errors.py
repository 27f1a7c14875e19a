"""Errors of the media room: local ones are our misuse, remote ones the peer's fault."""

from __future__ import annotations


class VideoBridgeError(Exception):
    """Base of the room. `code` is stable snake_case; the edge adds status and words."""

    code = "video_bridge_error"

    def __init__(self, code: str | None = None, **fields: object) -> None:
        self.code = code or type(self).code
        self.fields = fields
        super().__init__(self.code, fields)


class LocalMediaError(VideoBridgeError):
    """We asked for something the room cannot do."""

    code = "media_misused"


class RemoteMediaError(VideoBridgeError):
    """The peer sent something malformed or unsupported."""

    code = "media_malformed"


class NodeUnreachableError(VideoBridgeError):
    """No media node answers on its control wire."""

    code = "media_node_unreachable"
