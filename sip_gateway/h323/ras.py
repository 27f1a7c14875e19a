"""RAS messages: building them, and reading what matters of a peer's (H.225.0 clauses 7.8-7.15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import h460
from .asn1 import decode_ras, encode_ras
from .errors import RemoteH323Error
from .h225 import PROTOCOL, Address, Identity, endpoint_type, ip_address, transport_address, vendor
from .h2351 import HMAC_SHA1_96

Value = Any
MAX_ALIASES = 16
SECURITY_ERRORS = {"securityWrongSyncTime", "securityReplay", "securityIntegrityFailed"}
BANDWIDTH_UNIT = 100  # bit/s


@dataclass(frozen=True, slots=True)
class RasMessage:
    """A message, read: `kind` is the choice's name, e.g. registrationRequest."""

    kind: str
    body: dict[str, Value]
    pdu: bytes = b""

    @property
    def sequence(self) -> int:
        return int(self.body.get("requestSeqNum", 0))

    @property
    def endpoint_id(self) -> str:
        return str(self.body.get("endpointIdentifier", ""))

    @property
    def reason(self) -> str:
        """Of a reject, e.g. duplicateAlias; of a securityError which one."""
        value = self.body.get("rejectReason", self.body.get("disengageReason", ("", 0)))
        if value and value[0] == "securityError":
            value = value[1]
        return str(value[0]) if value else ""

    @property
    def traverses(self) -> bool:
        """Whether signalling may pass a NAT by H.460.18."""
        return h460.SIGNALLING in h460.features_of(self.body)

    def aliases(self, field: str) -> tuple[str, ...]:
        """Numbers and names of an alias list."""
        known = ("dialledDigits", "h323-ID", "url-ID")
        listed = self.body.get(field, [])[:MAX_ALIASES]
        return tuple(str(value) for kind, value in listed if kind in known)

    @property
    def offers_signing(self) -> bool:
        """Of a gatekeeperRequest: whether the room has a password for H.235.1."""
        return HMAC_SHA1_96 in map(tuple, self.body.get("algorithmOIDs", []))

    def address(self, field: str) -> Address | None:
        """A transport address, or the first of a list of them."""
        value = self.body.get(field)
        if isinstance(value, list):
            return next((found for one in value if (found := transport_address(one))), None)
        return transport_address(value)


def read(pdu: bytes) -> RasMessage:
    """One datagram. Raises RemoteH323Error."""
    kind, body = decode_ras(pdu)
    if not isinstance(body, dict) or "requestSeqNum" not in body:
        raise RemoteH323Error("ras_sequence_missing", kind=kind)
    return RasMessage(kind, body, pdu)


def _encode(kind: str, sequence: int, **fields: Value) -> bytes:
    body = {"requestSeqNum": sequence}
    body |= {name: value for name, value in fields.items() if value is not None}
    return encode_ras((kind, body))


def _aliases(identity: Identity) -> list[Value]:
    aliases: list[Value] = [("h323-ID", identity.name)]
    if identity.number:
        aliases.append(("dialledDigits", identity.number))
    return aliases


def alias(number: str) -> Value:
    """A number as dialled digits, a name as h323-ID."""
    digits = number and all(digit in "0123456789*#," for digit in number)
    return ("dialledDigits" if digits else "h323-ID", number)


# --- a gatekeeper's answers -----------------------------------------------------------------


def gatekeeper_confirm(
    sequence: int,
    identifier: str,
    ras: Address,
    *,
    traverses: bool = False,
    signs: bool = False,
    alternates: tuple[Address, ...] = (),
) -> bytes:
    """`signs`: messages are to carry H.235.1's tokens, as was offered."""
    return _encode(
        "gatekeeperConfirm",
        sequence,
        protocolIdentifier=PROTOCOL,
        gatekeeperIdentifier=identifier,
        rasAddress=ip_address(ras),
        alternateGatekeeper=_alternates(alternates),
        authenticationMode=("pwdHash", 0) if signs else None,
        algorithmOID=HMAC_SHA1_96 if signs else None,
        featureSet=h460.signalling_features(is_wanted=traverses),
    )


