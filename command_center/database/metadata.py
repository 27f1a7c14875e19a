"""Collects every room's tables, so that migrations and checks see all of them."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData
from sqlmodel import SQLModel

ROOMS = ("command_center", "drills", "plans", "resource_dispatch")


def collect_tables() -> MetaData:
    """Import each `tables.py` of the rooms and return the one metadata they fill."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if module.name.rsplit(".", 1)[-1] == "tables":
                importlib.import_module(module.name)
    return SQLModel.metadata
