"""Live events of the incidents room, and the permission to be told each."""

from __future__ import annotations

from ..security.permissions import Permission

EVENTS: dict[str, Permission] = {
    "incident.created": Permission.INCIDENT_READ,
    "incident.updated": Permission.INCIDENT_READ,
    "timeline.added": Permission.INCIDENT_READ,
    "task.updated": Permission.INCIDENT_READ,
    "order.updated": Permission.ORDER_READ,
    "response.activated": Permission.INCIDENT_READ,
    "dispatch.proposed": Permission.INCIDENT_READ,
    "clock.updated": Permission.INCIDENT_READ,
}
