"""Our stack in each side's place of captured calls says the same, but for a list with reasons."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.harness.plugin import suite
from tests.sip_gateway.h323 import replay

_LIST = Path(__file__).with_name("capture_differences.toml")
KNOWN = tomllib.loads(_LIST.read_text())["difference"]
CAPTURES = suite(".", "h323-*.pcap*")


@pytest.mark.parametrize("is_caller", [True, False], ids=["caller", "called"])
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_our_stack_says_what_the_captured_side_said(path: Path, is_caller: bool) -> None:
    """Message kinds in their order; every difference is on the committed list."""
    side = "caller" if is_caller else "called"
    for number, call in enumerate(replay.calls_of(path), 1):
        ours = replay.Side(call, is_caller)
        ours.run()
        known = [
            one["said"]
            for one in KNOWN
            if (one["capture"], one["call"], one["side"]) == (path.stem, number, side)
        ]
        assert ours.differences() == known, (path.stem, number, ours.said)
        assert "openLogicalChannel" in ours.said or path.stem == "h323-asterisk"
        assert replay.ended(ours)


def test_every_difference_has_its_reason() -> None:
    """A list without reasons would be an excuse."""
    assert all(len(one["reason"]) > 30 for one in KNOWN)
