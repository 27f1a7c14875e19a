"""What H.323 rooms are told of their conference (H.243), as it follows from the orders: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sip_gateway.messages import CallChanged, ConferenceTell, ConferenceTerminal

from ..model import ParticipantState, Seat
from .staging import Scene

TERMINALS = 192  # the largest number that H.245 has for a terminal
_HERE = frozenset({ParticipantState.JOINED, ParticipantState.LOST})


def has_h323(calls: Iterable[CallChanged]) -> bool:
    """Whether anybody is there who could be told."""
    return any(call.remote.startswith("h323:") for call in calls)


def assembly_of(scene: Scene, conference_id: str, members: Sequence[Seat]) -> ConferenceTell:
    """Members are numbered by their place on the roster; beyond the 192nd they have no number."""
    terminals = [
        ConferenceTerminal(
            id=str(member.participant_id),
            number=member.ordinal + 1,
            name=member.name,
            leg_id=member.leg_id if member.state in _HERE else None,
        )
        for member in members
        if member.ordinal < TERMINALS
    ]
    return ConferenceTell(
        conference_id=conference_id,
        terminals=terminals,
        chair=None if scene.chair_id is None else str(scene.chair_id),
        shown=None if scene.forced_id is None else str(scene.forced_id),
        is_forced=not scene.is_viewing_free,
        floor=[str(waiting) for waiting in scene.waiting],
    )
