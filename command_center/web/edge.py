"""The request edge: credentials, CSRF, body, transaction, idempotency, audit of refusals, errors.

One request is one transaction. The order: who is it, may they (before the body is read), what do
they say, has it been said before, do it, append events and audit, commit, answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..security.actor import ANONYMOUS, Actor
from ..security.audit import AuditEntry
from ..security.errors import (
    CsrfHeaderMissingError,
    JoinTokenInvalidError,
    NotSignedInError,
)
from ..security.sessions import resolve_join_token, resolve_session
from ..security.work import Desk, ServiceCall, Work
from .context import DESK, Context, Credential
from .idempotency import LOCK_NOT_AVAILABLE, Once, Replay, begin_once, finish_once
from .middlewares import REQUEST_ID
from .patience import answered_in_time
from .problems import EdgeError, Problem, problem_of, problem_response
from .routing import Route
from .strict_json import MAX_BODY, parse_json

COOKIE = "cc_session"
PROBLEM_TABLE: web.AppKey[Mapping[str, Problem]] = web.AppKey("problem_table", dict)
MAX_RAW = 512 * 1024
_UNAVAILABLE_STATES = ("08", "53", "57", "25006", "58")
_log = structlog.get_logger("command_center.web")


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer, as it is sent and as it is kept for a repeated request."""

    status: int
    body: bytes
    headers: dict[str, str]


