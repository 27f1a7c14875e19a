"""What the edge's own routes give."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class ComponentOut(BaseModel):
    name: str
    state: str
    detail: str


class HealthOut(BaseModel):
    status: str
    components: list[ComponentOut]


class MapConfig(BaseModel):
    model_config = ConfigDict(frozen=True)
    center: tuple[float, float] = (113.4, 23.6)
    zoom: float = 7.0


class PublicConfig(BaseModel):
    """What the console may know before anybody logs in. Registered as a service."""

    model_config = ConfigDict(frozen=True)
    demo: bool = False
    is_drill_mode: bool = False
    version: str = ""
    public_url: str = ""
    map: MapConfig = MapConfig()


class EventOut(BaseModel):
    seq: int
    type: str
    incident_id: str | None
    consultation_id: str | None
    at: str
    actor: dict[str, Any]
    body: dict[str, Any]
    is_drill: bool


class EventsOut(BaseModel):
    """`newest` is the last number there is: ask again while the last item is below it."""

    items: list[EventOut]
    newest: int
