"""Errors of the recordings room: codes and fields; the edge adds status and words."""

from __future__ import annotations

from ..errors import RoomError
from ..web.problems import Problem


class RecordingError(RoomError):
    """Base of the room."""

    code = "recording_error"


class LocalRecordingError(RecordingError):
    """The caller asked for what is not there or cannot be now."""

    code = "recording_misused"


PROBLEMS = {
    "recording_not_found": Problem(404, "没有找到此录像", "No such recording"),
    "recording_running_already": Problem(
        409, "本会商正在录制", "The consultation is being recorded already"
    ),
    "recording_not_running": Problem(409, "录制已停止", "The recording has stopped"),
    "recording_expired": Problem(
        410, "录像已超过保存期限，文件已删除", "The recording's files were kept long enough"
    ),
    "recording_source_not_found": Problem(404, "录像中没有此路画面", "No such source"),
    "recording_not_playable": Problem(
        409, "此路画面的编码浏览器不能播放，请下载", "Browsers cannot play this: download it"
    ),
    "download_not_ready": Problem(409, "文件尚在生成，请稍候", "The file is still being made"),
    "live_output_not_found": Problem(404, "没有找到此直播", "No such live output"),
    "live_output_running_already": Problem(
        409, "本会商已有相同的直播", "This live output runs already"
    ),
    "live_target_refused": Problem(
        422, "推流地址不合规：应为 rtmp:// 或 rtmps://", "The target must be rtmp:// or rtmps://"
    ),
}
