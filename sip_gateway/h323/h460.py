"""Calls through NAT and firewalls: H.460.18 (signalling) and H.460.19 (media).

The traversal client is behind the NAT and opens every connection; the server is in the open. Both
say so by features of RAS and call signalling. Media of the client come from wherever the NAT puts
them, so the server sends back to there; empty RTP packets keep that way open.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from .h460_per import Address, IncomingCallIndication, TraversalParameters

Value = Any
SIGNALLING, MEDIA = 18, 19  # feature identifiers
SERVER = 2  # parameter of feature 19: mediaTraversalServer (1, multiplexing, is not spoken)
SIGNALLING_OID = ("standard", (0, 0, 8, 460, 18, 0, 1))
MEDIA_OID = ("standard", (0, 0, 8, 460, 19, 0, 1))
KEEP_ALIVE_S = 15  # of media; NATs forget UDP after 30 s or more
KEEP_ALIVE_TYPE = 127  # no other payload of ours


class Role(Enum):
    """This side's in a call that passes a NAT."""

    CLIENT = "client"
    SERVER = "server"


# --- features -----------------------------------------------------------------------------------


def feature(number: int, *parameters: int) -> Value:
    """A FeatureDescriptor (H.225.0 7.2.2)."""
    described: dict[str, Value] = {"id": ("standard", number)}
    if parameters:
        described["parameters"] = [{"id": ("standard", one)} for one in parameters]
    return described


def feature_set(*features: Value) -> Value:
    """For the messages that hold them in a featureSet."""
    return {"replacementFeatureSet": False, "supportedFeatures": list(features)}


def features_of(body: dict[str, Value]) -> dict[int, frozenset[int]]:
    """Supported, desired and needed features of a message: number -> its parameters."""
    holder = {**body, **body.get("featureSet", {})}
    found: dict[int, frozenset[int]] = {}
    for kind in ("supportedFeatures", "desiredFeatures", "neededFeatures"):
        for one in holder.get(kind, []):
            scope, number = one["id"]
            if scope == "standard":
                found[int(number)] = frozenset(_numbers(one.get("parameters", [])))
    return found


def _numbers(parameters: Iterable[Value]) -> Iterable[int]:
    return (int(one["id"][1]) for one in parameters if one["id"][0] == "standard")


def signalling_features(*, is_wanted: bool) -> Value | None:
    """A featureSet with H.460.18 for RAS messages (H.460.18); None: none."""
    return feature_set(feature(SIGNALLING)) if is_wanted else None


def media_feature(role: Role | None) -> tuple[Value, ...]:
    """What call signalling says of media traversal (H.460.19)."""
    if role is None:
        return ()
    return (feature(MEDIA, SERVER) if role is Role.SERVER else feature(MEDIA),)


def role_towards(features: dict[int, frozenset[int]]) -> Role | None:
    """Our part, as a peer's call signalling shows it; None: it does not speak H.460.19."""
    if MEDIA not in features:
        return None
    return Role.CLIENT if SERVER in features[MEDIA] else Role.SERVER


# --- the call that is to be fetched -------------------------------------------------------------


def call_to_fetch(signalling: Address, call_id: bytes) -> Value:
    """genericData of a serviceControlIndication (H.460.18)."""
    raw = bytes(IncomingCallIndication(signalling, call_id))
    content = {"id": ("standard", 1), "content": ("raw", raw)}
    return {"id": ("standard", SIGNALLING), "parameters": [content]}


def read_call_to_fetch(body: dict[str, Value]) -> IncomingCallIndication | None:
    """Out of a serviceControlIndication; None: it is about something else.

    Raises RemoteH323Error.
    """
    for one in body.get("genericData", []):
        if one["id"] != ("standard", SIGNALLING):
            continue
        for parameter in one.get("parameters", []):
            kind, raw = parameter.get("content", ("", b""))
            if parameter["id"] == ("standard", 1) and kind == "raw":
                return IncomingCallIndication.parse(bytes(raw))
    return None


def control_indication(call_id: bytes, *, is_caller: bool) -> Value:
    """First on an H.245 connection of its own: which call it is for (H.460.18)."""
    content: list[Value] = [
        {"parameterIdentifier": ("standard", 1), "parameterValue": ("octetString", call_id)}
    ]
    if is_caller:
        content.append({"parameterIdentifier": ("standard", 2), "parameterValue": ("logical", 0)})
    body = {
        "messageIdentifier": SIGNALLING_OID,
        "subMessageIdentifier": 1,
        "messageContent": content,
    }
    return "indication", ("genericIndication", body)


# --- channels -----------------------------------------------------------------------------------


def offer_information(role: Role | None, rtcp: Address) -> dict[str, Value]:
    """Of a channel that we open: the server says where the client's keep-alives go."""
    if role is not Role.SERVER:
        return {}
    rtp = (rtcp[0], rtcp[1] - 1)  # RTCP is one above RTP (RFC 3550 11)
    return _channel_information(TraversalParameters(channel=rtp, interval_s=KEEP_ALIVE_S))


def ack_information(role: Role | None) -> dict[str, Value]:
    """Of a channel that we take: the client says what its keep-alives look like."""
    if role is not Role.CLIENT:
        return {}
    return _channel_information(TraversalParameters(payload_type=KEEP_ALIVE_TYPE))


def _channel_information(parameters: TraversalParameters) -> dict[str, Value]:
    """genericInformation of openLogicalChannel and its acknowledgement (H.460.19)."""
    raw = ("octetString", bytes(parameters))
    content = [{"parameterIdentifier": ("standard", 1), "parameterValue": raw}]
    return {"genericInformation": [{"messageIdentifier": MEDIA_OID, "messageContent": content}]}


def read_channel_information(body: dict[str, Value]) -> TraversalParameters | None:
    """Raises RemoteH323Error."""
    for one in body.get("genericInformation", []):
        if one["messageIdentifier"] != MEDIA_OID:
            continue
        for parameter in one.get("messageContent", []):
            kind, raw = parameter["parameterValue"]
            if parameter["parameterIdentifier"] == ("standard", 1) and kind == "octetString":
                return TraversalParameters.parse(bytes(raw))
    return None
