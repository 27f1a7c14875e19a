"""What a route's handler gets: its unit of work, its validated body, path, query and services."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from aiohttp import web

from ..security.actor import Actor
from ..security.permissions import Permission
from ..security.work import Desk, Work
from .problems import EdgeError
from .strict_json import check_text

B = TypeVar("B")
S = TypeVar("S")

Services = dict[type[Any], Any]
SERVICES: web.AppKey[Services] = web.AppKey("services", dict)
EVENT_PERMISSIONS: web.AppKey[dict[str, Permission]] = web.AppKey("event_permissions", dict)
DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


class Credential(StrEnum):
    """How the caller may say who they are."""

    COOKIE = "cookie"
    JOIN_TOKEN = "join_token"  # noqa: S105 - the name of a kind
    EITHER = "either"
    NONE = "none"


class Context(Generic[B]):
    """One request. `work.session` is inside the transaction that the edge commits."""

    def __init__(self, request: web.Request, work: Work, body: B, raw: bytes = b"") -> None:
        self.request = request
        self.work = work
        self.body = body
        self.raw = raw
        self.headers: dict[str, str] = {}  # added to the answer (Location, ETag)
        self.cookies: list[tuple[str, str | None]] = []  # None deletes the session cookie

    @property
    def actor(self) -> Actor:
        return self.work.actor

    def path(self, name: str) -> str:
        value = self.request.match_info[name]
        check_text(value)
        return value

    def path_id(self, name: str) -> UUID:
        """A UUID of the path; anything else is simply not found."""
        try:
            return UUID(self.path(name))
        except ValueError as error:
            raise EdgeError("not_found") from error

    def query(self, name: str, default: str = "") -> str:
        value = self.request.query.get(name, default)
        check_text(value)
        return value

    def query_int(self, name: str, default: int, *, low: int, high: int) -> int:
        """Raises EdgeError `validation_failed` outside of low..high."""
        text = self.query(name)
        if not text:
            return default
        if not (text.isascii() and text.lstrip("-").isdigit()) or len(text) > 18:
            raise EdgeError("validation_failed", field=name)
        number = int(text)
        if not low <= number <= high:
            raise EdgeError("validation_failed", field=name)
        return number

    def service(self, kind: type[S]) -> S:
        """A service that the composition root registered under its type."""
        found = self.request.app[SERVICES].get(kind)
        if found is None:
            raise EdgeError("internal_error")
        service: S = found
        return service