def _alternates(gatekeepers: tuple[Address, ...]) -> list[Value] | None:
    """Where to turn when we are silent, in this order (H.323 7.2.6)."""
    named = [
        {"rasAddress": ip_address(one), "needToRegister": True, "priority": place}
        for place, one in enumerate(gatekeepers)
    ]
    return named or None


def registration_confirm(
    sequence: int,
    *,
    identifier: str,
    endpoint_id: str,
    signalling: Address,
    aliases: tuple[str, ...],
    life_s: int,
    traverses: bool = False,
    alternates: tuple[Address, ...] = (),
) -> bytes:
    """`life_s`: the endpoint refreshes by lightweight requests before it is over (7.9.1)."""
    return _encode(
        "registrationConfirm",
        sequence,
        protocolIdentifier=PROTOCOL,
        callSignalAddress=[ip_address(signalling)],
        terminalAlias=[alias(one) for one in aliases] or None,
        gatekeeperIdentifier=identifier,
        endpointIdentifier=endpoint_id,
        alternateGatekeeper=_alternates(alternates),
        timeToLive=life_s,
        willRespondToIRR=False,
        maintainConnection=False,
        featureSet=h460.signalling_features(is_wanted=traverses),
    )


def call_indication(
    sequence: int, *, endpoint_id: str, signalling: Address, call_id: bytes
) -> bytes:
    """serviceControlIndication: fetch this call at `signalling` (H.460.18)."""
    return _encode(
        "serviceControlIndication",
        sequence,
        serviceControl=[],
        endpointIdentifier=endpoint_id,
        genericData=[h460.call_to_fetch(signalling, call_id)],
    )


def information_request(sequence: int) -> bytes:
    """IRQ (7.15.1) about every call of an endpoint."""
    return _encode(
        "infoRequest", sequence, callReferenceValue=0, callIdentifier={"guid": bytes(16)}
    )


def reported_calls(message: RasMessage) -> frozenset[bytes]:
    """Calls that an infoRequestResponse tells of."""
    listed = message.body.get("perCallInfo", [])
    named = (one.get("callIdentifier", {}).get("guid", b"") for one in listed)  # not in version 1
    return frozenset(map(bytes, named))


def admission_confirm(sequence: int, bandwidth: int, signalling: Address) -> bytes:
    """Direct signalling to `signalling`; bandwidth in units of 100 bit/s."""
    nothing = dict.fromkeys(
        ("setup", "callProceeding", "connect", "alerting", "information", "releaseComplete",
         "facility", "progress", "empty", "status", "statusInquiry", "setupAcknowledge", "notify"),
        False,
    )  # fmt: skip
    return _encode(
        "admissionConfirm",
        sequence,
        bandWidth=bandwidth,
        callModel=("direct", 0),
        destCallSignalAddress=ip_address(signalling),
        willRespondToIRR=False,
        uuiesRequested=nothing,
    )


def confirm(kind: str, sequence: int, **fields: Value) -> bytes:
    """disengageConfirm, unregistrationConfirm, bandwidthConfirm ..."""
    return _encode(kind, sequence, **fields)


def reject(kind: str, sequence: int, reason: str) -> bytes:
    """registrationReject, admissionReject, unregistrationReject, disengageReject ..."""
    extra: dict[str, Value] = {}
    if kind in _WITH_PROTOCOL:
        extra["protocolIdentifier"] = PROTOCOL
    if kind == "bandwidthReject":
        extra["allowedBandWidth"] = 0
    named = ("securityError", (reason, 0)) if reason in SECURITY_ERRORS else (reason, 0)
    return _encode(kind, sequence, rejectReason=named, **extra)


_WITH_PROTOCOL = ("registrationReject", "gatekeeperReject")


def unknown(sequence: int) -> bytes:
    """unknownMessageResponse (XRS): this gatekeeper does not know the message."""
    return _encode("unknownMessageResponse", sequence, messageNotUnderstood=b"")


# --- an endpoint's requests ------------------------------------------------------------------


def gatekeeper_request(
    sequence: int,
    identity: Identity,
    ras: Address,
    *,
    traverses: bool = False,
    signs: bool = False,
) -> bytes:
    """`signs`: we have a password for H.235.1."""
    return _encode(
        "gatekeeperRequest",
        sequence,
        protocolIdentifier=PROTOCOL,
        rasAddress=ip_address(ras),
        endpointType=endpoint_type(identity),
        endpointAlias=_aliases(identity),
        authenticationCapability=[("pwdHash", 0)] if signs else None,
        algorithmOIDs=[HMAC_SHA1_96] if signs else None,
        featureSet=h460.signalling_features(is_wanted=traverses),
    )


