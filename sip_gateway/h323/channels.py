"""A logical channel's words, shared by openLogicalChannel and fast start (H.245 B.3.1)."""

from __future__ import annotations

import ipaddress
from typing import Any

from .capability import (
    H241_NON_INTERLEAVED,
    H241_SINGLE_NAL,
    MediaCapability,
    from_h245,
    to_h245,
)
from .h235 import encryption, is_ours

Value = Any
Address = tuple[str, int]


def address_of(value: Value) -> Address | None:
    """An iPAddress of H.245; other kinds are not ours."""
    if value is None or value[0] != "unicastAddress" or value[1][0] != "iPAddress":
        return None
    body = value[1][1]
    return str(ipaddress.IPv4Address(body["network"])), int(body["tsapIdentifier"])


def unicast(address: Address) -> Value:
    network = ipaddress.IPv4Address(address[0]).packed
    return "unicastAddress", ("iPAddress", {"network": network, "tsapIdentifier": address[1]})


def data_type(capability: MediaCapability, *, encrypted: bool = False) -> Value:
    """A channel's dataType; encrypted: h235Media around it (B.3.1)."""
    media = "audioData" if capability.kind == "audio" else "videoData", to_h245(capability)
    if not encrypted:
        return media
    return "h235Media", {
        "encryptionAuthenticationAndIntegrity": encryption(),
        "mediaType": media,
    }


def capability_of(value: Value) -> MediaCapability | None:
    """What a dataType carries; None for what we do not speak."""
    side, data = value
    if side == "h235Media":
        if not is_ours(data["encryptionAuthenticationAndIntegrity"]):
            return None
        side, data = data["mediaType"]
    return from_h245(data) if side in ("audioData", "videoData") else None


def media_parameters(
    capability: MediaCapability,
    session: int,
    *,
    rtp: Address | None,
    rtcp: Address | None,
    payload_type: int | None,
    single_nal: bool,
) -> Value:
    """h2250LogicalChannelParameters; `rtp` only where the describing side receives."""
    parameters: dict[str, Value] = {"sessionID": session}
    if rtp is not None:
        parameters["mediaChannel"] = unicast(rtp)
    if rtcp is not None:
        parameters["mediaControlChannel"] = unicast(rtcp)
    if payload_type is not None and payload_type >= 96:
        parameters["dynamicRTPPayloadType"] = payload_type
    if capability.codec == "H264":
        mode = H241_SINGLE_NAL if single_nal else H241_NON_INTERLEAVED
        packetization = {"payloadDescriptor": ("oid", mode), "payloadType": payload_type}
        parameters["mediaPacketization"] = ("rtpPayloadType", packetization)
    return "h2250LogicalChannelParameters", parameters
