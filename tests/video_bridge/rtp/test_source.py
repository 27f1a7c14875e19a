"""Receive statistics and sender state."""

from __future__ import annotations

import pytest

from video_bridge.rtp.source import ReceiveStatistics, SenderState, ntp_middle, ntp_time


def _feed(statistics: ReceiveStatistics, sequences: list[int]) -> None:
    for index, sequence in enumerate(sequences):
        statistics.received(7, sequence, index * 160, 172, index * 0.02)


def test_loss_is_counted_over_a_roll_over() -> None:
    """65535 to 0 is no loss; the five left out are."""
    statistics = ReceiveStatistics(8000)
    _feed(statistics, [s & 0xFFFF for s in range(65_500, 65_600) if s % 20])
    block = statistics.report_block(2.0)
    assert block is not None
    assert block.packets_lost == 4  # 65520 .. 65580: the first (65500) was never expected
    assert block.fraction_lost == (4 << 8) // 99
    assert block.highest_sequence == 65_599


def test_each_report_covers_its_own_interval() -> None:
    """A loss long ago must not colour the present."""
    statistics = ReceiveStatistics(8000)
    _feed(statistics, [0, 1, 5, 6])
    first = statistics.report_block(1.0)
    _feed(statistics, [7, 8, 9])
    second = statistics.report_block(2.0)
    assert first is not None
    assert second is not None
    assert first.fraction_lost > 0
    assert second.fraction_lost == 0
    assert second.packets_lost == first.packets_lost == 3


def test_duplicates_give_no_negative_fraction() -> None:
    """RFC 3550 A.3: the fraction is zero when more came than was expected."""
    statistics = ReceiveStatistics(8000)
    _feed(statistics, [1, 2, 2, 2, 3])
    block = statistics.report_block(1.0)
    assert block is not None
    assert (block.fraction_lost, block.packets_lost) == (0, -2)


def test_a_steady_stream_has_no_jitter_and_a_shaken_one_has() -> None:
    """The estimator of RFC 3550 A.8 in clock units."""
    steady, shaken = ReceiveStatistics(8000), ReceiveStatistics(8000)
    for index in range(400):
        steady.received(1, index, index * 160, 172, index * 0.02)
        shaken.received(1, index, index * 160, 172, index * 0.02 + (0.01 if index % 2 else 0))
    assert steady.jitter_ms < 0.01
    assert shaken.jitter_ms == pytest.approx(10.0, rel=0.05)


def test_a_restarted_peer_is_followed_after_two_packets() -> None:
    """One wild sequence number is ignored; two in a row are a restart (RFC 3550 A.1)."""
    statistics = ReceiveStatistics(8000)
    _feed(statistics, [10, 11, 12, 40_000, 13])
    assert statistics.packets_lost == 0
    _feed(statistics, [50_000, 50_001, 50_002])
    assert statistics.packets_expected == 2
    assert statistics.packets_lost == 0


def test_a_new_ssrc_starts_afresh() -> None:
    """A camera restarted behind the same port."""
    statistics = ReceiveStatistics(90_000)
    statistics.received(1, 10, 0, 100, 0.0)
    statistics.received(2, 60_000, 5, 100, 0.1)
    assert statistics.ssrc == 2
    assert statistics.packets_lost == 0


def test_nothing_received_gives_no_block() -> None:
    """A report about a source we never heard would be an invention."""
    assert ReceiveStatistics(8000).report_block(1.0) is None
    assert SenderState(1, 8000).sender_report(1.0, 1.0) is None


def test_round_trip_is_found_from_sender_report_and_block() -> None:
    """Ours at t, seen 40 ms later, answered 100 ms after, back 40 ms later: 80 ms."""
    wall = 1_790_000_000.0
    sender, far = SenderState(9, 90_000), ReceiveStatistics(90_000)
    sender.sent(3, 3000, 1000, 50.0)
    report = sender.sender_report(50.5, wall)
    assert report is not None
    assert (report.packet_count, report.octet_count, report.rtp_timestamp) == (3, 3000, 46_000)
    far.received(9, 1, 1000, 1000, 7.0)
    far.sender_report(report, 7.04)
    block = far.report_block(7.14)
    assert block is not None
    sender.reported(block, wall + 0.18)
    assert sender.round_trip_s == pytest.approx(0.08, abs=0.001)


def test_blocks_about_other_sources_are_ignored() -> None:
    """A compound may report on several of our streams."""
    far = ReceiveStatistics(8000)
    far.received(1, 1, 1, 1, 0.0)
    block = far.report_block(1.0)
    assert block is not None
    sender = SenderState(2, 8000)
    sender.loss_fraction = 0.5
    sender.reported(block, 0.0)
    assert sender.loss_fraction == 0.5


def test_ntp_time_counts_from_1900() -> None:
    """2036 is the era's end: 64 bits wrap, the middle stays 32 bits."""
    assert ntp_time(0.0) == 2_208_988_800 << 32
    assert ntp_middle(ntp_time(0.5)) == (2_208_988_800 & 0xFFFF) << 16 | 0x8000
    assert 0 <= ntp_time(2_085_978_496.0 + 10) < 11 << 32
