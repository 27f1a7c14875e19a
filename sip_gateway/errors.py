"""Errors of the signalling room: local ones are our misuse, remote ones the peer's fault."""

from __future__ import annotations


class SignallingError(Exception):
    """Base of the room. `code` is stable snake_case; the edge adds status and words."""

    code = "signalling_error"

    def __init__(self, code: str | None = None, **fields: object) -> None:
        self.code = code or type(self).code
        self.fields = fields
        super().__init__(self.code, fields)


class LocalSipError(SignallingError):
    """We asked for something that cannot be done, or broke a rule of the protocol ourselves."""

    code = "sip_misused"


class RemoteSipError(SignallingError):
    """The peer sent something malformed, or something we cannot serve."""

    code = "sip_malformed"
