"""RTCP packets both ways."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.rtp import rtcp
from video_bridge.rtp.transport_cc import TransportFeedback

BLOCK = rtcp.ReportBlock(0x11223344, 25, -3, 70_000, 90, 0xABCD0123, 65_536)
EXAMPLES: list[rtcp.RtcpPacket] = [
    rtcp.SenderReport(1, 0xE6AAC53422F35B00, 4_294_967_295, 12, 3456, (BLOCK,)),
    rtcp.ReceiverReport(2, (BLOCK, BLOCK)),
    rtcp.ReceiverReport(2),
    rtcp.SourceDescription.cname(3, "node-1"),
    rtcp.SourceDescription(((3, ((1, b"a"), (2, "翁源县".encode()))), (4, ()))),
    rtcp.Bye((5, 6), b"hung up"),
    rtcp.Bye(()),
    rtcp.PictureLoss(7, 8),
    rtcp.FullIntraRequest(9, ((10, 255), (11, 0))),
    rtcp.Nack(12, 13, (65_534, 65_535, 0, 15, 16, 500)),
    rtcp.Remb(14, 2_700_000, (15, 16)),
    rtcp.RateLimit(17, ((18, 2_500_096, 40), (19, 0, 511))),
    rtcp.RateLimit(20, ((21, 384_000, 40),), is_notification=True),
    TransportFeedback(22, 23, 65_535, 0xABCDE, 7, (0, None, 255, 256, None, -3, 0)),
    rtcp.OtherRtcp(204, 0, b"application data"),
]


@pytest.mark.parametrize("packet", EXAMPLES, ids=lambda p: type(p).__name__)
def test_every_kind_round_trips(packet: rtcp.RtcpPacket) -> None:
    """What we build must be what a peer reads."""
    (parsed,) = rtcp.parse_compound(rtcp.build(packet))
    if isinstance(packet, rtcp.Remb) and isinstance(parsed, rtcp.Remb):
        assert abs(parsed.bitrate_bps - packet.bitrate_bps) <= packet.bitrate_bps >> 17
        assert parsed.media_ssrcs == packet.media_ssrcs
    else:
        assert parsed == packet


def test_a_compound_keeps_its_order() -> None:
    """RFC 3550 section 6.1: the report comes first."""
    compound = [p for p in EXAMPLES if not isinstance(p, rtcp.Remb)]
    assert rtcp.parse_compound(rtcp.build_compound(compound)) == compound


def test_bytes_cut_anywhere_raise_only_remote_errors() -> None:
    """A datagram cut short is refused unless it ends between two packets."""
    whole = rtcp.build_compound(EXAMPLES)
    ends = {0}
    for packet in EXAMPLES:
        ends.add(max(ends) + len(rtcp.build(packet)))
    for size in range(len(whole) + 1):
        if size in ends - {0}:
            rtcp.parse_compound(whole[:size])
        else:
            with pytest.raises(RemoteMediaError):
                rtcp.parse_compound(whole[:size])


@given(st.binary(max_size=120))
def test_any_bytes_give_packets_or_a_remote_error(data: bytes) -> None:
    """Any body under any type: the parser never fails otherwise."""
    with contextlib.suppress(RemoteMediaError):
        rtcp.parse_compound(data)


@given(st.sampled_from(range(200, 208)), st.integers(0, 31), st.binary(max_size=64))
def test_any_body_under_a_sound_header_is_judged(kind: int, count: int, body: bytes) -> None:
    """Reaches behind the header check, where random bytes seldom come."""
    body += bytes(-len(body) % 4)
    head = bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big")
    try:
        packets = rtcp.parse_compound(head + body)
    except RemoteMediaError:
        return
    assert len(packets) == 1
    rtcp.build(packets[0])


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=40, unique=True))
def test_a_nack_names_exactly_the_lost_ones(lost: list[int]) -> None:
    """Bit masks compress neighbours; none may be lost or invented."""
    (parsed,) = rtcp.parse_compound(rtcp.build(rtcp.Nack(1, 2, tuple(sorted(lost)))))
    assert isinstance(parsed, rtcp.Nack)
    assert sorted(parsed.lost) == sorted(lost)


def test_seeds_of_other_projects_raise_only_remote_errors() -> None:
    """Bytes that once broke another parser, whole and cut."""
    for name in ("webrtc-rtcp", "rtcp-pion", "rtp-rtcp-sctp-aiortc", "srtp-libsrtp"):
        for path in suite(f"badinput/{name}"):
            data = path.read_bytes()
            for cut in range(min(len(data), 100) + 1):
                with contextlib.suppress(RemoteMediaError):
                    rtcp.parse_compound(data[: cut or None])


def test_packets_that_other_projects_call_invalid_are_refused() -> None:
    """aiortc's own list of what has to be rejected."""
    for path in suite("badinput/rtp-rtcp-sctp-aiortc", "rtcp_*"):
        if "invalid" in path.name or "truncated" in path.name:
            with pytest.raises(RemoteMediaError):
                rtcp.parse_compound(path.read_bytes())
        else:
            assert rtcp.parse_compound(path.read_bytes())


def test_too_many_reports_are_our_mistake() -> None:
    """The count field has five bits."""
    with pytest.raises(LocalMediaError):
        rtcp.build(rtcp.ReceiverReport(1, (BLOCK,) * 32))
