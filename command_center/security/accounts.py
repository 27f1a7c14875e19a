"""Accounts: making them, logging in and out, the lock after five failures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .actor import SYSTEM, Actor
from .audit import AuditEntry
from .errors import RolesConflictError, UsernameTakenError, WrongCredentialsError
from .passwords import Passwords, check_rules
from .permissions import ADMINISTRATORS, Permission, Role
from .repository import account_named
from .sessions import actor_of, open_session, revoke_session
from .tables import AccountRow
from .work import Desk, Work, service_call

MAX_FAILURES = 5
LOCK_FOR = timedelta(minutes=15)


def check_roles(roles: frozenset[Role]) -> None:
    """Raises RolesConflictError: an administrator holds one administrator's role and no other."""
    if Role.FIELD_TEAM in roles or (roles & ADMINISTRATORS and len(roles) > 1):
        raise RolesConflictError(roles=sorted(role.value for role in roles))


@dataclass(frozen=True, slots=True)
class NewAccount:
    username: str
    display_name: str
    password: str
    roles: frozenset[Role]
    region_code: str
    unit_name: str = ""
    is_demo: bool = False


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="account.create")
async def create_account(work: Work, passwords: Passwords, new: NewAccount) -> AccountRow:
    """Make an account. Raises PasswordTooWeakError, RolesConflictError, UsernameTakenError."""
    check_roles(new.roles)
    check_rules(new.password, new.username)
    if await account_named(work.session, new.username) is not None:
        raise UsernameTakenError()
    row = AccountRow(
        username=new.username.casefold(),
        display_name=new.display_name,
        unit_name=new.unit_name,
        region_code=new.region_code,
        roles=sorted(role.value for role in new.roles),
        password_hash=await passwords.hash(new.password),
        password_changed_at=work.now,
        created_at=work.now,
        is_demo=new.is_demo,
    )
    work.session.add(row)
    await work.session.flush()
    work.concerns("account", row.id, roles=row.roles)
    return row


def _is_locked(row: AccountRow, now: datetime) -> bool:
    return row.locked_until is not None and row.locked_until > now


class LogIn:
    """Checks a password and opens a session. Every failure answers alike and takes as long."""

    def __init__(self, desk: Desk, passwords: Passwords) -> None:
        self._desk = desk
        self._passwords = passwords

    async def check(self, username: str, password: str) -> None:
        """Verify and count failures in a transaction of its own, which stands though the request
        fails. Raises WrongCredentialsError."""
        async with self._desk.database.session() as session:
            row = await account_named(session, username)
        stored = None if row is None else row.password_hash
        matches = await self._passwords.verify(stored, password)
        async with self._desk.work(SYSTEM) as work:
            fresh = await account_named(work.session, username, lock=True)
            if fresh is None:
                raise WrongCredentialsError()
            usable = fresh.is_enabled and not _is_locked(fresh, work.now)
            if matches and usable:
                fresh.failed_attempts, fresh.locked_until = 0, None
                return
            if usable:
                fresh.failed_attempts += 1
                if fresh.failed_attempts >= MAX_FAILURES:
                    fresh.failed_attempts, fresh.locked_until = 0, work.now + LOCK_FOR
                    work.record(
                        AuditEntry("account.lock", object_kind="account", object_id=str(fresh.id))
                    )
        raise WrongCredentialsError()


@service_call(permission=None, audit="session.open")
async def sign_in(
    work: Work, log_in: LogIn, username: str, password: str, remote: str
) -> tuple[str, AccountRow, Actor]:
    """Log in; the password is the permission. Returns the cookie, the account and its actor."""
    await log_in.check(username, password)
    row = await account_named(work.session, username)
    if row is None:
        raise WrongCredentialsError()
    work.actor = actor_of(row, None)
    secret = await open_session(work.session, row, work.now, remote)
    work.concerns("account", row.id)
    return secret, row, work.actor


@service_call(permission=None, audit="session.close")
async def sign_out(work: Work) -> None:
    """End one's own session; whoever holds it may."""
    if work.actor.session_id is not None:
        await revoke_session(work.session, work.actor.session_id, work.now)
        work.concerns("session", work.actor.session_id)
