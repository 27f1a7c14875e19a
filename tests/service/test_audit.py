"""The audit chain: whoever touches a row is found, and without a row nothing changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from command_center.database import Database
from command_center.security import AuditChain, Desk, Role

from .conftest import SignIn
from .reports import report


async def sql(database: Database, *statements: str) -> None:
    async with database.session() as session, session.begin():
        for statement in statements:
            await session.execute(text(statement))


async def breaks(desk: Desk) -> list[str]:
    async with desk.database.session() as session:
        return await desk.chain.verify(session)


@pytest.fixture
async def rows(sign_in: SignIn, database: Database) -> int:
    """Some audited actions; the number of the last row."""
    person = await sign_in()
    assert (await person.post("/incidents", report())).status == 201
    assert (await person.post("/incidents", report(signer=""))).status == 422
    async with database.session() as session:
        return int((await session.execute(text("SELECT max(seq) FROM audit"))).scalar_one())


async def test_changes_and_refusals_are_recorded(rows: int, database: Database, desk: Desk) -> None:
    """A row for every state-changing call, the failed ones too, in one whole chain."""
    assert await breaks(desk) == []
    async with database.session() as session:
        found = (
            await session.execute(
                text("SELECT action, outcome, actor_name FROM audit ORDER BY seq DESC LIMIT 2")
            )
        ).all()
    assert [tuple(row) for row in found] == [
        ("incident.report", "refused", "陈示一"),
        ("incident.report", "done", "陈示一"),
    ]


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("UPDATE audit SET actor_id = 'somebody' WHERE seq = 2", "row 2 was changed"),
        (
            "UPDATE audit SET detail = '{}' WHERE seq = {last}",
            "the detail of row {last} was changed",
        ),
        ("DELETE FROM audit WHERE seq = 2", "rows 2 to 2 are missing"),
        ("DELETE FROM audit WHERE seq = {last}", "its head says {last}"),
    ],
    ids=["edit", "detail", "delete", "truncate"],
)
async def test_tampering_is_found(
    attack: str, found: str, rows: int, database: Database, desk: Desk
) -> None:
    """Edit, delete and truncate with full rights on the database, but without the key."""
    async with database.session() as session, session.begin():
        await session.execute(text(attack.replace("{last}", str(rows))))
        messages = await desk.chain.verify(session)
        assert any(found.replace("{last}", str(rows)) in message for message in messages), messages
        await session.rollback()
    assert await breaks(desk) == []


async def test_reordering_is_found(rows: int, database: Database, desk: Desk) -> None:
    """Two rows that changed places tell another story."""
    async with database.session() as session, session.begin():
        for old, new in ((1, -1), (2, 1), (-1, 2)):
            await session.execute(
                text("UPDATE audit SET seq = :new WHERE seq = :old"), {"new": new, "old": old}
            )
        assert await desk.chain.verify(session) != []
        await session.rollback()


async def test_another_key_cannot_continue_the_chain(rows: int, desk: Desk) -> None:
    """Whoever recomputes the chain without the key is found at the first row."""
    async with desk.database.session() as session:
        assert await AuditChain(b"x" * 32).verify(session) != []


async def test_personal_detail_can_be_erased_without_breaking_the_chain(
    rows: int, database: Database, desk: Desk
) -> None:
    """突发事件应对法 2024, art. 85: personal data goes on its day, the record stays."""
    await sql(database, "UPDATE audit SET detail = NULL, actor_name = NULL WHERE seq = 1")
    assert await breaks(desk) == []


async def test_the_audit_administrator_reads_and_verifies(rows: int, sign_in: SignIn) -> None:
    """The third person sees what the others did, and nobody else does."""
    auditor = await sign_in(Role.AUDIT_ADMIN)
    items = (await (await auditor.get("/audit?limit=5")).json())["items"]
    assert len(items) == 5
    assert items[0]["seq"] > items[-1]["seq"]
    verified = await (await auditor.get("/audit/verification")).json()
    assert verified == {"is_whole": True, "breaks": []}
    assert (await (await sign_in()).get("/audit")).status == 403


async def test_without_audit_nothing_changes(sign_in: SignIn, database: Database) -> None:
    """F18, fail closed: the change is refused with 503 and is not stored."""
    person = replace(await sign_in(), is_patient=False)
    before = len((await (await person.get("/incidents?state=all")).json())["items"])
    await sql(database, "ALTER TABLE audit RENAME TO audit_away")
    try:
        answer = await person.post("/incidents", report())
        assert (answer.status, (await answer.json())["code"]) == (503, "audit_unavailable")
        assert answer.headers["Retry-After"]
    finally:
        await sql(database, "ALTER TABLE audit_away RENAME TO audit")
    after = len((await (await person.get("/incidents?state=all")).json())["items"])
    assert after == before
    assert (await person.post("/incidents", report())).status == 201
