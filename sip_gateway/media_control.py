"""INFO bodies: key-frame requests (RFC 5168) and DTMF relay."""

from __future__ import annotations

import re

MEDIA_CONTROL = "application/media_control+xml"
DTMF_RELAY = "application/dtmf-relay"
DTMF = "application/dtmf"
PICTURE_FAST_UPDATE = (
    b'<?xml version="1.0" encoding="utf-8"?>\r\n'
    b"<media_control><vc_primitive><to_encoder><picture_fast_update/>"
    b"</to_encoder></vc_primitive></media_control>\r\n"
)
_SIGNAL = re.compile(r"^\s*signal\s*=\s*([0-9*#A-Da-d])\s*$", re.IGNORECASE | re.MULTILINE)
_MAX_BODY = 4096


def wants_key_frame(body: bytes) -> bool:
    """Whether a media_control document asks for a key frame. No XML parser meets the network."""
    return len(body) <= _MAX_BODY and b"picture_fast_update" in body


def pressed_key(content_type: str, body: bytes) -> str | None:
    """The key of a DTMF INFO, None when it holds none."""
    if len(body) > _MAX_BODY:
        return None
    text = body.decode("ascii", "replace")
    if content_type == DTMF_RELAY:
        match = _SIGNAL.search(text)
        return match[1].upper() if match else None
    key = text.strip().upper()
    return key if content_type == DTMF and len(key) == 1 and key in "0123456789*#ABCD" else None
