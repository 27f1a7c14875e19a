"""Routes of the libraries and the map.

Whoever asks sees the rows of their region, and the offices and experts above it: a city does not
read another city's rows. Help from next door is asked for through the province.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any
from uuid import UUID

from aiohttp import web

import plans
import resource_dispatch

from ..security.masking import shown_phone
from ..security.permissions import Permission
from ..web.context import Context
from ..web.problems import EdgeError
from ..web.routing import Route, route
from . import repository
from .geometry import Level, boundary_text
from .repository import Asked, Window
from .schemas import (
    CameraOut,
    DepotOut,
    ExpertOut,
    HazardOut,
    Items,
    OrganisationOut,
    SiteOut,
    StockOut,
    SubstanceOut,
    TeamOut,
    VehiclesOut,
)

READ = Permission.LIBRARY_READ
MOST = 2_000


def asked(ctx: Context[None]) -> Asked:
    """`?q=&limit=&bbox=west,south,east,north` of a list, within the asker's region.

    Raises EdgeError `validation_failed` naming the parameter.
    """
    q = ctx.query("q").strip()
    if len(q) > 100:
        raise EdgeError("validation_failed", field="q")
    prefix = ctx.actor.region_prefix
    return Asked(
        q=q,
        limit=ctx.query_int("limit", 500, low=1, high=MOST),
        window=_window(ctx.query("bbox")),
        prefix=prefix,
        above=tuple(prefix[:digits].ljust(6, "0") for digits in (2, 4) if digits < len(prefix)),
    )


def _window(value: str) -> Window | None:
    if not value:
        return None
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        raise EdgeError("validation_failed", field="bbox") from None
    is_finite = all(math.isfinite(part) for part in (west, south, east, north))
    if not is_finite or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise EdgeError("validation_failed", field="bbox")
    return west, south, east, north


def _under(value: str) -> UUID | str | None:
    if not value:
        return None
    if value.isascii() and value.isdigit() and len(value) in (6, 9, 12):
        return value
    try:
        return UUID(value)
    except ValueError:
        raise EdgeError("validation_failed", field="under") from None


@route("GET", "/organisations", access=READ, reply=Items[OrganisationOut])
async def list_organisations(ctx: Context[None]) -> Items[OrganisationOut]:
    """Organisations; `under` is a parent's id or a region code."""
    wanted = asked(ctx)
    under = _under(ctx.query("under"))
    rows = await repository.organisations(ctx.work.session, wanted, under)
    return Items(items=[OrganisationOut.model_validate(row.model_dump()) for row in rows])


@route("GET", "/sites", access=READ, reply=Items[SiteOut])
async def list_sites(ctx: Context[None]) -> Items[SiteOut]:
    """Conference sites by name, organisation or account, with their registration."""
    wanted = asked(ctx)
    rows = await repository.sites(ctx.work.session, wanted)
    items = []
    for site, owner, contact in rows:
        is_static = site.address_kind == "static"
        state = "unregistered" if contact is None else "registered"
        address = site.uri if is_static else contact
        items.append(
            SiteOut(
                **site.model_dump(include=_PLACED | _SITE),
                region_name=owner.region_name,
                organisation_name=owner.name,
                address_state="static" if is_static else state,
                protocol="h323" if (address or "").startswith("h323:") else "sip",
            )
        )
    return Items(items=items)


_SITE = {"organisation_id", "tier", "account", "uri", "trusted_host", "backup_uri", "ladder"}
_SITE |= {"link", "max_bitrate_bps", "srtp_policy", "bridge_role", "self_test"}
_PLACED = {"id", "name", "longitude", "latitude", "region_code", "is_demo"}


def _box(window: Window | None) -> resource_dispatch.Box | None:
    return None if window is None else resource_dispatch.Box(*window)


async def _names(ctx: Context[None]) -> dict[str, str]:
    return await repository.region_names(ctx.work.session)


def _placed(ctx: Context[None], row: Any, names: dict[str, str], *further: str) -> dict[str, Any]:
    """Common fields of a row, with the name of its region: a town's falls back to its county."""
    code = row.region_code
    name = names.get(code) or names.get(code[:6], "")
    fields: dict[str, Any] = row.model_dump(include=_PLACED | set(further))
    if "phone" in fields:
        fields["phone"] = shown_phone(ctx.actor, fields["phone"])
    return {**fields, "region_name": name}


