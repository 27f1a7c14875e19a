"""Content in session descriptions: the second video line and its floor (RFC 4796, RFC 8856)."""

from __future__ import annotations

from dataclasses import replace

from ..capability import AgreedFloor, LocalFloor
from .floor import FLOOR_ID
from .sdp import Attribute, MediaSection, SessionDescription, is_address

BFCP_PROTOCOLS = ("UDP/BFCP", "TCP/BFCP")
CONTENT_LABEL = "3"


def kind_of(section: MediaSection) -> str | None:
    """What an m= line is to us: audio, video, content, floor; None: nothing."""
    if section.media == "audio":
        return "audio"
    if section.media == "video":
        return "content" if is_content(section) else "video"
    is_floor = section.media == "application" and section.protocol in BFCP_PROTOCOLS
    return "floor" if is_floor else None


def is_content(section: MediaSection) -> bool:
    return "slides" in (section.value("content") or "").split(",")


def as_content(section: MediaSection, label: str = CONTENT_LABEL) -> MediaSection:
    """The same line as a content line, under the label that the floor names."""
    added: tuple[Attribute, ...] = (("content", "slides"), ("label", label))
    return replace(section, attributes=(*section.attributes, *added))


def floor_offer(floor: LocalFloor) -> MediaSection:
    """Our BFCP line in an offer: over UDP, as rooms speak it."""
    return _floor_line("UDP/BFCP", floor, CONTENT_LABEL)


def _floor_line(protocol: str, floor: LocalFloor, label: str) -> MediaSection:
    attributes: list[Attribute] = [
        ("floorctrl", "s-only"),
        ("confid", str(floor.conference_id)),
        ("userid", str(floor.user_id)),
        ("floorid", f"{FLOOR_ID} mstrm:{label}"),
    ]
    if protocol == "TCP/BFCP":
        attributes += [("setup", "passive"), ("connection", "new")]
    else:
        attributes.append(("bfcpver", "2"))
    return MediaSection("application", floor.port, protocol, ("*",), None, (), tuple(attributes))


def answer_floor(
    offer: SessionDescription, section: MediaSection, floor: LocalFloor, fallback_host: str
) -> tuple[MediaSection, AgreedFloor] | None:
    """Our BFCP line in an answer: we serve the floor or there is none; TCP is opened by them."""
    controls = (section.value("floorctrl") or "c-only").split()
    setup = section.value("setup") or "active"
    is_reliable = section.protocol == "TCP/BFCP"
    if section.port == 0 or not {"c-only", "c-s"} & set(controls):
        return None
    if is_reliable and setup not in ("active", "actpass"):
        return None
    content = next((one for one in offer.media if is_content(one)), None)
    label = (content.value("label") if content is not None else None) or CONTENT_LABEL
    line = _floor_line(section.protocol, floor, label)
    return line, _agreed(offer, section, floor, fallback_host)


def read_floor_answer(
    answer: SessionDescription, section: MediaSection, floor: LocalFloor, fallback_host: str
) -> AgreedFloor | None:
    """Whether the far end took our floor."""
    controls = (section.value("floorctrl") or "c-only").split()
    if section.port == 0 or not {"c-only", "c-s"} & set(controls):
        return None
    return _agreed(answer, section, floor, fallback_host)


def _agreed(
    description: SessionDescription, section: MediaSection, floor: LocalFloor, fallback_host: str
) -> AgreedFloor:
    host = description.host(section) or ""
    if not is_address(host) or host in ("0.0.0.0", "::"):  # noqa: S104 - a mark, not a bind
        host = fallback_host
    is_reliable = section.protocol == "TCP/BFCP"
    return AgreedFloor(floor.conference_id, floor.user_id, is_reliable, host, section.port)
