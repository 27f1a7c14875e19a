"""Errors of the incidents room, and the words the edge shows for them."""

from __future__ import annotations

from ..errors import RoomError
from ..web.problems import Problem


class IncidentError(RoomError):
    """Base of this room's errors."""

    code = "incident_error"


class IncidentNotFoundError(IncidentError):
    code = "incident_not_found"


class IncidentClosedError(IncidentError):
    code = "incident_closed"


class CasualtiesImpossibleError(IncidentError):
    code = "casualties_impossible"


class TimesImpossibleError(IncidentError):
    code = "times_impossible"


class SignerMissingError(IncidentError):
    code = "signer_missing"


class DrillMismatchError(IncidentError):
    code = "drill_mismatch"


class RegionNotYoursError(IncidentError):
    code = "region_not_yours"


class ClockNotFoundError(IncidentError):
    code = "clock_not_found"


class ClockNotRunningError(IncidentError):
    code = "clock_not_running"


class ExplanationMissingError(IncidentError):
    code = "explanation_missing"


class TaskNotFoundError(IncidentError):
    code = "task_not_found"


class TaskStateConflictError(IncidentError):
    code = "task_state_conflict"


class TaskBlockedError(IncidentError):
    code = "task_blocked"


class EvidenceMissingError(IncidentError):
    code = "evidence_missing"


class ResponseExistsError(IncidentError):
    code = "response_exists"


class LevelNotInPlanError(IncidentError):
    code = "level_not_in_plan"


class OrderNotFoundError(IncidentError):
    code = "order_not_found"


class OrderStateConflictError(IncidentError):
    """Somebody was faster, or the step is not possible now; `winner` names who was."""

    code = "order_state_conflict"


class OrderIsBindingError(IncidentError):
    code = "order_is_binding"


class ReasonMissingError(IncidentError):
    code = "reason_missing"


class ProposalNotFoundError(IncidentError):
    code = "proposal_not_found"


class ProposalUsedError(IncidentError):
    code = "proposal_used"


class ProposalLinesUnknownError(IncidentError):
    code = "proposal_lines_unknown"


PROBLEMS: dict[str, Problem] = {
    "incident_not_found": Problem(404, "没有找到这起事件", "There is no such incident"),
    "incident_closed": Problem(409, "事件已办结，不能再改动", "The incident is closed"),
    "casualties_impossible": Problem(
        422, "伤亡数字不合理，请核对：{figure}", "An impossible casualty figure: {figure} ({rule})"
    ),
    "times_impossible": Problem(
        422, "时间先后不合理，请核对发生、接报、报出三个时间", "Impossible times: {rule}"
    ),
    "signer_missing": Problem(422, "必须写明签发人", "A report needs a named signer"),
    "drill_mismatch": Problem(409, "演练与实战不能混用", "A drill and a real incident never mix"),
    "region_not_yours": Problem(403, "不能处理本辖区以外的事件", "This region is not yours"),
    "clock_not_found": Problem(404, "没有找到这个报告时钟", "There is no such clock"),
    "clock_not_running": Problem(409, "该时钟已完成或已关闭", "The clock is not running"),
    "explanation_missing": Problem(
        422, "已超过时限，必须填写迟报说明", "A late step needs an explanation"
    ),
    "task_not_found": Problem(404, "没有找到这张任务卡", "There is no such task"),
    "task_state_conflict": Problem(
        409, "任务状态已变（{state}），请刷新", "The task is already {state}"
    ),
    "task_blocked": Problem(
        409, "前置任务未办结：{tasks}", "Tasks it depends on are not done: {tasks}"
    ),
    "evidence_missing": Problem(
        422, "缺少证据，不能办结：{evidence}", "Evidence is missing: {evidence}"
    ),
    "response_exists": Problem(
        409, "该层级已按此级别启动响应", "This tier already responds at this level"
    ),
    "level_not_in_plan": Problem(
        422, "预案没有规定该层级的这一响应级别", "The plan has no such level for this tier"
    ),
    "plan_not_found": Problem(404, "没有找到这份预案", "There is no such plan"),
    "plan_not_in_force": Problem(409, "这份预案未生效", "The plan is not in force"),
    "order_not_found": Problem(404, "没有找到这条指令", "There is no such order"),
    "order_state_conflict": Problem(
        409, "指令状态已变，{winner}已先行办理", "The order has changed: {winner} was first"
    ),
    "order_is_binding": Problem(409, "命令不能婉拒，只有商请可以", "An order is binding"),
    "reason_missing": Problem(422, "婉拒必须写明原因", "Declining needs a reason"),
    "proposal_not_found": Problem(404, "没有找到这份调度方案", "There is no such proposal"),
    "proposal_used": Problem(
        409, "方案已由{winner}确认或已过期", "The proposal was confirmed by {winner}"
    ),
    "proposal_lines_unknown": Problem(422, "方案中没有这些行", "The proposal has no such lines"),
    "team_taken": Problem(
        409, "{team_name}在这段时间已有任务", "{team_name} has another task at that time"
    ),
    "stock_short": Problem(409, "{item}库存不足", "There is not enough free stock of {item}"),
    "drill_touches_real": Problem(
        409, "演练不能动用真实资源", "A drill never touches real resources"
    ),
}
