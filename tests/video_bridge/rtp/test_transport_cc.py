"""Transport-wide feedback as bytes and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.rtp import rtcp
from video_bridge.rtp.transport_cc import (
    TransportFeedback,
    build_feedback,
    parse_feedback,
)

EMPTY = TransportFeedback(1, 2, 0, 0, 0, ())

DELTAS = st.lists(st.none() | st.integers(0, 255) | st.integers(-0x8000, 0x7FFF), max_size=200).map(
    tuple
)
RUNS = st.lists(
    st.tuples(st.sampled_from([None, 4, 300]), st.integers(1, 90)), min_size=1, max_size=8
)


@given(DELTAS, st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFF), st.integers(0, 255))
def test_feedback_of_any_shape_round_trips(
    deltas: tuple[int | None, ...], base: int, reference: int, count: int
) -> None:
    """Lost, quick, slow and overtaken packets in any order."""
    told = TransportFeedback(0xFFFFFFFF, 0, base, reference, count, deltas)
    assert rtcp.parse_compound(rtcp.build(told)) == [told]


@given(RUNS)
def test_long_runs_round_trip(runs: list[tuple[int | None, int]]) -> None:
    """Run length chunks and both kinds of vectors meet."""
    told = replace(EMPTY, deltas=tuple(delta for delta, times in runs for _ in range(times)))
    assert parse_feedback(build_feedback(told)) == told


def test_the_drafts_chunks_are_read() -> None:
    """Section 3.1.3 and 3.1.4: a run of 221 lost, then 14 of one bit, then seven of two bits."""
    head = bytes.fromhex("00000001 00000002 0005") + (221 + 14 + 7).to_bytes(2) + bytes(4)
    chunks = bytes.fromhex("00dd 9f1c cd50")
    ones = [0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0]
    twos = [0, 3, 1, 1, 1, 0, 0]
    with pytest.raises(RemoteMediaError):  # the draft's own example holds a reserved symbol
        parse_feedback(head + chunks + bytes(40))
    read = parse_feedback(head + bytes.fromhex("00dd 9f1c c950") + bytes(40))
    symbols = [0 if delta is None else 1 for delta in read.deltas]
    twos[1] = 2
    assert symbols == [0] * 221 + ones + [min(1, two) for two in twos]


def test_feedback_cut_short_is_refused() -> None:
    """At every byte; and a run of nothing, which would never end."""
    told = replace(EMPTY, deltas=(3, None, 700, *[1] * 40, None, 5))
    whole = build_feedback(told)
    for size in range(len(whole)):
        with pytest.raises(RemoteMediaError):
            parse_feedback(whole[:size])
    with pytest.raises(RemoteMediaError):
        parse_feedback(bytes(10) + bytes.fromhex("0001 00000000 0000"))


def test_times_too_far_apart_are_our_mistake() -> None:
    """Two bytes hold eight seconds."""
    with pytest.raises(LocalMediaError):
        build_feedback(replace(EMPTY, deltas=(0x8000,)))
