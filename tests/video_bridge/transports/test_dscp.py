"""Packets are marked as the installation says."""

from __future__ import annotations

import os
import socket

import pytest

from video_bridge.errors import LocalMediaError
from video_bridge.transports.dscp import Marking, parse_dscp
from video_bridge.transports.rtp_ports import RtpPorts

FIRST = 37_800 + os.getpid() % 100 * 16


@pytest.mark.parametrize(
    ("text", "value"),
    [("EF", 46), ("af41", 34), ("AF13", 14), ("CS5", 40), ("0", 0), ("off", None)],
)
def test_names_of_rfc_2474_are_understood(text: str, value: int | None) -> None:
    """Network departments write EF and AF41, not 46 and 34."""
    assert parse_dscp(text) == value


@pytest.mark.parametrize("text", ["", "64", "AF51", "AF44", "CS8", "EF46", "-1"])
def test_other_words_are_refused(text: str) -> None:
    """A marking that nobody meant is worse than none."""
    with pytest.raises(LocalMediaError) as refused:
        parse_dscp(text)
    assert refused.value.code == "dscp_malformed"


def _tos(sock: socket.socket) -> int:
    return sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) >> 2


def test_sound_and_picture_leave_with_their_own_marks() -> None:
    """RTP and RTCP of a room's sound EF, of its picture AF41; a phone's bundle AF41."""
    ports = RtpPorts(FIRST, FIRST + 15)
    _, *sound = ports.take_pair("127.0.0.1", is_audio=True)
    _, *picture = ports.take_pair("0.0.0.0")
    _, bundle = ports.take_everywhere(["127.0.0.1", "::1"])
    assert [_tos(sock) for sock in sound] == [46, 46]
    assert [_tos(sock) for sock in picture] == [34, 34]
    for sock in bundle:
        is_six = sock.family == socket.AF_INET6
        mark = (
            sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) >> 2 if is_six else _tos(sock)
        )
        assert mark == 34
    for sock in (*sound, *picture, *bundle):
        sock.close()


def test_marking_can_be_off() -> None:
    """Some lines drop what is marked."""
    ports = RtpPorts(FIRST, FIRST + 15, Marking(audio=None, video=None))
    _, rtp, rtcp = ports.take_pair("127.0.0.1", is_audio=True)
    assert _tos(rtp) == _tos(rtcp) == 0
    rtp.close()
    rtcp.close()
