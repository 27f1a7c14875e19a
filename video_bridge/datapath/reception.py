"""The hub of an event loop: all sockets are read together, a few hundred times a second.

Woken for each packet, a loop spends more on waking than on packets. So after something came the hub
is read every `POLL_S`, and the loop waits for the next packet again only once nothing comes.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import weakref
from collections.abc import Callable

from . import create_hub
from .hub import Arrival, Line, Peer

log = logging.getLogger(__name__)

POLL_S = 0.003
QUIET_POLLS = 3
MAX_READS_A_TURN = 8  # then others have their turn

Take = Callable[[Arrival], None]
_receptions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Reception] = (
    weakref.WeakKeyDictionary()
)


class Reception:
    """`take(arrival)` is called on the loop for what a socket's hub hands up."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.hub = create_hub()
        self._loop = loop
        self._takers: dict[int, Take] = {}
        self._tags = itertools.count(1)
        self._tag_of: dict[Line, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_waiting = False
        self._quiet = 0

    def watch(self, peer: Peer, sock: socket.socket, take: Take) -> Line:
        """Take in this socket too."""
        tag = next(self._tags) & 0xFFFFFFFF
        line = self.hub.watch(peer, sock, tag)
        self._takers[tag] = take
        self._tag_of[line] = tag
        if self._timer is None:
            self._wait()
        return line

    def unwatch(self, line: Line) -> None:
        """While the socket is still open."""
        tag = self._tag_of.pop(line, None)
        if tag is None:
            return
        self.hub.unwatch(line)
        del self._takers[tag]
        if not self._takers:
            self._rest()

    def _wait(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._loop.add_reader(self.hub.fd, self._wake)

    def _rest(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._loop.remove_reader(self.hub.fd)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._rest()
        self._quiet = 0
        self._poll()

    def _poll(self) -> None:
        self._timer = None
        self._quiet = 0 if self._read() else self._quiet + 1
        if not self._takers:
            return
        if self._quiet >= QUIET_POLLS:
            self._wait()
        elif self._timer is None and not self._is_waiting:
            self._timer = self._loop.call_later(POLL_S, self._poll)

    def _read(self) -> bool:
        """Whether anything had come."""
        for turn in range(MAX_READS_A_TURN):
            arrivals, is_busy = self.hub.read()
            for arrival in arrivals:
                take = self._takers.get(arrival.tag)
                if take is None:
                    continue  # closed by what came before it
                try:
                    take(arrival)
                except Exception:  # one leg's fault must not stop the others' packets
                    log.exception("a packet could not be taken")
            if not is_busy:
                return turn > 0
        return True


def reception() -> Reception:
    """The running loop's."""
    loop = asyncio.get_running_loop()
    found = _receptions.get(loop)
    if found is None:
        found = _receptions[loop] = Reception(loop)
    return found
