"""What the rooms above hand in and get back: dispatch questions and proposals as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .optimiser.model import Need
from .optimiser.problem import Meeting
from .phrases import Reason


@dataclass(frozen=True, slots=True)
class MaterialNeed:
    """How much of one item a task wants at its place."""

    item: str
    quantity: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Plume:
    """What a place gives off and where the wind comes from (0 = north, 90 = east)."""

    wind_from_deg: int
    radius_m: int = 1_000


@dataclass(frozen=True, slots=True)
class DispatchTask:
    """A task to be served at a WGS-84 place. `severity` 1-5; lateness begins at `golden_at`."""

    id: str
    text: str
    longitude: float
    latitude: float
    needs: tuple[Need, ...] = ()
    severity: int = 3
    release_at: datetime | None = None
    golden_at: datetime | None = None
    meeting: Meeting = Meeting.AS_THEY_COME
    predecessors: tuple[str, ...] = ()
    materials: tuple[MaterialNeed, ...] = ()
    plume: Plume | None = None


@dataclass(frozen=True, slots=True)
class DispatchTeam:
    """A team where it stands. `available_at` None = now; `authority` is order or request.

    `accept_pct` is how likely an asked team accepts, told by `answers` earlier ones (0: assumed),
    and `answer_s` how long it takes to decline; an ordered team always comes. `worked_s` is its
    work of the last day, `rest_until` when it has rested from it.
    """

    id: str
    name: str
    longitude: float
    latitude: float
    skills: frozenset[str]
    crew: int
    speed_class: str = "standard"
    authority: str = "order"
    is_available: bool = True
    available_at: datetime | None = None
    duty_end: datetime | None = None
    region_code: str = ""
    accept_pct: int = 70
    answers: int = 0
    answer_s: int = 600
    worked_s: int = 0
    rest_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DepotStock:
    """Unreserved stock of one item."""

    quantity: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class DispatchDepot:
    """A store of materials and what it can still give, by item."""

    id: str
    name: str
    longitude: float
    latitude: float
    stock: Mapping[str, DepotStock] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DispatchLock:
    """An order already given, which no plan may move: the task's `need`-th visit by this team."""

    team_id: str
    task_id: str
    need: int = 0
    start_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DispatchChoice:
    """A team for a task's `need`-th visit: a line of the plan before, or a person's override.

    `start_at` puts the lines of one team in order; overrides do without.
    """

    team_id: str
    task_id: str
    need: int = 0
    start_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The next best team for a line: what the whole plan would cost more with it."""

    team_id: str
    team_name: str
    arrive_at: datetime
    cost_more: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """What happens when the asked team of a line declines; `team_id` None: nobody else can come.

    `cost_more` is what the whole plan would cost more then, `expected_cost` that times the chance.
    """

    accept_pct: int
    team_id: str | None
    team_name: str | None
    arrive_at: datetime | None
    cost_more: int
    expected_cost: int
    odds: Reason
    reason: Reason

    def text(self, language: str = "zh-CN") -> str:
        """Both sentences: how likely it declines, and what then."""
        return self.odds.text(language) + self.reason.text(language)


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """One team to one task. `route` holds lon/lat points; `is_locked` lines are orders already.

    `is_downwind`: no way around the plume was found, the last stretch leads through it.
    """

    task_id: str
    task_text: str
    need: int
    team_id: str
    team_name: str
    skills: tuple[str, ...]
    crew: int
    authority: str
    depart_at: datetime
    arrive_at: datetime
    start_at: datetime
    finish_at: datetime
    travel_s: int
    distance_m: int
    route: tuple[tuple[float, float], ...]
    reason: Reason
    runner_up: RunnerUp | None
    is_locked: bool = False
    is_override: bool = False
    is_downwind: bool = False
    fallback: Fallback | None = None

    @property
    def travel_minutes(self) -> int:
        return -(-self.travel_s // 60)


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """One load from one depot to one task."""

    task_id: str
    depot_id: str
    depot_name: str
    item: str
    quantity: int
    unit: str
    depart_at: datetime
    arrive_at: datetime
    travel_s: int
    distance_m: int
    route: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Unassigned:
    """What of a task could not be planned, and a true reason."""

    task_id: str
    task_text: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Cover:
    """How many available teams of one group of places should stay, and how many do."""

    group: str
    wanted: int
    left: int


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """What a plan comes to, for people who compare: counts, seconds from now, kilometres."""

    served: int
    unserved: int
    late: int
    mean_arrive_s: int
    last_arrive_s: int
    distance_km: int
    cover_missing: int


@dataclass(frozen=True, slots=True)
class Change:
    """A visit that goes to another team than in the plan before; None is nobody."""

    task_id: str
    task_text: str
    need: int
    from_team: str | None
    to_team: str | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A team for one task now: what the whole plan would cost more with it than with the best.

    `limits` are the constraints that stand against it; such teams come last and cannot be priced.
    """

    team_id: str
    team_name: str
    authority: str
    arrive_at: datetime | None
    travel_s: int
    cost_more: int
    used_for: str | None
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan to be confirmed by an operator.

    `terms` are the objective's named parts, `gap` how far above the proven bound it can be at most
    (None without a proof), `note` why a better solver was not heard, where that is so.
    """

    solver: str
    lines: tuple[ProposalLine, ...]
    materials: tuple[MaterialLine, ...]
    unassigned: tuple[Unassigned, ...]
    objective: int
    terms: Mapping[str, int]
    gap: float | None
    first_plan_s: float
    runtime_s: float
    note: Reason | None
    cover: tuple[Cover, ...]
    figures: PlanFigures


@dataclass(frozen=True, slots=True)
class ProposedAlternative:
    """One of the answers side by side. `cost` leaves the price of changing out."""

    name: str
    proposal: Proposal
    changes: tuple[Change, ...]
    cost: int