def bearer(request: web.Request) -> str | None:
    """The bearer token of a join link, None when there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


async def authenticate(request: web.Request, route: Route, work: Work) -> Actor:
    """Who is calling. Raises NotSignedInError or JoinTokenInvalidError."""
    if route.credential is Credential.NONE:
        return ANONYMOUS
    if route.credential in (Credential.JOIN_TOKEN, Credential.EITHER):
        token = bearer(request) or request.match_info.get("token")
        if token:
            return await resolve_join_token(work.session, token, work.now)
        if route.credential is Credential.JOIN_TOKEN:
            raise JoinTokenInvalidError()
    cookie = request.cookies.get(COOKIE)
    found = await resolve_session(work.session, cookie, work.now) if cookie else None
    if found is None:
        raise NotSignedInError()
    if route.is_mutating and request.headers.get("X-CSRF") != "1":
        raise CsrfHeaderMissingError()
    return found[0]


async def _read(request: web.Request, limit: int) -> bytes:
    if request.content_length is not None and request.content_length > limit:
        raise EdgeError("body_too_large", limit_bytes=limit)
    parts, size = [], 0
    async for part in request.content.iter_chunked(65536):
        size += len(part)
        if size > limit:
            raise EdgeError("body_too_large", limit_bytes=limit)
        parts.append(part)
    return b"".join(parts)


def validate(model: type[BaseModel], value: object) -> BaseModel:
    """Strict validation: '5' is no number and true no count. Raises EdgeError with the fields."""
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        fields = {}
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            name = ".".join(str(part)[:60] for part in item["loc"][:8]) or "body"
            fields[name] = item["type"]
        raise EdgeError("validation_failed", **dict(list(fields.items())[:20])) from error


async def _body(request: web.Request, route: Route) -> tuple[Any, bytes]:
    content_type = request.content_type.lower()
    if route.raw:
        if content_type not in route.raw:
            raise EdgeError("content_type_wrong", expected=", ".join(route.raw))
        return None, await _read(request, MAX_RAW)
    if route.body is None:
        await _read(request, MAX_BODY)
        return None, b""
    raw = await _read(request, MAX_BODY)
    if content_type != "application/json" and raw:
        raise EdgeError("content_type_wrong", expected="application/json")
    return validate(route.body, parse_json(raw or b"{}")), raw


def _answer(route: Route, result: Any, context: Context[Any]) -> Answer | web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    if result is None:
        return Answer(204 if route.status == 200 else route.status, b"", dict(context.headers))
    if not isinstance(result, BaseModel):
        raise TypeError(f"{route.method} {route.path} must return a pydantic model")
    body = result.model_dump_json().encode("utf-8", "replace")
    return Answer(route.status, body, dict(context.headers))


def _respond(answer: Answer) -> web.Response:
    headers = {"Cache-Control": "no-store", **answer.headers}
    if answer.body:
        headers.setdefault("Content-Type", "application/json")
    return web.Response(status=answer.status, body=answer.body or None, headers=headers)


def _set_cookies(response: web.StreamResponse, context: Context[Any]) -> None:
    for name, value in context.cookies:
        if value is None:
            response.del_cookie(name, path="/")
        else:
            response.set_cookie(
                name,
                value,
                path="/",
                httponly=True,
                samesite="Strict",
                secure=context.request.scheme == "https",
            )


class _Stage:
    """What is known so far: it decides whether a failure is audited, and under whose name."""

    def __init__(self) -> None:
        self.actor: Actor = ANONYMOUS


async def _execute(request: web.Request, route: Route, stage: _Stage) -> web.StreamResponse:
    desk = request.app[DESK]
    remote = request.remote or ""
    request_id = request.get(REQUEST_ID, "")
    async with desk.work(ANONYMOUS, request_id=request_id, remote=remote) as work:
        actor = await authenticate(request, route, work)
        work.actor = stage.actor = actor
        if route.permission is not None:
            actor.require(route.permission)
        body, raw = await _body(request, route)
        context: Context[Any] = Context(request, work, body, raw)
        key = request.headers.get("Idempotency-Key")
        once: Once | None = None
        if key is not None and route.is_mutating and route.keeps_answer and actor is not ANONYMOUS:
            digest = hashlib.sha256(
                f"{request.method} {request.path}\n".encode("utf-8", "replace") + raw
            ).hexdigest()
            claim = await begin_once(work, key, digest)
            if isinstance(claim, Replay):
                headers = {**claim.headers, "Idempotency-Replayed": "true"}
                return _respond(Answer(claim.status, claim.body, headers))
            once = claim
        result = await route.handler(context)
        answer = _answer(route, result, context)
        if once is not None and isinstance(answer, Answer):
            await finish_once(work, once, answer.status, answer.body, answer.headers)
    response = _respond(answer) if isinstance(answer, Answer) else answer
    _set_cookies(response, context)
    return response


def code_of(error: Exception) -> tuple[str, dict[str, Any]]:
    """The stable code and fields of any error that reaches the edge."""
    code, fields = getattr(error, "code", None), getattr(error, "fields", None)
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or not state or state.startswith(_UNAVAILABLE_STATES):
            return "database_unavailable", {}
        if state == LOCK_NOT_AVAILABLE:
            return "system_busy", {}
        if state in ("40001", "40P01", "23505", "23P01"):
            return "conflict", {}
        return "internal_error", {}
    if isinstance(error, PoolTimeoutError | TimeoutError | ConnectionError):
        return "database_unavailable", {}
    if isinstance(code, str) and not isinstance(error, SQLAlchemyError):
        return code, fields if isinstance(fields, dict) else {}
    return "internal_error", {}


async def _audit_refusal(request: web.Request, route: Route, actor: Actor, code: str) -> bool:
    """Failures are recorded too. False when even that cannot be written."""
    desk: Desk = request.app[DESK]
    outcome = "failed" if code == "internal_error" else "refused"
    ids = {k: v[:64] for k, v in request.match_info.items() if k != "token"}
    detail = {"code": code, "route": route.path, **ids}
    entry = AuditEntry(route.audit or route.path, outcome, detail=detail)
    try:
        async with desk.work(
            actor, request_id=request.get(REQUEST_ID, ""), remote=request.remote or ""
        ) as work:
            work.record(entry)
    except (SQLAlchemyError, TimeoutError, OSError, AttributeError) as error:
        _log.error("audit_unavailable", error=type(error).__name__)
        return False
    except Exception as error:  # noqa: BLE001 - fail closed whatever the reason
        _log.error("audit_unavailable", error=type(error).__name__)
        return False
    return True


def bind(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        stage = _Stage()
        try:
            return await answered_in_time(request.app[DESK], _execute(request, route, stage))
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - the request's outermost frame
            table = request.app[PROBLEM_TABLE]
            code, fields = code_of(error)
            code, problem = problem_of(code, table)
            if problem.status >= 500 and code != "database_unavailable":
                _log.error("request_failed", route=route.path, code=code, exc_info=error)
            is_known = stage.actor is not ANONYMOUS or route.is_public
            if route.is_mutating and is_known and problem.status != 503:
                audited = await _audit_refusal(request, route, stage.actor, code)
                if not audited:
                    code, fields = "audit_unavailable", {}
            return problem_response(code, fields, table=table)

    return handle


def declared_calls(routes: list[Route]) -> list[Route]:
    """The changing routes that name no service call: the list that must be empty."""
    return [r for r in routes if r.is_mutating and not isinstance(r.access, ServiceCall)]
