"""What everybody does to his own account: a new password, a second factor."""

from __future__ import annotations

from uuid import UUID

from .accounts import OWES_PASSWORD, OWES_TOTP, LogIn
from .errors import (
    NotSignedInError,
    OldPasswordWrongError,
    PasswordTooWeakError,
    TotpCodeWrongError,
    WrongCredentialsError,
)
from .passwords import check_rules
from .repository import account_of, end_sessions
from .tables import AccountRow, SessionRow
from .totp import step_of
from .work import Work, service_call


async def _own(work: Work) -> tuple[AccountRow, SessionRow]:
    session = await work.session.get(SessionRow, work.actor.session_id)
    row = await account_of(work.session, UUID(work.actor.id))
    if row is None or session is None:
        raise NotSignedInError()
    return row, session


@service_call(permission=None, audit="password.change")
async def change_password(work: Work, log_in: LogIn, old: str, new: str) -> None:
    """Replace one's own password; whoever is logged in may. Ends the owner's other sessions.

    Raises OldPasswordWrongError, PasswordTooWeakError. Wrong tries count as failed log-ins.
    """
    row, session = await _own(work)
    try:
        await log_in.check(row.username, old, work.remote)
    except WrongCredentialsError as error:
        raise OldPasswordWrongError() from error
    if new == old:
        raise PasswordTooWeakError(rule="不能与原密码相同")
    check_rules(new, row.username)
    row.password_hash = await log_in.passwords.hash(new)
    row.password_changed_at, row.must_change_password = work.now, False
    session.owes = [debt for debt in session.owes if debt != OWES_PASSWORD]
    work.session.add_all([row, session])
    ended = await end_sessions(work.session, row.id, work.now, but=session.id)
    work.concerns("account", row.id, sessions_ended=ended)


@service_call(permission=None, audit="totp.set")
async def set_totp(work: Work, log_in: LogIn, secret: str, code: str, password: str) -> None:
    """Take a proposed secret as one's second factor; whoever is logged in may, with his password.

    Raises TotpCodeWrongError. Wrong passwords count as failed log-ins.
    """
    row, session = await _own(work)
    try:
        await log_in.check(row.username, password, work.remote)
    except WrongCredentialsError as error:
        raise TotpCodeWrongError() from error
    step = step_of(secret, code, work.now)
    if step is None:
        raise TotpCodeWrongError()
    await work.session.refresh(row)
    row.totp_secret, row.totp_last_step = log_in.vault.seal(secret, str(row.id)), step
    session.owes = [debt for debt in session.owes if debt != OWES_TOTP]
    work.session.add_all([row, session])
    work.concerns("account", row.id)
