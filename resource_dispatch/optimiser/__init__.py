"""Plans of movement: model, solvers, evaluator and explanations, as pure data."""

from .evaluate import Evaluation, Violation, evaluate
from .explain import Choice, Refusal, explain_choices, explain_refusals
from .model import LockSpec, Model, Need, TaskSpec, TeamSpec
from .problem import NEVER_S, Lock, Meeting, Pin, Plan, Problem, Weights
from .replan import Alternative, Questions, alternatives, questions
from .result import Result
from .solve import solve
from .stop import Cancelled, FirstOf, MaxIterations, MaxSeconds, NoImprovement, Stop

__all__ = [
    "NEVER_S",
    "Alternative",
    "Cancelled",
    "Choice",
    "Evaluation",
    "FirstOf",
    "Lock",
    "LockSpec",
    "MaxIterations",
    "MaxSeconds",
    "Meeting",
    "Model",
    "Need",
    "NoImprovement",
    "Pin",
    "Plan",
    "Problem",
    "Questions",
    "Refusal",
    "Result",
    "Stop",
    "TaskSpec",
    "TeamSpec",
    "Violation",
    "Weights",
    "alternatives",
    "evaluate",
    "explain_choices",
    "explain_refusals",
    "questions",
    "solve",
]
