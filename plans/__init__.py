"""The plans room: what should be done, as data.

It keeps digital plans and major hazard sources, proposes plans for the facts of an incident and
turns an activated plan into dated task cards. It sends nothing and orders nobody.
"""

from .activation.cards import TaskCard, instantiate
from .activation.facts import Facts, facts_from_incident
from .activation.proposals import Proposal, Trigger, propose
from .errors import LocalPlansError, PlansError, RemotePlansError
from .hazards.identification import Holding, Identification, identify, substance_named
from .hazards.repository import list_hazards
from .hazards.tables import MajorHazardRow
from .library.model import (
    Card,
    Clause,
    Contact,
    Group,
    Indicator,
    LevelRule,
    Need,
    Plan,
    ResponseLevel,
)
from .library.reading import read_plan
from .library.service import (
    PlanHead,
    add_plan,
    get_plan,
    list_plans,
    plans_in_force,
    remove_demo_plans,
)

__all__ = [
    "Card",
    "Clause",
    "Contact",
    "Facts",
    "Group",
    "Holding",
    "Identification",
    "Indicator",
    "LevelRule",
    "LocalPlansError",
    "MajorHazardRow",
    "Need",
    "Plan",
    "PlanHead",
    "PlansError",
    "Proposal",
    "RemotePlansError",
    "ResponseLevel",
    "TaskCard",
    "Trigger",
    "add_plan",
    "facts_from_incident",
    "get_plan",
    "identify",
    "instantiate",
    "list_hazards",
    "list_plans",
    "plans_in_force",
    "propose",
    "read_plan",
    "remove_demo_plans",
    "substance_named",
]
