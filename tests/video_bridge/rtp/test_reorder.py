"""Video frames out of packets that the network lost, doubled and swapped."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.reorder import NACK_MAX_TRIES, ReceivedFrame, VideoReorder


def _stream(frames: int, per_frame: int = 4, start: int = 65_500) -> list[RtpPacket]:
    """Payload: b's' begins a frame, then its number."""
    packets = []
    for frame in range(frames):
        for part in range(per_frame):
            packets.append(
                RtpPacket(
                    96,
                    (start + len(packets)) & 0xFFFF,
                    frame * 3600,
                    1,
                    (b"s" if part == 0 else b"-") + bytes((frame, part)),
                    marker=part == per_frame - 1,
                )
            )
    return packets


def _is_whole(frame: ReceivedFrame, per_frame: int = 4) -> bool:
    return [payload[2] for payload in frame.payloads] == list(range(per_frame))


def _starts(payload: bytes) -> bool:
    return payload[:1] == b"s"


def test_a_frame_is_released_on_its_marker_bit() -> None:
    """Waiting for the next frame's first packet would cost 40 ms."""
    reorder = VideoReorder()
    packets = _stream(1)
    for packet in packets[:-1]:
        reorder.insert(packet, 0.0)
        assert reorder.frames(0.0) == []
    reorder.insert(packets[-1], 0.0)
    (frame,) = reorder.frames(0.0)
    assert frame.packets == tuple(packets)
    assert not frame.is_after_gap


def test_frames_without_marker_bits_are_released_by_timestamp() -> None:
    """Some cameras never set the bit."""
    reorder = VideoReorder()
    out = []
    for packet in _stream(3):
        bare = RtpPacket(96, packet.sequence_number, packet.timestamp, 1, packet.payload)
        reorder.insert(bare, 0.0)
        out += reorder.frames(0.0)
    assert len(out) == 2
    assert all(_is_whole(frame) for frame in out)


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_any_order_and_any_duplicates_give_every_frame_once(rng: random.Random) -> None:
    """Reordering within a window, each packet once or twice, over the roll-over."""
    packets = _stream(20)
    arrivals = [packets[0], *packets[1:]]
    arrivals += rng.sample(packets[1:], 10)
    position = {id(packet): index for index, packet in enumerate(packets)}
    arrivals[1:] = sorted(arrivals[1:], key=lambda p: position[id(p)] + rng.uniform(0, 6))
    reorder = VideoReorder(give_up_s=10.0)
    out = []
    for index, packet in enumerate(arrivals):
        reorder.insert(packet, index * 0.001)
        out += reorder.frames(index * 0.001)
    assert [frame.timestamp for frame in out] == [frame * 3600 for frame in range(20)]
    assert all(_is_whole(frame) and not frame.is_after_gap for frame in out)


def test_a_missing_packet_is_asked_for_once_a_round_trip() -> None:
    """Not at once (it may be overtaken), then again, then no more."""
    reorder = VideoReorder(give_up_s=60.0)
    packets = _stream(3)
    for packet in packets[:5] + packets[6:]:
        reorder.insert(packet, 0.0)
    lost = packets[5].sequence_number
    asked = [now for now in range(0, 5000, 5) if reorder.nacks(now / 1000) == [lost]]
    assert asked[0] == 10
    assert len(asked) == NACK_MAX_TRIES
    pauses = [b - a for a, b in itertools.pairwise(asked)]
    assert {55, 60} >= set(pauses)  # a round trip of 50 ms and a tenth


def test_a_packet_that_comes_on_request_completes_its_frame() -> None:
    """After a NACK the picture goes on without a key frame."""
    reorder = VideoReorder()
    packets = _stream(3)
    for packet in packets[:5] + packets[6:]:
        reorder.insert(packet, 0.0)
    assert [f.timestamp for f in reorder.frames(0.0)] == [0]
    reorder.insert(packets[5], 0.08)
    frames = reorder.frames(0.08)
    assert [f.timestamp for f in frames] == [3600, 7200]
    assert not any(f.is_after_gap for f in frames)
    assert not reorder.take_keyframe_wish()
    assert reorder.next_deadline() is None


def test_a_hole_is_given_up_after_its_time_and_a_keyframe_wanted() -> None:
    """The picture must move on even if the sender resends nothing."""
    reorder = VideoReorder(give_up_s=0.2, starts_frame=_starts)
    packets = _stream(4)
    for packet in packets[:5] + packets[6:]:
        reorder.insert(packet, 0.0)
    assert [f.timestamp for f in reorder.frames(0.19)] == [0]
    deadline = reorder.next_deadline()
    assert deadline is not None
    assert deadline <= 0.2
    frames = reorder.frames(0.21)
    assert [f.timestamp for f in frames] == [7200, 10800]
    assert [f.is_after_gap for f in frames] == [True, False]
    assert reorder.take_keyframe_wish()
    assert not reorder.take_keyframe_wish()


def test_half_a_frame_is_never_released() -> None:
    """Its first packet lost, the rest whole: the decoder must not see it."""
    for starts in (_starts, None):
        for hole in range(4, 12):
            reorder = VideoReorder(give_up_s=0.2, starts_frame=starts)
            packets = _stream(5)
            for packet in packets[:hole] + packets[hole + 1 :]:
                reorder.insert(packet, 0.0)
            frames = reorder.frames(0.0) + reorder.frames(0.3)
            assert all(_is_whole(frame) for frame in frames), (hole, starts)
            assert frames[-1].timestamp == 4 * 3600


