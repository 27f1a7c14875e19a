"""Two incidents that the desk finds at its first start, filed through the real services.

One is closed: a small ammonia leak of the day before, from report to end. One is open: the
accident of the demonstration as it stands when the desk takes over - reported by the county,
recognised as a major near-accident, its clocks running, no plan activated yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from ..incidents.closing import close_incident, finish_clock
from ..incidents.reporting import add_report, file_report
from ..incidents.repository import clocks, tasks
from ..incidents.responses import activate
from ..incidents.schemas import ActivateIn, CasualtiesIn, ReportIn, TaskChangeIn
from ..incidents.tasks import change_task
from ..incidents.timeline import add_note
from ..security import Actor, AuditChain, Work
from .places import SCENE, by_code
from .words import word

OPEN_TAKES_OVER = timedelta(minutes=37)  # 02:31 the valve breaks, 03:08 the desk takes over
CLOSED_BEFORE = timedelta(hours=27)
CLOSED_COUNTY = "441821"


@dataclass(frozen=True, slots=True)
class People:
    """Who files what: the province's duty officer and leader, the county's duty officer."""

    officer: Actor
    leader: Actor
    county: Actor


class Teller:
    """Runs services at times of the past, all in the seed's one transaction."""

    def __init__(self, work: Work, chain: AuditChain, zero: datetime) -> None:
        self._session = work.session
        self._chain = chain
        self.zero = zero

    def at(self, minutes: float) -> datetime:
        return self.zero + timedelta(minutes=minutes)

    def work(self, actor: Actor, minutes: float) -> Work:
        return Work(self._session, actor, self.at(minutes))

    async def done(self, work: Work) -> None:
        await work.seal(self._chain)


async def tell_stories(work: Work, chain: AuditChain, people: People, plan_id: UUID) -> None:
    """Write both incidents; `work.now` is the moment the open one reaches the desk."""
    await _closed(Teller(work, chain, work.now - CLOSED_BEFORE), people, plan_id)
    await _open(Teller(work, chain, work.now - OPEN_TAKES_OVER), people)


async def _open(tell: Teller, people: People) -> None:
    """Minute 0 is 02:31. S1 at 02:58, S2 at 03:06, merged at 03:08."""
    step = tell.work(people.county, 27)
    filed = await file_report(step, _chlorine(tell, 27, "s1", CasualtiesIn(seen=6, evacuated=120)))
    await tell.done(step)
    incident_id = filed.incident.id
    step = tell.work(people.county, 29)
    await _finish(step, incident_id, "own_government")
    await tell.done(step)
    step = tell.work(people.county, 35)
    figures = CasualtiesIn(
        deaths=0,
        missing=2,
        endangered=31,
        serious_injuries=0,
        poisoned_diagnosed=0,
        observed=6,
        seen=6,
        evacuated=620,
    )
    await add_report(step, incident_id, _chlorine(tell, 35, "s2", figures))
    await _finish(step, incident_id, "phone_flash_province")
    await tell.done(step)
    step = tell.work(people.officer, 37)
    for key in ("sensor", "public", "merged"):
        await add_note(step, incident_id, word("open", key))
    await tell.done(step)


def _chlorine(tell: Teller, minute: float, key: str, figures: CasualtiesIn) -> ReportIn:
    unknown = [name for name, value in figures.model_dump().items() if value is None]
    return ReportIn(
        title=word("open", "title"),
        event_type="hazardous_chemicals",
        place_name=word("open", "place"),
        region_code="440229",
        longitude=SCENE[0],
        latitude=SCENE[1],
        occurred_at=tell.at(0),
        received_at=tell.at(minute),
        sent_at=tell.at(minute),
        reporter_name=word("open", "reporter"),
        reporter_phone="000-0229-0110",
        channel="phone",
        signer=word("open", "signer"),
        course=word("open", f"course_{key}"),
        measures=word("open", f"measures_{key}"),
        casualties=figures,
        pending=[name for name in unknown if name in ("trapped", "deaths", "missing")],
    )


async def _finish(work: Work, incident_id: UUID, rule_key: str) -> None:
    for clock in await clocks(work.session, [incident_id]):
        if clock.rule_key == rule_key and clock.done_at is None and clock.closed_at is None:
            await finish_clock(work, incident_id, clock.id)


async def _closed(tell: Teller, people: People, plan_id: UUID) -> None:
    """A county handles it alone: reported, responded to at level four, worked off, ended."""
    officer = _of_the_county(people.county, word("closed", "officer"))
    leader = _of_the_county(people.leader, word("closed", "signer"))
    step = tell.work(officer, 20)
    filed = await file_report(step, _ammonia(tell, 20))
    await tell.done(step)
    incident_id = filed.incident.id
    step = tell.work(leader, 28)
    for key in ("own_government", "county_to_city"):
        await _finish(step, incident_id, key)
    wish = ActivateIn(
        plan_id=plan_id,
        tier="county",
        level=4,
        grounds=word("closed", "grounds"),
        expected_hours=4,
    )
    await activate(step, incident_id, wish)
    await tell.done(step)
    minute = 40.0
    for number, task_id, evidence in await _in_order(step, incident_id):
        step = tell.work(officer, minute)
        text = word("closed", "evidence", number=number, evidence=evidence)
        await change_task(
            step, incident_id, task_id, TaskChangeIn(state="done", evidence_text=text)
        )
        await tell.done(step)
        minute += 7
    step = tell.work(leader, 150)
    await close_incident(step, incident_id, word("closed", "end"))
    await tell.done(step)


def _of_the_county(like: Actor, name: str) -> Actor:
    """Somebody of the other county with the same duty, who has no log-in."""
    return replace(like, id=f"demo-{CLOSED_COUNTY}", name=name, region_code=CLOSED_COUNTY)


async def _in_order(work: Work, incident_id: UUID) -> list[tuple[str, UUID, str]]:
    """Cards so that each comes after those it waits for."""
    left = {task.number: task for task in await tasks(work.session, incident_id)}
    ordered = []
    while left:
        free = [n for n, task in left.items() if not set(task.depends_on) & left.keys()]
        for number in sorted(free):
            task = left.pop(number)
            ordered.append((number, task.id, task.evidence))
    return ordered


def _ammonia(tell: Teller, minute: float) -> ReportIn:
    county = by_code()[CLOSED_COUNTY]
    return ReportIn(
        title=word("closed", "title"),
        event_type="hazardous_chemicals",
        place_name=word("closed", "place"),
        region_code=county.code,
        longitude=round(county.longitude + 0.02, 5),
        latitude=round(county.latitude + 0.01, 5),
        occurred_at=tell.at(0),
        received_at=tell.at(minute),
        sent_at=tell.at(minute),
        reporter_name=word("closed", "reporter"),
        reporter_phone="000-1821-0110",
        channel="phone",
        signer=word("closed", "signer"),
        course=word("closed", "course"),
        measures=word("closed", "measures"),
        casualties=CasualtiesIn(
            deaths=0,
            missing=0,
            trapped=0,
            endangered=4,
            serious_injuries=0,
            poisoned_diagnosed=0,
            observed=1,
            seen=2,
            evacuated=35,
            direct_loss_wan=6,
        ),
    )
