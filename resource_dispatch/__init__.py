"""The dispatch room: what we have, where it is, how it gets there best.

It knows teams, depots, roads and plans of movement, nothing of incidents' procedure or of media.
"""

from .resources.tables import (
    AssignmentState,
    Authority,
    Depot,
    ReservationState,
    SpeedClass,
    StockItem,
    StockReservation,
    Team,
    TeamAssignment,
    TeamState,
)

__all__ = [
    "AssignmentState",
    "Authority",
    "Depot",
    "ReservationState",
    "SpeedClass",
    "StockItem",
    "StockReservation",
    "Team",
    "TeamAssignment",
    "TeamState",
]
