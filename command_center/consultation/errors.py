"""Errors of the consultation room: codes and fields; the edge adds status and words.

`PROBLEMS` also words the codes of the media room and the gateway that reach the edge through us.
"""

from __future__ import annotations

from ..errors import RoomError
from ..web.problems import Problem


class ConsultationError(RoomError):
    """Base of the room."""

    code = "consultation_error"


class LocalConsultationError(ConsultationError):
    """The caller asked for what the desk cannot do: `consultation_not_found`, `..._closed`, ..."""

    code = "consultation_misused"


class RemoteConsultationError(ConsultationError):
    """A member sent something malformed: `sdp_malformed`, `trickle_malformed`."""

    code = "consultation_malformed"


PROBLEMS = {
    "consultation_not_found": Problem(404, "没有找到此会商", "No such consultation"),
    "consultation_closed": Problem(409, "会商已结束", "The consultation has ended"),
    "consultation_open_already": Problem(
        409, "该事件已有进行中的会商 {number}", "The incident has an open consultation already"
    ),
    "participant_not_found": Problem(404, "会商中没有此成员", "No such participant"),
    "participant_not_dialled": Problem(
        409, "此成员由本人入会，不能呼叫", "This member joins by itself and cannot be dialled"
    ),
    "participant_present_already": Problem(
        409, "此成员已在会商中", "This member is in the consultation already"
    ),
    "member_incomplete": Problem(422, "成员资料不完整：缺少 {field}", "The member lacks {field}"),
    "member_not_found": Problem(
        404, "没有找到此会场、队伍或摄像机", "No such site, team or camera"
    ),
    "number_malformed": Problem(422, "电话号码有误", "The telephone number is malformed"),
    "number_unknown": Problem(
        404, "号码 {number} 没有对应的会场", "{number} is the number of no hall"
    ),
    "number_barred": Problem(
        422,
        "号码 {number} 不允许呼出：拨号规则禁止以 {match} 开头的号码",
        "The dial plan bars numbers that begin with {match}",
    ),
    "number_emptied": Problem(
        422,
        "号码 {number} 按拨号规则（{match}）处理后没有剩下号码",
        "The dial plan leaves nothing of {number}",
    ),
    "region_unknown": Problem(422, "本账号没有所属区划", "The account belongs to no centre"),
    "address_incomplete": Problem(
        422,
        "固定地址的会场须填写呼叫地址",
        "A hall at a fixed address needs its address",
    ),
    "address_taken": Problem(
        409, "该来源地址已属于另一会场", "Calls from this address belong to another hall already"
    ),
    "camera_url_refused": Problem(
        422, "摄像机地址不合规：仅支持 rtsp、rtsps", "Only rtsp:// and rtsps:// cameras are taken"
    ),
    "layout_malformed": Problem(422, "画面布局有误：{reason}", "The layout is malformed: {reason}"),
    "join_token_expired": Problem(
        401, "入会链接已过期，请向值班席索取新链接", "The join link has expired, ask for a new one"
    ),
    "sdp_malformed": Problem(422, "媒体描述有误：{reason}", "The SDP is malformed: {reason}"),
    "trickle_malformed": Problem(
        422, "网络候选地址有误：{reason}", "The trickle fragment is malformed: {reason}"
    ),
    "ice_restart_unsupported": Problem(
        422, "不支持重启网络协商，请重新入会", "ICE restart is not supported: post a new offer"
    ),
    "session_not_found": Problem(404, "没有此媒体会话", "No such media session"),
    "session_changed": Problem(412, "媒体会话已变更", "The media session has changed (ETag)"),
    "publish_not_allowed": Problem(403, "此链接不允许发送音视频", "This link may not publish"),
    "play_not_allowed": Problem(403, "此链接不允许观看", "This link may not play"),
    "offer_refused": Problem(422, "媒体协商失败：{reason}", "The offer was refused: {reason}"),
    "media_node_unreachable": Problem(
        503, "媒体节点不可用，请稍后再试", "The media node does not answer"
    ),
    "node_at_capacity": Problem(
        503,
        "媒体节点容量已满（已用 {used_pct}%），暂不能再接入",
        "The media node carries no member more: {used_pct} % of its capacity is used",
    ),
    "rtp_ports_exhausted": Problem(
        503, "媒体端口已用完，暂不能再接入", "All RTP ports of the media node are taken"
    ),
    "media_node_timeout": Problem(503, "媒体节点没有及时应答", "The media node answered too late"),
    "gateway_unreachable": Problem(503, "SIP 网关不可用", "The SIP gateway does not answer"),
    "consultation_locked": Problem(
        409, "会议已锁定，请等候值班席呼叫", "The consultation is locked: the desk will call you"
    ),
    "participant_absent": Problem(409, "“{name}”未入会", "{name} is not in the consultation"),
    "chair_held": Problem(409, "主席由“{holder}”担任", "{holder} holds the chair"),
    "chair_not_held": Problem(409, "本会场不是主席", "This member does not hold the chair"),
    "roll_call_running": Problem(
        409, "点名进行中，请先取消点名", "A roll call is running: cancel it first"
    ),
    "polling_without_chair": Problem(
        409, "没有主席，不能进行主席轮询", "There is no chair to poll for"
    ),
    "floor_not_requested": Problem(409, "“{name}”没有申请发言", "{name} did not ask for the floor"),
    "attendance_not_running": Problem(
        409, "会前点名（签到）未开始", "No attendance roll is being called"
    ),
    "view_is_forced": Problem(
        409,
        "广播或点名进行中，只有主席可以观看其他会场",
        "The view is forced: only the chair may choose",
    ),
    "watch_oneself": Problem(422, "不能观看本会场自己", "A member cannot watch itself"),
    "extension_too_long": Problem(422, "延长后超过三天", "The meeting would last over three days"),
    "template_not_found": Problem(404, "没有此会议模板", "No such template"),
    "reservation_not_found": Problem(404, "没有此预约", "No such reservation"),
    "reservation_over": Problem(
        409, "此预约已召开、已取消或已失败", "The reservation was opened, cancelled or failed"
    ),
    "reservation_in_the_past": Problem(422, "预约时间已过", "The reserved time has passed"),
    "content_held": Problem(409, "“{holder}”正在演示，请稍候", "{holder} is presenting"),
    "content_locked": Problem(409, "演示已锁定给“{holder}”", "Presenting is locked to {holder}"),
    "content_not_in": Problem(409, "入会后才能演示", "Join the consultation to present"),
    "picture_unavailable": Problem(404, "暂无画面", "There is no picture yet"),
}
