"""The words drawn into pictures: the locale file of this room (zh-CN)."""

INTERRUPTED = "画面中断"
WAITING = "正在接入"
NO_CAMERA = "无画面"
EMPTY_CONFERENCE = "等待会场加入"
DRILL = "演练"
ELLIPSIS = "…"
