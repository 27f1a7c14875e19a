"""Which chemical a report speaks of, by the names that people write."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Chemical:
    """`names` are matched longest first; `is_toxic` means acutely toxic as a gas or vapour."""

    name: str
    cas: str
    is_toxic: bool
    names: tuple[str, ...]


@cache
def known_chemicals() -> tuple[Chemical, ...]:
    """The list of `chemicals.toml`."""
    text = resources.files(__package__).joinpath("chemicals.toml").read_text("utf-8")
    return tuple(
        Chemical(row["name"], row["cas"], row["is_toxic"], tuple(row["names"]))
        for row in tomllib.loads(text)["chemical"]
    )


def chemical_named_in(text: str) -> Chemical | None:
    """The chemical with the longest name found in the text: 液氯 beats 氯, 氯化氢 is not 氯."""
    hits = [
        (len(name), -text.index(name), chemical)
        for chemical in known_chemicals()
        for name in chemical.names
        if name in text
    ]
    return max(hits, key=lambda hit: hit[:2])[2] if hits else None
