"""The demonstration's plans, read from their files."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from plans import Plan, read_plan

FOLDER = Path(__file__).parents[2] / "command_center" / "demo" / "plans"


def demo_plan(name: str) -> Plan:
    """One of them, under an id of its own."""
    number = sorted(path.stem for path in FOLDER.glob("*.toml")).index(name)
    return read_plan((FOLDER / f"{name}.toml").read_text("utf-8"), UUID(int=number + 1))


def demo_plans() -> list[Plan]:
    """All six."""
    return [demo_plan(path.stem) for path in sorted(FOLDER.glob("*.toml"))]
