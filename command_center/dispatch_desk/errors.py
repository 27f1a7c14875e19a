"""Errors of the dispatch desk, and the words the edge shows for them."""

from __future__ import annotations

from ..errors import RoomError
from ..web.problems import Problem


class DispatchDeskError(RoomError):
    """Base of this room's errors."""

    code = "dispatch_desk_error"


class DispatchPlanNotFoundError(DispatchDeskError):
    code = "dispatch_plan_not_found"


class DispatchPlanNotReadyError(DispatchDeskError):
    code = "dispatch_plan_not_ready"


class LineOrderedError(DispatchDeskError):
    code = "dispatch_line_ordered"


class OverrideNotFoundError(DispatchDeskError):
    code = "dispatch_override_not_found"


class IncidentsMixedError(DispatchDeskError):
    code = "dispatch_incidents_mixed"


class RoadUnknownError(DispatchDeskError):
    code = "dispatch_road_unknown"


class TeamUnknownError(DispatchDeskError):
    code = "dispatch_team_unknown"


PROBLEMS: dict[str, Problem] = {
    "dispatch_plan_not_found": Problem(404, "没有找到这份调度方案", "There is no such plan"),
    "dispatch_plan_not_ready": Problem(
        409, "方案还在计算或已失败，请等待或重新计算", "The plan is not ready"
    ),
    "dispatch_line_ordered": Problem(
        409, "“{task}”已下达指令，不再重复派队", "{task} has an order already"
    ),
    "dispatch_override_not_found": Problem(
        404, "没有这条人工指定，或已取消", "There is no such choice by hand"
    ),
    "dispatch_incidents_mixed": Problem(
        422, "演练与实战事件不能合并调度", "Drills and real incidents are never planned together"
    ),
    "dispatch_road_unknown": Problem(
        422, "路网中没有这段道路，请在地图上重新点选", "The road graph has no such road"
    ),
    "dispatch_team_unknown": Problem(404, "没有找到这支队伍", "There is no such team"),
}
