"""The plans room: what should be done, as data.

It keeps digital plans and major hazard sources, proposes plans for the facts of an incident and
turns an activated plan into dated task cards. It sends nothing and orders nobody.
"""

from .activation.cards import TaskCard, instantiate
from .activation.facts import Facts, facts_from_incident
from .activation.proposals import Proposal, Trigger, propose
from .errors import LocalPlansError, PlansError, RemotePlansError
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
    "instantiate",
    "list_plans",
    "plans_in_force",
    "propose",
    "remove_demo_plans",
]