@route("GET", "/teams", access=READ, reply=Items[TeamOut])
async def list_teams(ctx: Context[None]) -> Items[TeamOut]:
    """Rescue teams by name, code, unit or skill."""
    wanted = asked(ctx)
    rows = await resource_dispatch.list_teams(
        ctx.work.session,
        q=wanted.q,
        box=_box(wanted.window),
        region_prefix=wanted.prefix,
        limit=wanted.limit,
    )
    names = await _names(ctx)
    same = ("code", "kind", "unit_name", "skills", "crew", "speed_class", "authority", "state")
    return Items(
        items=[
            TeamOut(
                **_placed(ctx, row, names, *same, "phone"),
                leader=row.contact_name,
                vehicles=[VehiclesOut.model_validate(vehicle) for vehicle in row.vehicles],
            )
            for row in rows
        ]
    )


@route("GET", "/depots", access=READ, reply=Items[DepotOut])
async def list_depots(ctx: Context[None]) -> Items[DepotOut]:
    """Depots by name, code or an item they hold."""
    wanted = asked(ctx)
    rows = await resource_dispatch.list_depots(
        ctx.work.session,
        q=wanted.q,
        box=_box(wanted.window),
        region_prefix=wanted.prefix,
        limit=wanted.limit,
    )
    names = await _names(ctx)
    return Items(
        items=[
            DepotOut(
                **_placed(ctx, depot, names, "code", "unit_name", "phone"),
                leader=depot.contact_name,
                stock=[
                    StockOut(
                        item=held.item,
                        quantity=held.quantity,
                        reserved=held.reserved,
                        unit=held.unit,
                    )
                    for held in stock
                ],
            )
            for depot, stock in rows
        ]
    )


@route("GET", "/hazards", access=READ, reply=Items[HazardOut])
async def list_hazards(ctx: Context[None]) -> Items[HazardOut]:
    """Major hazard sources, the most serious first."""
    wanted = asked(ctx)
    rows = await plans.list_hazards(
        ctx.work.session,
        q=wanted.q,
        window=wanted.window,
        region_prefix=wanted.prefix,
        limit=wanted.limit,
    )
    names = await _names(ctx)
    return Items(
        items=[
            HazardOut(
                **_placed(ctx, row, names, "code", "level", "s_value", "r_value"),
                enterprise=row.enterprise_name,
                kind=row.unit_kind,
                residents=row.residents_500m,
                phone=row.duty_phone,
                substances=[
                    SubstanceOut(
                        name=str(part["name"]),
                        quantity_t=part["q_tonnes"],
                        threshold_t=part["threshold_tonnes"],
                    )
                    for part in row.substances
                ],
            )
            for row in rows
        ]
    )


@route("GET", "/experts", access=READ, reply=Items[ExpertOut])
async def list_experts(ctx: Context[None]) -> Items[ExpertOut]:
    """Experts by name, field or unit."""
    wanted = asked(ctx)
    rows = await repository.experts(ctx.work.session, wanted)
    names = await _names(ctx)
    return Items(
        items=[
            ExpertOut(**_placed(ctx, row, names, "unit_name", "phone"), specialty=row.field)
            for row in rows
        ]
    )


@route("GET", "/cameras", access=READ, reply=Items[CameraOut])
async def list_cameras(ctx: Context[None]) -> Items[CameraOut]:
    """Cameras by name; their addresses are not told."""
    wanted = asked(ctx)
    rows = await repository.cameras(ctx.work.session, wanted)
    names = await _names(ctx)
    return Items(
        items=[
            CameraOut(
                **_placed(ctx, row, names, "organisation_id"),
                source="synthetic" if row.url.startswith("synthetic:") else "rtsp",
            )
            for row in rows
        ]
    )


@route("GET", "/map/boundaries", access=READ)
async def get_boundaries(ctx: Context[None]) -> web.Response:
    """Boundaries of cities or counties as GeoJSON (WGS-84)."""
    levels: dict[str, Level] = {"city": "city", "county": "county"}
    level = levels.get(ctx.query("level", "city"))
    if level is None:
        raise EdgeError("validation_failed", field="level")
    text = boundary_text(level)
    etag = hashlib.sha256(text.encode()).hexdigest()[:32]
    headers = {"ETag": f'"{etag}"', "Cache-Control": "private, max-age=3600"}
    if ctx.request.headers.get("If-None-Match") == f'"{etag}"':
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type="application/geo+json", headers=headers)


ROUTES: list[Route] = [
    list_organisations,
    list_sites,
    list_teams,
    list_depots,
    list_hazards,
    list_experts,
    list_cameras,
    get_boundaries,
]
