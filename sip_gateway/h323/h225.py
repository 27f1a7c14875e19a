"""H.225.0 call signalling messages: building them, and reading what matters of a peer's.

Each builder returns a whole Q.931 message with its user-user element (H.225.0 clauses 7.3, 7.5).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from .asn1 import decode_uu, encode_uu
from .errors import SHAPE, RemoteH323Error
from .h460 import feature_set, features_of
from .q931 import BEARER_PACKET, ElementId, MessageType, Q931Message, user_user

Value = Any
Address = tuple[str, int]
PROTOCOL = (0, 0, 8, 2250, 0, 4)

# ReleaseCompleteReason (H.225.0 clause 7.3.9) -> Q.931 cause (table 5 of H.225.0)
CAUSES = {
    "noBandwidth": 34,
    "gatekeeperResources": 47,
    "unreachableDestination": 3,
    "destinationRejection": 16,
    "invalidRevision": 88,
    "noPermission": 111,
    "unreachableGatekeeper": 38,
    "gatewayResources": 42,
    "badFormatAddress": 28,
    "adaptiveBusy": 41,
    "inConf": 17,
    "undefinedReason": 31,
    "facilityCallDeflection": 16,
    "securityDenied": 31,
    "calledPartyNotRegistered": 20,
    "callerNotRegistered": 31,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in signalling: name and number, shown at the other side."""

    name: str
    number: str = ""
    product: str = "command-center"
    version: str = "0.1"
    is_mcu: bool = True


@dataclass(frozen=True, slots=True)
class CallIds:
    """What every message of a call repeats."""

    reference: int
    call_id: bytes
    conference_id: bytes
    from_destination: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A peer's message, read."""

    message: Q931Message
    kind: str  # h323-message-body's choice: setup, alerting, connect, facility, empty ...
    body: dict[str, Value]
    tunnelled: tuple[bytes, ...]
    tunnelling: bool

    @property
    def h245_address(self) -> Address | None:
        return transport_address(self.body.get("h245Address"))

    @property
    def fast_start(self) -> tuple[bytes, ...]:
        """Encoded channels proposed or taken (H.225.0 7.3)."""
        return tuple(bytes(octets) for octets in self.body.get("fastStart", []))

    @property
    def tokens(self) -> list[Value]:
        """ClearTokens: Diffie-Hellman half-keys of H.235.6 among them."""
        return list(self.body.get("tokens", []))

    @property
    def features(self) -> dict[int, frozenset[int]]:
        """H.460 features that the peer names: number -> its parameters."""
        return features_of(self.body)

    @property
    def call_id(self) -> bytes:
        """Empty where the message has none."""
        return bytes(self.body.get("callIdentifier", {}).get("guid", b""))

    @property
    def caller_name(self) -> str:
        """What the peer calls itself: display, else its first alias."""
        if self.message.display:
            return self.message.display
        aliases = [value for _kind, value in self.body.get("sourceAddress", [])]
        return str(aliases[0]) if aliases else ""

    @property
    def dialled(self) -> str:
        """The number or name that a SETUP wants to reach; empty when it names none."""
        for kind, value in self.body.get("destinationAddress", []):
            if kind in ("dialledDigits", "h323-ID", "url-ID"):
                return str(value)
        number = self.message.element(ElementId.CALLED_PARTY_NUMBER)
        return number[1:].decode("ascii", "replace") if number else ""


def read(pdu: bytes) -> Received:
    """Q.931 and H.225.0 of one TPKT payload. Raises RemoteH323Error."""
    message = Q931Message.parse(pdu)
    contents = message.element(ElementId.USER_USER)
    if contents is None:
        return Received(message, "none", {}, (), tunnelling=False)
    pdu_value = decode_uu(contents)["h323-uu-pdu"]
    try:
        kind, body = pdu_value["h323-message-body"]
    except SHAPE as error:
        raise RemoteH323Error("h225_malformed") from error
    if not isinstance(body, dict):
        body = {}
    return Received(
        message,
        kind,
        body,
        tuple(pdu_value.get("h245Control", [])),
        bool(pdu_value.get("h245Tunnelling", False)),
    )


