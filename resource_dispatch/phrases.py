"""Reasons as codes with fields, and their words per language from `locales/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is: a stable `code` in a `group`, and what fills the sentence."""

    group: str
    code: str
    fields: Mapping[str, str | int | tuple[str, ...]] = field(default_factory=dict)

    def text(self, language: str = "zh-CN") -> str:
        """The sentence for people. Lists are joined, constraint names translated."""
        separator = words("list", "separator", language)
        filled = _Blank()
        for name, value in self.fields.items():
            if isinstance(value, tuple):
                items = (words("constraints", v, language) for v in value)
                filled[name] = separator.join(items)
            else:
                filled[name] = value
        return words(self.group, self.code, language).format_map(filled)


class _Blank(dict[str, "str | int"]):
    def __missing__(self, key: str) -> str:
        return "?"


@cache
def _table(language: str) -> dict[str, dict[str, str]]:
    name = language.replace("-", "_") + ".toml"
    text = resources.files(__package__).joinpath("locales", name).read_text(encoding="utf-8")
    return tomllib.loads(text)


def words(group: str, code: str, language: str = "zh-CN") -> str:
    """The template of one code; the code itself where a language has none."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    return _table(known).get(group, {}).get(code, code)
