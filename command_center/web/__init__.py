"""The web room: the HTTP edge, live events and the built console.

Routes validate and translate; services decide; this edge opens the transaction and commits it.
"""

from .context import Context, Credential
from .problems import Problem
from .routing import PUBLIC, SIGNED_IN, Route, route

__all__ = [
    "PUBLIC",
    "SIGNED_IN",
    "Context",
    "Credential",
    "Problem",
    "Route",
    "route",
]
