"""Routes of a hall's lines: its other address, and who is rung when nobody answers there."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sip_gateway.messages import SrtpPolicy
from video_bridge.messages import Link

from ..directory.tables import SiteRow
from ..security import Permission, Work, service_call
from ..web import Context, route
from . import repository
from .errors import LocalConsultationError
from .numbers import telephone_number


class LadderStep(BaseModel):
    """One telephone of the call ladder: duty phone, leader's phone."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=60)
    number: str = Field(max_length=32)
    ring_timeout_s: float = Field(default=30.0, ge=5, le=120)


class LinesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    backup_uri: str | None = Field(
        default=None, max_length=200, pattern=r"^sips?:[^\s@<>]+@[A-Za-z0-9.\-\[\]:]+(;[\w=]+)*$"
    )
    ladder: list[LadderStep] = Field(default=[], max_length=4)


class SrtpIn(BaseModel):
    """How the media of a hall's calls are encrypted; none: as the gateway is set for all."""

    model_config = ConfigDict(extra="forbid")

    srtp_policy: SrtpPolicy | None


class SrtpOut(SrtpIn):
    site_id: UUID
    name: str


class LinkIn(BaseModel):
    """A hall's line to the centre: where its rate starts, how its sound is protected."""

    model_config = ConfigDict(extra="forbid")

    link: Link
    max_bitrate_bps: int | None = Field(default=None, ge=64_000, le=20_000_000)


class LinkOut(LinkIn):
    site_id: UUID
    name: str


class LinesOut(LinesIn):
    site_id: UUID
    name: str


async def _site(work: Work, site_id: UUID) -> SiteRow:
    """The hall, if it is of the actor's region; what is of another is not found."""
    found = await repository.site_addresses(work.session, [site_id])
    if not found:
        raise LocalConsultationError("member_not_found")
    work.actor.require_region(found[0].site.region_code)
    return found[0].site


@service_call(permission=Permission.LIBRARY_EDIT, audit="site.lines")
async def set_lines(work: Work, site_id: UUID, lines: LinesIn) -> LinesOut:
    """Raises LocalConsultationError: `member_not_found`, `number_malformed`."""
    site = await _site(work, site_id)
    site.backup_uri = lines.backup_uri
    steps = [
        step.model_copy(update={"number": telephone_number(step.number)}) for step in lines.ladder
    ]
    site.ladder = [step.model_dump(mode="json") for step in steps]
    work.session.add(site)
    work.concerns("site", site.id, is_drill=site.is_drill, backup_uri=site.backup_uri or "")
    return LinesOut(site_id=site.id, name=site.name, backup_uri=site.backup_uri, ladder=steps)


@service_call(permission=Permission.LIBRARY_EDIT, audit="site.link")
async def set_link(work: Work, site_id: UUID, link: LinkIn) -> LinkOut:
    """For its next leg and, within a second, for the one it has. Raises `member_not_found`."""
    site = await _site(work, site_id)
    site.link, site.max_bitrate_bps = link.link, link.max_bitrate_bps
    work.session.add(site)
    work.concerns("site", site.id, is_drill=site.is_drill, link=site.link)
    return LinkOut(site_id=site.id, name=site.name, **link.model_dump())


@service_call(permission=Permission.LIBRARY_EDIT, audit="site.srtp_policy")
async def set_srtp_policy(work: Work, site_id: UUID, wanted: SrtpIn) -> SrtpOut:
    """From the hall's next call on. Raises `member_not_found`."""
    site = await _site(work, site_id)
    site.srtp_policy = wanted.srtp_policy
    work.session.add(site)
    work.concerns("site", site.id, is_drill=site.is_drill, srtp_policy=site.srtp_policy or "")
    return SrtpOut(site_id=site.id, name=site.name, srtp_policy=wanted.srtp_policy)


@route("PUT", "/sites/{site_id}/srtp-policy", access=set_srtp_policy, body=SrtpIn, reply=SrtpOut)
async def put_srtp_policy(ctx: Context[SrtpIn]) -> SrtpOut:
    """Say whether a hall's media must be encrypted, should be, or are not."""
    return await set_srtp_policy(ctx.work, ctx.path_id("site_id"), ctx.body)


@route("PUT", "/sites/{site_id}/link", access=set_link, body=LinkIn, reply=LinkOut)
async def put_link(ctx: Context[LinkIn]) -> LinkOut:
    """Say what kind of line a hall has, and its cap."""
    return await set_link(ctx.work, ctx.path_id("site_id"), ctx.body)


@route("PUT", "/sites/{site_id}/lines", access=set_lines, body=LinesIn, reply=LinesOut)
async def put_lines(ctx: Context[LinesIn]) -> LinesOut:
    """Set a hall's other line and its call ladder."""
    return await set_lines(ctx.work, ctx.path_id("site_id"), ctx.body)


ROUTES = [put_lines, put_link, put_srtp_policy]
