"""BFCP messages (RFC 8855 clause 5): parse and build, version 1 (streams) and 2 (datagrams)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from ..errors import RemoteSipError

HEADER = struct.Struct("!BBHIHH")
MAX_MESSAGE_BYTES = 4096
MAX_ATTRIBUTES = 64


class Primitive(IntEnum):
    FLOOR_REQUEST = 1
    FLOOR_RELEASE = 2
    FLOOR_REQUEST_QUERY = 3
    FLOOR_REQUEST_STATUS = 4
    USER_QUERY = 5
    USER_STATUS = 6
    FLOOR_QUERY = 7
    FLOOR_STATUS = 8
    CHAIR_ACTION = 9
    CHAIR_ACTION_ACK = 10
    HELLO = 11
    HELLO_ACK = 12
    ERROR = 13
    FLOOR_REQUEST_STATUS_ACK = 14
    FLOOR_STATUS_ACK = 15
    GOODBYE = 16
    GOODBYE_ACK = 17


class AttributeType(IntEnum):
    BENEFICIARY_ID = 1
    FLOOR_ID = 2
    FLOOR_REQUEST_ID = 3
    PRIORITY = 4
    REQUEST_STATUS = 5
    ERROR_CODE = 6
    ERROR_INFO = 7
    PARTICIPANT_PROVIDED_INFO = 8
    STATUS_INFO = 9
    SUPPORTED_ATTRIBUTES = 10
    SUPPORTED_PRIMITIVES = 11
    USER_DISPLAY_NAME = 12
    USER_URI = 13
    BENEFICIARY_INFORMATION = 14
    FLOOR_REQUEST_INFORMATION = 15
    REQUESTED_BY_INFORMATION = 16
    FLOOR_REQUEST_STATUS = 17
    OVERALL_REQUEST_STATUS = 18


class RequestStatus(IntEnum):
    PENDING = 1
    ACCEPTED = 2
    GRANTED = 3
    DENIED = 4
    CANCELLED = 5
    RELEASED = 6
    REVOKED = 7


class ErrorCode(IntEnum):
    CONFERENCE_UNKNOWN = 1
    USER_UNKNOWN = 2
    PRIMITIVE_UNKNOWN = 3
    ATTRIBUTE_UNKNOWN = 4
    UNAUTHORISED = 5
    FLOOR_UNKNOWN = 6
    FLOOR_REQUEST_UNKNOWN = 7
    TOO_MANY_REQUESTS = 8


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `value` is what follows its two header octets, padding left out."""

    type: int
    value: bytes
    is_mandatory: bool = True

    def __bytes__(self) -> bytes:
        padding = -(len(self.value) + 2) % 4
        head = self.type << 1 | self.is_mandatory
        return bytes((head, len(self.value) + 2)) + self.value + bytes(padding)

    @property
    def number(self) -> int:
        """The 16-bit value of ids. Raises RemoteSipError("bfcp_attribute_malformed")."""
        if len(self.value) < 2:
            raise RemoteSipError("bfcp_attribute_malformed", type=self.type)
        return int.from_bytes(self.value[:2], "big")


@dataclass(frozen=True, slots=True)
class BfcpMessage:
    """`is_response` is the R bit of version 2; version 1 has none."""

    primitive: int
    conference_id: int
    transaction_id: int
    user_id: int
    attributes: tuple[Attribute, ...] = ()
    version: int = 2
    is_response: bool = False

    def get(self, type_: AttributeType) -> Attribute | None:
        return next((one for one in self.attributes if one.type == type_), None)

    def __bytes__(self) -> bytes:
        payload = b"".join(map(bytes, self.attributes))
        first = self.version << 5 | (self.is_response and self.version > 1) << 4
        head = (first, self.primitive, len(payload) // 4)
        return HEADER.pack(*head, self.conference_id, self.transaction_id, self.user_id) + payload


def parse_attributes(payload: bytes) -> tuple[Attribute, ...]:
    """Attributes in their order. Raises RemoteSipError("bfcp_attribute_malformed")."""
    found: list[Attribute] = []
    at = 0
    while at < len(payload):
        length = payload[at + 1] if at + 1 < len(payload) else 0
        if length < 2 or at + length > len(payload) or len(found) >= MAX_ATTRIBUTES:
            raise RemoteSipError("bfcp_attribute_malformed", offset=at)
        value = payload[at + 2 : at + length]
        found.append(Attribute(payload[at] >> 1, value, bool(payload[at] & 1)))
        at += length + -length % 4
    return tuple(found)


def parse_bfcp(data: bytes) -> BfcpMessage:
    """One whole message. Raises RemoteSipError("bfcp_...")."""
    if len(data) < HEADER.size or len(data) > MAX_MESSAGE_BYTES:
        raise RemoteSipError("bfcp_length_wrong", length=len(data))
    first, primitive, length, conference_id, transaction_id, user_id = HEADER.unpack_from(data)
    version = first >> 5
    if version not in (1, 2):
        raise RemoteSipError("bfcp_version_unsupported", version=version)
    if first & 0x08:
        raise RemoteSipError("bfcp_fragment_unsupported")
    if len(data) != HEADER.size + 4 * length:
        raise RemoteSipError("bfcp_length_wrong", length=len(data))
    return BfcpMessage(
        primitive,
        conference_id,
        transaction_id,
        user_id,
        parse_attributes(data[HEADER.size :]),
        version,
        bool(first & 0x10),
    )


class BfcpStream:
    """Cuts messages out of a TCP stream."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Whole messages. Raises RemoteSipError("bfcp_length_wrong") for one that is too long."""
        self._buffer += data
        found = []
        while len(self._buffer) >= HEADER.size:
            length = HEADER.size + 4 * int.from_bytes(self._buffer[2:4], "big")
            if length > MAX_MESSAGE_BYTES:
                raise RemoteSipError("bfcp_length_wrong", length=length)
            if len(self._buffer) < length:
                break
            found.append(self._buffer[:length])
            self._buffer = self._buffer[length:]
        return found


# --- attributes as a floor server sends them -----------------------------------------------------


def number_attribute(type_: AttributeType, number: int) -> Attribute:
    return Attribute(type_, number.to_bytes(2, "big"))


def text_attribute(type_: AttributeType, text: str) -> Attribute:
    """Text cut to what fits, never within a character."""
    return Attribute(type_, text.encode()[:240].decode("utf-8", "ignore").encode())


def grouped(type_: AttributeType, number: int, *parts: Attribute) -> Attribute:
    return Attribute(type_, number.to_bytes(2, "big") + b"".join(map(bytes, parts)))


def request_information(
    request_id: int,
    floor_id: int,
    status: RequestStatus,
    queue_place: int = 0,
    holder: tuple[int, str] | None = None,
) -> Attribute:
    """FLOOR-REQUEST-INFORMATION: one floor, its status, perhaps who has it."""
    parts = [
        grouped(
            AttributeType.OVERALL_REQUEST_STATUS,
            request_id,
            Attribute(AttributeType.REQUEST_STATUS, bytes((status, min(queue_place, 255)))),
        ),
        grouped(AttributeType.FLOOR_REQUEST_STATUS, floor_id),
    ]
    if holder is not None:
        name = text_attribute(AttributeType.USER_DISPLAY_NAME, holder[1])
        parts.append(grouped(AttributeType.BENEFICIARY_INFORMATION, holder[0], name))
    return grouped(AttributeType.FLOOR_REQUEST_INFORMATION, request_id, *parts)
