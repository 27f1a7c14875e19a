"""Hypothesis in the media room: no deadlines, for a busy machine is no fault of the code."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("media", deadline=None)
settings.load_profile("media")
