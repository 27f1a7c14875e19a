"""Codecs in session descriptions: which of theirs is which of ours, and their parameters.

H.264 by RFC 6184 8.2.2, H.263 by RFC 4629 8.1 and 2190, H.261 by RFC 4587 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..capability import AUDIO, H264_PROFILES, OUR_H264_LEVEL, VIDEO, Capability
from .sdp import Attribute, MediaSection, RtpMap

OUR_PROFILE_LEVEL_ID = "42e01f"
PICTURE_SIZES = ("sqcif", "qcif", "cif", "cif4", "cif16")  # H.263 and H.261: size=interval
OLD_VIDEO = ("H263-1998", "H263", "H261")


@dataclass(frozen=True, slots=True)
class Match:
    capability: Capability
    rtp_map: RtpMap
    parameters: dict[str, str]


def _takes_cif(parameters: dict[str, str]) -> bool:
    """We send CIF, which every such room has unless it names other sizes only."""
    named = [size for size in PICTURE_SIZES if size in parameters]
    return not named or any(size in named for size in ("cif", "cif4", "cif16"))


def codec_attributes(
    capability: Capability, payload_type: int, profile_level_id: str, is_asymmetric: bool
) -> list[Attribute]:
    channels = f"/{capability.channels}" if capability.channels > 1 else ""
    name = f"{capability.codec}/{capability.clock_rate}{channels}"
    attributes: list[Attribute] = [("rtpmap", f"{payload_type} {name}")]
    if capability.codec == "H264":
        asymmetry = ";level-asymmetry-allowed=1" if is_asymmetric else ""
        mode = capability.packetization_mode
        value = f"profile-level-id={profile_level_id};packetization-mode={mode}{asymmetry}"
        attributes.append(("fmtp", f"{payload_type} {value}"))
    elif capability.codec in OLD_VIDEO:
        attributes.append(("fmtp", f"{payload_type} CIF=1;QCIF=1"))
    elif capability.codec == "opus":
        attributes.append(("fmtp", f"{payload_type} useinbandfec=1"))
    return attributes


def event_attributes(payload_type: int, clock_rate: int) -> list[Attribute]:
    return [
        ("rtpmap", f"{payload_type} telephone-event/{clock_rate}"),
        ("fmtp", f"{payload_type} 0-15"),
    ]


def matches_of(section: MediaSection) -> list[Match]:
    """Codecs both ends have, in our order; several payload types of one codec in theirs."""
    found: list[Match] = []
    maps = section.maps()
    for capability in AUDIO if section.media == "audio" else VIDEO:
        for rtp_map in maps:
            if (
                rtp_map.name.lower() != capability.codec.lower()
                or rtp_map.clock_rate != capability.clock_rate
            ):
                continue
            parameters = section.format_parameters(rtp_map.payload_type)
            if capability.codec == "H264" and not _h264_fits(capability, parameters):
                continue
            if capability.codec in OLD_VIDEO and not _takes_cif(parameters):
                continue
            found.append(Match(capability, rtp_map, parameters))
    return sorted(found, key=_preference)  # stable: equal ones stay in order


def _preference(match: Match) -> tuple[int, int, int]:
    order = (*AUDIO, *VIDEO).index(match.capability)
    profile = named_profile(match.parameters)
    return order, H264_PROFILES.index(profile[:2]) if profile else 0, 0


def named_profile(parameters: dict[str, str]) -> str | None:
    """Six hex digits in lower case, None when the far end names none (or nonsense)."""
    value = parameters.get("profile-level-id", "").lower()
    if len(value) != 6 or any(char not in "0123456789abcdef" for char in value):
        return None
    return value


def _h264_fits(capability: Capability, parameters: dict[str, str]) -> bool:
    mode = parameters.get("packetization-mode", "0")
    profile = named_profile(parameters)
    is_known = profile is None or profile[:2] in H264_PROFILES
    return is_known and mode == str(capability.packetization_mode)


def h264_levels(match: Match) -> tuple[str, str | None, bool]:
    """(profile-level-id of our answer, what the far end decodes, asymmetry), RFC 6184 8.2.2."""
    offered = named_profile(match.parameters)
    if offered is None:
        return OUR_PROFILE_LEVEL_ID, None, False
    is_asymmetric = match.parameters.get("level-asymmetry-allowed") == "1"
    level = int(offered[4:], 16)
    if is_asymmetric:
        return f"{offered[:4]}{OUR_H264_LEVEL:02x}", offered, True
    lower = f"{offered[:4]}{min(level, OUR_H264_LEVEL):02x}"
    return lower, lower, False


def telephone_event(section: MediaSection, clock_rate: int) -> RtpMap | None:
    events = [one for one in section.maps() if one.name.lower() == "telephone-event"]
    exact = [one for one in events if one.clock_rate == clock_rate]
    return next(iter(exact or events), None)
