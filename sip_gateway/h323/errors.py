"""Errors of the H.323 cores."""

from __future__ import annotations

from ..errors import SignallingError


class LocalH323Error(SignallingError):
    """We built a message that the protocol does not know."""

    code = "h323_misused"


class RemoteH323Error(SignallingError):
    """The peer sent something malformed, or out of its order."""

    code = "h323_malformed"
