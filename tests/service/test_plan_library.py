"""Plans in a real database: what is stored is what is read, and versions stay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.database import Database
from plans import (
    LocalPlansError,
    Plan,
    RemotePlansError,
    add_plan,
    get_plan,
    list_plans,
    plans_in_force,
    remove_demo_plans,
)
from tests.plans.demo import demo_plan, demo_plans


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """Rolled back after the test."""
    async with database.session() as opened:
        yield opened


def _ordered(plan: Plan) -> Plan:
    """Levels from the top, needs by item: the order in which they are read."""
    tiers = ("province", "city", "county")
    levels = sorted(plan.levels, key=lambda rule: (tiers.index(rule.tier), rule.level.rank))
    cards = [
        replace(card, needs=tuple(sorted(card.needs, key=lambda need: need.item)))
        for card in plan.cards
    ]
    return replace(plan, levels=tuple(levels), cards=tuple(cards))


async def test_what_is_stored_is_what_is_read(session: AsyncSession) -> None:
    """Every clause, trigger, card and need of all six plans."""
    for plan in demo_plans():
        await add_plan(session, plan)
    session.expunge_all()
    for plan in demo_plans():
        assert await get_plan(session, plan.id) == _ordered(plan)
    assert len(await list_plans(session)) == len(await plans_in_force(session)) == 6


async def test_a_version_is_filed_once(session: AsyncSession) -> None:
    """An incident points at the text that was in force; nobody may swap it."""
    plan = demo_plan("mine")
    await add_plan(session, plan)
    with pytest.raises(IntegrityError):
        await add_plan(session, replace(plan, id=uuid4()))


async def test_a_superseded_version_stays_readable_but_is_not_proposed(
    session: AsyncSession,
) -> None:
    """Cards of a closed incident still open their paragraph."""
    plan = replace(demo_plan("mine"), status="superseded")
    await add_plan(session, plan)
    await add_plan(session, replace(demo_plan("mine"), id=uuid4(), version="2027"))
    assert [head.version for head in await list_plans(session)] == ["2027"]
    assert (await get_plan(session, plan.id)).status == "superseded"


async def test_a_broken_plan_is_not_stored(session: AsyncSession) -> None:
    """Checked again at the door, whoever hands it in."""
    plan = demo_plan("mine")
    with pytest.raises(RemotePlansError, match="plan_invalid"):
        await add_plan(session, replace(plan, clauses=()))
    assert await list_plans(session) == []


async def test_an_unknown_plan_has_a_code(session: AsyncSession) -> None:
    """The edge makes it 404."""
    with pytest.raises(LocalPlansError) as caught:
        await get_plan(session, uuid4())
    assert caught.value.code == "plan_not_found"


async def test_demonstration_plans_can_be_taken_out(session: AsyncSession) -> None:
    """With all their parts, and nothing else."""
    await add_plan(session, demo_plan("mine"))
    await add_plan(session, replace(demo_plan("earthquake"), is_demo=False))
    await remove_demo_plans(session)
    assert [head.code for head in await list_plans(session)] == ["GD-YJ-DZ"]
