"""Gathers what a proposal of members needs: directory, plan, orders, place."""

from __future__ import annotations

from plans import PlansError, get_plan

from ..incidents import IncidentRow
from ..incidents.repository import orders
from ..security import Work
from . import repository
from .model import AddressState
from .proposal import (
    CameraEntry,
    ExpertEntry,
    ProposalRules,
    ProposedMember,
    Scene,
    SiteEntry,
    TeamEntry,
    propose_members,
)
from .schemas import ProposalOut, ProposedMemberOut
from .words import expert_fields, word

_ENDED = ("declined", "cancelled")


async def propose(work: Work, incident: IncidentRow, rules: ProposalRules) -> ProposalOut:
    """Who should take part in this incident's consultation, and why."""
    members = propose_members(
        Scene(
            longitude=incident.longitude,
            latitude=incident.latitude,
            region_code=incident.region_code,
            expert_fields=tuple(expert_fields(incident.event_type)),
        ),
        sites=await _sites(work),
        teams=await _teams(work, incident),
        cameras=[
            CameraEntry(camera.id, camera.name, camera.longitude, camera.latitude)
            for camera in await repository.cameras(work.session)
        ],
        experts=[
            ExpertEntry(expert.id, expert.name, expert.field)
            for expert in await repository.experts(work.session)
        ],
        plan_units=await _plan_units(work, incident),
        rules=rules,
    )
    return ProposalOut(
        title=word("proposal", "title", title=incident.title)[:200],
        members=[_out(member) for member in members],
    )


def _out(member: ProposedMember) -> ProposedMemberOut:
    return ProposedMemberOut(
        ref=member.ref,
        kind=member.kind,
        name=member.name,
        site_id=member.site_id,
        team_id=member.team_id,
        camera_id=member.camera_id,
        address_state=member.address_state,
        reason=word("proposal", member.reason.code, **member.reason.fields),
        chosen=member.is_chosen,
    )


async def _sites(work: Work) -> list[SiteEntry]:
    entries = []
    for found in await repository.site_addresses(work.session):
        site, organisation = found.site, found.organisation
        state = AddressState.STATIC
        if site.address_kind == "registered":
            registered, absent = AddressState.REGISTERED, AddressState.UNREGISTERED
            state = registered if found.is_registered else absent
        entries.append(
            SiteEntry(
                id=site.id,
                name=site.name,
                organisation_name=organisation.name if organisation else "",
                tier=site.tier,
                line=organisation.line if organisation else "",
                region_code=site.region_code,
                longitude=site.longitude,
                latitude=site.latitude,
                address_state=state,
            )
        )
    return entries


async def _teams(work: Work, incident: IncidentRow) -> list[TeamEntry]:
    """Teams with an order that was not declined, each once."""
    teams: dict[str, TeamEntry] = {}
    for order in await orders(work.session, incident.id):
        if order.state not in _ENDED:
            entry = TeamEntry(order.team_id, order.team_name, order.task_text[:60])
            teams.setdefault(str(order.team_id), entry)
    return list(teams.values())


async def _plan_units(work: Work, incident: IncidentRow) -> set[str]:
    """Units the activated plan notifies or gives a group to."""
    if incident.plan_id is None:
        return set()
    try:
        plan = await get_plan(work.session, incident.plan_id)
    except PlansError:
        return set()
    units = {unit for level in plan.levels for unit in level.notify}
    return units | {group.lead_unit for group in plan.groups}
