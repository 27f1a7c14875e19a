"""The incidents room: reports, grades, clocks, responses, tasks and orders of an incident.

Other rooms under the roof read an incident and write to its timeline through this door.
"""

from .asking import AskingRule, teams_with_odds
from .orders import step_order, tell_order
from .reporting import add_report, file_report
from .repository import incident, orders_of_team
from .responses import activate
from .schemas import ActivateIn, IncidentOut, OrderOut, ReportIn
from .tables import IncidentRow, OrderRow, TaskRow
from .timeline import open_incident, tell, write
from .view import order_out, shown

__all__ = [
    "ActivateIn",
    "AskingRule",
    "IncidentOut",
    "IncidentRow",
    "OrderOut",
    "OrderRow",
    "ReportIn",
    "TaskRow",
    "activate",
    "add_report",
    "file_report",
    "incident",
    "open_incident",
    "order_out",
    "orders_of_team",
    "shown",
    "step_order",
    "teams_with_odds",
    "tell",
    "tell_order",
    "write",
]
