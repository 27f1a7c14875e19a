"""Columns that every room's tables have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime
from sqlalchemy.dialects.postgresql import JSONB


def instant(*, nullable: bool = False, index: bool = False) -> Any:
    """A moment, with its zone."""
    return Column(DateTime(timezone=True), nullable=nullable, index=index)


def json_value(*, nullable: bool = False) -> Any:
    """JSON; None is stored as NULL, never as JSON's null."""
    return Column(JSONB(none_as_null=True), nullable=nullable)
