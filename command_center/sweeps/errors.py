"""Errors of coverage studies, and the words the edge shows for them."""

from __future__ import annotations

from ..errors import RoomError
from ..web.problems import Problem


class SweepError(RoomError):
    """Base of this room's errors."""

    code = "sweep_error"


class SweepNotFoundError(SweepError):
    code = "sweep_not_found"


class SweepTooLargeError(SweepError):
    code = "sweep_too_large"


class SweepWithoutTeamsError(SweepError):
    code = "sweep_without_teams"


PROBLEMS: dict[str, Problem] = {
    "sweep_not_found": Problem(404, "没有找到这项推演", "There is no such study"),
    "sweep_too_large": Problem(
        422, "推演次数合计不能超过 {limit} 次", "A study has at most {limit} draws"
    ),
    "sweep_without_teams": Problem(
        422, "本区域没有可用队伍，无从推演", "This region has no teams to study"
    ),
}
