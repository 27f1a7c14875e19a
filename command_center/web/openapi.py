"""OpenAPI 3.1, generated from the declared routes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .context import Credential
from .problems import Problem
from .routing import Route

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")


Refs = dict[type[BaseModel], dict[str, Any]]


def _operation(route: Route, refs: Refs) -> dict[str, Any]:
    name = _PARAMETER.sub("by", route.path).strip("/").replace("/", "_").replace("-", "_")
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{name}",
        "summary": route.summary,
        "tags": [route.path.strip("/").split("/")[0]],
        "responses": {
            "default": {
                "description": "A problem (RFC 9457)",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            }
        },
    }
    status = 204 if route.reply is None and route.status == 200 and not route.raw else route.status
    answer: dict[str, Any] = {"description": route.summary}
    if route.reply is not None:
        answer["content"] = {"application/json": {"schema": refs[route.reply]}}
    operation["responses"][str(status)] = answer
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    if route.is_mutating and not route.is_public:
        for name in ("Idempotency-Key", "X-CSRF"):
            parameters.append(
                {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
            )
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[route.body]}},
        }
    elif route.raw:
        operation["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": {"type": "string"}} for kind in route.raw},
        }
    schemes: dict[Credential, list[dict[str, list[str]]]] = {
        Credential.NONE: [],
        Credential.COOKIE: [{"session": []}],
        Credential.JOIN_TOKEN: [{"join_token": []}],
        Credential.EITHER: [{"session": []}, {"join_token": []}],
    }
    operation["security"] = schemes[route.credential]
    if route.permission is not None:
        operation["x-permission"] = route.permission.value
    return operation


def describe(routes: list[Route], problems: Mapping[str, Problem]) -> dict[str, Any]:
    """The whole document."""
    models: list[type[BaseModel]] = []
    for route in routes:
        for model in (route.body, route.reply):
            if model is not None and model not in models:
                models.append(model)
    found, schema = models_json_schema([(m, "validation") for m in models], ref_template=_REF)
    refs: Refs = {model: dict(found[model, "validation"]) for model in models}
    components = dict(schema.get("$defs", {}))
    components["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "detail_en", "fields"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": sorted(problems)},
            "detail": {"type": "string"},
            "detail_en": {"type": "string"},
            "fields": {"type": "object"},
        },
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = _PARAMETER.sub(r"{\1}", f"/api/v1{route.path}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Command centre", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "cc_session"},
                "join_token": {"type": "http", "scheme": "bearer"},
            },
        },
    }