def transport_address(value: Value) -> Address | None:
    """host and port of an H.225.0 TransportAddress of kind ipAddress."""
    if value is None or value[0] != "ipAddress":
        return None
    return str(ipaddress.IPv4Address(value[1]["ip"])), int(value[1]["port"])


def ip_address(address: Address) -> Value:
    return "ipAddress", {
        "ip": ipaddress.IPv4Address(address[0]).packed,
        "port": address[1],
    }


def vendor(identity: Identity) -> Value:
    return {
        "vendor": {"t35CountryCode": 38, "t35Extension": 0, "manufacturerCode": 0},
        "productId": identity.product.encode(),
        "versionId": identity.version.encode(),
    }


def endpoint_type(identity: Identity) -> Value:
    kind: dict[str, Value] = {"mcu": {}} if identity.is_mcu else {"terminal": {}}
    return {
        "vendor": vendor(identity),
        **kind,
        "mc": identity.is_mcu,
        "undefinedNode": False,
    }


def _message(
    kind: MessageType,
    ids: CallIds,
    choice: tuple[str, Value],
    *,
    identity: Identity,
    tunnelled: tuple[bytes, ...] = (),
    tunnelling: bool = True,
    elements: tuple[tuple[int, bytes], ...] = (),
) -> Q931Message:
    pdu: dict[str, Value] = {"h323-message-body": choice, "h245Tunnelling": tunnelling}
    if tunnelled:
        pdu["h245Control"] = list(tunnelled)
    display = (ElementId.DISPLAY, identity.name.encode()[:81] + b"\0")
    ordered = sorted([*elements, display], key=lambda element: element[0])
    uu = user_user(encode_uu({"h323-uu-pdu": pdu}))
    return Q931Message(kind, ids.reference, ids.from_destination, (*ordered, uu))


def setup(
    ids: CallIds,
    identity: Identity,
    *,
    number: str,
    source: Address,
    target: Address,
    tunnelled: tuple[bytes, ...] = (),
    tunnelling: bool,
    fast_start: tuple[bytes, ...] = (),
    tokens: tuple[Value, ...] = (),
    features: tuple[Value, ...] = (),
) -> Q931Message:
    """The call's first message. `number` empty: call whoever answers at `target`."""
    aliases: list[Value] = [("h323-ID", identity.name)]
    if identity.number:
        aliases.append(("dialledDigits", identity.number))
    body: dict[str, Value] = {
        "protocolIdentifier": PROTOCOL,
        "sourceAddress": aliases,
        "sourceInfo": endpoint_type(identity),
        "destCallSignalAddress": ip_address(target),
        "activeMC": False,
        "conferenceID": ids.conference_id,
        "conferenceGoal": ("create", 0),
        "callType": ("pointToPoint", 0),
        "sourceCallSignalAddress": ip_address(source),
        "callIdentifier": {"guid": ids.call_id},
        "mediaWaitForConnect": False,
        "canOverlapSend": False,
        "multipleCalls": False,
        "maintainConnection": False,
    }
    if fast_start:
        body["fastStart"] = list(fast_start)
    if tokens:
        body["tokens"] = list(tokens)
    if features:
        body["supportedFeatures"] = list(features)
    elements: tuple[tuple[int, bytes], ...] = ((ElementId.BEARER_CAPABILITY, BEARER_PACKET),)
    if number:
        is_number = all(digit in "0123456789*#," for digit in number)
        body["destinationAddress"] = [("dialledDigits" if is_number else "h323-ID", number)]
        if is_number:
            elements += ((ElementId.CALLED_PARTY_NUMBER, b"\x81" + number.encode()),)
    return _message(
        MessageType.SETUP,
        ids,
        ("setup", body),
        identity=identity,
        tunnelled=tunnelled,
        tunnelling=tunnelling,
        elements=elements,
    )


