"""What administrators do to others' accounts.

Three people (GB/T 22239-2019, 8.1.5): the system administrator makes accounts and ends them, the
security administrator gives roles, the audit administrator reads what both did. So an account is
made without a role, no administrator's password is made by another one, and a role of theirs is
given only to who has replaced the password that the first one knew.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from .accounts import LogIn, NewAccount, check_roles, create_account
from .errors import (
    AdministratorProtectedError,
    AdministratorUnknownError,
    OutsideRegionError,
    OwnAccountError,
    PasswordNotOwnError,
)
from .passwords import random_password
from .permissions import ADMINISTRATORS, Permission, Role
from .repository import account_named, account_of, end_sessions
from .tables import AccountRow
from .work import Work, service_call


@dataclass(frozen=True, slots=True)
class Particulars:
    """Who it is and where: None keeps what is there."""

    display_name: str | None = None
    unit_name: str | None = None
    region_code: str | None = None


async def reached(work: Work, account_id: UUID) -> AccountRow:
    """The account, locked, if it is of the actor's region. Raises OutsideRegionError."""
    row = await account_of(work.session, account_id, lock=True)
    if row is None:
        raise OutsideRegionError()
    work.actor.require_region(row.region_code)
    return row


def _other(work: Work, row: AccountRow) -> None:
    if str(row.id) == work.actor.id:
        raise OwnAccountError()


def _is_administrator(row: AccountRow) -> bool:
    return bool(ADMINISTRATORS & {Role(role) for role in row.roles})


async def add_account(
    work: Work, log_in: LogIn, *, username: str, who: Particulars
) -> tuple[AccountRow, str]:
    """Make an account without a role; returns it with its first password, told once.

    Raises UsernameTakenError, OutsideRegionError.
    """
    region = who.region_code or ""
    work.actor.require_region(region)
    password = random_password()
    made = NewAccount(
        username,
        who.display_name or username,
        password,
        frozenset(),
        region,
        who.unit_name or "",
        must_change_password=True,
    )
    return await create_account(work, log_in.passwords, made), password


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.change")
async def change_account(work: Work, account_id: UUID, who: Particulars) -> AccountRow:
    """Correct name, unit or region. Raises OutsideRegionError."""
    row = await reached(work, account_id)
    changed = {
        name: value
        for name in ("display_name", "unit_name", "region_code")
        if (value := getattr(who, name)) is not None and value != getattr(row, name)
    }
    if "region_code" in changed:
        _other(work, row)
        work.actor.require_region(changed["region_code"])
    for name, value in changed.items():
        setattr(row, name, value)
    work.concerns("account", row.id, changed=sorted(changed), region=row.region_code)
    return row


@service_call(permission=Permission.ROLE_ASSIGN, audit="account.roles")
async def assign_roles(work: Work, account_id: UUID, roles: frozenset[Role]) -> AccountRow:
    """Say what the account may do, from its next request on.

    Raises OwnAccountError, RolesConflictError, PasswordNotOwnError, OutsideRegionError.
    """
    row = await reached(work, account_id)
    _other(work, row)
    check_roles(roles)
    if roles & ADMINISTRATORS and row.must_change_password:
        raise PasswordNotOwnError()
    before, row.roles = row.roles, sorted(role.value for role in roles)
    work.concerns("account", row.id, before=before, roles=row.roles)
    return row


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.disable")
async def disable_account(work: Work, account_id: UUID) -> AccountRow:
    """Nobody logs in by it any more, and whoever is in is out. Raises OwnAccountError."""
    row = await reached(work, account_id)
    _other(work, row)
    row.is_enabled = False
    ended = await end_sessions(work.session, row.id, work.now)
    work.concerns("account", row.id, sessions_ended=ended)
    return row


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.enable")
async def enable_account(work: Work, account_id: UUID) -> AccountRow:
    """Let it log in again: also after five wrong passwords."""
    row = await reached(work, account_id)
    row.is_enabled, row.failed_attempts, row.locked_until = True, 0, None
    work.concerns("account", row.id)
    return row


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.end_sessions")
async def end_all_sessions(work: Work, account_id: UUID) -> AccountRow:
    """Throw the account off every console within seconds; it may log in again."""
    row = await reached(work, account_id)
    _other(work, row)
    ended = await end_sessions(work.session, row.id, work.now)
    work.concerns("account", row.id, sessions_ended=ended)
    return row


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.password")
async def renew_password(work: Work, log_in: LogIn, account_id: UUID) -> tuple[AccountRow, str]:
    """A new first password, told once; ends the sessions and drops the second factor.

    Raises OwnAccountError, AdministratorProtectedError.
    """
    row = await reached(work, account_id)
    _other(work, row)
    if _is_administrator(row):
        raise AdministratorProtectedError()
    password = await set_first_password(work, log_in, row)
    work.concerns("account", row.id)
    return row, password


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.password")
async def reset_administrator(work: Work, log_in: LogIn, username: str) -> str:
    """For the command line on the machine alone: no route leads here.

    Raises AdministratorUnknownError.
    """
    row = await account_named(work.session, username, lock=True)
    if row is None or not _is_administrator(row):
        raise AdministratorUnknownError()
    work.concerns("account", row.id)
    return await set_first_password(work, log_in, row)


async def set_first_password(work: Work, log_in: LogIn, row: AccountRow) -> str:
    """Within a service call: the owner has to replace it at his next log-in."""
    password = random_password()
    row.password_hash = await log_in.passwords.hash(password)
    row.password_changed_at, row.must_change_password = work.now, True
    row.totp_secret = row.totp_last_step = None
    row.failed_attempts, row.locked_until = 0, None
    await end_sessions(work.session, row.id, work.now)
    return password
