"""Task cards at work: todo, doing, done. No evidence, no done; what it depends on comes first."""

from __future__ import annotations

from uuid import UUID

from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .errors import EvidenceMissingError, TaskBlockedError, TaskStateConflictError
from .schemas import TaskChangeIn
from .tables import IncidentRow, TaskRow
from .timeline import open_incident, tell, write
from .words import word

TRANSITIONS: dict[str, frozenset[str]] = {
    "todo": frozenset({"doing", "done"}),
    "doing": frozenset({"todo", "done"}),
    "done": frozenset(),
}


@service_call(permission=Permission.TASK_UPDATE, audit="task.update")
async def change_task(work: Work, incident_id: UUID, task_id: UUID, wish: TaskChangeIn) -> TaskRow:
    """Move a card. Raises TaskStateConflictError, TaskBlockedError, EvidenceMissingError."""
    incident = await open_incident(work, incident_id, lock=False)
    task = await repository.task(work.session, incident.id, task_id)
    if wish.state not in TRANSITIONS[task.state]:
        raise TaskStateConflictError(state=task.state, winner=task.done_by or "")
    if wish.evidence_text:
        task.evidence_text = wish.evidence_text
    if wish.state == "done":
        await _finish(work, incident, task)
    task.state = wish.state
    text = word("timeline", f"task_{wish.state}", number=task.number, text=task.text)
    write(work, incident, f"task.{wish.state}", text, {"task_id": str(task.id)})
    body = {"id": str(task.id), "number": task.number, "state": task.state}
    tell(work, incident, "task.updated", body)
    work.concerns("task", task.id, is_drill=task.is_drill, state=task.state)
    await work.session.flush()
    return task


async def _finish(work: Work, incident: IncidentRow, task: TaskRow) -> None:
    if task.evidence and not task.evidence_text:
        raise EvidenceMissingError(evidence=task.evidence)
    if task.depends_on:
        others = await repository.tasks(work.session, incident.id)
        open_ones = [
            other.number
            for other in others
            if other.plan_code == task.plan_code
            and other.number in task.depends_on
            and other.state != "done"
        ]
        if open_ones:
            raise TaskBlockedError(tasks="、".join(open_ones))
    task.done_at, task.done_by = work.now, work.actor.name
