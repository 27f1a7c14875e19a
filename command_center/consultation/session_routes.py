"""Routes of media sessions: the page's own session, WHIP (RFC 9725) and WHEP; and the phone page.

A session is a leg on the media node. The offer is checked, the leg is minted and committed, only
then the node is asked: what it reports always finds its participant.
"""

from __future__ import annotations

from collections import OrderedDict

from aiohttp import web

from video_bridge import LegKind, LocalMediaError, NodeUnreachableError, VideoBridgeError
from video_bridge import messages as node_words

from ..incidents import order_out, orders_of_team, step_order
from ..incidents.schemas import OrderOut, OrderStepIn
from ..security import Permission
from ..security.work import Desk
from ..web import PUBLIC, Context, Credential, Route, route
from ..web.context import DESK
from . import repository
from .access import (
    Direction,
    Ticket,
    begin_session,
    check_trickle,
    end_session,
    fail_session,
    require_direction,
)
from .control.own_routes import own_desk
from .control.refusal import refused_by_lock
from .errors import LocalConsultationError
from .schemas import JoinPageOut
from .service import require_sight
from .session_description import checked_offer, trickled_candidates, ufrag_of, wants_ice_restart
from .switchboard import Switchboard
from .turn import IceServersOut, TurnRelay, credentials

SDP = "application/sdp"
SDPFRAG = "application/trickle-ice-sdpfrag"
REMEMBERED = 4000
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, ETag, Link",
    "Access-Control-Max-Age": "86400",
}


class OfferMemory:
    """The ice-ufrag of each session's offer, to tell a trickle from an ICE restart."""

    def __init__(self) -> None:
        self._ufrags: OrderedDict[str, str] = OrderedDict()

    def keep(self, leg_id: str, ufrag: str) -> None:
        self._ufrags[leg_id] = ufrag
        while len(self._ufrags) > REMEMBERED:
            self._ufrags.popitem(last=False)

    def of(self, leg_id: str) -> str | None:
        return self._ufrags.get(leg_id)


def etag(leg_id: str) -> str:
    """The entity tag of a session: it changes only with the leg."""
    return f'"{leg_id}"'


async def _add_leg(board: Switchboard, ticket: Ticket, offer: str) -> str:
    """The node's answer. Opens the conference first where the node does not know it yet."""
    request = node_words.LegAdd(
        conference_id=str(ticket.consultation_id),
        leg_id=ticket.leg_id,
        kind=LegKind.WEBRTC,
        name=ticket.name,
        publish=ticket.publish,
        play=ticket.play,
        offer_sdp=offer,
    )
    try:
        added = await board.node.add_leg(request)
    except LocalMediaError as error:
        if error.code != "conference_unknown":
            raise
        await board.node.send(
            node_words.ConferenceOpen(
                conference_id=str(ticket.consultation_id),
                title=ticket.title,
                is_drill=ticket.is_drill,
            )
        )
        added = await board.node.add_leg(request)
    if added.answer_sdp is None:
        raise LocalMediaError("answer_missing")
    return added.answer_sdp


async def _join(ctx: Context[None], direction: Direction) -> web.Response:
    consultation_id = ctx.path_id("consultation_id")
    require_direction(ctx.actor, direction)
    offer = checked_offer(ctx.raw)
    board = ctx.service(Switchboard)
    desk: Desk = ctx.request.app[DESK]
    who = {"request_id": ctx.work.request_id, "remote": ctx.work.remote}
    if not board.node.is_connected:
        raise NodeUnreachableError()
    try:
        async with desk.work(ctx.actor, **who) as work:
            ticket = await begin_session(work, consultation_id, direction)
    except LocalConsultationError as error:
        if error.code == "consultation_locked":
            async with desk.work(ctx.actor, **who) as work:
                row = await repository.consultation(work.session, consultation_id)
                await refused_by_lock(work, row, str(error.fields["name"]))
        raise
    try:
        answer = await _add_leg(board, ticket, offer)
    except VideoBridgeError as error:
        async with desk.work(ctx.actor, **who) as work:
            await fail_session(work, ticket, error.code)
        if isinstance(error, NodeUnreachableError):
            raise
        if error.code in ("node_at_capacity", "rtp_ports_exhausted"):
            raise LocalConsultationError(error.code, **error.fields) from error
        raise LocalConsultationError("offer_refused", reason=error.code) from error
    ctx.service(OfferMemory).keep(ticket.leg_id, ufrag_of(offer))
    location = f"/api/v1/consultations/{consultation_id}/sessions/{ticket.leg_id}"
    headers = {"Location": location, "ETag": etag(ticket.leg_id), "Cache-Control": "no-store"}
    return web.Response(status=201, text=answer, content_type=SDP, headers={**headers, **CORS})


_ONE = "/consultations/{consultation_id}"


@route("POST", f"{_ONE}/session", access=begin_session, raw=(SDP,), credential=Credential.EITHER)
async def post_session(ctx: Context[None]) -> web.Response:
    """Join with sound and picture both ways: SDP offer to answer."""
    return await _join(ctx, Direction.BOTH)


@route("POST", f"{_ONE}/whip", access=begin_session, raw=(SDP,), credential=Credential.JOIN_TOKEN)
async def post_whip(ctx: Context[None]) -> web.Response:
    """Publish by WHIP (RFC 9725)."""
    return await _join(ctx, Direction.PUBLISH)


