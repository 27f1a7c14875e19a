"""The Chinese words and sentences of this room, from its locale file."""

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
    return _words()[section][key].format(**parts)


def alarm_text(code: str | None) -> str | None:
    """An alarm in plain words; a code nobody wrote words for is shown as it is."""
    return None if code is None else _words()["alarm"].get(code, code)
