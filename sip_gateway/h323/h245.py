"""An H.245 session: capabilities, roles, logical channels, H.239 tokens, H.243 words, commands.

Sans-IO: `receive` takes one PDU and `now`, gives events; `outgoing` gives PDUs for whatever
carries them (a tunnel in H.225.0 or a TCP connection). Unknown messages are ignored, except
requests, which get functionNotUnderstood as clause 6.2 wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from . import h245_events as ev
from .asn1 import decode_h245, encode_h245
from .capability import (
    MediaCapability,
    capability_table,
    multiplex_capability,
    parse_capability_set,
)
from .channels import address_of, capability_of, data_type, media_parameters, unicast
from .errors import SHAPE, LocalH323Error, RemoteH323Error
from .h235 import MediaKeys
from .h239 import TokenMixin
from .h243 import ConferenceMixin
from .h460 import (
    Role,
    ack_information,
    control_indication,
    offer_information,
    read_channel_information,
)

Value = Any
KEEP_ALIVE_S = 10.0
ANSWER_WITHIN_S = 30.0
PROTOCOL = (0, 0, 8, 245, 0, 13)


class ChannelState(Enum):
    """H.245 C.4: one side's view of a unidirectional channel."""

    AWAITING_ESTABLISHMENT = "awaiting_establishment"
    ESTABLISHED = "established"
    AWAITING_RELEASE = "awaiting_release"


@dataclass(slots=True)
class _Channel:
    number: int
    session: int
    capability: MediaCapability | None
    payload_type: int | None
    state: ChannelState
    is_encrypted: bool = False
    key: bytes | None = None  # H.235.6 session key


