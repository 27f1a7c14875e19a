"""Filling an empty database with the demonstration, and emptying it again.

Everything is written in one transaction: a seed that was interrupted leaves nothing. The same seed
gives the same records, ids included; only passwords and times belong to the installation.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

import plans

from ..database.metadata import collect_tables
from ..directory import OrganisationRow, SipAccountRow, SiteRow, digest_secrets
from ..security import SYSTEM, Desk, NewAccount, Passwords, Work, create_account
from ..security.sessions import actor_of
from ..security.tables import AccountRow
from . import depots, hazards, organisations, people, teams
from .credentials import Credential, new_password, read_credentials, write_credentials
from .plan_files import demo_plans
from .story import People, tell_stories

DEFAULT_SEED = 2026
STORY_PLAN = "GD-YJ-WH"


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many records of each kind were written."""

    organisations: int
    sites: int
    teams: int
    depots: int
    stock_items: int
    hazards: int
    plans: int
    experts: int
    cameras: int
    accounts: int


async def seed(
    desk: Desk, passwords: Passwords, credentials_file: Path, *, seed: int = DEFAULT_SEED
) -> Seeded | None:
    """Write the demonstration. None: there is data already, nothing was changed.

    Passwords of log-ins and halls are made here and told in `credentials_file` (mode 0600); the
    database keeps only their digests.
    """
    async with desk.work(SYSTEM) as work:
        if not await is_empty(work.session):
            return None
        await _take_time(work.session)
        halls = await asyncio.to_thread(organisations.directory, seed)
        await _add(work.session, halls.organisations)
        await _add(work.session, halls.sites)
        hall_credentials = _sip_accounts(work.session, halls.sites)
        log_ins, rows = await _accounts(work, passwords)
        counts = await _libraries(work.session, seed)
        stored = demo_plans(seed)
        for plan in stored:
            await plans.add_plan(work.session, plan)
        story_plan = next(plan.id for plan in stored if plan.code == STORY_PLAN)
        await tell_stories(work, desk.chain, _people(rows), story_plan)
        await asyncio.to_thread(write_credentials, credentials_file, log_ins, hall_credentials)
    return Seeded(
        organisations=len(halls.organisations),
        sites=len(halls.sites),
        plans=len(stored),
        accounts=len(rows),
        **counts,
    )


async def is_empty(session: AsyncSession) -> bool:
    """Whether there is neither an account nor an organisation."""
    accounts = await session.scalar(select(func.count()).select_from(AccountRow))
    offices = await session.scalar(select(func.count()).select_from(OrganisationRow))
    return not accounts and not offices


async def is_only_demo(session: AsyncSession) -> bool:
    """Whether every account is one of the demonstration: only then may it be cleared."""
    real = select(func.count()).select_from(AccountRow).where(col(AccountRow.is_demo).is_(False))
    return not await session.scalar(real)


async def clear(session: AsyncSession) -> None:
    """Empty every table and start all numbers afresh. Check `is_only_demo` before."""
    collect_tables()
    await _take_time(session)
    names = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
    await session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    found = await session.execute(
        text("SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()")
    )
    for name in found.scalars().all():
        await session.execute(text(f'ALTER SEQUENCE "{name}" RESTART'))


async def _take_time(session: AsyncSession) -> None:
    """A slow machine may: nobody waits at a console for this transaction."""
    await session.execute(text("SET LOCAL statement_timeout = '60s'"))
    await session.execute(text("SET LOCAL lock_timeout = '20s'"))
    await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '120s'"))


def banner_log_ins(credentials_file: Path) -> list[tuple[str, str, str]]:
    """(name, password, whose) of the console's log-ins, for the terminal."""
    names = {login.username for login in people.LOGINS}
    return [
        (c.account, c.password, c.whose)
        for c in read_credentials(credentials_file)
        if c.account in names
    ]


async def _add(session: AsyncSession, rows: list[OrganisationRow] | list[SiteRow]) -> None:
    session.add_all(rows)
    await session.flush()


def _sip_accounts(session: AsyncSession, sites: list[SiteRow]) -> list[Credential]:
    told = []
    for site in sites:
        if site.account is None:
            continue
        password = new_password()
        digests = digest_secrets(site.account, password)
        session.add(
            SipAccountRow(
                account=site.account,
                realm=digests.realm,
                ha1_md5=digests.ha1_md5,
                ha1_sha256=digests.ha1_sha256,
                h235_key=digests.h235_key,
                is_demo=True,
            )
        )
        told.append(Credential(site.account, password, site.name))
    return told


async def _accounts(
    work: Work, passwords: Passwords
) -> tuple[list[Credential], dict[str, AccountRow]]:
    told: list[Credential] = []
    rows: dict[str, AccountRow] = {}
    for login in people.LOGINS:
        password = new_password()
        rows[login.username] = await create_account(
            work,
            passwords,
            NewAccount(
                username=login.username,
                display_name=login.display_name,
                password=password,
                roles=frozenset({login.role}),
                region_code=login.region_code,
                unit_name=login.unit_name,
                is_demo=True,
            ),
        )
        told.append(Credential(login.username, password, f"{login.display_name} {login.duty}"))
    return told, rows


async def _libraries(session: AsyncSession, seed: int) -> dict[str, int]:
    crews = teams.teams(seed)
    stores, stock = depots.depots(seed)
    units = hazards.hazards(seed)
    knowing, eyes = people.experts(seed), people.cameras(seed)
    session.add_all([*crews, *stores])
    await session.flush()
    session.add_all([*stock, *units, *knowing, *eyes])
    await session.flush()
    return {
        "teams": len(crews),
        "depots": len(stores),
        "stock_items": len(stock),
        "hazards": len(units),
        "experts": len(knowing),
        "cameras": len(eyes),
    }


def _people(rows: dict[str, AccountRow]) -> People:
    return People(
        officer=actor_of(rows["chenshiyi"], None),
        leader=actor_of(rows["linshier"], None),
        county=actor_of(rows["luoshiyi"], None),
    )
