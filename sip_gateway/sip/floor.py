"""The floor server of one room (RFC 8855 clause 13), sans-IO.

Each room has a BFCP conference of its own with one user and one floor, its content: who presents is
decided above, where the one token lies. Feed `receive` and `advance`; take `take_outgoing()` and
`take_events()`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from ..errors import RemoteSipError
from .bfcp import (
    Attribute,
    AttributeType,
    BfcpMessage,
    ErrorCode,
    Primitive,
    RequestStatus,
    number_attribute,
    request_information,
)

FLOOR_ID = 1
OTHER_USER_ID = 0xFFFE  # whoever else presents, in FloorStatus
T1_S = 0.5  # clause 8.3.1: first repetition of our own transactions over UDP
REPEATS = 4
REMEMBERED = 16  # answers kept for requests that are repeated (clause 8.3.2)
SERVED = (1, 2, 3, 5, 7, 11, 14, 15, 16)
_ANSWERS = (Primitive.FLOOR_REQUEST_STATUS_ACK, Primitive.FLOOR_STATUS_ACK)


class FloorEvent(StrEnum):
    REQUESTED = "requested"
    RELEASED = "released"


@dataclass(slots=True)
class _Request:
    id: int
    status: RequestStatus
    queue_place: int = 0


@dataclass(slots=True)
class _Unacknowledged:
    data: bytes
    due: float
    interval_s: float
    left: int = REPEATS


class FloorServer:
    """`is_reliable` is BFCP over TCP: version 1, nothing repeated, nothing acknowledged."""

    def __init__(self, conference_id: int, user_id: int, *, is_reliable: bool) -> None:
        self.conference_id, self.user_id = conference_id, user_id
        self.is_reliable = is_reliable
        self._request: _Request | None = None
        self._request_count = 0
        self._holder = ""
        self._asks_status = False
        self._transaction = 0
        self._outgoing: list[bytes] = []
        self._events: list[FloorEvent] = []
        self._answered: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._waiting: dict[int, _Unacknowledged] = {}

    # --- what the shell takes ---------------------------------------------------------------

    def take_outgoing(self) -> list[bytes]:
        taken, self._outgoing = self._outgoing, []
        return taken

    def take_events(self) -> list[FloorEvent]:
        taken, self._events = self._events, []
        return taken

    def next_due(self) -> float | None:
        return min((one.due for one in self._waiting.values()), default=None)

    @property
    def is_asking(self) -> bool:
        """Whether the room holds the token or waits for it."""
        return self._request is not None

    # --- from the network -------------------------------------------------------------------

    def receive(self, message: BfcpMessage, now: float) -> None:
        """One message of this conference. Raises RemoteSipError of a malformed attribute."""
        if message.primitive in _ANSWERS or message.is_response:
            self._waiting.pop(message.transaction_id, None)
            return
        key = (message.transaction_id, message.primitive)
        known = self._answered.get(key)
        if known is not None and not self.is_reliable:
            self._outgoing.append(known)
            return
        primitive, attributes = self._answer(message)
        answer = self._message(primitive, message.transaction_id, attributes, is_response=True)
        self._answered[key] = answer
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        self._outgoing.append(answer)

    def _answer(self, message: BfcpMessage) -> tuple[Primitive, tuple[Attribute, ...]]:
        if message.user_id != self.user_id:
            return _error(ErrorCode.USER_UNKNOWN)
        match message.primitive:
            case Primitive.HELLO:
                return Primitive.HELLO_ACK, (
                    Attribute(AttributeType.SUPPORTED_PRIMITIVES, bytes(SERVED)),
                    Attribute(
                        AttributeType.SUPPORTED_ATTRIBUTES,
                        bytes(one << 1 for one in AttributeType),
                    ),
                )
            case Primitive.FLOOR_REQUEST:
                return self._on_request(message)
            case Primitive.FLOOR_RELEASE:
                return self._on_release(message)
            case Primitive.FLOOR_REQUEST_QUERY:
                request = self._named(message)
                if request is None:
                    return _error(ErrorCode.FLOOR_REQUEST_UNKNOWN)
                return Primitive.FLOOR_REQUEST_STATUS, (self._information(request),)
            case Primitive.FLOOR_QUERY:
                floors = [one for one in message.attributes if one.type == AttributeType.FLOOR_ID]
                self._asks_status = any(one.number == FLOOR_ID for one in floors)
                return Primitive.FLOOR_STATUS, self._status()
            case Primitive.USER_QUERY:
                own = () if self._request is None else (self._information(self._request),)
                return Primitive.USER_STATUS, own
            case Primitive.GOODBYE:
                self._drop()
                return Primitive.GOODBYE_ACK, ()
            case Primitive.CHAIR_ACTION:
                return _error(ErrorCode.UNAUTHORISED)
            case _:
                return _error(ErrorCode.PRIMITIVE_UNKNOWN)

    def _on_request(self, message: BfcpMessage) -> tuple[Primitive, tuple[Attribute, ...]]:
        floor = message.get(AttributeType.FLOOR_ID)
        if floor is None or floor.number != FLOOR_ID:
            return _error(ErrorCode.FLOOR_UNKNOWN)
        if self._request is None:
            self._request_count += 1
            self._request = _Request(self._request_count, RequestStatus.PENDING)
            self._events.append(FloorEvent.REQUESTED)
        return Primitive.FLOOR_REQUEST_STATUS, (self._information(self._request),)

    def _on_release(self, message: BfcpMessage) -> tuple[Primitive, tuple[Attribute, ...]]:
        request = self._named(message)
        if request is None:
            return _error(ErrorCode.FLOOR_REQUEST_UNKNOWN)
        was_held = request.status is RequestStatus.GRANTED
        status = RequestStatus.RELEASED if was_held else RequestStatus.CANCELLED
        self._drop()
        return Primitive.FLOOR_REQUEST_STATUS, (request_information(request.id, FLOOR_ID, status),)

    def _drop(self) -> None:
        if self._request is not None:
            self._request = None
            self._events.append(FloorEvent.RELEASED)

    def _named(self, message: BfcpMessage) -> _Request | None:
        attribute = message.get(AttributeType.FLOOR_REQUEST_ID)
        if attribute is None or self._request is None or attribute.number != self._request.id:
            return None
        return self._request

    # --- from above -------------------------------------------------------------------------

    def decide(self, *, granted: bool, queue_place: int | None, now: float) -> None:
        """The answer to a request: granted, a place in the queue, or denied."""
        request = self._request
        if request is None:
            return
        status = RequestStatus.GRANTED if granted else RequestStatus.DENIED
        if not granted and queue_place is not None:
            status = RequestStatus.PENDING
        place = 0 if granted else queue_place or 0
        if (request.status, request.queue_place) == (status, place):
            return
        request.status, request.queue_place = status, place
        self._notify_request(request, now)
        if status is RequestStatus.DENIED:
            self._request = None

    def revoke(self, now: float) -> None:
        """The token was taken back; the room stops sending."""
        request = self._request
        if request is not None:
            request.status = RequestStatus.REVOKED
            self._notify_request(request, now)
            self._request = None

    def show_holder(self, name: str, now: float) -> None:
        """Who presents to this room now, "" for nobody: for rooms that asked for FloorStatus."""
        if name == self._holder:
            return
        self._holder = name
        if self._asks_status:
            self._notify(Primitive.FLOOR_STATUS, self._status(), now)

    def _notify_request(self, request: _Request, now: float) -> None:
        self._notify(Primitive.FLOOR_REQUEST_STATUS, (self._information(request),), now)

    def _notify(self, primitive: Primitive, attributes: tuple[Attribute, ...], now: float) -> None:
        if self.is_reliable:
            self._outgoing.append(self._message(primitive, 0, attributes))
            return
        for number, older in list(self._waiting.items()):
            if older.data[1] == primitive:
                del self._waiting[number]  # what it said is no longer so
        self._transaction = self._transaction % 0xFFFF + 1
        data = self._message(primitive, self._transaction, attributes)
        self._waiting[self._transaction] = _Unacknowledged(data, now + T1_S, T1_S)
        self._outgoing.append(data)

    def advance(self, now: float) -> None:
        """Repeat what is not acknowledged; a room that never does is left alone."""
        for number, one in list(self._waiting.items()):
            if one.due > now:
                continue
            if one.left == 0:
                del self._waiting[number]
                continue
            one.left -= 1
            one.interval_s *= 2
            one.due = now + one.interval_s
            self._outgoing.append(one.data)

    # --- building ---------------------------------------------------------------------------

    def _message(
        self,
        primitive: Primitive,
        transaction_id: int,
        attributes: tuple[Attribute, ...],
        *,
        is_response: bool = False,
    ) -> bytes:
        version = 1 if self.is_reliable else 2
        return bytes(
            BfcpMessage(
                primitive,
                self.conference_id,
                transaction_id,
                self.user_id,
                attributes,
                version,
                is_response,
            )
        )

    def _information(self, request: _Request) -> Attribute:
        return request_information(request.id, FLOOR_ID, request.status, request.queue_place)

    def _status(self) -> tuple[Attribute, ...]:
        floor = number_attribute(AttributeType.FLOOR_ID, FLOOR_ID)
        if self._request is not None and self._request.status is RequestStatus.GRANTED:
            return floor, self._information(self._request)
        if self._holder:
            holder = (OTHER_USER_ID, self._holder)
            return floor, request_information(0, FLOOR_ID, RequestStatus.GRANTED, 0, holder)
        return (floor,)


def _error(code: ErrorCode) -> tuple[Primitive, tuple[Attribute, ...]]:
    return Primitive.ERROR, (Attribute(AttributeType.ERROR_CODE, bytes((code,))),)


def error_to(message: BfcpMessage, code: ErrorCode) -> bytes:
    """An Error for a message that belongs to no conference of ours."""
    primitive, attributes = _error(code)
    return bytes(
        BfcpMessage(
            primitive,
            message.conference_id,
            message.transaction_id,
            message.user_id,
            attributes,
            message.version,
            is_response=True,
        )
    )


__all__ = ["FloorEvent", "FloorServer", "RemoteSipError", "error_to"]