class ControlSession(TokenMixin, ConferenceMixin):
    """One H.245 session.

    `random24` gives statusDeterminationNumbers; `terminal_type` decides the role (190: an MCU that
    wins over rooms; lower below an existing MCU).
    """

    def __init__(
        self,
        receivable: tuple[MediaCapability, ...],
        *,
        content: bool,
        terminal_type: int,
        random24: Callable[[], int],
    ) -> None:
        super().__init__()
        self._receivable, self._content = receivable, content
        self.terminal_type, self._random24 = terminal_type, random24
        self._out: list[Value] = []
        self._events: list[ev.ControlEvent] = []
        self._ours: dict[int, _Channel] = {}
        self._theirs: dict[int, _Channel] = {}
        self._next_channel, self._sequence = 101, 0
        self._number: int | None = None
        self._acknowledged_role = False
        self.is_master: bool | None = None
        self._role_told = False
        self._asked_at: float | None = None
        self._heard_at: float | None = None
        self._round_trip = 0
        self.ended = False
        self.traversal: Role | None = None  # our part where media pass a NAT (H.460.19)
        self.keys: MediaKeys | None = None  # set before `start` where media may be encrypted

    # --- the owner's side -----------------------------------------------------------------

    def start(self) -> None:
        """Declare what we receive and ask for roles (8.2, 8.3)."""
        self._declare(self._receivable)
        self._determine()

    def identify(self, call_id: bytes, *, is_caller: bool) -> None:
        """A traversal client's first word on a connection of its own; before `start`."""
        self._out.append(control_indication(call_id, is_caller=is_caller))

    def hold(self) -> None:
        """The empty set: the peer must stop sending (8.4.1)."""
        self._declare(())

    def resume(self) -> None:
        self._declare(self._receivable)

    def open_channel(
        self,
        capability: MediaCapability,
        session: int,
        rtcp: ev.Address,
        payload_type: int | None,
        *,
        single_nal: bool = False,
        encrypted: bool = False,
    ) -> int:
        """Ask to send. ChannelOpen or ChannelRefused follows. Returns the channel's number."""
        number = self.new_number()
        channel = self._ours[number] = _Channel(
            number, session, capability, payload_type, ChannelState.AWAITING_ESTABLISHMENT
        )
        channel.is_encrypted = encrypted
        parameters = media_parameters(
            capability,
            session,
            rtp=None,
            rtcp=rtcp,
            payload_type=payload_type,
            single_nal=single_nal,
        )
        forward = {
            "dataType": data_type(capability, encrypted=encrypted),
            "multiplexParameters": parameters,
        }
        body = {"forwardLogicalChannelNumber": number, "forwardLogicalChannelParameters": forward}
        traversal = offer_information(self.traversal, rtcp)
        self._request("openLogicalChannel", {**body, **self._sync(channel), **traversal})
        return number

    def key_of(self, number: int, *, ours: bool) -> bytes | None:
        """The session key of an encrypted channel, once it is open."""
        channel = (self._ours if ours else self._theirs).get(number)
        return None if channel is None else channel.key

    def _sync(self, channel: _Channel) -> dict[str, Value]:
        """The master gives each encrypted channel its key, his own and the peer's (H.235.6 8.6)."""
        if not channel.is_encrypted or self.keys is None or not self.is_master:
            return {}
        channel.key = channel.key or self.keys.new()
        return {"encryptionSync": self.keys.sync(channel.key, channel.payload_type or 0)}

    def _take_sync(self, channel: _Channel, body: Value) -> None:
        if channel.is_encrypted and self.keys is not None and "encryptionSync" in body:
            channel.key = self.keys.read(body["encryptionSync"])

    def new_number(self) -> int:
        """A number for a channel of ours."""
        number, self._next_channel = self._next_channel, self._next_channel + 1
        return number

    def adopt(
        self,
        number: int,
        session: int,
        capability: MediaCapability | None,
        payload_type: int | None,
        *,
        ours: bool,
    ) -> None:
        """A channel that fast start opened: from now on like any other (H.323 8.1.7.2)."""
        channels = self._ours if ours else self._theirs
        channels[number] = _Channel(
            number, session, capability, payload_type, ChannelState.ESTABLISHED
        )

    def accept_channel(self, number: int, rtp: ev.Address, rtcp: ev.Address, session: int) -> None:
        """Take the peer's channel; media comes to `rtp`."""
        channel = self._offered(number)
        channel.state = ChannelState.ESTABLISHED
        parameters: dict[str, Value] = {
            "sessionID": session,
            "mediaChannel": unicast(rtp),
            "mediaControlChannel": unicast(rtcp),
        }
        self._respond(
            "openLogicalChannelAck",
            {
                "forwardLogicalChannelNumber": number,
                "forwardMultiplexAckParameters": ("h2250LogicalChannelAckParameters", parameters),
                **self._sync(channel),
                **ack_information(self.traversal),
            },
        )

    def reject_channel(self, number: int, cause: str) -> None:
        """`cause` is a name of OpenLogicalChannelReject, e.g. dataTypeNotSupported."""
        self._offered(number)
        del self._theirs[number]
        body = {"forwardLogicalChannelNumber": number, "cause": (cause, 0)}
        self._respond("openLogicalChannelReject", body)

    def close_channel(self, number: int) -> None:
        """Stop sending on our channel (C.4) or ask the peer to stop on its own (C.5)."""
        if number in self._ours:
            self._ours[number].state = ChannelState.AWAITING_RELEASE
            body = {"forwardLogicalChannelNumber": number, "source": ("lcse", 0)}
            self._request("closeLogicalChannel", body)
        elif number in self._theirs:
            self._request("requestChannelClose", {"forwardLogicalChannelNumber": number})
        else:
            raise LocalH323Error("h245_channel_unknown", number=number)

    def ask_keyframe(self, number: int) -> None:
        """videoFastUpdatePicture on a channel of the peer's (7.11.5)."""
        body = {"logicalChannelNumber": number, "type": ("videoFastUpdatePicture", 0)}
        self._command("miscellaneousCommand", body)

    def limit_bitrate(self, number: int, bitrate_bps: int) -> None:
        """flowControlCommand on a channel of the peer's."""
        body = {
            "scope": ("logicalChannelNumber", number),
            "restriction": ("maximumBitRate", bitrate_bps // 100),
        }
        self._command("flowControlCommand", body)

    def send_digit(self, digit: str) -> None:
        self._out.append(
            ("indication", ("userInput", ("signal", {"signalType": digit, "duration": 200})))
        )

    def end(self) -> None:
        """endSessionCommand; nothing is said after it."""
        if not self.ended:
            self._command("endSessionCommand", ("disconnect", 0))
            self.ended = True

    def outgoing(self) -> list[bytes]:
        """PDUs to carry now, in order."""
        pdus = [encode_h245(value) for value in self._out]
        self._out.clear()
        return pdus

    def poll(self, now: float) -> list[ev.ControlEvent]:
        """Keep the session alive by round-trip requests (8.6); call about every second."""
        if self.ended or self._heard_at is None:
            return []
        if self._asked_at is not None:
            if now - self._asked_at > ANSWER_WITHIN_S:
                self.ended = True
                return [ev.SessionEnded("round_trip_timeout")]
        elif now - self._heard_at >= KEEP_ALIVE_S:
            self._round_trip = (self._round_trip + 1) % 256
            self._asked_at = now
            self._request("roundTripDelayRequest", {"sequenceNumber": self._round_trip})
        return []

    # --- the peer's side ------------------------------------------------------------------

    def receive(self, pdu: bytes, now: float) -> list[ev.ControlEvent]:
        """One PDU in, events out.

        Raises RemoteH323Error when it does not decode or breaks the rules of its procedure.
        """
        direction, content = decode_h245(pdu)
        self._heard_at = now
        if not isinstance(content, tuple):  # an extension of a later version: its octets alone
            return []
        name, body = content
        handler = getattr(self, f"_on_{name}", None)
        if handler is not None:
            try:
                handler(body, now)
            except SHAPE as error:
                raise RemoteH323Error("h245_malformed", message=name) from error
        elif direction == "request":
            self._not_understood(name, body)
        events, self._events = self._events, []
        return events

    def _not_understood(self, name: str, body: Value) -> None:
        """Clause 6.2 returns the request; what the decoder took may be nothing that can be said."""
        answer = ("indication", ("functionNotUnderstood", ("request", (name, body))))
        try:
            encode_h245(answer)
        except LocalH323Error as error:
            raise RemoteH323Error("h245_malformed", message=name) from error
        self._out.append(answer)

    def _on_terminalCapabilitySet(self, body: Value, _now: float) -> None:  # noqa: N802
        sequence = {"sequenceNumber": body["sequenceNumber"]}
        self._respond("terminalCapabilitySetAck", sequence)
        self._events.append(ev.CapabilitiesReceived(parse_capability_set(body)))

    def _on_masterSlaveDetermination(self, body: Value, _now: float) -> None:  # noqa: N802
        theirs, number = body["terminalType"], body["statusDeterminationNumber"]
        if self._number is None:
            self._determine()
        difference = (number - (self._number or 0)) % 2**24
        if theirs != self.terminal_type:
            self.is_master = theirs < self.terminal_type
        elif difference in (0, 2**23):  # C.2: identical numbers, try again
            self._determine()
            return
        else:
            self.is_master = difference < 2**23
        self._acknowledge_role()

    def _on_masterSlaveDeterminationAck(self, body: Value, _now: float) -> None:  # noqa: N802
        self.is_master = body["decision"][0] == "master"
        self._acknowledge_role()
        if not self._role_told:
            self._role_told = True
            self._events.append(ev.RoleDecided(self.is_master))

    def _on_masterSlaveDeterminationReject(self, _body: Value, _now: float) -> None:  # noqa: N802
        self._determine()

    def _acknowledge_role(self) -> None:
        if not self._acknowledged_role:
            self._acknowledged_role = True
            role = "slave" if self.is_master else "master"
            self._respond("masterSlaveDeterminationAck", {"decision": (role, 0)})

    def _on_openLogicalChannel(self, body: Value, _now: float) -> None:  # noqa: N802
        number = body["forwardLogicalChannelNumber"]
        forward = body["forwardLogicalChannelParameters"]
        kind, parameters = forward["multiplexParameters"]
        if kind != "h2250LogicalChannelParameters":
            raise RemoteH323Error("h245_multiplex_unknown", number=number)
        capability = capability_of(forward["dataType"])
        self._theirs[number] = _Channel(
            number,
            int(parameters["sessionID"]),
            capability,
            parameters.get("dynamicRTPPayloadType"),
            ChannelState.AWAITING_ESTABLISHMENT,
        )
        channel = self._theirs[number]
        channel.is_encrypted = forward["dataType"][0] == "h235Media"
        self._take_sync(channel, body)
        rtcp = address_of(parameters.get("mediaControlChannel"))
        self._events.append(
            ev.ChannelOffered(
                number,
                capability,
                channel.session,
                rtcp,
                channel.payload_type,
                channel.is_encrypted,
                read_channel_information(body) if self.traversal is Role.CLIENT else None,
            )
        )

    def _on_openLogicalChannelAck(self, body: Value, _now: float) -> None:  # noqa: N802
        channel = self._ours.get(body["forwardLogicalChannelNumber"])
        if channel is None or channel.state is not ChannelState.AWAITING_ESTABLISHMENT:
            return
        _kind, parameters = body.get("forwardMultiplexAckParameters", ("", {}))
        rtp = address_of(parameters.get("mediaChannel"))
        if rtp is None:
            raise RemoteH323Error("h245_media_address_missing", number=channel.number)
        channel.state = ChannelState.ESTABLISHED
        channel.session = int(parameters.get("sessionID", channel.session))
        payload_type = parameters.get("dynamicRTPPayloadType", channel.payload_type)
        rtcp = address_of(parameters.get("mediaControlChannel"))
        self._take_sync(channel, body)
        if channel.is_encrypted and channel.key is None:
            raise RemoteH323Error("h235_key_missing", number=channel.number)
        traversal = read_channel_information(body) if self.traversal is Role.SERVER else None
        self._events.append(
            ev.ChannelOpen(channel.number, channel.session, rtp, rtcp, payload_type, traversal)
        )

    def _on_openLogicalChannelReject(self, body: Value, _now: float) -> None:  # noqa: N802
        number = body["forwardLogicalChannelNumber"]
        if self._ours.pop(number, None) is not None:
            self._events.append(ev.ChannelRefused(number, body["cause"][0]))

    def _on_closeLogicalChannel(self, body: Value, _now: float) -> None:  # noqa: N802
        number = body["forwardLogicalChannelNumber"]
        self._respond("closeLogicalChannelAck", {"forwardLogicalChannelNumber": number})
        if self._theirs.pop(number, None) is not None:
            self._events.append(ev.ChannelClosed(number, by_us=False))

    def _on_closeLogicalChannelAck(self, body: Value, _now: float) -> None:  # noqa: N802
        number = body["forwardLogicalChannelNumber"]
        if self._ours.pop(number, None) is not None:
            self._events.append(ev.ChannelClosed(number, by_us=True))

    def _on_requestChannelClose(self, body: Value, _now: float) -> None:  # noqa: N802
        number = body["forwardLogicalChannelNumber"]
        answer = {"forwardLogicalChannelNumber": number}
        if number not in self._ours:
            self._respond("requestChannelCloseReject", {**answer, "cause": ("unspecified", 0)})
            return
        self._respond("requestChannelCloseAck", answer)
        self._events.append(ev.CloseAsked(number))

    def _on_roundTripDelayRequest(self, body: Value, _now: float) -> None:  # noqa: N802
        self._respond("roundTripDelayResponse", {"sequenceNumber": body["sequenceNumber"]})

    def _on_roundTripDelayResponse(self, body: Value, now: float) -> None:  # noqa: N802
        if self._asked_at is not None and body["sequenceNumber"] == self._round_trip:
            self._events.append(ev.RoundTripMeasured(now - self._asked_at))
            self._asked_at = None

    def _on_requestMode(self, body: Value, _now: float) -> None:  # noqa: N802
        """We choose codecs by capability alone; a refused mode request is lawful (8.8)."""
        self._respond(
            "requestModeReject",
            {"sequenceNumber": body["sequenceNumber"], "cause": ("modeUnavailable", 0)},
        )

    def _on_miscellaneousCommand(self, body: Value, _now: float) -> None:  # noqa: N802
        if body["type"][0].startswith("videoFastUpdate"):
            self._events.append(ev.KeyframeAsked(body["logicalChannelNumber"]))

    def _on_flowControlCommand(self, body: Value, _now: float) -> None:  # noqa: N802
        scope, number = body["scope"]
        restriction, units = body["restriction"]
        self._events.append(
            ev.FlowControlled(
                number if scope == "logicalChannelNumber" else None,
                units * 100 if restriction == "maximumBitRate" else None,
            )
        )

    def _on_userInput(self, body: Value, _now: float) -> None:  # noqa: N802
        kind, content = body
        if kind == "alphanumeric":
            self._events.append(ev.UserInput(str(content)))
        elif kind == "signal":
            self._events.append(ev.UserInput(str(content["signalType"])))

    def _on_endSessionCommand(self, _body: Value, _now: float) -> None:  # noqa: N802
        self.end()
        self._events.append(ev.SessionEnded("end_session"))

    # --- words ----------------------------------------------------------------------------

    def _declare(self, media: tuple[MediaCapability, ...]) -> None:
        self._sequence = (self._sequence + 1) % 256
        body: dict[str, Value] = {
            "sequenceNumber": self._sequence,
            "protocolIdentifier": PROTOCOL,
        }
        if media:
            entries, together = capability_table(
                media, content=self._content, encrypts=self.keys is not None
            )
            body |= {
                "multiplexCapability": ("h2250Capability", multiplex_capability(media)),
                "capabilityTable": entries,
                "capabilityDescriptors": together,
            }
        self._request("terminalCapabilitySet", body)

    def _determine(self) -> None:
        self._number = self._random24() % 2**24
        body = {"terminalType": self.terminal_type, "statusDeterminationNumber": self._number}
        self._request("masterSlaveDetermination", body)

    def _offered(self, number: int) -> _Channel:
        channel = self._theirs.get(number)
        if channel is None or channel.state is not ChannelState.AWAITING_ESTABLISHMENT:
            raise LocalH323Error("h245_channel_unknown", number=number)
        return channel

    def _request(self, name: str, body: Value) -> None:
        self._out.append(("request", (name, body)))

    def _respond(self, name: str, body: Value) -> None:
        self._out.append(("response", (name, body)))

    def _command(self, name: str, body: Value) -> None:
        self._out.append(("command", (name, body)))
