"""The resource library over a real database: listings, and nothing promised twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from command_center.database import Database
from resource_dispatch import (
    Box,
    Depot,
    LocalDispatchError,
    StockItem,
    StockShortError,
    Team,
    TeamTakenError,
    assign_team,
    dispatch_depots,
    dispatch_teams,
    list_depots,
    list_teams,
    release_stock,
    release_team,
    reserve_stock,
)

NOW = datetime(2026, 11, 3, 18, 58, tzinfo=UTC)


def _team(code: str, longitude: float = 113.0, **more: object) -> Team:
    fields: dict[str, object] = {"skills": ["堵漏"], "crew": 12, **more}
    return Team(
        code=code,
        name=f"{code}队",
        region_code="440229",
        longitude=longitude,
        latitude=24.4,
        **fields,
    )


async def _seed(database: Database) -> tuple[UUID, UUID]:
    """A team and a depot with 20 t of lime, under fresh codes."""
    tag = uuid4().hex[:8]
    team, depot = (
        _team(f"T-{tag}"),
        Depot(code=f"D-{tag}", name=f"{tag}库", region_code="440229", longitude=113, latitude=24),
    )
    async with database.session() as session:
        session.add_all([team, depot])
        await session.flush()
        session.add(StockItem(depot_id=depot.id, item="石灰", unit="t", quantity=20))
        await session.commit()
        return team.id, depot.id


async def test_listings_filter_by_words_skill_and_window(database: Database) -> None:
    """The map asks by window, the search box by words; a percent sign is only a percent sign."""
    async with database.session() as session:
        session.add_all([_team("LA", 111.0), _team("LB", 112.0, skills=["洗消"])])
        await session.flush()
        assert [t.code for t in await list_teams(session, q="LA")] == ["LA"]
        assert [t.code for t in await list_teams(session, q="洗消")] == ["LB"]
        window = Box(110.5, 24.0, 111.5, 25.0)
        assert [t.code for t in await list_teams(session, box=window)] == ["LA"]
        assert await list_teams(session, q="%") == []


async def test_team_cannot_be_in_two_places(database: Database) -> None:
    """Two writers at once: the database lets one win, and tells the other until when (F14)."""
    team_id, _ = await _seed(database)

    async def take() -> str:
        async with database.session() as session:
            try:
                await assign_team(
                    session,
                    team_id=team_id,
                    incident_id=uuid4(),
                    starts_at=NOW,
                    ends_at=NOW + timedelta(hours=2),
                )
            except TeamTakenError as error:
                assert error.fields["until"] is not None
                return "taken"
            await session.commit()
            return "won"

    assert sorted(await asyncio.gather(*(take() for _ in range(8)))) == ["taken"] * 7 + ["won"]


async def test_released_team_is_free_again(database: Database) -> None:
    """An order that ends early gives the rest of the time back."""
    team_id, _ = await _seed(database)
    order_id = uuid4()
    async with database.session() as session:
        span = {"team_id": team_id, "incident_id": uuid4()}
        await assign_team(
            session, order_id=order_id, starts_at=NOW, ends_at=NOW + timedelta(hours=9), **span
        )
        busy = {t.id: t for t in await dispatch_teams(session, NOW)}[str(team_id)]
        assert busy.available_at == NOW + timedelta(hours=9)
        later = NOW + timedelta(hours=1)
        assert await release_team(session, order_id=order_id, at=later) == 1
        free = {t.id: t for t in await dispatch_teams(session, NOW)}[str(team_id)]
        assert free.available_at is None
        await assign_team(session, starts_at=later, ends_at=later + timedelta(hours=1), **span)


async def test_stock_is_not_promised_twice(database: Database) -> None:
    """Five incidents want 6 of 20 t at once: three get it, two are told that it is short."""
    _, depot_id = await _seed(database)

    async def reserve() -> UUID | None:
        async with database.session() as session:
            try:
                held = await reserve_stock(
                    session, depot_id=depot_id, item="石灰", quantity=6, incident_id=uuid4()
                )
            except StockShortError:
                return None
            await session.commit()
            return held.id

    held = [h for h in await asyncio.gather(*(reserve() for _ in range(5))) if h]
    assert len(held) == 3
    async with database.session() as session:
        assert await release_stock(session, held[0], NOW)
        assert not await release_stock(session, held[0], NOW)
        free = {d.id: d.stock["石灰"].quantity for d in await dispatch_depots(session) if d.stock}
        assert free[str(depot_id)] == 8
        (found,) = [s for d, s in await list_depots(session, q="石灰") if d.id == depot_id]
        assert found[0].quantity == 20


async def test_drill_never_touches_real_resources(database: Database) -> None:
    """A drill works on copies; a real team or real stock refuses it."""
    team_id, depot_id = await _seed(database)
    async with database.session() as session:
        with pytest.raises(LocalDispatchError, match="drill_touches_real"):
            await assign_team(
                session,
                team_id=team_id,
                incident_id=uuid4(),
                starts_at=NOW,
                ends_at=NOW + timedelta(hours=1),
                is_drill=True,
            )
        with pytest.raises(LocalDispatchError, match="drill_touches_real"):
            await reserve_stock(
                session,
                depot_id=depot_id,
                item="石灰",
                quantity=1,
                incident_id=uuid4(),
                is_drill=True,
            )
