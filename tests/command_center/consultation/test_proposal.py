"""Who is proposed for a consultation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from command_center.consultation.model import AddressState, MemberKind
from command_center.consultation.proposal import (
    CameraEntry,
    ExpertEntry,
    ProposalRules,
    Scene,
    SiteEntry,
    TeamEntry,
    distance_km,
    propose_members,
)

SCENE = Scene(113.86, 24.40, "440229", ("危险化学品",))


def site(number: int, tier: str, region: str, **changes: Any) -> SiteEntry:
    values: dict[str, Any] = {
        "id": UUID(int=number),
        "name": f"site {number}",
        "organisation_name": f"unit {number}",
        "tier": tier,
        "line": "emergency_management",
        "region_code": region,
        "longitude": 113.86,
        "latitude": 24.40,
        "address_state": AddressState.REGISTERED,
        **changes,
    }
    return SiteEntry(**values)


SITES = [
    site(1, "county", "440229"),
    site(2, "city", "440200"),
    site(3, "province", "440000"),
    site(4, "province", "440000", line="fire", organisation_name="省消防救援总队"),
    site(5, "city", "441800"),
    site(6, "county", "441881", longitude=113.6, latitude=24.2),
    site(7, "county", "445381", longitude=111.6, latitude=22.8),
]


def test_the_vertical_line_of_the_place_is_chosen_in_order() -> None:
    """Province, city and county halls are what every consultation begins with."""
    members = propose_members(SCENE, sites=SITES)
    assert [m.site_id for m in members if m.is_chosen] == [UUID(int=n) for n in (3, 2, 1)]


def test_a_unit_of_the_plan_is_chosen_a_bystander_only_offered() -> None:
    """The plan says whom to notify; the operator may add the rest."""
    plain = {m.site_id: m for m in propose_members(SCENE, sites=SITES)}
    assert not plain[UUID(int=4)].is_chosen
    planned = propose_members(SCENE, sites=SITES, plan_units={"省消防救援总队"})
    fire = next(m for m in planned if m.site_id == UUID(int=4))
    assert fire.is_chosen
    assert fire.reason.code == "plan_unit"


def test_neighbours_are_offered_and_far_counties_are_not() -> None:
    """Downwind is next door, not at the other end of the province."""
    ids = {m.site_id for m in propose_members(SCENE, sites=SITES)}
    assert UUID(int=6) in ids
    assert UUID(int=7) not in ids


def test_cameras_come_by_distance_and_end_at_the_radius() -> None:
    """Only cameras near the scene, the nearest chosen."""
    cameras = [
        CameraEntry(UUID(int=n), f"camera {n}", 113.86 + n / 100, 24.40) for n in (6, 2, 1, 3)
    ]
    members = propose_members(
        SCENE, sites=[], cameras=cameras, rules=ProposalRules(camera_radius_km=4, most_cameras=2)
    )
    assert [(m.camera_id, m.is_chosen) for m in members] == [
        (UUID(int=1), True),
        (UUID(int=2), True),
        (UUID(int=3), False),
    ]


def test_teams_with_orders_are_chosen_and_experts_offered() -> None:
    """Who was sent must be heard; an expert is the operator's choice."""
    members = propose_members(
        SCENE,
        sites=[],
        teams=[TeamEntry(UUID(int=9), "粤北危化队", "堵漏")],
        experts=[
            ExpertEntry(UUID(int=10), "许示十", "危险化学品"),
            ExpertEntry(UUID(int=11), "某示", "矿山安全"),
        ],
    )
    assert [(m.kind, m.is_chosen) for m in members] == [
        (MemberKind.TEAM, True),
        (MemberKind.PHONE, False),
    ]


def test_distance_is_the_great_circle() -> None:
    """Guangzhou to Shaoguan is 190 km, to itself nothing."""
    assert 185 < distance_km(113.26, 23.13, 113.60, 24.81) < 195
    assert distance_km(113.86, 24.40, 113.86, 24.40) == 0
