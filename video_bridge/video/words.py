"""The words drawn into pictures: the locale file of this room (zh-CN)."""

INTERRUPTED = "画面中断"
LOST = "信号中断"
WAITING = "正在接入"
NO_CAMERA = "无画面"
AUDIO_ONLY = "仅语音"
MUTED_BY_DESK = "会控闭音"
EMPTY_CONFERENCE = "等待会场加入"
DRILL = "演练"
ELLIPSIS = "…"
COUNTDOWN = "倒计时"
OVERDUE = "已超时"
BETWEEN = " · "
PRESENTING = "演示：{name}"


def code_point(character: str) -> str:
    """What stands for a character that the font has not: its number tells two such names apart."""
    return f"〔U+{ord(character):04X}〕"
