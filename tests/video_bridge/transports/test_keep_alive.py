"""Empty packets through a NAT: soon and often at first, then as the far end wants them."""

from __future__ import annotations

from video_bridge.messages import KeepAlive
from video_bridge.rtp.packet import RtpPacket
from video_bridge.transports.keep_alive import AT_ONCE, KeptOpen, is_keep_alive

TERMS = KeepAlive(host="203.0.113.1", port=30_000, payload_type=127, interval_s=15)


def test_keep_alives_come_at_once_and_then_at_the_interval() -> None:
    """The first may be early, before the far end knows their type; NATs forget after 30 s."""
    kept, times = KeptOpen(TERMS, ssrc=7), []
    for tenth in range(1000):
        if kept.due(100.0 + tenth / 10) is not None:
            times.append(tenth / 10)
    assert times[:AT_ONCE] == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert [round(b - a) for a, b in zip(times[AT_ONCE - 1 :], times[AT_ONCE:], strict=False)] == [
        15
    ] * 6


def test_a_keep_alive_is_an_rtp_packet_without_payload() -> None:
    """Of a source of its own, so that it leaves no gap in the numbers of the media."""
    octets = KeptOpen(TERMS, ssrc=7).due(0.0)
    assert octets is not None
    packet = RtpPacket.parse(octets)
    assert (packet.payload_type, packet.payload, packet.ssrc) == (127, b"", 8)
    assert is_keep_alive(octets, 127)
    assert not is_keep_alive(octets, 110) and not is_keep_alive(octets, None)
