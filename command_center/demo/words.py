"""The Chinese sentences of the seeded incidents, from their data file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def _words() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("story.toml").read_text("utf-8")
    return {section: dict(words) for section, words in tomllib.loads(text).items()}


def word(section: str, key: str, **parts: str) -> str:
    """One sentence with its placeholders filled."""
    text = _words()[section][key]
    return text.format(**parts) if parts else text
