"""The base of the errors of the roof's rooms."""

from __future__ import annotations

from typing import Any


class RoomError(Exception):
    """A stable snake_case code and fields; the edge adds status and words (`PROBLEMS`)."""

    code = "internal_error"

    def __init__(self, code: str | None = None, /, **fields: Any) -> None:
        self.code = code or type(self).code
        self.fields = fields
        super().__init__(self.code, fields)
