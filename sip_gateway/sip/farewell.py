"""Goodbyes that nobody heard are said once more when the far end speaks again.

A BYE without a response ends the call for us (RFC 3261 clause 15.1.1), but a room whose network
was away still holds its side. It would answer the next call as busy, or be in two.
"""

from __future__ import annotations

from collections import OrderedDict

from .dialog import Dialog, DialogId
from .transaction import Flow

KEPT_S = 3600.0  # by then session timers or the room itself have ended it
KEPT = 2000


class Farewells:
    """Dialogs whose BYE was not answered. Takes `now`; the user agent sends."""

    def __init__(self) -> None:
        self._unheard: OrderedDict[DialogId, tuple[Dialog, float]] = OrderedDict()

    def unheard(self, dialog: Dialog, now: float) -> None:
        self._unheard[dialog.id] = dialog, now + KEPT_S
        if len(self._unheard) > KEPT:
            self._unheard.popitem(last=False)

    def due(self, flow: Flow, now: float) -> list[Dialog]:
        """What to end now that something came by `flow`; each is given once."""
        if not self._unheard:
            return []
        for known in [k for k, (_, until) in self._unheard.items() if until <= now]:
            del self._unheard[known]
        ready = [dialog for dialog, _ in self._unheard.values() if _is_peer(dialog.flow, flow)]
        for dialog in ready:
            del self._unheard[dialog.id]
            dialog.flow = flow
        return ready


def _is_peer(known: Flow, heard: Flow) -> bool:
    """A room that comes back by a stream has another port than before."""
    if known.transport != heard.transport or known.host != heard.host:
        return False
    return known.transport != "udp" or known.port == heard.port
