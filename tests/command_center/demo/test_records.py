"""The made-up records, before any database: what is promised, and that it fits together."""

from __future__ import annotations

from collections import Counter
from random import Random

from command_center.demo import demo_road_network, depots, hazards, organisations, people, places
from command_center.demo import teams as crews
from command_center.demo.minting import Mint
from command_center.demo.plan_files import demo_plans
from command_center.onemap import region_at
from plans import Holding, ResponseLevel, identify

SEED = 2026


def test_the_divisions_of_guangdong() -> None:
    """1 + 21 + 122, and 1,610 towns; no division without a point."""
    tiers = Counter(place.tier for place in places.divisions())
    assert tiers == {"province": 1, "city": 21, "county": 122}
    assert len(places.towns()) == 1610
    assert all(109 < p.longitude < 118 and 20 < p.latitude < 26 for p in places.divisions())


def test_the_rare_character_survives() -> None:
    """下𱳪镇 has a character of CJK extension H, which captions and files must carry."""
    assert places.towns()["441881120"] == "下\U00031cea镇"
    assert places.towns()["440229113"] == "翁城镇"


def test_points_lie_in_their_own_boundaries() -> None:
    """Names, points and boundaries come from three packages: they must speak of the same place.

    光明区 has no boundary in the source, and the point of 金湾区 lies beside its polygon there.
    """
    astray = []
    for place in places.divisions():
        level = "county" if place.tier == "county" else "city"
        region = region_at(level, place.longitude, place.latitude)
        if place.tier != "province" and (region is None or region.code != place.code):
            astray.append(place.name)
    assert sorted(astray) == ["光明区", "金湾区"]


def test_a_hundred_and_forty_four_halls_with_their_division_code() -> None:
    """Each division has one organisation of the line and one hall."""
    made = organisations.directory(SEED)
    codes = {place.code for place in places.divisions()}
    assert {site.account for site in made.sites} >= codes
    owners = {row.id: row for row in made.organisations}
    for site in made.sites:
        assert owners[site.organisation_id].region_code == site.region_code
    line = [r for r in made.organisations if r.line == "emergency_management"]
    assert len([r for r in line if r.tier in ("province", "city", "county")]) == 144


def test_parents_come_first_and_names_once() -> None:
    """The tree can be inserted in order, and a search by name finds one office."""
    made = organisations.directory(SEED)
    seen = set()
    for row in made.organisations:
        assert row.parent_id is None or row.parent_id in seen
        seen.add(row.id)
    assert max(Counter(row.name for row in made.organisations).values()) == 1


def test_units_beside_the_tree_at_each_tier() -> None:
    """消防, 公安, 卫健, 生态环境 of the province, each city and each county."""
    made = organisations.directory(SEED)
    for line in ("fire", "police", "health", "environment"):
        tiers = Counter(row.tier for row in made.organisations if row.line == line)
        assert tiers == {"province": 1, "city": 21, "county": 122}, line


def test_units_that_plans_name_exist() -> None:
    """A consultation invites the units of the plan by name."""
    names = {row.name for row in organisations.directory(SEED).organisations}
    assert {"省消防救援总队", "省生态环境厅", "省卫生健康委", "省公安厅", "省政府总值班室"} <= names


def test_every_skill_of_every_plan_has_a_team() -> None:
    """A card that nobody can do would be a fault of the demonstration, not of the optimiser."""
    everybody = crews.teams(SEED)
    assert len({team.code for team in everybody}) == 285
    for plan in demo_plans(SEED):
        for card in plan.cards:
            able = [
                team
                for team in everybody
                if set(card.skills) <= set(team.skills) and team.crew >= card.crew_needed
            ]
            assert len(able) >= 2, (plan.code, card.number, card.skills)


def test_the_nine_teams_of_the_story() -> None:
    """T08 and T09 can only be asked, the others are ordered."""
    story = {team.code: team for team in crews.teams(SEED) if team.code.startswith("T")}
    assert sorted(story) == [f"T{n:02d}" for n in range(1, 10)]
    assert [c for c, t in sorted(story.items()) if t.authority == "request"] == ["T08", "T09"]
    assert (story["T03"].crew, story["T03"].skills) == (18, ["堵漏", "倒罐", "重型防化"])


