"""Routes of the conference desk (会控): each order of the operators' vocabulary."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ValidationError

from ...security import Permission
from ...security.work import ServiceCall
from ...web import Context, Route, route
from ...web.problems import EdgeError
from .. import repository as rosters
from ..desk_routes import line, picture, shown, visible
from ..schemas import ConsultationOut, LayoutIn, ParticipantOut
from . import (
    attendance,
    broadcast,
    chair,
    floor,
    layouts,
    meeting,
    muting,
    own_routes,
    planning_routes,
    polling,
    roll_call,
    watching,
)
from .ordering import Orders
from .schemas import (
    AttendanceIn,
    BroadcastIn,
    DeskSettingsIn,
    ExtendIn,
    MemberChoiceIn,
    OverlayIn,
    PollingIn,
    WatchIn,
)

_ONE = "/consultations/{consultation_id}"
_MEMBER = f"{_ONE}/participants/{{participant_id}}"
Order = Callable[[Context[Any], UUID], Awaitable[Orders]]


def _order(
    method: str,
    path: str,
    summary: str,
    access: ServiceCall[Any, Any],
    give: Order,
    *,
    body: type[BaseModel] | None = None,
) -> Route:
    """A route that gives one order and answers with the consultation as it is then."""

    async def handler(ctx: Context[Any]) -> ConsultationOut:
        orders = await give(ctx, ctx.path_id("consultation_id"))
        await ctx.work.session.flush()
        return await shown(ctx, orders.row)

    handler.__doc__ = summary
    return route(method, _ONE + path, access=access, body=body, reply=ConsultationOut)(handler)


def _member(ctx: Context[Any]) -> UUID:
    return ctx.path_id("participant_id")


ORDERS = [
    _order(
        "POST",
        "/broadcast",
        "广播会场 or, without a participant, 广播多画面.",
        broadcast.start_broadcast,
        lambda ctx, id_: broadcast.start_broadcast(ctx.work, id_, ctx.body.participant_id),
        body=BroadcastIn,
    ),
    _order(
        "DELETE",
        "/broadcast",
        "停止广播: everybody may watch freely again.",
        broadcast.stop_broadcast,
        lambda ctx, id_: broadcast.stop_broadcast(ctx.work, id_),
    ),
    _order(
        "POST",
        "/roll-call",
        "点名: the site is broadcast, every other microphone but the chair's closed.",
        roll_call.start_roll_call,
        lambda ctx, id_: roll_call.start_roll_call(ctx.work, id_, ctx.body.participant_id),
        body=MemberChoiceIn,
    ),
    _order(
        "DELETE",
        "/roll-call",
        "取消点名: everything is as it was.",
        roll_call.stop_roll_call,
        lambda ctx, id_: roll_call.stop_roll_call(ctx.work, id_),
    ),
    _order(
        "POST",
        "/polling",
        "轮询: sites take turns.",
        polling.start_polling,
        lambda ctx, id_: polling.start_polling(
            ctx.work, id_, ctx.body.participant_ids, ctx.body.interval_s, ctx.body.view
        ),
        body=PollingIn,
    ),
    _order(
        "DELETE",
        "/polling",
        "停止轮询.",
        polling.stop_polling,
        lambda ctx, id_: polling.stop_polling(ctx.work, id_),
    ),
    _order(
        "POST",
        "/chair",
        "指定主席: refused while another holds the token.",
        chair.appoint_chair,
        lambda ctx, id_: chair.appoint_chair(ctx.work, id_, ctx.body.participant_id),
        body=MemberChoiceIn,
    ),
    _order(
        "DELETE",
        "/chair",
        "收回主席.",
        chair.take_back_chair,
        lambda ctx, id_: chair.take_back_chair(ctx.work, id_),
    ),
    _order(
        "POST",
        "/participants/{participant_id}/floor",
        "申请发言 for a site that asked otherwise.",
        floor.request_floor_for,
        lambda ctx, id_: floor.request_floor_for(ctx.work, id_, _member(ctx)),
    ),
    _order(
        "POST",
        "/floor/{participant_id}/grant",
        "同意发言.",
        floor.grant_floor,
        lambda ctx, id_: floor.grant_floor(ctx.work, id_, _member(ctx)),
    ),
    _order(
        "POST",
        "/floor/{participant_id}/refuse",
        "拒绝发言, or 结束发言 of who has the floor.",
        floor.refuse_floor,
        lambda ctx, id_: floor.refuse_floor(ctx.work, id_, _member(ctx)),
    ),
    _order(
        "POST",
        "/mute-all",
        "全体闭音, the chair spared.",
        muting.mute_all,
        lambda ctx, id_: muting.mute_all(ctx.work, id_),
    ),
    _order(
        "POST",
        "/unmute-all",
        "取消全体闭音.",
        muting.unmute_all,
        lambda ctx, id_: muting.unmute_all(ctx.work, id_),
    ),
    _order(
        "POST",
        "/lock",
        "锁定会议: dial-in refused, the desk's own dial-out passes.",
        meeting.set_lock,
        lambda ctx, id_: meeting.set_lock(ctx.work, id_, is_locked=True),
    ),
    _order(
        "DELETE",
        "/lock",
        "解除锁定.",
        meeting.set_lock,
        lambda ctx, id_: meeting.set_lock(ctx.work, id_, is_locked=False),
    ),
    _order(
        "POST",
        "/extend",
        "延长.",
        meeting.extend,
        lambda ctx, id_: meeting.extend(ctx.work, id_, ctx.body.minutes),
        body=ExtendIn,
    ),
    _order(
        "PUT",
        "/overlay",
        "横幅, 短消息, clock, countdown, 名称字幕.",
        meeting.set_overlay,
        lambda ctx, id_: meeting.set_overlay(ctx.work, id_, ctx.body.model_dump(mode="json")),
        body=OverlayIn,
    ),
    _order(
        "PUT",
        "/desk-settings",
        "Floor, redial and end of the meeting.",
        meeting.set_settings,
        lambda ctx, id_: meeting.set_settings(ctx.work, id_, ctx.body.model_dump()),
        body=DeskSettingsIn,
    ),
    _order(
        "POST",
        "/attendance",
        "会前点名(签到) begins.",
        attendance.begin_attendance,
        lambda ctx, id_: attendance.begin_attendance(ctx.work, id_),
    ),
    _order(
        "DELETE",
        "/attendance",
        "会前点名(签到) ends; the roll stays.",
        attendance.end_attendance,
        lambda ctx, id_: attendance.end_attendance(ctx.work, id_),
    ),
    _order(
        "PUT",
        "/attendance/{participant_id}",
        "Tick one member off.",
        attendance.mark_attendance,
        lambda ctx, id_: attendance.mark_attendance(
            ctx.work, id_, _member(ctx), ctx.body.mark, ctx.body.note
        ),
        body=AttendanceIn,
    ),
]


@route("POST", f"{_MEMBER}/watch", access=watching.watch, body=WatchIn, reply=ParticipantOut)
async def post_watch(ctx: Context[WatchIn]) -> ParticipantOut:
    """观看会场: choose what a member watches."""
    consultation_id = ctx.path_id("consultation_id")
    site = ctx.body.participant_id
    return await line(ctx, await watching.watch(ctx.work, consultation_id, _member(ctx), site))


@route("PUT", f"{_ONE}/layout", access=layouts.set_layout, body=LayoutIn, reply=ConsultationOut)
async def put_layout(ctx: Context[LayoutIn]) -> ConsultationOut:
    """How one of the views is arranged, who sits where."""
    row = await layouts.set_layout(ctx.work, ctx.path_id("consultation_id"), ctx.body)
    await ctx.work.session.flush()
    return await shown(ctx, row)


@route("DELETE", f"{_ONE}/layout/chair", access=layouts.follow_halls, reply=ConsultationOut)
async def delete_chair_layout(ctx: Context[None]) -> ConsultationOut:
    """The chair sees what the halls see."""
    row = await layouts.follow_halls(ctx.work, ctx.path_id("consultation_id"))
    await ctx.work.session.flush()
    return await shown(ctx, row)


def _wish(ctx: Context[None]) -> LayoutIn:
    """The layout to preview, from the query: seats are ids with `-` for an empty pane."""
    seats = ctx.query("seats")
    wish: dict[str, Any] = {
        "view": ctx.query("view", "hall"),
        "arrangement": ctx.query("arrangement") or None,
        "seats": [None if seat == "-" else seat for seat in seats.split(",")] if seats else None,
    }
    try:
        return LayoutIn.model_validate(wish)
    except ValidationError as error:
        raise EdgeError("validation_failed", field="arrangement, seats") from error


@route("GET", f"{_ONE}/preview.jpg", access=Permission.CONSULTATION_CONTROL)
async def get_preview(ctx: Context[None]) -> web.Response:
    """观看预览: the picture that a layout would give, shown to the desk alone."""
    row = await visible(ctx.work, ctx.path_id("consultation_id"))
    members = await rosters.participants(ctx.work.session, row.id)
    layout = layouts.preview_of(row.id, _wish(ctx), members)
    return await picture(ctx, row, view=layout.view, preview=layout)


ROUTES = [
    *ORDERS,
    post_watch,
    put_layout,
    delete_chair_layout,
    get_preview,
    *own_routes.ROUTES,
    *planning_routes.ROUTES,
]
