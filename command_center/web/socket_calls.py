"""Orders over the live socket: the event `call` runs a declared route as the socket's person.

A page that already holds a socket may order without a second connection: `{method, path, body}`
is acknowledged by `{status, body}`. It is the same route, so permission, validation, audit and
error words are the same. Only routes that take and give JSON are answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..database.ids import new_id
from ..security.actor import Actor, ActorKind
from ..security.audit import AuditEntry
from ..security.work import Desk
from .context import DESK, Context, Credential
from .edge import PROBLEM_TABLE, code_of, validate
from .patience import answered_in_time
from .problems import EdgeError, problem_body, problem_of
from .routing import Route
from .strict_json import parse_json

ROOTS = ("/consultations", "/consultation-")
_log = structlog.get_logger("command_center.socket_calls")


class Call(BaseModel):
    """What the client asks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    method: str = Field(pattern="^(GET|POST|PUT|PATCH|DELETE)$")
    path: str = Field(max_length=300, description="below /api/v1")
    body: dict[str, Any] = {}


class _Asked:
    """As much of a request as a handler reads."""

    def __init__(self, app: web.Application, match_info: Mapping[str, str]) -> None:
        self.app = app
        self.match_info = match_info
        self.query: dict[str, str] = {}


class SocketCalls:
    """Finds and runs the route that a call names."""

    def __init__(self, app: web.Application, routes: Sequence[Route]) -> None:
        self._app = app
        self._routes = [
            (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]{1,64})", route.path)), route)
            for route in routes
            if route.path.startswith(ROOTS) and not route.raw and route.reply is not None
        ]

    async def answer(self, actor: Actor, asked: object) -> dict[str, Any]:
        """The acknowledgement: status and body as HTTP would give them."""
        route: Route | None = None
        try:
            call = Call.model_validate(asked)
            route, ids = self._find(call)
            return await answered_in_time(self._app[DESK], self._run(actor, route, ids, call))
        except ValidationError:
            return self._problem("validation_failed", {})
        except Exception as error:  # noqa: BLE001 - the call's outermost frame
            code, fields = code_of(error)
            code, problem = problem_of(code, self._app[PROBLEM_TABLE])
            if problem.status >= 500:
                _log.error("call_failed", code=code, exc_info=error)
            elif route is not None and route.is_mutating:
                await self._record_refusal(actor, route, code)
            return self._problem(code, fields)

    def _find(self, call: Call) -> tuple[Route, dict[str, str]]:
        for pattern, route in self._routes:
            found = pattern.fullmatch(call.path)
            if found is not None and route.method == call.method:
                return route, found.groupdict()
        raise EdgeError("not_found")

    async def _run(
        self, actor: Actor, route: Route, ids: dict[str, str], call: Call
    ) -> dict[str, Any]:
        by_link = actor.kind is ActorKind.FIELD_TEAM
        allowed = (
            (Credential.JOIN_TOKEN, Credential.EITHER)
            if by_link
            else (
                Credential.COOKIE,
                Credential.EITHER,
            )
        )
        if route.credential not in allowed:
            raise EdgeError("not_found")
        desk: Desk = self._app[DESK]
        async with desk.work(actor, request_id=str(new_id()), remote="socket") as work:
            if route.permission is not None:
                actor.require(route.permission)
            value = parse_json(json.dumps(call.body).encode("utf-8", "replace"))
            body = None if route.body is None else validate(route.body, value)
            request = cast("web.Request", _Asked(self._app, ids))
            result = await route.handler(Context(request, work, body))
            if not isinstance(result, BaseModel):
                raise EdgeError("not_found")
            return {"status": route.status, "body": result.model_dump(mode="json")}

    async def _record_refusal(self, actor: Actor, route: Route, code: str) -> None:
        desk: Desk = self._app[DESK]
        entry = AuditEntry(route.audit or route.path, "refused", detail={"code": code})
        async with desk.work(actor, remote="socket") as work:
            work.record(entry)

    def _problem(self, code: str, fields: dict[str, Any]) -> dict[str, Any]:
        body = problem_body(code, fields, table=self._app[PROBLEM_TABLE])
        return {"status": body["status"], "body": body}