def test_the_storys_teams_drive_about_as_long_as_told() -> None:
    """T02 38 min, T03 72, T07 48, T05 50, T04 69: within a third on the made-up roads."""
    roads = demo_road_network()
    told = {"T02": 38, "T03": 72, "T04": 69, "T05": 50, "T07": 48}
    scene = roads.spot(*places.SCENE)
    for team in crews.teams(SEED):
        if team.code in told:
            route = roads.route(roads.spot(team.longitude, team.latitude), scene, team.speed_class)
            assert route is not None
            assert abs(route.travel_s / 60 - told[team.code]) <= told[team.code] / 3, team.code


def test_shaoguans_depot_holds_what_the_story_takes() -> None:
    """40 t of lye and 25 t of lime."""
    stores, stock = depots.depots(SEED)
    depot = next(row for row in stores if row.name == "韶关储备点")
    held = {row.item: (row.quantity, row.unit) for row in stock if row.depot_id == depot.id}
    assert (held["液碱"], held["消石灰"]) == ((40, "t"), (25, "t"))
    assert len(stores) == 40


def test_each_material_of_a_plan_lies_somewhere_in_the_same_unit() -> None:
    """Tonnes asked for and sacks in stock would never meet."""
    _, stock = depots.depots(SEED)
    units = {(row.item, row.unit) for row in stock}
    for plan in demo_plans(SEED):
        for card in plan.cards:
            for need in card.needs:
                assert (need.item, need.unit) in units, (plan.code, card.number, need)


def test_hazards_are_identified_not_invented() -> None:
    """S, R and level of each row follow from its inputs."""
    rows = hazards.hazards(SEED)
    assert len([row for row in rows if row.level is not None]) == 300
    by_code = {row.code: row for row in rows}
    assert (by_code["HZ1"].s_value, by_code["HZ1"].r_value, by_code["HZ1"].level) == (5.6, 44.8, 3)
    assert (by_code["HZ2"].s_value, by_code["HZ2"].r_value, by_code["HZ2"].level) == (
        0.8,
        None,
        None,
    )
    for row in rows:
        held = [Holding(s["name"], str(round(s["q_tonnes"]))) for s in row.substances]
        assert identify(held, row.residents_500m).level == row.level
    assert {row.level for row in rows} == {1, 2, 3, 4, None}


def test_every_name_carries_the_mark_and_no_number_can_be_dialled() -> None:
    """示 in each made-up name, 000 before each number."""
    for team in crews.teams(SEED):
        assert "演示" in team.unit_name
        assert "示" in team.contact_name
        assert team.phone.startswith("000-")
    stores, _ = depots.depots(SEED)
    assert all("演示" in depot.unit_name and "示" in depot.contact_name for depot in stores)
    assert all("演示" in row.enterprise_name for row in hazards.hazards(SEED))
    assert all("演示" in camera.name for camera in people.cameras(SEED))
    for expert in people.experts(SEED):
        assert "示" in expert.name
    for login in people.LOGINS:
        assert "示" in login.display_name
    for row in organisations.directory(SEED).organisations:
        assert row.phone.startswith("000-")
        assert row.is_demo


def test_ids_are_version_seven_and_follow_the_seed() -> None:
    """Another seed is another province."""
    first, again, other = Mint(1, "x"), Mint(1, "x"), Mint(2, "x")
    ids = [first.id() for _ in range(3)]
    assert ids == [again.id() for _ in range(3)]
    assert ids != [other.id() for _ in range(3)]
    assert {i.version for i in ids} == {7}
    assert {i.variant for i in ids} == {"specified in RFC 4122"}


def test_strewn_spots_stay_inside() -> None:
    """No depot at sea."""
    chance = Random(1)
    for code in ("440523", "440402", "440825", "440229"):
        place = places.by_code()[code]
        for _ in range(20):
            region = region_at("county", *places.strewn(place, chance))
            assert region is not None
            assert region.code == code


def test_triggers_of_the_plans_name_each_level_of_the_province() -> None:
    """One to four, so that the operator can always declare."""
    for plan in demo_plans(SEED):
        levels = {rule.level for rule in plan.levels if rule.tier == "province"}
        assert levels >= {
            ResponseLevel.ONE,
            ResponseLevel.TWO,
            ResponseLevel.THREE,
            ResponseLevel.FOUR,
        }
