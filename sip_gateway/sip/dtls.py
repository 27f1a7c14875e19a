"""DTLS-SRTP in session descriptions (RFC 5763, RFC 8122, RFC 8842): fingerprint and setup.

Lines are UDP/TLS/RTP/SAVP; an opportunistic offer is RTP/AVP with the same attributes (RFC 8643).
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..capability import DtlsTerms
from .sdp import MediaSection, SessionDescription

DTLS_PROTOCOLS = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
ATTRIBUTES = ("fingerprint", "setup", "tls-id")
MAX_FINGERPRINTS = 4
_FINGERPRINT = re.compile(r"(sha-(?:1|224|256|384|512)) ((?:[0-9A-F]{2}:){19,63}[0-9A-F]{2})")


def fingerprints_of(description: SessionDescription, section: MediaSection) -> tuple[str, ...]:
    """Usable ones as 'sha-256 AB:CD:...'; those of the m= line count before the session's."""
    session = [value or "" for name, value in description.attributes if name == "fingerprint"]
    found = []
    for text in section.values("fingerprint") or session:
        name, _, value = text.strip().partition(" ")
        match = _FINGERPRINT.fullmatch(f"{name.lower()} {value.strip().upper()}")
        if match is not None:
            found.append(match[0])
    return tuple(found[:MAX_FINGERPRINTS])


def setup_of(description: SessionDescription, section: MediaSection) -> str | None:
    """a=setup of the m= line, else of the session."""
    session = next((value for name, value in description.attributes if name == "setup"), None)
    return section.value("setup") or session


def with_dtls(section: MediaSection, fingerprint: str, setup: str) -> MediaSection:
    added = (("fingerprint", fingerprint), ("setup", setup))
    return replace(section, attributes=(*section.attributes, *added))


def without_dtls(section: MediaSection) -> MediaSection:
    kept = tuple(one for one in section.attributes if one[0] not in ATTRIBUTES)
    return replace(section, attributes=kept)


def answered_terms(
    offer: SessionDescription, section: MediaSection, earlier: MediaSection | None
) -> tuple[str, DtlsTerms] | None:
    """Our a=setup and what follows for the media; None when the offer has nothing to use.

    A room that may begin does (we are passive): it reaches us even from behind NAT. In a call our
    role stays what it was.
    """
    fingerprints, setup = fingerprints_of(offer, section), setup_of(offer, section)
    if not fingerprints or setup == "holdconn":
        return None
    kept = earlier.value("setup") if earlier is not None else None
    ours = "active" if setup == "passive" else "passive"
    if kept in ("active", "passive") and setup == "actpass":
        ours = kept
    return ours, DtlsTerms(ours == "active", fingerprints)


def settled_terms(answer: SessionDescription, section: MediaSection) -> DtlsTerms | None:
    """After an answer to our actpass (RFC 4145 clause 4.1: active is what it means unsaid)."""
    fingerprints = fingerprints_of(answer, section)
    if not fingerprints:
        return None
    return DtlsTerms(setup_of(answer, section) == "passive", fingerprints)
