"""The PIN of each consultation: six digits that follow from its id and the installation's key.

Nothing is stored, so no dump of the database holds one; web and gateway process agree without a
word. A PIN is good while its consultation is open.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from ..security import Desk

DIGITS = 6
_PURPOSE = b"consultation pin"


def pin_of(desk: Desk, consultation_id: UUID) -> str:
    """Six digits (HMAC-SHA256 under a key of its own, RFC 2104)."""
    mac = hmac.digest(desk.chain.subkey(_PURPOSE), consultation_id.bytes, hashlib.sha256)
    return f"{int.from_bytes(mac[:8]) % 10**DIGITS:0{DIGITS}d}"


def is_pin(desk: Desk, consultation_id: UUID, keyed: str | None) -> bool:
    """Whether the right PIN was keyed; takes the same time for a wrong one."""
    return hmac.compare_digest(pin_of(desk, consultation_id), keyed or "")
