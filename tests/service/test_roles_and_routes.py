"""Every role at every route, generated from the router: each cell as the permission says."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from command_center.security import Permission, Role
from command_center.security.permissions import ADMINISTRATORS, ROLE_PERMISSIONS
from command_center.web.app import gather_rooms
from command_center.web.context import Credential
from command_center.web.edge import declared_calls
from command_center.web.routing import PUBLIC, Route

from .conftest import Person, SignIn
from .reports import report

ROUTES = gather_rooms().routes
ACCOUNT_ROLES = [role for role in Role if role is not Role.FIELD_TEAM]


def address(route: Route) -> str:
    """The path with ids that do not exist."""
    return re.sub(r"\{[^}]+\}", str(uuid4()), route.path)


def test_every_changing_route_declares_permission_and_audit() -> None:
    """A route that changes something without saying who may and how it is recorded is refused."""
    assert [f"{r.method} {r.path}" for r in declared_calls(ROUTES)] == []
    silent = [r.path for r in ROUTES if r.is_mutating and not r.audit]
    assert silent == []
    decides_for_itself = {r.audit for r in ROUTES if r.is_mutating and r.permission is None}
    own = {"session.open", "session.close", "password.change", "totp.set"}
    assert decides_for_itself <= own


def test_only_a_few_routes_are_public() -> None:
    """Whatever a stranger may read is listed here by hand."""
    public = {
        f"{r.method} {r.path}"
        for r in ROUTES
        if r.credential is Credential.NONE and r.method != "OPTIONS"
    }
    assert public <= {"POST /session", "GET /health", "GET /config"}
    assert all(r.method in ("GET", "OPTIONS") for r in ROUTES if r.access is PUBLIC)


def test_methods_and_paths_are_declared_once() -> None:
    """Two handlers of one path would hide each other."""
    names = [(r.method, r.path) for r in ROUTES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("role", ACCOUNT_ROLES, ids=lambda role: str(role.value))
async def test_each_role_passes_exactly_where_its_permissions_reach(
    role: Role, sign_in: SignIn
) -> None:
    """403 where the permission is missing, never where it is held; a body may still be wrong."""
    person = await sign_in(role)
    allowed = ROLE_PERMISSIONS[role]
    wrong = []
    for route in ROUTES:
        if route.permission is None or route.credential is Credential.JOIN_TOKEN:
            continue
        content_type = route.raw[0] if route.raw else "application/json"
        answer = await person.request(
            route.method, address(route), data=b"{}", headers={"Content-Type": content_type}
        )
        code = (await answer.json()).get("code") if answer.status >= 400 else None
        is_refused = code == "permission_denied"
        if is_refused != (route.permission not in allowed) or answer.status >= 500:
            wrong.append((route.method, route.path, answer.status, code))
    assert wrong == []


async def test_a_stranger_passes_nowhere(stranger: Person) -> None:
    """401 for every route that is not public, before anything is read or looked up."""
    for route in ROUTES:
        if route.credential is Credential.NONE:
            continue
        answer = await stranger.request(
            route.method,
            address(route),
            data=b"{}",
            headers={"Content-Type": "application/json", "Authorization": "Bearer nonsense"},
        )
        assert answer.status == 401, (route.method, route.path, answer.status)
        assert (await answer.json())["code"] in ("not_signed_in", "join_token_invalid")


def test_administrators_share_no_permission_with_the_desk() -> None:
    """Three people (GB/T 22239-2019): none of them commands, none reads incidents."""
    for role in ADMINISTRATORS:
        assert Permission.INCIDENT_READ not in ROLE_PERMISSIONS[role]
        for other in ADMINISTRATORS - {role}:
            shared = ROLE_PERMISSIONS[role] & ROLE_PERMISSIONS[other]
            assert shared <= {Permission.SYSTEM_READ, Permission.ACCOUNT_READ}


async def test_errors_outside_of_routes_are_problems_too(stranger: Person) -> None:
    """An unknown path and a wrong method answer like everything else, with security headers."""
    base = stranger.base
    session: ClientSession = stranger.session
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/config", 405)):
        answer = await session.request(method, base + path)
        assert answer.status == status
        assert answer.content_type == "application/problem+json"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Request-Id"]


async def test_the_openapi_document_names_every_route(stranger: Person) -> None:
    """Clients are generated from it."""
    document = await (await stranger.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for route in ROUTES:
        path = re.sub(r"\{(\w+)(?::[^}]*)?\}", r"{\1}", f"/api/v1{route.path}")
        assert route.method.lower() in document["paths"][path]
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    used = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text))
    assert used <= set(schemas), used - set(schemas)


async def test_another_citys_incident_is_found_by_no_reading_route(sign_in: SignIn) -> None:
    """Generated from the router: every page of the incident is not found, none is betrayed."""
    province = await sign_in()
    incident = (await (await province.post("/incidents", report())).json())["incident"]
    other = await sign_in(Role.DUTY_LEADER, region_code="441800")
    routes = [r for r in ROUTES if r.method == "GET" and "{incident_id}" in r.path]
    assert len(routes) >= 6
    for route in routes:
        path = route.path.replace("{incident_id}", incident["id"])
        answer = await other.get(re.sub(r"\{[^}]+\}", str(uuid4()), path))
        assert answer.status == 404, (route.path, answer.status)
        assert incident["title"] not in await answer.text()
