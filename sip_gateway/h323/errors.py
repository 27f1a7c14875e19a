"""Errors of the H.323 cores."""

from __future__ import annotations

from ..errors import SignallingError


class LocalH323Error(SignallingError):
    """We built a message that the protocol does not know."""

    code = "h323_misused"


class RemoteH323Error(SignallingError):
    """The peer sent something malformed, or out of its order."""

    code = "h323_malformed"


# What reading a decoded value raises when the peer chose alternatives that no message has there:
# the decoder takes every extension that it does not know, as octets.
SHAPE = (KeyError, ValueError, TypeError, IndexError, AttributeError)