@route("POST", f"{_ONE}/whep", access=begin_session, raw=(SDP,), credential=Credential.JOIN_TOKEN)
async def post_whep(ctx: Context[None]) -> web.Response:
    """Play by WHEP."""
    return await _join(ctx, Direction.PLAY)


@route(
    "PATCH",
    f"{_ONE}/sessions/{{leg_id}}",
    access=check_trickle,
    raw=(SDPFRAG,),
    credential=Credential.EITHER,
)
async def patch_session(ctx: Context[None]) -> web.Response:
    """Trickle ICE candidates (RFC 8840)."""
    leg_id = ctx.path("leg_id")
    await check_trickle(ctx.work, ctx.path_id("consultation_id"), leg_id)
    wanted = ctx.request.headers.get("If-Match")
    if wanted not in (None, "*", etag(leg_id)):
        raise LocalConsultationError("session_changed")
    ufrag = ctx.service(OfferMemory).of(leg_id)
    if ufrag and wants_ice_restart(ctx.raw, ufrag):
        raise LocalConsultationError("ice_restart_unsupported")
    node = ctx.service(Switchboard).node
    for candidate in trickled_candidates(ctx.raw):
        try:
            await node.send(node_words.LegUpdate(leg_id=leg_id, candidate=candidate))
        except LocalMediaError as error:
            if error.code == "leg_unknown":
                raise LocalConsultationError("session_not_found") from error
            raise LocalConsultationError("trickle_malformed", reason=error.code) from error
    return web.Response(status=204, headers={"ETag": etag(leg_id), **CORS})


@route("DELETE", f"{_ONE}/sessions/{{leg_id}}", access=end_session, credential=Credential.EITHER)
async def delete_session(ctx: Context[None]) -> web.Response:
    """Leave."""
    leg_id = ctx.path("leg_id")
    await end_session(ctx.work, ctx.path_id("consultation_id"), leg_id)
    return web.Response(status=200, headers=CORS)


@route("GET", f"{_ONE}/ice-servers", access=Permission.CONSULTATION_JOIN, reply=IceServersOut,
       credential=Credential.EITHER)  # fmt: skip
async def get_ice_servers(ctx: Context[None]) -> IceServersOut:
    """The TURN relay for whoever may join, with credentials of their own for half a day."""
    row = await repository.consultation(ctx.work.session, ctx.path_id("consultation_id"))
    require_sight(ctx.actor, row)
    return credentials(ctx.service(TurnRelay), str(ctx.actor.id)[:64], ctx.work.now)


def _preflight(path: str) -> Route:
    async def options(_ctx: Context[None]) -> web.Response:
        """CORS preflight (RFC 9725 section 4.9)."""
        accepted = {"Accept-Post": SDP} if not path.endswith("{leg_id}") else {}
        return web.Response(status=204, headers={**CORS, **accepted})

    return route("OPTIONS", path, access=PUBLIC)(options)


@route("GET", "/join/{token}", access=Permission.CONSULTATION_JOIN, reply=JoinPageOut,
       credential=Credential.JOIN_TOKEN)  # fmt: skip
async def get_join(ctx: Context[None]) -> JoinPageOut:
    """What the phone page shows before joining: the token in the path is the credential."""
    actor = ctx.actor
    if actor.consultation_id is None:
        raise LocalConsultationError("consultation_not_found")
    row = await repository.consultation(ctx.work.session, actor.consultation_id)
    require_sight(actor, row)
    orders: list[OrderOut] = []
    if actor.team_id is not None and row.incident_id is not None:
        found = await orders_of_team(ctx.work.session, row.incident_id, actor.team_id)
        orders = [order_out(order, ctx.work.now) for order in found]
    kind, state, reason_code, desk = "phone", None, None, None
    if actor.participant_id is not None:
        participant = await repository.participant(
            ctx.work.session, row.id, actor.participant_id, lock=False
        )
        kind, state = participant.kind, participant.state
        reason_code = participant.reason_code
        desk = await own_desk(ctx, row, participant)
    return JoinPageOut.model_validate(
        {
            "consultation": {
                "id": row.id,
                "title": row.title,
                "is_drill": row.is_drill,
                "state": row.state,
            },
            "name": actor.name,
            "kind": kind,
            "publish": actor.can_publish,
            "play": actor.can_play,
            "state": state,
            "reason_code": reason_code,
            "desk": desk,
            "orders": orders,
        }
    )


def _order_step(action: str) -> Route:
    async def handler(ctx: Context[OrderStepIn]) -> OrderOut:
        """One step of an order, by the holder of a join link."""
        order = await step_order(ctx.work, ctx.path_id("order_id"), action, ctx.body.note)
        return order_out(order, ctx.work.now)

    return route(
        "POST",
        f"/join/{{token}}/orders/{{order_id}}/{action}",
        access=step_order,
        body=OrderStepIn,
        reply=OrderOut,
        credential=Credential.JOIN_TOKEN,
    )(handler)


ROUTES = [
    post_session,
    post_whip,
    post_whep,
    patch_session,
    delete_session,
    get_join,
    get_ice_servers,
    *(_order_step(action) for action in ("receive", "accept", "arrive", "done", "decline")),
    *(_preflight(f"{_ONE}/{name}") for name in ("session", "whip", "whep", "sessions/{leg_id}")),
]
