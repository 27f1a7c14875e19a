"""Who may do what: permissions, roles, and the one table that joins them."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    INCIDENT_READ = "incident.read"
    INCIDENT_REPORT = "incident.report"
    INCIDENT_EDIT = "incident.edit"  # timeline, clocks
    INCIDENT_CLOSE = "incident.close"
    PLAN_READ = "plan.read"
    RESPONSE_ACTIVATE = "response.activate"
    TASK_UPDATE = "task.update"
    DISPATCH_PROPOSE = "dispatch.propose"
    DISPATCH_CONFIRM = "dispatch.confirm"
    ORDER_READ = "order.read"
    ORDER_ACT = "order.act"  # receive, accept, arrive, done, decline
    LIBRARY_READ = "library.read"
    LIBRARY_EDIT = "library.edit"  # where halls are found, their lines
    PHONE_READ = "phone.read"  # telephone numbers of persons; others see them masked
    CONSULTATION_READ = "consultation.read"
    CONSULTATION_OPEN = "consultation.open"
    CONSULTATION_CONTROL = "consultation.control"
    CONSULTATION_JOIN = "consultation.join"
    JOIN_TOKEN_ISSUE = "join_token.issue"  # noqa: S105 - a permission's name
    RECORDING_READ = "recording.read"
    RECORDING_CONTROL = "recording.control"  # record, mark, give out live
    DRILL_RUN = "drill.run"
    ACCOUNT_READ = "account.read"
    ACCOUNT_MANAGE = "account.manage"
    ROLE_ASSIGN = "role.assign"
    AUDIT_READ = "audit.read"
    SYSTEM_READ = "system.read"


class Role(StrEnum):
    DUTY_OFFICER = "duty_officer"
    DUTY_LEADER = "duty_leader"
    COMMANDER = "commander"
    FIELD_TEAM = "field_team"  # only by join token, never given to an account
    TRAINER = "trainer"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""Three people (GB/T 22239-2019, 8.1.5): holding two of these is refused, and none of them works
at the duty desk."""

_READ = frozenset(
    {
        Permission.INCIDENT_READ,
        Permission.PLAN_READ,
        Permission.ORDER_READ,
        Permission.LIBRARY_READ,
        Permission.CONSULTATION_READ,
        Permission.CONSULTATION_JOIN,
        Permission.RECORDING_READ,
    }
)
_DESK = _READ | {
    Permission.INCIDENT_REPORT,
    Permission.INCIDENT_EDIT,
    Permission.RESPONSE_ACTIVATE,
    Permission.TASK_UPDATE,
    Permission.DISPATCH_PROPOSE,
    Permission.DISPATCH_CONFIRM,
    Permission.ORDER_ACT,
    Permission.CONSULTATION_OPEN,
    Permission.CONSULTATION_CONTROL,
    Permission.JOIN_TOKEN_ISSUE,
    Permission.RECORDING_CONTROL,
    Permission.SYSTEM_READ,
    Permission.LIBRARY_EDIT,
    Permission.PHONE_READ,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.DUTY_OFFICER: _DESK,
    Role.DUTY_LEADER: _DESK | {Permission.INCIDENT_CLOSE},
    Role.COMMANDER: _DESK | {Permission.INCIDENT_CLOSE},
    Role.FIELD_TEAM: frozenset(
        {Permission.ORDER_READ, Permission.ORDER_ACT, Permission.CONSULTATION_JOIN}
    ),
    Role.TRAINER: _READ | {Permission.DRILL_RUN},
    Role.SYSTEM_ADMIN: frozenset(
        {
            Permission.ACCOUNT_READ,
            Permission.ACCOUNT_MANAGE,
            Permission.SYSTEM_READ,
            Permission.LIBRARY_READ,
            Permission.LIBRARY_EDIT,
        }
    ),
    Role.SECURITY_ADMIN: frozenset(
        {Permission.ACCOUNT_READ, Permission.ROLE_ASSIGN, Permission.SYSTEM_READ}
    ),
    Role.AUDIT_ADMIN: frozenset({Permission.AUDIT_READ}),
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Everything the roles allow together."""
    allowed: frozenset[Permission] = frozenset()
    for role in roles:
        allowed |= ROLE_PERMISSIONS[role]
    return allowed