def progress(
    kind: MessageType,
    ids: CallIds,
    identity: Identity,
    *,
    tunnelling: bool,
    tunnelled: tuple[bytes, ...] = (),
    h245_address: Address | None = None,
    fast_start: tuple[bytes, ...] = (),
    tokens: tuple[Value, ...] = (),
    features: tuple[Value, ...] = (),
) -> Q931Message:
    """CALL PROCEEDING, ALERTING or CONNECT."""
    choice = {
        MessageType.CALL_PROCEEDING: "callProceeding",
        MessageType.ALERTING: "alerting",
        MessageType.CONNECT: "connect",
    }[kind]
    body: dict[str, Value] = {
        "protocolIdentifier": PROTOCOL,
        "destinationInfo": endpoint_type(identity),
        "callIdentifier": {"guid": ids.call_id},
        "multipleCalls": False,
        "maintainConnection": False,
    }
    elements: tuple[tuple[int, bytes], ...] = ()
    if kind is MessageType.CONNECT:
        body["conferenceID"] = ids.conference_id
        elements = ((ElementId.BEARER_CAPABILITY, BEARER_PACKET),)
    if h245_address is not None:
        body["h245Address"] = ip_address(h245_address)
    if fast_start:
        body["fastStart"] = list(fast_start)
    if tokens:
        body["tokens"] = list(tokens)
    if features:
        body["featureSet"] = feature_set(*features)
    return _message(
        kind,
        ids,
        (choice, body),
        identity=identity,
        tunnelled=tunnelled,
        tunnelling=tunnelling,
        elements=elements,
    )


def facility(
    ids: CallIds,
    identity: Identity,
    *,
    reason: str = "transportedInformation",
    tunnelled: tuple[bytes, ...] = (),
    tunnelling: bool = True,
    h245_address: Address | None = None,
) -> Q931Message:
    """Carries tunnelled H.245, or asks for a separate connection (reason startH245)."""
    body: dict[str, Value] = {
        "protocolIdentifier": PROTOCOL,
        "reason": (reason, 0),
        "callIdentifier": {"guid": ids.call_id},
    }
    if h245_address is not None:
        body["h245Address"] = ip_address(h245_address)
    return _message(
        MessageType.FACILITY,
        ids,
        ("facility", body),
        identity=identity,
        tunnelled=tunnelled,
        tunnelling=tunnelling,
    )


def release_complete(
    ids: CallIds,
    identity: Identity,
    *,
    reason: str = "destinationRejection",
    tunnelled: tuple[bytes, ...] = (),
    tunnelling: bool = True,
) -> Q931Message:
    """The last message, with reason and the cause that table 5 gives it."""
    body: dict[str, Value] = {
        "protocolIdentifier": PROTOCOL,
        "reason": (reason, 0),
        "callIdentifier": {"guid": ids.call_id},
    }
    cause = bytes([0x80, 0x80 | CAUSES.get(reason, 31)])
    return _message(
        MessageType.RELEASE_COMPLETE,
        ids,
        ("releaseComplete", body),
        identity=identity,
        tunnelled=tunnelled,
        tunnelling=tunnelling,
        elements=((ElementId.CAUSE, cause),),
    )


def status(ids: CallIds, identity: Identity, *, state: int) -> Q931Message:
    """Answers a STATUS ENQUIRY with the call state (Q.931 4.5.7) and cause 30."""
    body = {"protocolIdentifier": PROTOCOL, "callIdentifier": {"guid": ids.call_id}}
    return _message(
        MessageType.STATUS,
        ids,
        ("status", body),
        identity=identity,
        elements=((ElementId.CAUSE, b"\x80\x9e"), (ElementId.CALL_STATE, bytes([state]))),
    )


def call_ids_of(setup_received: Received) -> CallIds:
    """The ids of a call that a peer sets up. Raises RemoteH323Error (h225_setup_incomplete)."""
    body = setup_received.body
    try:
        return CallIds(
            setup_received.message.call_reference,
            bytes(body["callIdentifier"]["guid"]),
            bytes(body["conferenceID"]),
            from_destination=True,
        )
    except KeyError as error:
        raise RemoteH323Error("h225_setup_incomplete", field=str(error)) from None
