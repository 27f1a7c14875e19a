"""Routes of the operator's desk: open, invite, call, mute, arrange, close."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from video_bridge import VideoBridgeError
from video_bridge.messages import LayoutSet, View

from ..incidents.repository import incident as incident_of
from ..security import Permission, Work
from ..web import Context, route
from . import repository, service
from .access import make_link
from .control.view import state_of
from .errors import LocalConsultationError
from .join_links import join_url, qr_svg
from .line_in_use import reached
from .proposal import ProposalRules
from .proposing import propose
from .schemas import (
    ConsultationOut,
    ConsultationsOut,
    JoinTokenIn,
    JoinTokenOut,
    MemberIn,
    OpenIn,
    ParticipantOut,
    ProposalOut,
)
from .settings import ConsultationSettings
from .switchboard import Switchboard
from .tables import ConsultationRow, ParticipantRow
from .view import Figures, Ways, consultation_out, participant_out

READ = Permission.CONSULTATION_READ


def _figures(ctx: Context[Any], consultation_id: UUID) -> Figures:
    return ctx.service(Switchboard).board.get(consultation_id, {})


async def shown(ctx: Context[Any], row: ConsultationRow) -> ConsultationOut:
    """A consultation with its orders, roster, figures and alarms."""
    roster = await repository.participants(ctx.work.session, row.id)
    state = await state_of(ctx.work.session, row, ctx.work.now)
    alarms = ctx.service(Switchboard).alarms.standing(row.id)
    ways = await _ways(ctx, roster)
    found = consultation_out(row, roster, _figures(ctx, row.id), state, alarms, ways=ways)
    if row.state == "open" and ctx.actor.may(Permission.CONSULTATION_CONTROL):
        found.pin = ctx.service(Switchboard).pin_of(row.id)
    return found


async def _ways(ctx: Context[Any], roster: Sequence[ParticipantRow]) -> Ways:
    """By which protocol and line each member is reached."""
    calls = ctx.service(Switchboard).calls
    sites = await repository.sites(ctx.work.session, [one.site_id for one in roster if one.site_id])
    return {
        one.id: reached(
            sites.get(one.site_id) if one.site_id else None, calls.get(one.leg_id or "")
        )
        for one in roster
    }


async def line(ctx: Context[Any], row: ParticipantRow) -> ParticipantOut:
    """One line of the roster."""
    consultation = await repository.consultation(ctx.work.session, row.consultation_id)
    state = await state_of(ctx.work.session, consultation, ctx.work.now)
    way = (await _ways(ctx, [row]))[row.id]
    return participant_out(row, _figures(ctx, row.consultation_id), state.scene, way)


async def visible(work: Work, consultation_id: UUID) -> ConsultationRow:
    """The consultation, if the actor may see it."""
    row = await repository.consultation(work.session, consultation_id)
    service.require_sight(work.actor, row)
    return row


@route("GET", "/incidents/{incident_id}/consultation-proposal", access=READ, reply=ProposalOut)
async def get_proposal(ctx: Context[None]) -> ProposalOut:
    """Who should take part, and why."""
    incident = await incident_of(ctx.work.session, ctx.path_id("incident_id"))
    ctx.actor.require_region(incident.region_code)
    settings = ctx.service(ConsultationSettings)
    rules = ProposalRules(
        camera_radius_km=settings.camera_radius_km,
        most_cameras=settings.most_cameras,
        neighbour_radius_km=settings.neighbour_radius_km,
        enterprise_radius_km=settings.enterprise_radius_km,
    )
    return await propose(ctx.work, incident, rules)


@route(
    "POST",
    "/incidents/{incident_id}/consultations",
    access=service.open_consultation,
    body=OpenIn,
    reply=ConsultationOut,
    status=201,
)
async def post_consultation(ctx: Context[OpenIn]) -> ConsultationOut:
    """Open the incident's consultation and call its members."""
    row = await service.open_consultation(
        ctx.work, ctx.path_id("incident_id"), ctx.body.title, ctx.body.members
    )
    return await shown(ctx, row)


@route("GET", "/consultations", access=READ, reply=ConsultationsOut)
async def list_consultations(ctx: Context[None]) -> ConsultationsOut:
    """Consultations of one's region, newest first."""
    state = ctx.query("state", "open")
    rows = await repository.consultations(
        ctx.work.session,
        region_prefix=ctx.actor.region_prefix,
        state=state if state in ("open", "closed", "all") else "open",
        limit=ctx.query_int("limit", 50, low=1, high=200),
    )
    return ConsultationsOut(items=[await shown(ctx, row) for row in rows])


@route("GET", "/consultations/{consultation_id}", access=READ, reply=ConsultationOut)
async def get_consultation(ctx: Context[None]) -> ConsultationOut:
    """One consultation with its roster and the figures of every leg."""
    return await shown(ctx, await visible(ctx.work, ctx.path_id("consultation_id")))


@route(
    "POST",
    "/consultations/{consultation_id}/participants",
    access=service.invite,
    body=MemberIn,
    reply=ParticipantOut,
    status=201,
)
async def post_participant(ctx: Context[MemberIn]) -> ParticipantOut:
    """Invite a further member."""
    row = await service.invite(ctx.work, ctx.path_id("consultation_id"), ctx.body)
    return await line(ctx, row)


