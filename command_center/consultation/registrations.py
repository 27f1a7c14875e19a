"""Where rooms are registered: from the gateway into the directory and onto rosters."""

from __future__ import annotations

from collections.abc import Sequence

from sip_gateway.messages import RegistrationChanged

from ..directory.tables import SipAccountRow
from ..security import Work
from . import repository, roster
from .errors import LocalConsultationError
from .transitions import AccountAbsent, AccountPresent


async def note_registration(work: Work, told: RegistrationChanged) -> None:
    """One account came or went."""
    account = await repository.sip_account(work.session, told.account)
    if account is None:
        return
    was_registered = account.is_registered
    account.is_registered = told.is_registered
    account.contact = (told.contact or "")[:300] or None
    account.user_agent = (told.user_agent or "")[:200] or None
    if was_registered is told.is_registered:
        work.session.add(account)
        return
    account.registration_changed_at = work.now
    work.session.add(account)
    await _tell_rosters(work, account)


async def note_registrations(work: Work, told: Sequence[RegistrationChanged]) -> None:
    """All registrations as the gateway holds them: what it does not name is not registered."""
    present = {entry.account: entry for entry in told if entry.is_registered}
    for account in await repository.registered_accounts(work.session):
        if account.account not in present:
            gone = RegistrationChanged(account=account.account, is_registered=False)
            await note_registration(work, gone)
    for entry in present.values():
        await note_registration(work, entry)


async def _tell_rosters(work: Work, account: SipAccountRow) -> None:
    for participant in await repository.participants_of_account(work.session, account.account):
        row = await repository.consultation(work.session, participant.consultation_id)
        is_here = account.is_registered
        event = AccountPresent() if is_here else AccountAbsent("not_registered")
        try:
            await roster.apply(work, row, participant, event)
        except LocalConsultationError:  # a state that registrations do not concern
            continue
