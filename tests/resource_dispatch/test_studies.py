"""Coverage studies: the same luck under the same seed, and figures that follow from the draws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from resource_dispatch import (
    DispatchTeam,
    Draw,
    DrawnIncident,
    RoadNetwork,
    RoadPlace,
    Study,
    demo_roads,
    draw_once,
    summary,
)

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
STUDY = Study(incidents=2, tasks_each=2, closures=1, golden_minutes=60, seed=5)
PLACES = [
    RoadPlace("440229", "翁源县", 114.13, 24.35),
    RoadPlace("440200", "韶关市", 113.60, 24.81),
    RoadPlace("440232", "乳源县", 113.28, 24.78),
    RoadPlace("441881", "英德市", 113.41, 24.19),
]


def roads() -> RoadNetwork:
    return RoadNetwork(demo_roads(PLACES, seed=1))


def teams() -> list[DispatchTeam]:
    return [
        DispatchTeam(
            f"T{k}",
            f"队{k}",
            PLACES[k % 4].longitude,
            PLACES[k % 4].latitude,
            frozenset({"搜救" if k % 2 else "医疗"}),
            10,
            region_code=PLACES[k % 4].code,
        )
        for k in range(12)
    ]


def test_a_draw_depends_on_its_number_and_seed_alone() -> None:
    """Any worker gets the same answer; another number is another day."""
    network = roads()
    first = draw_once(STUDY, teams(), network, NOW, number=3, lost_pct=10)
    later = NOW + timedelta(days=9)
    assert draw_once(STUDY, teams(), roads(), later, number=3, lost_pct=10) == first
    assert draw_once(STUDY, teams(), network, NOW, number=4, lost_pct=10) != first
    assert first.served + first.unserved == STUDY.incidents * STUDY.tasks_each


def test_variants_are_compared_on_the_same_incidents_and_all_teams_lost_serve_nobody() -> None:
    """Only the teams differ; without any nobody comes, and that is counted, not hidden."""
    network = roads()
    whole = draw_once(STUDY, teams(), network, NOW, number=1, lost_pct=0)
    none = draw_once(STUDY, teams(), network, NOW, number=1, lost_pct=100)
    place = [(s.region_code, s.longitude, s.latitude) for s in whole.incidents]
    assert [(s.region_code, s.longitude, s.latitude) for s in none.incidents] == place
    assert (none.served, none.unserved) == (0, 4)
    assert {scene.first_arrive_s for scene in none.incidents} == {None}
    assert whole.served > 0


def test_summary_counts_what_the_draws_say() -> None:
    """Two draws by hand: quantiles, shares and the worst division first."""
    near, far = (
        DrawnIncident("440229", 114.1, 24.3, 600),
        DrawnIncident("440232", 113.2, 24.7, None),
    )
    draws = [
        Draw(
            0,
            0,
            served=3,
            unserved=1,
            late=1,
            last_arrive_s=1200,
            cover_missing=2,
            incidents=(near, far),
        ),
        Draw(
            1,
            0,
            served=4,
            unserved=0,
            late=0,
            last_arrive_s=600,
            cover_missing=1,
            incidents=(near, near),
        ),
    ]
    made = summary(draws, golden_minutes=15)
    row = made["variants"][0]
    assert (row["draws"], row["served_pct"], row["late_pct"]) == (2, 87.5, 14.3)
    assert (row["reached_pct"], row["first_minutes"]["p50"]) == (75.0, 10)
    assert [r["region_code"] for r in made["regions"]] == ["440232", "440229"]
    assert made["regions"][0]["first_minutes_p50"] is None
    assert summary([], 15) == {"variants": [], "regions": []}
