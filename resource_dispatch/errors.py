"""Errors of the dispatch room: local ones are a misuse, remote ones bad data handed in."""

from __future__ import annotations


class DispatchError(Exception):
    """Base of the room. `code` is stable snake_case; the edge adds status and words."""

    code = "dispatch_error"

    def __init__(self, code: str | None = None, **fields: object) -> None:
        self.code = code or type(self).code
        self.fields = fields
        super().__init__(self.code, fields)


class LocalDispatchError(DispatchError):
    """We asked for something the room cannot do."""

    code = "dispatch_misused"


class RemoteDispatchError(DispatchError):
    """Data from outside breaks a rule of the room; `fields` says which item and why."""

    code = "dispatch_input_invalid"


class StockShortError(DispatchError):
    """A depot has less unreserved stock than was asked for."""

    code = "stock_short"


class TeamTakenError(DispatchError):
    """The team is already assigned for part of that time."""

    code = "team_taken"
