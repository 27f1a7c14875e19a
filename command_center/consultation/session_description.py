"""Checks on what a browser or a WHIP client posts, before any parser of a library sees it.

RFC 8866 for the description, RFC 8840 for the trickle fragment. These are edge checks: they bound
size and shape, the media node does the negotiation.
"""

from __future__ import annotations

import re

from .errors import RemoteConsultationError

MAX_BYTES = 64_000
MAX_LINES = 1_500
MAX_MEDIA = 8
_LINE = re.compile(r"[a-z]=.*")
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+")
_CANDIDATE = re.compile(
    r"candidate:\S{1,64} [12] (?:udp|tcp|UDP|TCP) \d{1,10} [0-9A-Za-z.:\-]{1,255} \d{1,5} "
    r"typ (?:host|srflx|prflx|relay)(?: [\x21-\x7e]+)*"
)


def _lines(body: bytes, code: str) -> list[str]:
    if not body or len(body) > MAX_BYTES:
        raise RemoteConsultationError(code, reason="size")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RemoteConsultationError(code, reason="encoding") from error
    lines = [line.rstrip("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines or len(lines) > MAX_LINES:
        raise RemoteConsultationError(code, reason="lines")
    for line in lines:
        if not _LINE.fullmatch(line) or not line.isprintable():
            raise RemoteConsultationError(code, reason="line", line=line[:80])
    return lines


def checked_offer(body: bytes) -> str:
    """The offer as text with CRLF lines. Raises RemoteConsultationError(`sdp_malformed`)."""
    lines = _lines(body, "sdp_malformed")
    if lines[0] != "v=0":
        raise RemoteConsultationError("sdp_malformed", reason="version")
    kinds = "".join(line[0] for line in lines)
    for needed in "ost":
        if needed not in kinds.split("m", 1)[0]:
            raise RemoteConsultationError("sdp_malformed", reason=f"{needed}= is missing")
    media = [line for line in lines if line.startswith("m=")]
    if not 1 <= len(media) <= MAX_MEDIA:
        raise RemoteConsultationError("sdp_malformed", reason="media")
    for line in media:
        _check_media(line)
    attributes = {line[2:].partition(":")[0] for line in lines if line.startswith("a=")}
    for attribute in ("ice-ufrag", "ice-pwd", "fingerprint"):
        if attribute not in attributes:
            raise RemoteConsultationError("sdp_malformed", reason=f"a={attribute} is missing")
    for line in lines:
        _check_attribute(line)
    return "\r\n".join(lines) + "\r\n"


def _check_media(line: str) -> None:
    fields = line[2:].split(" ")
    if len(fields) < 4 or fields[0] not in {"audio", "video", "application"}:
        raise RemoteConsultationError("sdp_malformed", reason="media line", line=line[:80])
    if not (fields[1].isascii() and fields[1].isdigit() and int(fields[1][:6]) <= 65535):
        raise RemoteConsultationError("sdp_malformed", reason="port", line=line[:80])
    if fields[0] == "application":
        return
    for payload_type in fields[3:]:
        if not (payload_type.isascii() and payload_type.isdigit() and len(payload_type) <= 3):
            raise RemoteConsultationError("sdp_malformed", reason="payload type", line=line[:80])
        if int(payload_type) > 127:
            raise RemoteConsultationError("sdp_malformed", reason="payload type", line=line[:80])


def _check_attribute(line: str) -> None:
    if line.startswith("a=fingerprint:"):
        algorithm, _, value = line[14:].partition(" ")
        if not algorithm or not _HEX_PAIRS.fullmatch(value.strip()):
            raise RemoteConsultationError("sdp_malformed", reason="fingerprint")
    elif line.startswith("a=setup:"):
        if line[8:] not in {"actpass", "active", "passive"}:
            raise RemoteConsultationError("sdp_malformed", reason="setup")
    elif line.startswith("a=rtpmap:"):
        number, _, encoding = line[9:].partition(" ")
        if not (number.isascii() and number.isdigit()) or "/" not in encoding:
            raise RemoteConsultationError("sdp_malformed", reason="rtpmap", line=line[:80])
        rate = encoding.split("/")[1]
        if not (rate.isascii() and rate.isdigit() and int(rate[:9]) > 0):
            raise RemoteConsultationError("sdp_malformed", reason="rtpmap", line=line[:80])


def trickled_candidates(body: bytes) -> list[str]:
    """Candidate lines (`candidate:...`) of an RFC 8840 fragment; end-of-candidates is dropped.

    Raises RemoteConsultationError(`trickle_malformed`).
    """
    found = []
    for line in _lines(body, "trickle_malformed"):
        if not line.startswith("a=candidate:"):
            continue
        candidate = line[2:]
        if len(candidate) > 1000 or not _CANDIDATE.fullmatch(candidate):
            raise RemoteConsultationError("trickle_malformed", reason="candidate", line=line[:80])
        found.append(candidate)
    return found


def wants_ice_restart(body: bytes, offer_ufrag: str) -> bool:
    """Whether the fragment carries another ice-ufrag than the session: a restart (RFC 9725)."""
    for line in _lines(body, "trickle_malformed"):
        if line.startswith("a=ice-ufrag:"):
            return line[12:] != offer_ufrag
    return False


def ufrag_of(description: str) -> str:
    """The first ice-ufrag of a checked description."""
    for line in description.splitlines():
        if line.startswith("a=ice-ufrag:"):
            return line[12:].strip()
    return ""
