"""The Chinese words and sentences of this room, from its locale file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from .model import ParticipantState


@cache
def _words() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("locales/zh.toml").read_text("utf-8")
    return {section: dict(words) for section, words in tomllib.loads(text).items()}


def word(section: str, key: str, **parts: object) -> str:
    """One word or sentence, its placeholders filled. Raises KeyError for an unknown key."""
    return _words()[section][key].format(**parts)


def reason_text(code: str | None) -> str | None:
    """A reason code in plain words; a code nobody wrote words for is shown as it is."""
    return None if code is None else _words()["reason"].get(code, code)


@cache
def pane_notes() -> dict[ParticipantState, str]:
    """What the pane of a member without a leg says."""
    return {ParticipantState(state): said for state, said in _words()["pane_note"].items()}


def expert_fields(event_type: str) -> list[str]:
    """Fields of knowledge that an event type calls for, most wanted first."""
    return _words()["expert_fields"].get(event_type, "").split()
