"""Our stack in one side's place of a captured call: what it says where the other maker spoke.

The other side's PDUs are fed as captured, only their answers to openLogicalChannel are given the
numbers of our channels. Steps that a person or an owner takes (dial, answer, hang up, ask for the
token) are taken where the captured side took them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sip_gateway.h323 import asn1
from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.call import CallEvent, CallState, ConnectControl, H323Call, Incoming
from sip_gateway.h323.capability import Codec, MediaCapability
from sip_gateway.h323.fast_start import Proposal, propose
from sip_gateway.h323.h225 import Identity, read
from sip_gateway.h323.h245 import ControlSession
from sip_gateway.h323.q931 import MessageType, Q931Message, user_user
from tests.sip_gateway.h323 import capture
from tests.sip_gateway.h323.capture import Sent

Value = Any
AUDIO: tuple[Codec, ...] = ("PCMA", "PCMU")
VIDEO: tuple[Codec, ...] = ("H264", "H263", "H261")
MEDIA = (
    MediaCapability("audio", "PCMA"),
    MediaCapability("audio", "PCMU"),
    MediaCapability("video", "H264"),
    MediaCapability("video", "H261", sizes={"qcif": 1, "cif": 1}),
    MediaCapability("content", "H264"),
)
HERE = ("10.0.0.1", 5000)


def calls_of(path: Path) -> list[list[Sent]]:
    """The calls of a capture, one after another."""
    found: list[list[Sent]] = []
    for one in capture.sent(path):
        if one.pdu[0] == 8 and one.pdu[4] == MessageType.SETUP:
            found.append([])
        found[-1].append(one)
    return found


def kinds(pdu: bytes) -> list[str]:
    """The messages in a PDU; a FACILITY that only carries H.245 is what it carries."""
    if pdu[0] != 8:
        return [asn1.decode_h245(pdu)[1][0]]
    received = read(pdu)
    inner = [asn1.decode_h245(one)[1][0] for one in received.tunnelled]
    name = MessageType(received.message.message_type).name
    return inner if name == "FACILITY" and inner else [name, *inner]


def _channel_kind(body: Value) -> str:
    side, data = body["forwardLogicalChannelParameters"]["dataType"]
    return "content" if data[0] == "extendedVideoCapability" else str(side)


@dataclass
class Side:
    """`is_caller` tells whose place our stack takes."""

    call: list[Sent]
    is_caller: bool
    said: list[str] = field(default_factory=list)
    captured: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._home = self.call[0].stream[0][:4]
        self._theirs_by_kind: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._capabilities: Any = None
        self._incoming: Incoming | None = None
        own = [one for one in self.call if self._is_ours(one)]
        role = (60, 5)
        for value in (asn1.decode_h245(raw) for one in own for raw in _control_of(one.pdu)):
            name, body = value[1]
            if name == "masterSlaveDetermination":
                role = (body["terminalType"], body["statusDeterminationNumber"])
            elif name == "openLogicalChannel":
                number = body["forwardLogicalChannelNumber"]
                self._theirs_by_kind[number] = _channel_kind(body)
        kind, number = role
        control = ControlSession(MEDIA, content=True, terminal_type=kind, random24=lambda: number)
        tunnels = read(next(one.pdu for one in own if one.pdu[0] == 8)).tunnelling
        self.core = H323Call(Identity("演示"), control, tunnelling=tunnels)
        self.core.offer_control(*HERE)

    @property
    def session(self) -> ControlSession:
        return self.core.control_session

    def _is_ours(self, one: Sent) -> bool:
        return (one.stream[0][:4] == self._home) is self.is_caller

    def run(self) -> None:
        for one in self.call:
            if self._is_ours(one):
                self.captured += kinds(one.pdu)
                self._step(one.pdu)
            elif one.pdu[0] == 8:
                self._take(self.core.receive(self._renumbered(one.pdu), 0.0))
            else:
                inner = self._with_our_number(one.pdu)
                if inner is not None:
                    self._take(self.core.receive_control(inner, 0.0))
            self._pump()

    def differences(self) -> list[str]:
        """`- kind`: only they say it here; `+ kind`: only we do."""
        lines = difflib.ndiff(self.captured, self.said)
        return [line for line in lines if line[0] in "+-"]

    # --- the owner's steps ------------------------------------------------------------------

    def _step(self, pdu: bytes) -> None:
        for kind in kinds(pdu):
            match kind:
                case "SETUP":
                    self._dial(with_fast_start=bool(read(pdu).fast_start))
                case "CALL_PROCEEDING":
                    self.core.proceed(0.0)
                case "ALERTING":
                    self.core.ring(0.0)
                case "CONNECT":
                    self.core.answer(0.0, self._taken())
                case "genericRequest":
                    self.session.token_request(0, 1_000_000, 5)
                case "RELEASE_COMPLETE" | "endSessionCommand":
                    self.core.release("destinationRejection", 0.0)

    def _dial(self, *, with_fast_start: bool) -> None:
        addresses: Any = {"audio": (1, HERE, HERE)}
        types = {"PCMA": 8, "PCMU": 0}
        proposals: tuple[Proposal, ...] = ()
        if with_fast_start:
            proposals = propose(MEDIA, addresses, types, self.session.new_number)
        self.core.dial(
            number="1",
            source=HERE,
            target=HERE,
            reference=1,
            new_id=lambda: bytes(16),
            now=0.0,
            proposals=proposals,
        )

    def _taken(self) -> tuple[Proposal, ...]:
        taken: dict[bool, Proposal] = {}
        for one in self._incoming.proposals if self._incoming is not None else ():
            if one.capability is not None and one.capability.codec in AUDIO:
                taken.setdefault(one.to_called, one.taken(HERE if one.to_called else None, HERE))
        return tuple(taken.values())

    # --- what the other side causes ---------------------------------------------------------

    def _pump(self) -> None:
        for _ in range(20):
            self._take(self.core.events())
            pdus = [*self.core.control(), *self.core.signalling()]
            if not pdus:
                return
            for pdu in pdus:
                self.said += kinds(pdu)

    def _take(self, events: list[CallEvent]) -> None:
        for event in events:
            match event:
                case Incoming():
                    self._incoming = event
                case ConnectControl():
                    self.core.control_connected()
                case ev.CapabilitiesReceived(capabilities=capabilities):
                    self._capabilities = capabilities
                    self._open()
                case ev.RoleDecided():
                    self._open()
                case ev.FastStarted(sending=sending):
                    for _opened, carried in sending:
                        self._numbers[f"{carried.kind}Data"] = -1
                case ev.ChannelOffered(number=number, session=session, capability=known):
                    if known is None:
                        self.session.reject_channel(number, "dataTypeNotSupported")
                    else:
                        self.session.accept_channel(number, HERE, HERE, session or 32)
                case ev.TokenAsked(channel=channel):
                    self.session.token_response(channel, granted=True)
                case ev.TokenAnswered(granted=True):
                    self._open_one("content", VIDEO, 32)
                case ev.SessionEnded():
                    self.core.release("destinationRejection", 0.0)
                case _:
                    pass

    def _open(self) -> None:
        """As `h323_room.Room`: once roles and capabilities are known."""
        if self._capabilities is not None and self.session.is_master is not None:
            self._open_one("audioData", AUDIO, 1)
            self._open_one("videoData", VIDEO, 2)

    def _open_one(self, kind: str, order: tuple[Codec, ...], session: int) -> None:
        wanted: Any = {"audioData": "audio", "videoData": "video", "content": "content"}[kind]
        best = self._capabilities.best(wanted, order) if self._capabilities is not None else None
        if best is not None and kind not in self._numbers:
            self._numbers[kind] = self.session.open_channel(best, session, HERE, 110)

    def _renumbered(self, pdu: bytes) -> bytes:
        message = Q931Message.parse(pdu)
        contents = message.element(0x7E)
        value = asn1.decode_uu(contents or b"")
        inner = value["h323-uu-pdu"].get("h245Control")
        if not inner:
            return pdu
        kept = [one for one in map(self._with_our_number, inner) if one is not None]
        value["h323-uu-pdu"]["h245Control"] = kept
        elements = [
            user_user(asn1.encode_uu(value)) if number == 0x7E else (number, body)
            for number, body in message.elements
        ]
        return bytes(replace(message, elements=tuple(elements)))

    def _with_our_number(self, pdu: bytes) -> bytes | None:
        """None for an answer to a channel that we never asked for."""
        direction, (name, body) = asn1.decode_h245(pdu)
        if name not in ("openLogicalChannelAck", "openLogicalChannelReject"):
            return pdu
        kind = self._theirs_by_kind.get(body["forwardLogicalChannelNumber"], "")
        if kind not in self._numbers:
            return None
        body = {**body, "forwardLogicalChannelNumber": self._numbers[kind]}
        return asn1.encode_h245((direction, (name, body)))


def _control_of(pdu: bytes) -> tuple[bytes, ...]:
    return read(pdu).tunnelled if pdu[0] == 8 else (pdu,)


def ended(side: Side) -> bool:
    return side.core.state is CallState.RELEASED
