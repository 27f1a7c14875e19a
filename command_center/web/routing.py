"""`@route`: one declaration of method, path, access, body, reply and status.

A changing route names the service call that it makes: permission and audit action are read from
there, so that a route can neither forget nor contradict them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from ..security.permissions import Permission
from ..security.work import ServiceCall
from .context import Context, Credential

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class _Public:
    """Anybody, also without a log-in."""


class _SignedIn:
    """Anybody who is logged in."""


PUBLIC = _Public()
SIGNED_IN = _SignedIn()

Access = Permission | _Public | _SignedIn | ServiceCall[Any, Any]
Handler = Callable[[Context[Any]], Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Route:
    """A declared route. `path` is below /api/v1."""

    method: str
    path: str
    handler: Handler
    access: Access
    credential: Credential
    body: type[BaseModel] | None
    raw: tuple[str, ...]
    reply: type[BaseModel] | None
    status: int
    summary: str
    keeps_answer: bool = True

    @property
    def permission(self) -> Permission | None:
        if isinstance(self.access, Permission):
            return self.access
        return self.access.permission if isinstance(self.access, ServiceCall) else None

    @property
    def audit(self) -> str | None:
        return self.access.audit if isinstance(self.access, ServiceCall) else None

    @property
    def is_public(self) -> bool:
        return self.credential is Credential.NONE

    @property
    def is_mutating(self) -> bool:
        return self.method in MUTATING


def route(
    method: str,
    path: str,
    *,
    access: Access,
    body: type[BaseModel] | None = None,
    raw: tuple[str, ...] = (),
    reply: type[BaseModel] | None = None,
    status: int = 200,
    credential: Credential | None = None,
    keeps_answer: bool = True,
) -> Callable[[Handler], Route]:
    """Declare a route; the decorated name becomes a `Route` to list in the module's ROUTES.

    `access`: a `ServiceCall` for changing routes, a `Permission`, SIGNED_IN or PUBLIC for reading
    ones. `raw` lists content types whose bytes reach the handler unparsed as `ctx.raw`.
    `credential` defaults to the cookie (none for PUBLIC). `keeps_answer=False` is for answers with
    a secret: they are not stored for a repeated Idempotency-Key, which then has no effect. The
    handler returns a pydantic model, None (204), or an aiohttp response of its own.
    """
    if credential is None:
        credential = Credential.NONE if isinstance(access, _Public) else Credential.COOKIE

    def wrap(handler: Handler) -> Route:
        summary = (handler.__doc__ or handler.__name__).strip().splitlines()[0]
        return Route(
            method, path, handler, access, credential, body, raw, reply, status, summary,
            keeps_answer,
        )  # fmt: skip

    return wrap