def _ids(ctx: Context[None]) -> tuple[UUID, UUID]:
    return ctx.path_id("consultation_id"), ctx.path_id("participant_id")


_ONE = "/consultations/{consultation_id}/participants/{participant_id}"


@route("POST", f"{_ONE}/dial", access=service.dial, reply=ParticipantOut)
async def post_dial(ctx: Context[None]) -> ParticipantOut:
    """Call or call again."""
    return await line(ctx, await service.dial(ctx.work, *_ids(ctx)))


@route("POST", f"{_ONE}/hang-up", access=service.hang_up, reply=ParticipantOut)
async def post_hang_up(ctx: Context[None]) -> ParticipantOut:
    """End its leg; it stays on the roster."""
    return await line(ctx, await service.hang_up(ctx.work, *_ids(ctx)))


@route("POST", f"{_ONE}/mute", access=service.set_mutes, reply=ParticipantOut)
async def post_mute(ctx: Context[None]) -> ParticipantOut:
    """Microphone off by the desk."""
    row = await service.set_mutes(ctx.work, *_ids(ctx), microphone_muted=True)
    return await line(ctx, row)


@route("POST", f"{_ONE}/unmute", access=service.set_mutes, reply=ParticipantOut)
async def post_unmute(ctx: Context[None]) -> ParticipantOut:
    """Microphone on again."""
    row = await service.set_mutes(ctx.work, *_ids(ctx), microphone_muted=False)
    return await line(ctx, row)


@route("POST", f"{_ONE}/speaker-mute", access=service.set_mutes, reply=ParticipantOut)
async def post_speaker_mute(ctx: Context[None]) -> ParticipantOut:
    """Nothing is sent to its speaker."""
    row = await service.set_mutes(ctx.work, *_ids(ctx), speaker_muted=True)
    return await line(ctx, row)


@route("POST", f"{_ONE}/speaker-unmute", access=service.set_mutes, reply=ParticipantOut)
async def post_speaker_unmute(ctx: Context[None]) -> ParticipantOut:
    """Sound again."""
    row = await service.set_mutes(ctx.work, *_ids(ctx), speaker_muted=False)
    return await line(ctx, row)


@route("DELETE", _ONE, access=service.remove)
async def delete_participant(ctx: Context[None]) -> None:
    """Off the roster."""
    await service.remove(ctx.work, *_ids(ctx))


@route(
    "POST",
    "/consultations/{consultation_id}/call-absent",
    access=service.call_absent,
    reply=ConsultationOut,
)
async def post_call_absent(ctx: Context[None]) -> ConsultationOut:
    """Call everybody who is not in."""
    return await shown(ctx, await service.call_absent(ctx.work, ctx.path_id("consultation_id")))


@route(
    "POST",
    "/consultations/{consultation_id}/close",
    access=service.close_consultation,
    reply=ConsultationOut,
)
async def post_close(ctx: Context[None]) -> ConsultationOut:
    """End the consultation for everybody."""
    return await shown(
        ctx, await service.close_consultation(ctx.work, ctx.path_id("consultation_id"))
    )


@route(
    "POST",
    "/consultations/{consultation_id}/join-tokens",
    access=make_link,
    body=JoinTokenIn,
    reply=JoinTokenOut,
    status=201,
)
async def post_join_token(ctx: Context[JoinTokenIn]) -> JoinTokenOut:
    """A join link with its QR code; it is shown once."""
    link = await make_link(ctx.work, ctx.path_id("consultation_id"), ctx.body)
    url = join_url(ctx.service(ConsultationSettings).public_url, link.token)
    return JoinTokenOut(
        token=link.token,
        join_url=url,
        qr_svg=qr_svg(url),
        expires_at=link.expires_at,
        participant_id=link.participant_id,
    )


@route("GET", "/consultations/{consultation_id}/picture.jpg", access=READ)
async def get_picture(ctx: Context[None]) -> web.Response:
    """The programme as it is now."""
    row = await visible(ctx.work, ctx.path_id("consultation_id"))
    return await picture(ctx, row, view="chair" if ctx.query("view") == "chair" else "hall")


async def picture(
    ctx: Context[None], row: ConsultationRow, *, view: View, preview: LayoutSet | None = None
) -> web.Response:
    """A JPEG of the node, as wide as the query asks. Raises `picture_unavailable`."""
    width = ctx.query_int("width", 640, low=64, high=1280)
    node = ctx.service(Switchboard).node
    try:
        found = await node.picture(str(row.id), width, view=view, preview=preview)
    except VideoBridgeError as error:
        if error.code in ("media_node_unreachable", "media_node_timeout"):
            raise
        raise LocalConsultationError("picture_unavailable") from error
    return web.Response(
        body=b64decode(found.jpeg_base64),
        content_type="image/jpeg",
        headers={"Cache-Control": "no-store"},
    )


ROUTES = [
    get_proposal,
    post_consultation,
    list_consultations,
    get_consultation,
    post_participant,
    post_dial,
    post_hang_up,
    post_mute,
    post_unmute,
    post_speaker_mute,
    post_speaker_unmute,
    delete_participant,
    post_call_absent,
    post_close,
    post_join_token,
    get_picture,
]
