"""Callers without a hall: telephones through the trunk and accounts that no hall owns.

They wait in a lobby until number and PIN are right. A hall that rings the lobby's number keys the
consultation's number alone. A caller's number names it on the roster; it never replaces the PIN.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from sip_gateway.dial_plan import LOBBY_NUMBER, DialPlan, Inside
from sip_gateway.ports import Admission, Lobby

from ..database import new_id
from ..directory.tables import SiteRow
from ..security import Work, service_call
from . import repository, roster
from .control import repository as orders
from .control.lock import may_enter
from .control.refusal import refused_by_lock
from .model import MemberKind
from .numbering.plans import plan_of
from .schemas import MemberIn
from .tables import ConsultationRow, ParticipantRow
from .transitions import Started
from .words import word

TRUNK_ACCOUNT = "trunk"
_NUMBER = re.compile(r"\+?[0-9]{2,30}")


def lobby_for(site: SiteRow | None, dialled: str, plan: DialPlan) -> Admission:
    """A conference of the caller's own; nobody's roster knows of it."""
    is_asked = plan.incoming(dialled) == Inside(LOBBY_NUMBER)
    asked = Lobby(None if is_asked else dialled, needs_pin=site is None)
    name = word("lobby", "guest") if site is None else site.name
    return Admission(str(new_id()), str(new_id()), name, lobby=asked)


@service_call(permission=None, audit="call.enter")
async def enter(
    work: Work, caller: str, number: str, pin: str, is_right: Callable[[UUID, str], bool]
) -> Admission | None:
    """None: wrong number, wrong PIN, or locked; the audit says which."""
    led = (await plan_of(work.session, None)).incoming(number)
    row = None
    if isinstance(led, Inside):
        row = await repository.open_by_dial_number(work.session, led.number)
    if row is None or not is_right(row.id, pin):
        outcome = "number_unknown" if row is None else "pin_wrong"
        work.concerns("consultation", number[:16], refused=outcome, caller=caller[:40])
        return None
    name, telephone = await _called(work, caller)
    if not may_enter(
        is_locked=await orders.is_locked(work.session, row.id),
        kind=MemberKind.TELEPHONE,
        state=None,
    ):
        await refused_by_lock(work, row, name)
        return None
    participant = await _member(work, row, name, telephone)
    participant.leg_id = str(new_id())
    participant.is_incoming, participant.is_wanted = True, True
    participant.attempts, participant.retry_at = 0, None
    await roster.apply(work, row, participant, Started())
    await roster.note(work, row, "dialled_in", name=name)
    work.concerns("participant", participant.id, is_drill=row.is_drill, number=row.dial_number)
    return Admission(str(row.id), participant.leg_id, participant.name)


async def _called(work: Work, caller: str) -> tuple[str, str | None]:
    """How the caller is named, and its telephone number if it has one."""
    if not (caller.isascii() and _NUMBER.fullmatch(caller)):
        return word("lobby", "guest"), None
    owner = await repository.owner_of_telephone(work.session, caller)
    return owner or f"{word('lobby', 'telephone')} {caller}", caller


async def _member(
    work: Work, row: ConsultationRow, name: str, telephone: str | None
) -> ParticipantRow:
    """Its line on the roster: a telephone that rings again takes its old one."""
    known = await repository.participant_of_number(work.session, row.id, telephone)
    if known is not None:
        return known
    member = MemberIn(kind=MemberKind.TELEPHONE, name=name, number=telephone)
    participant = await roster.add_member(work, row, member, rings_in=True)
    participant.number = telephone
    return participant
