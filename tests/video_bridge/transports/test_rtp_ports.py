"""Ports come from the range, in pairs, and late packets do not meet a new leg."""

import pytest

from tests.harness.processes import free_udp_ports
from video_bridge.errors import LocalMediaError
from video_bridge.transports.rtp_ports import RtpPorts, source_address


@pytest.fixture
def first() -> int:
    """The least of eight ports that nobody has."""
    return free_udp_ports(8)


def test_pairs_are_even_and_odd_inside_the_range(first: int) -> None:
    """RFC 3550: RTP on an even port, RTCP on the next; firewalls open a range."""
    ports = RtpPorts(first, first + 7)
    taken = [ports.take_pair("127.0.0.1") for _ in range(ports.free_pairs)]
    for port, rtp, rtcp in taken:
        assert port % 2 == 0 and first <= port < first + 8
        assert (rtp.getsockname()[1], rtcp.getsockname()[1]) == (port, port + 1)
    with pytest.raises(LocalMediaError) as full:
        ports.take_pair("127.0.0.1")
    assert full.value.code == "rtp_ports_exhausted"
    for port, rtp, rtcp in taken:
        rtp.close()
        rtcp.close()
        ports.give_back(port)
    assert ports.free_pairs == len(taken)


def test_returned_port_is_taken_again_last(first: int) -> None:
    """The peer of a closed leg goes on sending for a while."""
    ports = RtpPorts(first, first + 7)
    order = []
    for _ in range(5):
        port, sockets = ports.take_everywhere(["127.0.0.1"])
        order.append(port)
        for sock in sockets:
            sock.close()
        ports.give_back(port)
    assert len(set(order[:4])) == 4 and order[4] == order[0]


def test_port_in_use_by_another_is_passed_over(first: int) -> None:
    """The machine is not ours alone."""
    ports = RtpPorts(first, first + 7)
    port, rtp, rtcp = ports.take_pair("127.0.0.1")
    other = RtpPorts(first, first + 7)
    second, *sockets = other.take_pair("127.0.0.1")
    assert second != port
    for sock in (rtp, rtcp, *sockets):
        sock.close()


def test_range_must_be_one() -> None:
    """A wrong option is told at the start."""
    for first, last in ((80, 90), (3000, 2000), (65_000, 70_000)):
        with pytest.raises(LocalMediaError):
            RtpPorts(first, last)


def test_address_towards_a_peer_is_our_own() -> None:
    """What a room is told to send to must reach us."""
    assert source_address("127.0.0.1") == "127.0.0.1"
    assert source_address(None)
