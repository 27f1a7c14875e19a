"""The Chinese words and sentences of this room, from its locale file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def _words() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("locales/zh.toml").read_text("utf-8")
    return {section: dict(words) for section, words in tomllib.loads(text).items()}


def word(section: str, key: str) -> str:
    """One word. Raises KeyError for a key that the locale file lacks (a test reads them all)."""
    return _words()[section][key]


def sentence(key: str, **parts: str) -> str:
    """A sentence of the section `reasons` with its placeholders filled."""
    return word("reasons", key).format(**parts)
