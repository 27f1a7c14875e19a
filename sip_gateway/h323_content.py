"""One H.323 room's part in the second stream: its H.239 token and the channel towards it.

The roof owns the one token of a consultation (`content.*` of `messages.py`); here a room's wishes
become events, and the roof's decisions become H.239 messages and channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .call import Call
from .h323 import h245_events as ev
from .h323.h245 import ControlSession
from .messages import Body, ContentReleased, ContentRequested

BRIDGE_TERMINAL = 0  # H.239 table 3: the terminal label of who does not take part in H.243
SYMMETRY = 127  # the largest: where both ask at once, the bridge's wish stands
TRIES = 5


class Room(Protocol):
    """What the second stream needs of the room that it belongs to."""

    call: Call | None

    @property
    def session(self) -> ControlSession: ...
    def announce(self, body: Body) -> None: ...
    def content_changed(self) -> None: ...
    def open_content(self) -> int | None: ...
    def close_content(self) -> None: ...
    def refuse_content(self) -> None: ...
    def later(self, seconds: float, work: Callable[[], None]) -> None: ...


class SecondStream:
    """States: nothing, asking, presenting (the room's content), receiving (another's)."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._asked_on: int | None = None  # the room's channel, from its request to its release
        self._is_granted = False
        self._wanted = False  # another's content is to be sent to the room
        self._tries = 0

    @property
    def is_asking(self) -> bool:
        """Whether the room holds the token or waits for an answer."""
        return self._asked_on is not None

    # --- the room's side --------------------------------------------------------------------

    def take(self, event: ev.TokenAsked | ev.TokenAnswered | ev.TokenReleased) -> None:
        match event:
            case ev.TokenAsked(channel=channel):
                self._asked(channel)
            case ev.TokenAnswered(granted=granted):
                self._answered(granted=granted)
            case ev.TokenReleased():
                self.released()

    def _asked(self, channel: int) -> None:
        call = self._room.call
        if call is None:
            return
        was_asking, self._asked_on = self._asked_on is not None, channel
        if was_asking and self._is_granted:
            self._room.session.token_response(channel, granted=True)
        elif not was_asking:
            self._room.content_changed()  # the leg takes content before the token is granted
            self._room.announce(
                ContentRequested(leg_id=call.leg_id, conference_id=call.conference_id)
            )

    def opened(self, channel: int) -> None:
        """The room opened its content channel; some rooms do so without asking first."""
        if self._asked_on is None:
            self._asked(channel)

    def released(self) -> None:
        """By its word, or by closing its channel."""
        call, was_asking = self._room.call, self.is_asking
        self._asked_on, self._is_granted = None, False
        if was_asking and call is not None:
            self._room.announce(
                ContentReleased(leg_id=call.leg_id, conference_id=call.conference_id)
            )
            self._room.content_changed()

    # --- the roof's side --------------------------------------------------------------------

    def decide(self, *, granted: bool) -> None:
        if self._asked_on is None:
            return
        channel, self._is_granted = self._asked_on, granted
        self._room.session.token_response(channel, granted=granted)
        if not granted:
            self._asked_on = None
            self._room.refuse_content()

    def revoke(self) -> None:
        """The bridge takes the token (its request) and wants the room's channel closed."""
        if self._asked_on is None:
            return
        self._asked_on, self._is_granted = None, False
        self._room.session.token_owner(0, BRIDGE_TERMINAL)
        self._room.refuse_content()

    def offer(self, *, on: bool) -> None:
        """Another's content comes, or has ended."""
        if on is self._wanted:
            return
        self._wanted, self._tries = on, 0
        if on:
            self._ask()
        else:
            self._room.close_content()
            self._room.session.token_release(0)

    def resume(self) -> None:
        """The room's channels were closed for a while; what it is shown is shown again."""
        if self._wanted and not self.is_asking:
            self._room.open_content()

    def _ask(self) -> None:
        """A room sends us an acknowledgement before it takes content, as from any far end."""
        if self._wanted and not self.is_asking:
            self._tries += 1
            self._room.session.token_request(0, 1_000_000, SYMMETRY)

    def _answered(self, *, granted: bool) -> None:
        if not self._wanted:
            return
        if granted:
            self._room.open_content()
        elif self._tries < TRIES:  # it asked at the same moment, or has not let go yet
            self._room.later(1.0, self._ask)
