"""Reports as a duty desk types them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def report(**changes: Any) -> dict[str, Any]:
    """A chlorine leak at Wengyuan; `casualties` and other fields may be replaced."""
    now = datetime.now(UTC)
    body: dict[str, Any] = {
        "title": "【演示】翁源县演示精细化工液氯泄漏",
        "event_type": "hazardous_chemicals",
        "place_name": "翁源县翁城镇演示化工园",
        "region_code": "440229",
        "longitude": 113.86,
        "latitude": 24.40,
        "occurred_at": (now - timedelta(minutes=35)).isoformat(),
        "received_at": now.isoformat(),
        "sent_at": None,
        "reporter_name": "罗示乙",
        "reporter_phone": "000-1234567",
        "channel": "phone",
        "signer": "林示二",
        "course": "3号吨瓶瓶阀断裂，液氯泄漏",
        "measures": "已疏散",
        "casualties": {"deaths": 0, "missing": 2, "endangered": 31, "evacuated": 620},
        "pending": ["direct_loss_wan"],
        "is_drill": False,
    }
    return body | changes
