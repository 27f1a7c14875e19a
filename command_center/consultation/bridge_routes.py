"""Route of a site's kind: a hall with a room system, or another MCU above or below us."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sip_gateway.messages import BridgeRole

from ..security import Permission, Work, service_call
from ..web import Context, route
from . import repository
from .errors import LocalConsultationError


class BridgeRoleIn(BaseModel):
    """upper: we are one terminal of its conference and obey it; lower: it is one of ours."""

    model_config = ConfigDict(extra="forbid")

    bridge_role: BridgeRole | None


class BridgeRoleOut(BridgeRoleIn):
    site_id: UUID
    name: str


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="site.bridge_role")
async def set_bridge_role(work: Work, site_id: UUID, wanted: BridgeRoleIn) -> BridgeRoleOut:
    """From its next call on. An upper MCU commands our consultations: a matter of accounts.

    Raises `member_not_found`, OutsideRegionError.
    """
    found = await repository.site_addresses(work.session, [site_id])
    if not found:
        raise LocalConsultationError("member_not_found")
    site = found[0].site
    work.actor.require_region(site.region_code)
    site.bridge_role = wanted.bridge_role
    work.session.add(site)
    work.concerns("site", site.id, is_drill=site.is_drill, bridge_role=site.bridge_role or "")
    return BridgeRoleOut(site_id=site.id, name=site.name, bridge_role=wanted.bridge_role)


@route(
    "PUT",
    "/sites/{site_id}/bridge-role",
    access=set_bridge_role,
    body=BridgeRoleIn,
    reply=BridgeRoleOut,
)
async def put_bridge_role(ctx: Context[BridgeRoleIn]) -> BridgeRoleOut:
    """Say that a site is no hall but another MCU, above or below us."""
    return await set_bridge_role(ctx.work, ctx.path_id("site_id"), ctx.body)


ROUTES = [put_bridge_role]
