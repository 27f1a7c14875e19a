"""RTP packets and their header extensions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.rtp import header_ext
from video_bridge.rtp.packet import RtpPacket, is_rtcp, sequence_distance, timestamp_distance

u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@st.composite
def packets(draw: st.DrawFn) -> RtpPacket:
    extended = draw(st.booleans())
    words = draw(st.integers(0, 6))
    return RtpPacket(
        payload_type=draw(st.integers(0, 127)),
        marker=draw(st.booleans()),
        sequence_number=draw(u16),
        timestamp=draw(u32),
        ssrc=draw(u32),
        csrc=tuple(draw(st.lists(u32, max_size=15))),
        extension_profile=draw(u16) if extended else None,
        extensions=draw(st.binary(min_size=4 * words, max_size=4 * words)) if extended else b"",
        payload=draw(st.binary(max_size=64)),
        padding_size=draw(st.integers(0, 16)),
    )


@given(packets())
def test_parse_is_the_inverse_of_bytes(packet: RtpPacket) -> None:
    """Forwarding must not change a packet."""
    assert RtpPacket.parse(bytes(packet)) == packet


@given(st.binary(max_size=80))
def test_any_bytes_give_a_packet_or_a_remote_error(data: bytes) -> None:
    """The network may send anything; only RemoteMediaError leaves the parser."""
    try:
        packet = RtpPacket.parse(data)
        header_ext.parse_extensions(packet.extension_profile, packet.extensions)
    except RemoteMediaError:
        return
    assert len(bytes(packet)) == len(data)


def test_a_packet_cut_anywhere_in_its_header_is_refused() -> None:
    """A truncated header, CSRC list or extension is not read beyond its end."""
    packet = RtpPacket(96, 1, 2, 3, csrc=(4, 5), extension_profile=0xBEDE, extensions=b"abcdefgh")
    whole = bytes(packet)
    for size in range(len(whole)):
        with pytest.raises(RemoteMediaError):
            RtpPacket.parse(whole[:size])
    assert RtpPacket.parse(whole) == packet


def test_seeds_of_other_projects_raise_only_remote_errors() -> None:
    """Bytes that once broke another parser."""
    for name in ("badinput/webrtc-rtp", "badinput/srtp-libsrtp", "badinput/rtp-rtcp-sctp-aiortc"):
        for path in suite(name):
            data = path.read_bytes()
            for cut in range(min(len(data), 80) + 1):
                try:
                    packet = RtpPacket.parse(data[: cut or None])
                    header_ext.parse_extensions(packet.extension_profile, packet.extensions)
                except RemoteMediaError:
                    pass


def test_rtcp_is_told_from_rtp_by_its_packet_type() -> None:
    """One port carries both with rtcp-mux; RTP types 64 to 95 are not used with it."""
    assert is_rtcp(bytes.fromhex("80c80006"))
    assert not is_rtcp(bytes(RtpPacket(96, 1, 2, 3, marker=True)))
    assert not is_rtcp(b"")


@given(u16, st.integers(-0x8000, 0x7FFF))
def test_sequence_distance_wraps(base: int, step: int) -> None:
    """65535 is followed by 0."""
    assert sequence_distance((base + step) & 0xFFFF, base) == step


@given(u32, st.integers(-0x80000000, 0x7FFFFFFF))
def test_timestamp_distance_wraps(base: int, step: int) -> None:
    """A timestamp starts anywhere and rolls over."""
    assert timestamp_distance((base + step) & 0xFFFFFFFF, base) == step


@given(st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), min_size=1))
def test_one_byte_extensions_round_trip(elements: dict[int, bytes]) -> None:
    """The form that browsers use."""
    profile, body = header_ext.build_extensions(elements)
    assert profile == header_ext.ONE_BYTE_PROFILE
    assert header_ext.parse_extensions(profile, body) == elements


@given(st.dictionaries(st.integers(1, 255), st.binary(max_size=255), min_size=1, max_size=4))
def test_long_extensions_round_trip_in_two_byte_form(elements: dict[int, bytes]) -> None:
    """Ids above 14, empty and long values need the two-byte form."""
    elements[200] = b"forces the two-byte form"
    profile, body = header_ext.build_extensions(elements)
    assert profile == header_ext.TWO_BYTE_PROFILE
    assert header_ext.parse_extensions(profile, body) == elements


@pytest.mark.parametrize("level", [0, -1, -30, -127])
def test_audio_level_round_trips(level: int) -> None:
    """RFC 6464: seven bits of -dBov beside the voice bit."""
    value = header_ext.build_audio_level(header_ext.AudioLevel(level, has_voice=True))
    profile, body = header_ext.build_extensions({1: value, 4: b"video0"})
    packet = RtpPacket(111, 1, 2, 3, extension_profile=profile, extensions=body)
    assert header_ext.audio_level(packet, 1) == header_ext.AudioLevel(level, has_voice=True)
    assert header_ext.audio_level(packet, 2) is None
    assert header_ext.mid(packet, 4) == "video0"
    assert header_ext.mid(packet, 5) is None


def test_a_mid_that_is_not_text_is_refused() -> None:
    """A MID chooses the media; junk must not choose one by accident."""
    profile, body = header_ext.build_extensions({4: b"\xff\xfe"})
    packet = RtpPacket(111, 1, 2, 3, extension_profile=profile, extensions=body)
    with pytest.raises(RemoteMediaError):
        header_ext.mid(packet, 4)


def test_an_extension_that_is_no_whole_word_is_our_mistake() -> None:
    """The length field counts words; the caller has to pad."""
    with pytest.raises(LocalMediaError):
        bytes(RtpPacket(96, 1, 2, 3, extension_profile=1, extensions=b"abc"))
