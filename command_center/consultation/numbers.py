"""How consultations are numbered, and what a telephone number looks like."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from sip_gateway.dial_plan import plain_number

from .errors import LocalConsultationError

BEIJING = timezone(timedelta(hours=8))
_TELEPHONE = re.compile(r"\+?[0-9*#]{2,30}")


def consultation_number(running: int, opened_at: datetime, *, is_drill: bool) -> str:
    """HS-2026-0007, drills YL-HS-2026-0003: the year is Beijing's."""
    prefix = "YL-HS" if is_drill else "HS"
    return f"{prefix}-{opened_at.astimezone(BEIJING).year}-{running:04d}"


def telephone_number(text: str | None) -> str:
    """The number without spaces and hyphens. Raises `number_malformed`."""
    bare = plain_number(text or "") or ""
    if not _TELEPHONE.fullmatch(bare) or not bare.isascii():
        raise LocalConsultationError("number_malformed")
    return bare
