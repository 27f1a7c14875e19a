"""Who should take part: proposed from the plan and the place, adjusted by the operator.

Pure: rows in, members out. Distances are great-circle kilometres.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from uuid import UUID

from .model import AddressState, MemberKind

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happened and what it is."""

    longitude: float
    latitude: float
    region_code: str
    expert_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteEntry:
    id: UUID
    name: str
    organisation_name: str
    tier: str
    line: str
    region_code: str
    longitude: float
    latitude: float
    address_state: AddressState


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A team with an open order for this incident."""

    id: UUID
    name: str
    task_text: str


@dataclass(frozen=True, slots=True)
class CameraEntry:
    id: UUID
    name: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class ExpertEntry:
    id: UUID
    name: str
    field: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a member is proposed: a code the edge turns into words."""

    code: str
    fields: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProposedMember:
    ref: str
    kind: MemberKind
    name: str
    address_state: AddressState
    reason: Reason
    is_chosen: bool
    site_id: UUID | None = None
    team_id: UUID | None = None
    camera_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProposalRules:
    camera_radius_km: float = 5.0
    most_cameras: int = 4
    neighbour_radius_km: float = 40.0
    enterprise_radius_km: float = 3.0
    most_neighbours: int = 4
    most_experts: int = 4


def distance_km(
    longitude: float, latitude: float, to_longitude: float, to_latitude: float
) -> float:
    """Great-circle distance (haversine)."""
    la1, la2 = radians(latitude), radians(to_latitude)
    half = sin((la2 - la1) / 2) ** 2
    half += cos(la1) * cos(la2) * sin(radians(to_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, half)))


def propose_members(
    scene: Scene,
    *,
    sites: Sequence[SiteEntry],
    teams: Sequence[TeamEntry] = (),
    cameras: Sequence[CameraEntry] = (),
    experts: Sequence[ExpertEntry] = (),
    plan_units: Iterable[str] = (),
    rules: ProposalRules | None = None,
) -> list[ProposedMember]:
    """Members in roster order: province, city, county, units of the plan, teams, cameras, experts.

    `plan_units` are the unit names the activated plan notifies or gives a group to.
    """
    rules = rules or ProposalRules()
    members = _halls(scene, sites, frozenset(plan_units), rules)
    members += [
        ProposedMember(
            ref=f"team:{team.id}",
            kind=MemberKind.TEAM,
            name=team.name,
            address_state=AddressState.PHONE_LINK,
            reason=Reason("team_ordered", {"task": team.task_text}),
            is_chosen=True,
            team_id=team.id,
        )
        for team in teams
    ]
    members += _cameras(scene, cameras, rules)
    members += _experts(scene, experts, rules)
    return members


def _halls(
    scene: Scene, sites: Sequence[SiteEntry], plan_units: frozenset[str], rules: ProposalRules
) -> list[ProposedMember]:
    ranked: list[tuple[int, float, ProposedMember]] = []
    for site in sites:
        away = distance_km(scene.longitude, scene.latitude, site.longitude, site.latitude)
        verdict = _hall_verdict(scene, site, away, plan_units, rules)
        if verdict is not None:
            rank, is_chosen, reason = verdict
            ranked.append((rank, away, _hall(site, reason, is_chosen=is_chosen)))
    ranked.sort(key=lambda entry: entry[:2])
    neighbours = [entry for entry in ranked if entry[0] == _NEIGHBOUR][: rules.most_neighbours]
    others = [entry for entry in ranked if entry[0] != _NEIGHBOUR]
    return [member for _, _, member in sorted(others + neighbours, key=lambda entry: entry[:2])]


_NEIGHBOUR = 6


def _hall_verdict(
    scene: Scene, site: SiteEntry, away: float, plan_units: frozenset[str], rules: ProposalRules
) -> tuple[int, bool, Reason] | None:
    """(rank on the list, chosen, why) or None: not proposed."""
    region, code = scene.region_code, site.region_code
    is_duty_line = site.line == "emergency_management"
    if is_duty_line and site.tier == "province" and code[:2] == region[:2]:
        return 0, True, Reason("province_hall")
    if is_duty_line and site.tier == "city" and code[:4] == region[:4]:
        return 1, True, Reason("city_hall")
    if is_duty_line and site.tier == "county" and code[:6] == region[:6]:
        return 2, True, Reason("county_hall")
    if {site.organisation_name, site.name} & plan_units:
        return 3, True, Reason("plan_unit", {"unit": site.organisation_name})
    if site.tier == "enterprise" and away <= rules.enterprise_radius_km:
        return 4, True, Reason("enterprise_near", {"km": round(away, 1)})
    if site.tier == "province" and code[:2] == region[:2]:
        return 5, False, Reason("province_unit")
    if is_duty_line and site.tier == "county" and away <= rules.neighbour_radius_km:
        return _NEIGHBOUR, False, Reason("neighbour", {"km": round(away, 1)})
    return None


def _hall(site: SiteEntry, reason: Reason, *, is_chosen: bool) -> ProposedMember:
    return ProposedMember(
        ref=f"site:{site.id}",
        kind=MemberKind.SITE,
        name=site.name,
        address_state=site.address_state,
        reason=reason,
        is_chosen=is_chosen,
        site_id=site.id,
    )


def _cameras(
    scene: Scene, cameras: Sequence[CameraEntry], rules: ProposalRules
) -> list[ProposedMember]:
    near = sorted(
        (distance_km(scene.longitude, scene.latitude, c.longitude, c.latitude), c.name, c)
        for c in cameras
    )
    members: list[ProposedMember] = []
    for away, _, camera in near:
        if away > rules.camera_radius_km:
            break
        members.append(
            ProposedMember(
                ref=f"camera:{camera.id}",
                kind=MemberKind.CAMERA,
                name=camera.name,
                address_state=AddressState.CAMERA,
                reason=Reason("camera_near", {"km": round(away, 1)}),
                is_chosen=len(members) < rules.most_cameras,
                camera_id=camera.id,
            )
        )
    return members


def _experts(
    scene: Scene, experts: Sequence[ExpertEntry], rules: ProposalRules
) -> list[ProposedMember]:
    wanted = {name: rank for rank, name in enumerate(scene.expert_fields)}
    fitting = sorted(
        (expert for expert in experts if expert.field in wanted),
        key=lambda expert: wanted[expert.field],
    )
    return [
        ProposedMember(
            ref=f"expert:{expert.id}",
            kind=MemberKind.PHONE,
            name=expert.name,
            address_state=AddressState.PHONE_LINK,
            reason=Reason("expert_fits", {"field": expert.field}),
            is_chosen=False,
        )
        for expert in fitting[: rules.most_experts]
    ]
