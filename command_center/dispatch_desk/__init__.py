"""The dispatch desk: plans across incidents, side by side, tried under other conditions, accepted.

A plan changes nothing until a person accepts lines of it; choices by hand are kept until lifted.
"""

from .live_progress import push_progress
from .runner import PlanRunner

__all__ = ["PlanRunner", "push_progress"]
