"""What can go wrong in the plans room. Codes are stable; the edge adds status and words."""

from __future__ import annotations


class PlansError(Exception):
    """Base of the room. `fields` hold what the edge puts into the sentence."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(f"{code} {fields}" if fields else code)
        self.code = code
        self.fields = fields


class LocalPlansError(PlansError):
    """The caller asked for something that this room cannot do."""


class RemotePlansError(PlansError):
    """What came in from outside - a plan, an expression - breaks the rules."""
