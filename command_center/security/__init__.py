"""The security room: accounts, sessions, permissions, the actor and the audit chain.

Services take a `Work` (session, actor, time) and are declared with `service_call`.
"""

from .accounts import LogIn, NewAccount, create_account
from .actor import ANONYMOUS, SYSTEM, Actor, ActorKind, region_prefix
from .administration import reset_administrator
from .audit import AuditChain, AuditEntry, load_key
from .errors import AdministratorUnknownError, SecurityError, UsernameTakenError
from .passwords import Passwords, random_password
from .permissions import Permission, Role
from .sessions import issue_join_token, resolve_join_token, resolve_session, revoke_join_tokens
from .spray import OFFENCE as SPRAY
from .work import Desk, ServiceCall, Work, service_call

__all__ = [
    "ANONYMOUS",
    "SPRAY",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "AdministratorUnknownError",
    "AuditChain",
    "AuditEntry",
    "Desk",
    "LogIn",
    "NewAccount",
    "Passwords",
    "Permission",
    "Role",
    "SecurityError",
    "ServiceCall",
    "UsernameTakenError",
    "Work",
    "create_account",
    "issue_join_token",
    "load_key",
    "random_password",
    "region_prefix",
    "reset_administrator",
    "resolve_join_token",
    "resolve_session",
    "revoke_join_tokens",
    "service_call",
]
