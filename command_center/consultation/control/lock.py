"""锁定会议: who still comes in. Pure."""

from __future__ import annotations

from ..model import MemberKind, ParticipantState

_IN = frozenset({ParticipantState.JOINED, ParticipantState.LOST})


def may_enter(*, is_locked: bool, kind: MemberKind, state: ParticipantState | None) -> bool:
    """Whether somebody who comes by itself (dial-in, link, WHIP) is let in.

    Locked: the desk's own people pass, and so does a member that is in and comes back after a
    break of its line. Everybody else is refused and may be dialled by the desk.
    """
    return not is_locked or kind is MemberKind.OPERATOR or state in _IN
