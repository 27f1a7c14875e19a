"""TLS contexts of SIP: 1.2 or newer, both ways."""

from __future__ import annotations

import ssl
from pathlib import Path


def server_context(certificate_file: Path, key_file: Path | None) -> ssl.SSLContext:
    """What rooms that connect to us see. Raises OSError or ssl.SSLError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate_file, key_file)
    return context


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """For rooms that we connect to. Without authorities any certificate is taken: rooms make their
    own, and the call then is private against listeners but not against an impostor."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(ca_file)
        return context
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
