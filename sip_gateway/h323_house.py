"""What an H.323 room needs of the edge that holds it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from .call import Call
from .legs import Legs
from .messages import Body

if TYPE_CHECKING:
    from .h323_room import Room


class House(Protocol):
    """The rooms' house: legs, time, tasks, and who hears of what."""

    legs: Legs

    def now(self) -> float: ...
    def announce(self, body: Body) -> None: ...
    def pressed(self, call: Call, digit: str) -> None: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...
    def invited(self, room: Room, caller_name: str, dialled: str) -> None: ...
    def fetched(self, room: Room, call_id: bytes) -> None: ...
    def gone(self, room: Room) -> None: ...
