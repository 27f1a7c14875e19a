"""The libraries over HTTP: lists by name and window, boundaries; who may read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.demo import seed
from command_center.security import Desk, Passwords, Role

from .conftest import Person, SignIn

LISTS = ("organisations", "sites", "teams", "depots", "hazards", "experts", "cameras")
SHAOGUAN = "112.8,23.8,114.8,25.5"


@pytest.fixture
async def officer(desk: Desk, passwords: Passwords, tmp_path: Path, sign_in: SignIn) -> Person:
    """The province's duty officer, with the demonstration seeded once for the module."""
    await seed(desk, passwords, tmp_path / "demo-credentials.txt")
    return await sign_in(Role.DUTY_OFFICER)


async def _items(person: Person, path: str) -> list[dict[str, Any]]:
    answer = await person.get(path)
    assert answer.status == 200, await answer.text()
    found: list[dict[str, Any]] = (await answer.json())["items"]
    return found


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("organisations", 816),
        ("sites", 153),
        ("teams", 285),
        ("depots", 40),
        ("hazards", 301),
        ("experts", 24),
        ("cameras", 3),
    ],
)
async def test_each_list_is_whole_and_placed(officer: Person, name: str, count: int) -> None:
    """The map draws what the lists give: every entry has its place and its region's name."""
    items = await _items(officer, f"/{name}?limit=2000")
    assert len(items) == count
    for item in items:
        assert 109 < item["longitude"] < 118
        assert 20 < item["latitude"] < 26
        assert item["region_name"], item
        assert item["is_demo"]


async def test_a_hall_is_found_by_its_account(officer: Person) -> None:
    """Operators type the division code."""
    items = await _items(officer, "/sites?q=440229&limit=50")
    hall = next(item for item in items if item["account"] == "440229")
    assert hall["name"] == "翁源县应急管理局"
    assert hall["address_state"] == "unregistered"
    assert hall["organisation_name"] == "翁源县应急管理局"


async def test_the_offices_of_the_line_come_first(officer: Person) -> None:
    """Province, then cities and counties by code; in each the hall before the units beside it."""
    sites = await _items(officer, "/sites?limit=5")
    assert (sites[0]["name"], sites[1]["region_code"]) == ("省厅指挥大厅", "440000")
    under = await _items(officer, "/organisations?under=440229")
    assert under[0]["name"] == "翁源县应急管理局"


async def test_lists_are_searched_in_their_own_words(officer: Person) -> None:
    """By skill, by stock, by substance, by field."""
    teams = await _items(officer, "/teams?q=在线质谱")
    assert [team["code"] for team in teams] == ["T06"]
    depots = await _items(officer, "/depots?q=消石灰")
    assert "韶关储备点" in {depot["name"] for depot in depots}
    hazards = await _items(officer, "/hazards?q=液氯")
    assert "HZ1" in {hazard["code"] for hazard in hazards}
    assert hazards == sorted(hazards, key=lambda hazard: hazard["level"] or 9)
    experts = await _items(officer, "/experts?q=危险化学品")
    assert {"许示十", "邓示甲"} <= {expert["name"] for expert in experts}


@pytest.mark.parametrize("q", ["%25", "_", "%5C", "'", "%22;--"])
async def test_wild_cards_mean_themselves(officer: Person, q: str) -> None:
    """A percent sign finds percent signs, not everything."""
    for name in LISTS:
        assert await _items(officer, f"/{name}?q={q}") == []


async def test_the_window_cuts(officer: Person) -> None:
    """The map asks for what it shows."""
    inside = await _items(officer, f"/teams?bbox={SHAOGUAN}&limit=2000")
    assert {"T01", "T02", "T03"} <= {team["code"] for team in inside}
    assert len(inside) < 60
    for name in LISTS:
        for item in await _items(officer, f"/{name}?bbox={SHAOGUAN}&limit=2000"):
            assert 112.8 <= item["longitude"] <= 114.8


async def test_organisations_under_a_region_or_a_parent(officer: Person) -> None:
    """The tree of the address book."""
    under = await _items(officer, "/organisations?under=440229&limit=2000")
    assert {item["line"] for item in under} >= {"emergency_management", "fire", "police", "health"}
    city = await _items(officer, "/organisations?under=440200&limit=2000")
    assert len(city) > len(under)
    assert all(item["region_code"].startswith("4402") for item in city)
    parent = next(item for item in city if item["name"] == "韶关市应急管理局")
    children = await _items(officer, f"/organisations?under={parent['id']}&limit=2000")
    assert len([item for item in children if item["tier"] == "county"]) == 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=99999", "limit"),
        ("limit=ten", "limit"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=nan,0,1,1", "bbox"),
        ("bbox=114,20,110,25", "bbox"),
        ("bbox=a,b,c,d", "bbox"),
        ("q=" + "x" * 101, "q"),
    ],
)
async def test_a_wrong_parameter_is_named(officer: Person, query: str, field: str) -> None:
    """422 with the parameter, never 500 and never everything."""
    for name in LISTS:
        answer = await officer.get(f"/{name}?{query}")
        assert answer.status == 422, (name, await answer.text())
        problem = await answer.json()
        assert problem["code"] == "validation_failed"
        assert field in str(problem["fields"])


async def test_under_takes_a_code_or_an_id_only(officer: Person) -> None:
    """Anything else is a mistake."""
    assert (await officer.get("/organisations?under=韶关")).status == 422


async def test_a_cameras_address_stays_here(officer: Person) -> None:
    """It may hold a password."""
    for camera in await _items(officer, "/cameras"):
        assert "url" not in camera
        assert camera["source"] == "synthetic"


async def test_boundaries_are_geojson_and_kept_by_the_browser(officer: Person) -> None:
    """600 kB are loaded once, not at every page."""
    for level, count in (("city", 22), ("county", 124)):
        answer = await officer.get(f"/map/boundaries?level={level}")
        assert answer.status == 200
        assert len((await answer.json(content_type=None))["features"]) == count
        again = await officer.get(
            f"/map/boundaries?level={level}", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status == 304
    assert (await officer.get("/map/boundaries?level=town")).status == 422


async def test_strangers_and_auditors_read_no_library(stranger: Person, sign_in: SignIn) -> None:
    """Where every team and every tank stands is nobody's business outside the desk."""
    auditor = await sign_in(Role.AUDIT_ADMIN)
    for name in (*LISTS, "map/boundaries"):
        assert (await stranger.get(f"/{name}")).status == 401
        assert (await auditor.get(f"/{name}")).status == 403


async def test_a_city_reads_no_other_citys_rows(sign_in: SignIn, officer: Person) -> None:
    """Row by row: one's own region, and the offices and experts above it."""
    city = await sign_in(Role.DUTY_OFFICER, region_code="440200")
    county = await sign_in(Role.DUTY_OFFICER, region_code="440229")
    for person, prefix, above in (
        (city, "4402", {"440000"}),
        (county, "440229", {"440000", "440200"}),
    ):
        for name in LISTS:
            for item in await _items(person, f"/{name}?limit=2000"):
                code = item["region_code"]
                assert code.startswith(prefix) or code in above, (name, item["name"])
    assert {"440000", "440200"} <= {s["account"] for s in await _items(county, "/sites?limit=99")}
    assert len(await _items(county, "/experts")) == 24
    elsewhere = await _items(county, "/organisations?under=441800")
    assert elsewhere == []
    assert len(await _items(officer, "/teams?limit=2000")) == 285
