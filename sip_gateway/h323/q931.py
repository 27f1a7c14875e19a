"""Q.931 messages as H.225.0 clause 7.2 uses them: header and information elements."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from .errors import RemoteH323Error

PROTOCOL_DISCRIMINATOR = 0x08
MAX_ELEMENTS = 64


class MessageType(IntEnum):
    """Q.931 table 4-2, the kinds that H.225.0 uses."""

    ALERTING = 0x01
    CALL_PROCEEDING = 0x02
    PROGRESS = 0x03
    SETUP = 0x05
    CONNECT = 0x07
    SETUP_ACKNOWLEDGE = 0x0D
    RELEASE_COMPLETE = 0x5A
    FACILITY = 0x62
    NOTIFY = 0x6E
    STATUS_ENQUIRY = 0x75
    INFORMATION = 0x7B
    STATUS = 0x7D


class ElementId(IntEnum):
    """Q.931 table 4-3."""

    BEARER_CAPABILITY = 0x04
    CAUSE = 0x08
    CALL_STATE = 0x14
    FACILITY = 0x1C
    PROGRESS_INDICATOR = 0x1E
    NOTIFICATION_INDICATOR = 0x27
    DISPLAY = 0x28
    KEYPAD_FACILITY = 0x2C
    SIGNAL = 0x34
    CALLING_PARTY_NUMBER = 0x6C
    CALLED_PARTY_NUMBER = 0x70
    USER_USER = 0x7E


BEARER_VIDEO_384 = bytes.fromhex("889318a5")
BEARER_PACKET = bytes.fromhex("8893a5")


@dataclass(frozen=True, slots=True)
class Q931Message:
    """One message. `elements` keeps order; single-octet elements have empty contents.

    `call_reference` has 15 bits; `from_destination` is its flag (set in messages that are sent by
    the side that did not allocate the reference).
    """

    message_type: int
    call_reference: int
    from_destination: bool
    elements: tuple[tuple[int, bytes], ...] = field(default=())

    def element(self, wanted: int) -> bytes | None:
        """Contents of the first element of this kind; for USER_USER without discriminator."""
        for number, contents in self.elements:
            if number == wanted:
                return contents[1:] if wanted == ElementId.USER_USER else contents
        return None

    @property
    def cause(self) -> int | None:
        """Cause value of RELEASE COMPLETE and STATUS (Q.850), None when not given."""
        contents = self.element(ElementId.CAUSE)
        if not contents:
            return None
        # octet 3 may be followed by octet 3a when its extension bit is 0
        place = 1 if contents[0] & 0x80 else 2
        return contents[place] & 0x7F if len(contents) > place else None

    @property
    def display(self) -> str | None:
        contents = self.element(ElementId.DISPLAY)
        return None if contents is None else contents.rstrip(b"\0").decode("utf-8", "replace")

    @classmethod
    def parse(cls, pdu: bytes) -> Q931Message:
        """Raises RemoteH323Error (q931_malformed)."""
        if len(pdu) < 5 or pdu[0] != PROTOCOL_DISCRIMINATOR:
            raise RemoteH323Error("q931_malformed", at=0)
        if pdu[1] != 2:
            raise RemoteH323Error("q931_malformed", at=1)
        (reference,) = struct.unpack_from("!H", pdu, 2)
        if pdu[4] & 0x80:
            raise RemoteH323Error("q931_malformed", at=4)
        return cls(
            message_type=pdu[4],
            call_reference=reference & 0x7FFF,
            from_destination=bool(reference & 0x8000),
            elements=tuple(_elements(pdu, 5)),
        )

    def __bytes__(self) -> bytes:
        flag = 0x8000 if self.from_destination else 0
        out = bytearray([PROTOCOL_DISCRIMINATOR, 2])
        out += struct.pack("!HB", flag | self.call_reference, self.message_type)
        for number, contents in self.elements:
            out.append(number)
            if number & 0x80:
                continue
            if number == ElementId.USER_USER:  # H.225.0 7.2.2.31: a length of two octets
                out += struct.pack("!H", len(contents))
            else:
                out.append(len(contents))
            out += contents
        return bytes(out)


def user_user(pdu: bytes) -> tuple[int, bytes]:
    """The user-user element that carries an H.225.0 PDU (protocol discriminator 5: X.208/X.209)."""
    return ElementId.USER_USER, b"\x05" + pdu


def _elements(pdu: bytes, at: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while at < len(pdu):
        if len(found) == MAX_ELEMENTS:
            raise RemoteH323Error("q931_malformed", at=at)
        number = pdu[at]
        at += 1
        if number & 0x80:
            found.append((number, b""))
            continue
        wide = 2 if number == ElementId.USER_USER else 1
        if at + wide > len(pdu):
            raise RemoteH323Error("q931_malformed", at=at)
        length = int.from_bytes(pdu[at : at + wide], "big")
        at += wide
        if at + length > len(pdu) or (wide == 2 and not length):
            raise RemoteH323Error("q931_malformed", at=at)
        found.append((number, pdu[at : at + length]))
        at += length
    return found
