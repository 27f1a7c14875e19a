"""What rooms read in their picture, in both languages."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def words_of(language: str, section: str) -> dict[str, str]:
    """The sentences of one section; placeholders are named."""
    text = resources.files(__package__).joinpath(f"{language}.toml").read_text("utf-8")
    return dict(tomllib.loads(text)[section])
