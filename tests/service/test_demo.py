"""The demonstration in a real database: counts, determinism, idempotence, passwords, speed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

import plans
from command_center.database import Database
from command_center.demo import (
    Seeded,
    banner_log_ins,
    clear,
    is_empty,
    is_only_demo,
    read_credentials,
    seed,
)
from command_center.directory import SipAccountRow, SiteRow, digest_secrets
from command_center.incidents import repository
from command_center.incidents.responses import facts_of
from command_center.security import (
    SYSTEM,
    AuditChain,
    Desk,
    LogIn,
    NewAccount,
    Passwords,
    Role,
    create_account,
)
from command_center.security.errors import WrongCredentialsError
from plans import MajorHazardRow
from resource_dispatch import Team
from tests.harness.processes import crowding


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "demo-credentials.txt"


async def _fresh(desk: Desk, passwords: Passwords, file: Path) -> Seeded:
    async with desk.work(SYSTEM) as work:
        await clear(work.session)
    seeded = await seed(desk, passwords, file)
    assert seeded is not None
    return seeded


async def _fill(desk: Desk, passwords: Passwords, file: Path) -> None:
    """Seed unless a test before did."""
    await seed(desk, passwords, file)


async def test_the_province_is_whole(desk: Desk, passwords: Passwords, file: Path) -> None:
    """The numbers that the demonstration promises, in under ten seconds."""
    began = time.monotonic()
    seeded = await _fresh(desk, passwords, file)
    took = time.monotonic() - began
    assert seeded.organisations == 816
    assert seeded.sites == 153  # 144 halls, 7 provincial units, the plant, the shelter
    assert seeded.teams == 285
    assert seeded.depots == 40
    assert seeded.hazards == 301  # 300 and HZ2, which is none
    assert (seeded.plans, seeded.experts, seeded.cameras) == (6, 24, 3)
    assert took < 10 * crowding(), took


async def test_a_second_seed_changes_nothing(desk: Desk, passwords: Passwords, file: Path) -> None:
    """The product seeds at every start."""
    await _fill(desk, passwords, file)
    before = file.read_bytes()
    assert await seed(desk, passwords, file) is None
    assert file.read_bytes() == before


async def _snapshot(database: Database, *tables: Any) -> list[Any]:
    async with database.session() as session:
        rows = []
        for table in tables:
            found = await session.execute(select(table).order_by(col(table.id)))
            rows += [row.model_dump() for row in found.scalars()]
    return rows


async def test_reset_gives_the_same_records_and_other_passwords(
    database: Database, desk: Desk, passwords: Passwords, file: Path
) -> None:
    """Ids included, so that a screenshot, a test and a bug report speak of the same team; but a
    published default password is an open door. Incident numbers start afresh."""
    seen: list[tuple[list[Any], dict[str, str]]] = []
    for _ in range(2):
        await _fresh(desk, passwords, file)
        rows = await _snapshot(database, SiteRow, Team, MajorHazardRow)
        told = {c.account: c.password for c in read_credentials(file)}
        seen.append((rows, told))
    (first, before), (second, after) = seen
    for row in (*first, *second):
        row.pop("number", None)
    assert first == second
    assert before.keys() == after.keys()
    assert not [account for account in before if before[account] == after[account]]
    async with database.session() as session:
        found = await repository.incidents(session, region_prefix="44", state="all", limit=10)
    assert sorted(row.number.rsplit("-", 1)[1] for row in found) == ["0001", "0002"]


async def test_everything_is_marked_as_demonstration(
    database: Database, desk: Desk, passwords: Passwords, file: Path
) -> None:
    """No seeded row may be mistaken for a real one."""
    await _fill(desk, passwords, file)
    async with database.session() as session:
        names = await session.execute(
            text(
                "SELECT table_name FROM information_schema.columns"
                " WHERE column_name = 'is_demo' AND table_schema = 'public'"
            )
        )
        marked = names.scalars().all()
        assert len(marked) >= 10
        for name in marked:
            sql = text(f'SELECT count(*) FROM "{name}" WHERE NOT is_demo')  # noqa: S608
            assert await session.scalar(sql) == 0, name
        incidents = await repository.incidents(session, region_prefix="44", state="all", limit=10)
        assert all("【演示】" in row.title for row in incidents)


async def test_the_told_passwords_open_the_console(
    desk: Desk, passwords: Passwords, file: Path
) -> None:
    """Every log-in of the file works; nobody else can read the file."""
    await _fill(desk, passwords, file)
    log_ins = banner_log_ins(file)
    assert [name for name, _, _ in log_ins][:2] == ["chenshiyi", "linshier"]
    assert len(log_ins) == 9
    log_in = LogIn(desk, passwords)
    for name, password, _ in log_ins:
        await log_in.check(name, password)
    with pytest.raises(WrongCredentialsError):
        await log_in.check("chenshiyi", "Wrong-2026!")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_the_told_passwords_are_the_halls_digests(
    database: Database, desk: Desk, passwords: Passwords, file: Path
) -> None:
    """Each of the 144 halls has its division code as account and a password of its own."""
    await _fill(desk, passwords, file)
    told = {c.account: c.password for c in read_credentials(file)}
    async with database.session() as session:
        rows = (await session.execute(select(SipAccountRow))).scalars().all()
        sites = (await session.execute(select(SiteRow))).scalars().all()
    assert len({told[row.account] for row in rows}) == len(rows) == 153
    for row in rows:
        assert row.ha1_sha256 == digest_secrets(row.account, told[row.account]).ha1_sha256
    by_account = {site.account: site for site in sites}
    assert by_account["440229"].name == "翁源县应急管理局"
    assert by_account["440000"].name == "省厅指挥大厅"
    assert "\U00031cea" in by_account["441881120"].name


async def test_the_desk_finds_the_accident_open_and_an_example_closed(
    database: Database, desk: Desk, passwords: Passwords, file: Path
) -> None:
    """As the story stands at 03:08: two reports, 较大涉险, clocks running, no plan yet."""
    await _fill(desk, passwords, file)
    async with database.session() as session:
        opened = await repository.incidents(session, region_prefix="44", state="open", limit=5)
        assert [row.title for row in opened] == ["【演示】翁源“演示精细化工”液氯泄漏"]
        row = opened[0]
        assert (row.grade, row.region_name, row.plan_id) == ("general", "翁源县", None)
        assert row.near_accident == ["涉险31≥10", "疏散620≥500"]
        assert len(await repository.reports(session, row.id)) == 2
        running = [c for c in await repository.clocks(session, [row.id]) if c.done_at is None]
        assert {c.rule_key for c in running} >= {"county_to_city", "provincial_duty_phone"}
        assert all(c.due_at > row.updated_at for c in running)
        closed = await repository.incidents(session, region_prefix="44", state="closed", limit=5)
        cards = await repository.tasks(session, closed[0].id)
        assert len(cards) >= 8
        assert {card.state for card in cards} == {"done"}
        who = {entry.actor_name for entry in await repository.timeline(session, closed[0].id)}
        assert who == {"范示岗", "石示冈"}  # a county declares and ends its own response
        told = await repository.timeline(session, row.id)
        assert [entry.at for entry in told] == sorted(entry.at for entry in told)


async def test_the_open_accident_finds_its_plan_with_the_storys_score(
    desk: Desk, passwords: Passwords, file: Path
) -> None:
    """0.93 and standby: toxic, a near-accident, 6 km from the next city, nobody diagnosed."""
    await _fill(desk, passwords, file)
    async with desk.work(SYSTEM) as work:
        rows = await repository.incidents(work.session, region_prefix="44", state="open", limit=1)
        facts = await facts_of(work, rows[0])
        proposals = plans.propose(facts, await plans.plans_in_force(work.session))
    found = [(p.plan.code, p.score, p.suggested_level) for p in proposals]
    assert found == [
        ("GD-YJ-WH", 0.93, plans.ResponseLevel.STANDBY),
        ("GD-YJ-HJ", 0.61, plans.ResponseLevel.STANDBY),
    ]


async def test_a_real_account_forbids_clearing(
    database: Database, desk: Desk, passwords: Passwords, file: Path
) -> None:
    """`reset-demo` on a working system would destroy it."""
    await _fresh(desk, passwords, file)
    async with database.session() as session:
        assert await is_only_demo(session)
    async with desk.work(SYSTEM) as work:
        new = NewAccount(
            "real", "真实用户", "Zhenshi-2026!", frozenset({Role.DUTY_OFFICER}), "440000"
        )
        await create_account(work, passwords, new)
    async with database.session() as session:
        assert not await is_only_demo(session)


async def test_an_interrupted_seed_leaves_nothing(
    desk: Desk, passwords: Passwords, tmp_path: Path
) -> None:
    """One transaction: the next start seeds again instead of finding half a province."""
    async with desk.work(SYSTEM) as work:
        await clear(work.session)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OSError):
        await seed(desk, passwords, blocked / "demo-credentials.txt")
    async with desk.work(SYSTEM) as work:
        assert await is_empty(work.session)


async def test_the_audit_chain_holds_after_seeding(
    database: Database, desk: Desk, passwords: Passwords, file: Path
) -> None:
    """The seed goes through the services and leaves the trace that people leave."""
    await _fill(desk, passwords, file)
    async with database.session() as session:
        assert await AuditChain(b"k" * 32).verify(session) == []
