"""Janus as a rival: its streaming plugin sends one RTP source to WebRTC receivers."""

from __future__ import annotations


def measure(
    receivers: int, suite: str, seconds: float, notes: list[str]
) -> dict[str, float] | None:
    notes.append("janus: not measured yet")
    return None
