"""Accounts: making them, logging in and out, the lock after five failures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .actor import SYSTEM
from .audit import AuditEntry
from .errors import (
    RolesConflictError,
    SecondFactorNeededError,
    SourceBannedError,
    UsernameTakenError,
    WrongCredentialsError,
)
from .passwords import MAX_AGE, Passwords, check_rules
from .permissions import ADMINISTRATORS, Permission, Role
from .repository import account_named
from .sessions import actor_of, open_session, revoke_session
from .spray import BAN_FOR, BANNED, OFFENCE, SprayGuard
from .tables import AccountRow
from .totp import TotpVault, step_of
from .work import Desk, Work, service_call

MAX_FAILURES = 5
LOCK_FOR = timedelta(minutes=15)
OWES_PASSWORD, OWES_TOTP = "password", "totp"


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
    must_change_password: bool = False


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
        must_change_password=new.must_change_password,
        is_demo=new.is_demo,
    )
    work.session.add(row)
    await work.session.flush()
    work.concerns("account", row.id, roles=row.roles)
    return row


def _is_locked(row: AccountRow, now: datetime) -> bool:
    return row.locked_until is not None and row.locked_until > now


class LogIn:
    """Checks a password and opens a session. Every failure answers alike and takes as long.

    `administrators_need_totp`: an administrator without a second factor may only set one up.
    """

    def __init__(
        self, desk: Desk, passwords: Passwords, *, administrators_need_totp: bool = False
    ) -> None:
        self._desk = desk
        self.passwords = passwords
        self.guard = SprayGuard()
        self.vault = TotpVault(desk.chain)
        self._administrators_need_totp = administrators_need_totp

    def owed_by(self, row: AccountRow, now: datetime) -> list[str]:
        """What this account's owner has to do before anything else."""
        owes = []
        is_old = not row.is_demo and now - row.password_changed_at > MAX_AGE
        if row.must_change_password or is_old:
            owes.append(OWES_PASSWORD)
        roles = frozenset(Role(role) for role in row.roles)
        if self._administrators_need_totp and roles & ADMINISTRATORS and row.totp_secret is None:
            owes.append(OWES_TOTP)
        return owes

    async def check(self, username: str, password: str, remote: str = "") -> None:
        """Verify and count failures in a transaction of its own, which stands though the request
        fails. Raises WrongCredentialsError, SourceBannedError."""
        now = self._desk.clock()
        if (until := self.guard.banned_until(remote, now)) is not None:
            raise SourceBannedError(minutes=1 + int((until - now).total_seconds() // 60))
        async with self._desk.database.session() as session:
            row = await account_named(session, username)
        stored = None if row is None else row.password_hash
        matches = await self.passwords.verify(stored, password)
        async with self._desk.work(SYSTEM, remote=remote) as work:
            fresh = await account_named(work.session, username, lock=True)
            usable = fresh is not None and fresh.is_enabled and not _is_locked(fresh, work.now)
            if fresh is not None and matches and usable:
                if fresh.totp_secret is None:
                    fresh.failed_attempts, fresh.locked_until = 0, None
                return
            self._count(work, fresh if usable else None, username, remote)
        raise WrongCredentialsError()

    async def check_code(self, username: str, code: str, remote: str = "") -> None:
        """Take the second factor's code, once. Raises WrongCredentialsError."""
        async with self._desk.work(SYSTEM, remote=remote) as work:
            row = await account_named(work.session, username, lock=True)
            if row is None or row.totp_secret is None:
                raise WrongCredentialsError()
            secret = self.vault.open(row.totp_secret, str(row.id))
            step = step_of(secret, code, work.now) if secret is not None else None
            if step is not None and step > (row.totp_last_step or 0):
                row.totp_last_step = step
                row.failed_attempts, row.locked_until = 0, None
                return
            self._count(work, row, username, remote)
        raise WrongCredentialsError()

    def _count(self, work: Work, row: AccountRow | None, username: str, remote: str) -> None:
        """One more failure of this account (none: nobody's) from this address."""
        if row is not None:
            row.failed_attempts += 1
            if row.failed_attempts >= MAX_FAILURES:
                row.failed_attempts, row.locked_until = 0, work.now + LOCK_FOR
                work.record(
                    AuditEntry("account.lock", object_kind="account", object_id=str(row.id))
                )
        if self.guard.failed(remote, username, work.now):
            minutes = round(BAN_FOR.total_seconds() / 60)
            detail = {"offence": OFFENCE, "minutes": minutes}
            work.record(AuditEntry("source.ban", "done", "address", remote[:64], detail))
            work.emit(BANNED, {"host": remote, **detail})


@service_call(permission=None, audit="session.open")
async def sign_in(
    work: Work, log_in: LogIn, username: str, password: str, *, code: str | None, remote: str
) -> tuple[str, AccountRow, list[str]]:
    """Log in; the password is the permission. Returns the cookie, the account and what it owes.

    Raises SecondFactorNeededError when the password is right and the code is missing.
    """
    await log_in.check(username, password, remote)
    row = await account_named(work.session, username)
    if row is None:
        raise WrongCredentialsError()
    if row.totp_secret is not None:
        if not code:
            raise SecondFactorNeededError()
        await log_in.check_code(username, code, remote)
    owes = log_in.owed_by(row, work.now)
    work.actor = actor_of(row, None, owes)
    secret = await open_session(work.session, row, work.now, remote, owes)
    work.concerns("account", row.id)
    return secret, row, owes


@service_call(permission=None, audit="session.close")
async def sign_out(work: Work) -> None:
    """End one's own session; whoever holds it may."""
    if work.actor.session_id is not None:
        await revoke_session(work.session, work.actor.session_id, work.now)
        work.concerns("session", work.actor.session_id)
