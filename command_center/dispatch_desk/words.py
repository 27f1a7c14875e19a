"""The Chinese words of the dispatch desk, from its locale file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def _words() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("locales/zh.toml").read_text("utf-8")
    return {section: dict(words) for section, words in tomllib.loads(text).items()}


def word(section: str, key: str, **parts: object) -> str:
    """One word or sentence, its placeholders filled. Raises KeyError for an unknown key."""
    text = _words()[section][key]
    return text.format(**parts) if parts else text