def test_one_percent_of_loss_releases_all_but_the_hurt_frames() -> None:
    """Without retransmission, ten packets a frame, twenty seconds."""
    rng = random.Random(5)
    reorder = VideoReorder(give_up_s=0.1, starts_frame=_starts)
    hurt, out, now = set(), [], 0.0
    packets = _stream(250, per_frame=10)
    for packet in packets:
        now += 0.004
        if rng.random() < 0.01 and packet is not packets[0]:
            hurt.add(packet.timestamp)
            continue
        reorder.insert(packet, now)
        out += reorder.frames(now)
    out += reorder.frames(now + 1)
    assert all(_is_whole(frame, 10) for frame in out)
    assert {frame.timestamp for frame in out} == {f * 3600 for f in range(250)} - hurt


def test_a_new_ssrc_starts_at_once() -> None:
    """The peer restarted its encoder: nothing of the old stream is waited for."""
    reorder = VideoReorder()
    old, new = _stream(1)[:2], _stream(1, start=9)
    for packet in old:
        reorder.insert(packet, 0.0)
    for packet in new:
        reorder.insert(
            RtpPacket(96, packet.sequence_number, 5, 2, packet.payload, packet.marker), 0.0
        )
    (frame,) = reorder.frames(0.0)
    assert frame.packets[0].ssrc == 2
    assert frame.is_after_gap


def test_padding_only_packets_are_no_frames() -> None:
    """Chromium probes bandwidth with them between frames."""
    reorder = VideoReorder()
    packets = _stream(2)
    probe = RtpPacket(96, packets[4].sequence_number, 0, 1, b"", padding_size=200)
    for packet in packets[:4]:
        reorder.insert(packet, 0.0)
    reorder.insert(probe, 0.0)
    for packet in packets[4:]:
        later = (packet.sequence_number + 1) & 0xFFFF
        reorder.insert(RtpPacket(96, later, 3600, 1, packet.payload, packet.marker), 0.0)
    frames = reorder.frames(0.0)
    assert [frame.timestamp for frame in frames] == [0, 3600]
    assert all(_is_whole(frame) for frame in frames)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.booleans()), max_size=200))
def test_wild_sequence_numbers_do_not_hold_memory(events: list[tuple[int, bool]]) -> None:
    """A hostile sender may number as it likes."""
    reorder = VideoReorder()
    for step, (sequence, marker) in enumerate(events):
        reorder.insert(RtpPacket(96, sequence, step, 1, b"x", marker), step * 0.01)
        reorder.frames(step * 0.01)
        reorder.nacks(step * 0.01)
        assert len(reorder._held) <= 2100
        assert len(reorder._missing) <= 2100


def test_the_first_packet_may_be_overtaken() -> None:
    """A key frame's head that comes second must not cost the key frame."""
    packets = _stream(2)
    reorder = VideoReorder(starts_frame=_starts)
    for packet in (packets[2], packets[0], packets[3], packets[1], *packets[4:]):
        reorder.insert(packet, 0.001)
    frames = reorder.frames(0.002)
    assert [frame.timestamp for frame in frames] == [0, 3600]
    assert all(_is_whole(frame) for frame in frames)
    assert not reorder.take_keyframe_wish()


def test_a_stream_joined_in_the_middle_of_a_frame_starts_at_the_next() -> None:
    """The rest of a frame whose head was never seen is no picture."""
    packets = _stream(3)
    reorder = VideoReorder(starts_frame=_starts)
    for packet in packets[2:]:
        reorder.insert(packet, 0.0)
    assert reorder.frames(0.01) == []
    deadline = reorder.next_deadline()
    assert deadline is not None
    frames = reorder.frames(deadline)
    assert [frame.timestamp for frame in frames] == [3600, 7200]
    assert frames[0].is_after_gap
    assert reorder.take_keyframe_wish()


def test_a_second_hole_behind_the_first_does_not_let_half_a_frame_out() -> None:
    """The first hole is given up while the second, in the same frame, is still being asked for."""
    packets = _stream(4)
    reorder = VideoReorder(give_up_s=0.2, starts_frame=_starts)
    for packet in [*packets[:4], packets[5]]:  # the head of the second frame is lost
        reorder.insert(packet, 0.0)
    reorder.insert(packets[7], 0.15)  # and, later, its third packet
    assert len(reorder.frames(0.15)) == 1
    assert reorder.frames(0.21) == []
    reorder.insert(packets[6], 0.22)
    for packet in packets[8:]:
        reorder.insert(packet, 0.23)
    frames = reorder.frames(0.23)
    assert [frame.timestamp for frame in frames] == [7200, 10800]
    assert all(_is_whole(frame) for frame in frames)


def test_a_frame_without_end_does_not_hold_memory() -> None:
    """One timestamp, no marker, for ever: dropped, and the stream is heard again after it."""
    reorder = VideoReorder(starts_frame=_starts)
    for sequence in range(5000):
        payload = b"s" if sequence == 0 else b"-"
        reorder.insert(RtpPacket(96, sequence, 7, 1, payload), sequence * 1e-4)
        assert reorder.frames(sequence * 1e-4) == []
        assert len(reorder._held) <= 2100
    for packet in _stream(2, start=5000):
        reorder.insert(packet, 1.0)
    assert len(reorder.frames(1.0)) == 2
