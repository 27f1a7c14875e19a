"""Routes of a member's own page: what it asks of the desk, and what the chair may do.

By join link or by log-in; each speaks for the caller's own line on the roster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from ...security import Permission
from ...security.work import ServiceCall
from ...web import Context, Credential, Route, route
from .. import repository as rosters
from ..service import require_sight
from ..tables import ConsultationRow, ParticipantRow
from . import attendance, chair, floor, muting, ordering, repository, watching
from .ordering import Orders
from .schemas import OwnDeskOut, SelfMuteIn, SignInIn, WatchIn
from .view import own_desk_out, state_of

_ONE = "/consultations/{consultation_id}"
Give = Callable[[Context[Any], UUID], Awaitable[Any]]


async def own_desk(ctx: Context[Any], row: ConsultationRow, member: ParticipantRow) -> OwnDeskOut:
    """What the member's page shows of the desk."""
    session = ctx.work.session
    state = await state_of(session, row, ctx.work.now)
    names = {one.id: one.name for one in await rosters.participants(session, row.id)}
    return own_desk_out(state, member, names)


async def _answer(ctx: Context[Any], consultation_id: UUID) -> OwnDeskOut:
    await ctx.work.session.flush()
    row = await rosters.consultation(ctx.work.session, consultation_id)
    require_sight(ctx.actor, row)
    orders = Orders(row, await repository.control_of(ctx.work.session, row))
    return await own_desk(ctx, row, await ordering.oneself(ctx.work, orders))


def _own(
    method: str,
    path: str,
    summary: str,
    access: ServiceCall[Any, Any],
    give: Give,
    *,
    body: type[BaseModel] | None = None,
) -> Route:
    """A route for the caller itself; it answers with its page's state."""

    async def handler(ctx: Context[Any]) -> OwnDeskOut:
        consultation_id = ctx.path_id("consultation_id")
        await give(ctx, consultation_id)
        return await _answer(ctx, consultation_id)

    handler.__doc__ = summary
    return route(
        method,
        _ONE + path,
        access=access,
        body=body,
        reply=OwnDeskOut,
        credential=Credential.EITHER,
    )(handler)


@route(
    "GET",
    f"{_ONE}/own",
    access=Permission.CONSULTATION_JOIN,
    reply=OwnDeskOut,
    credential=Credential.EITHER,
)
async def get_own(ctx: Context[None]) -> OwnDeskOut:
    """What the desk ordered of the caller: mutes, floor, chair, roll call."""
    return await _answer(ctx, ctx.path_id("consultation_id"))


def _member(ctx: Context[Any]) -> UUID:
    return ctx.path_id("participant_id")


ROUTES = [
    get_own,
    _own(
        "POST",
        "/own/chair",
        "申请主席: refused while another holds the token.",
        chair.request_chair,
        lambda ctx, id_: chair.request_chair(ctx.work, id_),
    ),
    _own(
        "DELETE",
        "/own/chair",
        "释放主席.",
        chair.release_chair,
        lambda ctx, id_: chair.release_chair(ctx.work, id_),
    ),
    _own(
        "POST",
        "/own/floor",
        "申请发言.",
        floor.request_floor,
        lambda ctx, id_: floor.request_floor(ctx.work, id_),
    ),
    _own(
        "DELETE",
        "/own/floor",
        "取消申请, 结束发言.",
        floor.withdraw_floor,
        lambda ctx, id_: floor.withdraw_floor(ctx.work, id_),
    ),
    _own(
        "PUT",
        "/own/microphone",
        "本端闭麦, told so that the desk can tell it from 会控闭音.",
        muting.set_self_mute,
        lambda ctx, id_: muting.set_self_mute(ctx.work, id_, is_muted=ctx.body.is_muted),
        body=SelfMuteIn,
    ),
    _own(
        "POST",
        "/own/watch",
        "观看会场: watch one site alone; null ends it.",
        watching.watch,
        lambda ctx, id_: watching.watch(ctx.work, id_, None, ctx.body.participant_id),
        body=WatchIn,
    ),
    _own(
        "POST",
        "/own/attendance",
        "签到.",
        attendance.sign_in,
        lambda ctx, id_: attendance.sign_in(ctx.work, id_, ctx.body.note),
        body=SignInIn,
    ),
    _own(
        "POST",
        "/own/floor/{participant_id}/grant",
        "同意发言, by the chair.",
        floor.grant_floor,
        lambda ctx, id_: floor.grant_floor(ctx.work, id_, _member(ctx)),
    ),
    _own(
        "POST",
        "/own/floor/{participant_id}/refuse",
        "拒绝发言 or 结束发言, by the chair.",
        floor.refuse_floor,
        lambda ctx, id_: floor.refuse_floor(ctx.work, id_, _member(ctx)),
    ),
]
