"""Which addresses a camera may have: a network camera or a source drawn in the node, no file."""

from __future__ import annotations

from urllib.parse import urlsplit

from .errors import LocalConsultationError
from .model import Protocol

MAX_LENGTH = 2000
MAX_SYNTHETIC = 100


def camera_protocol(url: str) -> Protocol:
    """RTSP or SYNTHETIC. Raises LocalConsultationError(`camera_url_refused`) for anything else."""
    if len(url) > MAX_LENGTH or not url.isprintable():
        raise LocalConsultationError("camera_url_refused", reason="malformed")
    scheme, _, rest = url.partition(":")
    if scheme == "synthetic" and 0 < len(rest.strip()) <= MAX_SYNTHETIC:
        return Protocol.SYNTHETIC
    if scheme not in ("rtsp", "rtsps") or " " in url:
        raise LocalConsultationError("camera_url_refused", reason="scheme")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LocalConsultationError("camera_url_refused", reason="malformed") from error
    if not rest.startswith("//") or not host or port == 0:
        raise LocalConsultationError("camera_url_refused", reason="host")
    return Protocol.RTSP