def registration_request(
    sequence: int,
    identity: Identity,
    *,
    signalling: Address,
    ras: Address,
    life_s: int,
    identifier: str | None = None,
    endpoint_id: str | None = None,
    traverses: bool = False,
) -> bytes:
    """With `endpoint_id`: the lightweight refresh (7.9.1), else the whole registration."""
    return _encode(
        "registrationRequest",
        sequence,
        protocolIdentifier=PROTOCOL,
        discoveryComplete=True,
        callSignalAddress=[ip_address(signalling)],
        rasAddress=[ip_address(ras)],
        terminalType=endpoint_type(identity),
        terminalAlias=None if endpoint_id else _aliases(identity),
        gatekeeperIdentifier=identifier,
        endpointVendor=vendor(identity),
        timeToLive=life_s,
        keepAlive=endpoint_id is not None,
        endpointIdentifier=endpoint_id,
        willSupplyUUIEs=False,
        maintainConnection=False,
        featureSet=h460.signalling_features(is_wanted=traverses),
    )


def admission_request(
    sequence: int,
    identity: Identity,
    *,
    endpoint_id: str,
    number: str,
    call_id: bytes,
    reference: int,
    answering: bool,
    bandwidth: int = 20_000,
) -> bytes:
    return _encode(
        "admissionRequest",
        sequence,
        callType=("pointToPoint", 0),
        endpointIdentifier=endpoint_id,
        destinationInfo=[alias(number)] if number else None,
        srcInfo=_aliases(identity),
        bandWidth=bandwidth,
        callReferenceValue=reference,
        conferenceID=call_id,
        activeMC=False,
        answerCall=answering,
        canMapAlias=True,
        callIdentifier={"guid": call_id},
        willSupplyUUIEs=False,
    )


def disengage_request(
    sequence: int, *, endpoint_id: str, call_id: bytes, reference: int, answered: bool
) -> bytes:
    return _encode(
        "disengageRequest",
        sequence,
        endpointIdentifier=endpoint_id,
        conferenceID=call_id,
        callReferenceValue=reference,
        disengageReason=("normalDrop", 0),
        callIdentifier={"guid": call_id},
        answeredCall=answered,
    )


@dataclass(frozen=True, slots=True)
class CallReport:
    """A call as an information response tells of it."""

    call_id: bytes
    reference: int
    is_caller: bool


def information_response(
    sequence: int,
    identity: Identity,
    *,
    endpoint_id: str,
    signalling: Address,
    ras: Address,
    calls: list[CallReport],
    bandwidth: int = 20_000,
) -> bytes:
    """IRR (7.15.2): who we are and which calls we are in."""
    reports = [
        {
            "callReferenceValue": call.reference,
            "conferenceID": call.call_id,
            "originator": call.is_caller,
            "h245": {},
            "callSignalling": {},
            "callType": ("pointToPoint", 0),
            "bandWidth": bandwidth,
            "callModel": ("direct", 0),
            "callIdentifier": {"guid": call.call_id},
            "substituteConfIDs": [],
        }
        for call in calls
    ]
    return _encode(
        "infoRequestResponse",
        sequence,
        endpointType=endpoint_type(identity),
        endpointIdentifier=endpoint_id,
        rasAddress=ip_address(ras),
        callSignalAddress=[ip_address(signalling)],
        perCallInfo=reports or None,
        needResponse=False,
    )


def alternates_of(message: RasMessage) -> tuple[Address, ...]:
    """Gatekeepers to turn to when this one is silent, the lowest priority number first."""
    listed = message.body.get("alternateGatekeeper", [])
    ordered = sorted(listed, key=lambda one: int(one["priority"]))
    return tuple(a for one in ordered if (a := transport_address(one["rasAddress"])) is not None)


def unregistration_request(sequence: int, endpoint_id: str, signalling: Address) -> bytes:
    return _encode(
        "unregistrationRequest",
        sequence,
        callSignalAddress=[ip_address(signalling)],
        endpointIdentifier=endpoint_id,
    )
