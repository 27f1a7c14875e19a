"""Live events of the consultation room, and the permission to be told each."""

from __future__ import annotations

from ..security.permissions import Permission

EVENTS: dict[str, Permission] = {
    "consultation.opened": Permission.CONSULTATION_READ,
    "consultation.updated": Permission.CONSULTATION_READ,
    "consultation.closed": Permission.CONSULTATION_READ,
    "content.updated": Permission.CONSULTATION_READ,
    "participant.updated": Permission.CONSULTATION_READ,
    "alarm.raised": Permission.CONSULTATION_READ,
    "alarm.cleared": Permission.CONSULTATION_READ,
    "reservation.updated": Permission.CONSULTATION_READ,
    "site.self_tested": Permission.CONSULTATION_READ,
    "source.banned": Permission.CONSULTATION_READ,
    "source.pardoned": Permission.CONSULTATION_READ,
    "template.updated": Permission.CONSULTATION_READ,
}
