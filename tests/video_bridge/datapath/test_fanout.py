"""One rung's packets to many receivers, by each way this machine has."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.harness.processes import PATIENCE_S
from video_bridge.datapath import (
    Departures,
    Fanout,
    FanoutTarget,
    PythonFanout,
    SrtpKeys,
    SrtpProfile,
    SrtpReceiver,
    create_fanout,
    status,
)
from video_bridge.errors import LocalMediaError
from video_bridge.rtp.header_ext import parse_extensions
from video_bridge.rtp.packet import RtpPacket

WAYS: dict[str, Callable[[], Fanout]] = {"python": PythonFanout}
if status().datapath == "c":
    WAYS["c"] = create_fanout
SUITES = [None, *SrtpProfile]


def keys_of(profile: SrtpProfile | None) -> SrtpKeys | None:
    if profile is None:
        return None
    return SrtpKeys(profile, os.urandom(profile.key_size), os.urandom(profile.salt_size))


class Peer:
    """A receiver: its socket, its keys, what it got."""

    def __init__(self, keys: SrtpKeys | None = None, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM
        )
        self.socket.bind((host, 0))
        self.socket.settimeout(PATIENCE_S)
        self.keys = keys
        self._srtp = SrtpReceiver(keys) if keys else None

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.socket.getsockname()[:2]
        return host, port

    def raw(self, count: int) -> list[bytes]:
        return [self.socket.recv(4000) for _ in range(count)]

    def packets(self, count: int) -> list[RtpPacket]:
        return [
            RtpPacket.parse(self._srtp.unprotect(data) if self._srtp else data)
            for data in self.raw(count)
        ]

    def is_quiet(self) -> bool:
        self.socket.settimeout(0.05)
        try:
            self.socket.recv(4000)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False


@pytest.fixture
def source() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture(params=list(WAYS))
def fanout(request: pytest.FixtureRequest) -> Fanout:
    made = WAYS[request.param]()
    assert made.datapath == request.param
    return made


@pytest.mark.parametrize("profile", SUITES, ids=str)
def test_peers_get_the_frame_under_their_own_header_and_key(
    profile: SrtpProfile | None, source: socket.socket, fanout: Fanout
) -> None:
    """Three peers, three keys, over the roll-over of the sequence number."""
    peers = [Peer(keys_of(profile)) for _ in range(3)]
    targets = [
        FanoutTarget(source.fileno(), p.address, 100 + i, 96 + i, 65_530 + i, 1000 * i, p.keys)
        for i, p in enumerate(peers)
    ]
    for frame in range(5):
        payloads = [bytes([frame, part]) * 400 for part in range(3)]
        result = fanout.send(targets, payloads, 0xFFFFFF00 + frame * 3600)
        assert (result.sent, result.failed) == (9, 0)
    for i, peer in enumerate(peers):
        got = peer.packets(15)
        assert [p.sequence_number for p in got] == [(65_530 + i + n) & 0xFFFF for n in range(15)]
        assert [p.payload for p in got] == [bytes([n // 3, n % 3]) * 400 for n in range(15)]
        assert [p.marker for p in got] == [False, False, True] * 5
        assert {p.ssrc for p in got} == {100 + i}
        assert {p.payload_type for p in got} == {96 + i}
        first = (0xFFFFFF00 + 1000 * i) & 0xFFFFFFFF
        assert [p.timestamp for p in got[::3]] == [
            (first + n * 3600) & 0xFFFFFFFF for n in range(5)
        ]
        assert targets[i].packets_sent == 15
        assert targets[i].octets_sent == 15 * 800
        assert targets[i].last_timestamp == got[-1].timestamp


@pytest.mark.parametrize("profile", SUITES, ids=str)
def test_a_packet_sent_again_is_the_same_byte_for_byte(
    profile: SrtpProfile | None, source: socket.socket, fanout: Fanout
) -> None:
    """Also when the sequence number rolled over since: a new nonce would be a different packet."""
    peer = Peer(keys_of(profile))
    target = FanoutTarget(source.fileno(), peer.address, 5, 96, 65_534, 0, peer.keys)
    for frame in range(3):
        fanout.send([target], [bytes([frame, part]) * 99 for part in range(2)], frame)
    first = peer.raw(6)
    assert fanout.resend(target, [65_535, 1, 40_000]) == 2
    assert sorted(peer.raw(2)) == sorted([first[1], first[3]])
    assert fanout.packets_resent == 2
    assert peer.is_quiet()


def test_what_is_too_old_is_not_sent_again(source: socket.socket) -> None:
    """History is bounded; a receiver asking for more wants a key frame."""
    peer = Peer()
    for make in WAYS.values():
        fanout = make()
        fanout._history_batches = 4
        target = FanoutTarget(source.fileno(), peer.address, 5, 96)
        for frame in range(10):
            fanout.send([target], [b"x"], frame)
        peer.raw(10)
        assert fanout.resend(target, range(10)) == 4
        peer.raw(4)


@pytest.mark.parametrize("profile", [None, SrtpProfile.AEAD_AES_128_GCM], ids=str)
def test_a_target_moves_to_another_rung_without_a_break(
    profile: SrtpProfile | None, source: socket.socket
) -> None:
    """Same SSRC, sequence numbers going on, the roll-over counter too; old packets resendable."""
    for make in WAYS.values():
        low, high = make(), make()
        peer = Peer(keys_of(profile))
        target = FanoutTarget(source.fileno(), peer.address, 5, 96, 65_535, 0, peer.keys)
        low.send([target], [b"low1", b"low2"], 1)
        target.payload_type = 97
        high.send([target], [b"high"], 2)
        got = peer.packets(3)
        assert [(p.sequence_number, p.payload, p.payload_type) for p in got] == [
            (65_535, b"low1", 96),
            (0, b"low2", 96),
            (1, b"high", 97),
        ]
        assert high.resend(target, [0, 1]) == 1
        assert low.resend(target, [0]) == 1


def test_a_header_extension_rides_on_every_packet(source: socket.socket, fanout: Fanout) -> None:
    """MID, so that a bundled peer knows the media before it knows the SSRC."""
    extension = bytes.fromhex("bede0001") + b"\x10\x30\x00\x00"
    for profile in SUITES:
        peer = Peer(keys_of(profile))
        target = FanoutTarget(
            source.fileno(), peer.address, 5, 96, 7, 0, peer.keys, extension=extension
        )
        fanout.send([target], [b"a" * 33, b"b" * 20], 1, marker_last=False)
        got = peer.packets(2)
        assert [p.payload for p in got] == [b"a" * 33, b"b" * 20]
        assert {p.extensions for p in got} == {b"\x10\x30\x00\x00"}
        assert not any(p.marker for p in got)
    with pytest.raises(LocalMediaError):
        FanoutTarget(source.fileno(), peer.address, 5, 96, extension=b"odd")


def test_packets_carry_transport_wide_numbers_and_feedback_finds_them(
    source: socket.socket, fanout: Fanout
) -> None:
    """Two streams of a leg share the numbers; what was sent again as it was keeps its own."""
    peer, departures = Peer(keys_of(SrtpProfile.AEAD_AES_128_GCM)), Departures(3)
    camera, slides = (
        FanoutTarget(
            source.fileno(), peer.address, ssrc, 96, 0, 0, peer.keys, departures=departures
        )
        for ssrc in (5, 6)
    )
    fanout.send([camera, slides], [b"a" * 50, b"b" * 50], 1)
    fanout.send([camera], [b"c" * 50], 2)
    got = peer.packets(5)
    numbers = [parse_extensions(p.extension_profile, p.extensions)[3] for p in got]
    assert [int.from_bytes(number) for number in numbers] == [1, 2, 3, 4, 5]
    assert fanout.resend(camera, [1]) == 1
    assert peer.raw(1)
    passages = departures.passages([(2, 7_000_000), (4, None), (5, 7_001_000), (6, 1)])
    assert [p.arrived_s for p in passages] == [7.0, None, 7.001]
    assert [p.octets for p in passages] == [70, 70, 70]
    assert passages[0].sent_s <= passages[2].sent_s
    with pytest.raises(LocalMediaError):
        Departures(15)


def test_what_is_asked_again_comes_on_the_rtx_stream(source: socket.socket, fanout: Fanout) -> None:
    """RFC 4588 section 4: own SSRC, type and numbers; the old number before the payload."""
    for profile in SUITES:
        peer = Peer(keys_of(profile))
        rtx = FanoutTarget(source.fileno(), peer.address, 8, 97, 65_535, 0, peer.keys)
        target = FanoutTarget(source.fileno(), peer.address, 5, 96, 65_535, 3, peer.keys, rtx=rtx)
        fanout.send([target], [b"one", b"two"], 100)
        first = peer.packets(2)
        assert fanout.resend(target, [0]) == 1
        assert fanout.resend(target, [0, 9]) == 1
        again = peer.packets(2)
        assert [p.payload for p in again] == [b"\0\0two"] * 2
        assert [(p.ssrc, p.payload_type, p.sequence_number) for p in again] == [
            (8, 97, 65_535),
            (8, 97, 0),
        ]
        assert {(p.timestamp, p.marker) for p in again} == {(first[1].timestamp, True)}
        target.close()
        assert rtx.is_closed
        assert fanout.resend(target, [0]) == 0


def test_frames_of_any_shape_arrive_whole(source: socket.socket, fanout: Fanout) -> None:
    """One packet, very many, growing and shrinking sizes: segmentation must not mix them."""
    peer = Peer(keys_of(SrtpProfile.AES_CM_128_HMAC_SHA1_80))
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    target = FanoutTarget(source.fileno(), peer.address, 5, 96, 0, 0, peer.keys)
    shapes = [[1], [1200] * 40, [100, 1200], [1200, 100, 100, 7], [5, 5, 5, 900, 900, 3], [1300]]
    for number, shape in enumerate(shapes):
        payloads = [bytes([number]) * size for size in shape]
        fanout.send([target], payloads, number)
        assert [p.payload for p in peer.packets(len(shape))] == payloads


def test_ipv6_peers_are_served(fanout: Fanout) -> None:
    """A phone's network may have nothing else."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as source:
        try:
            source.bind(("::1", 0))
        except OSError:
            return  # no IPv6 in this namespace: nothing to show
        peer = Peer(host="::1")
        target = FanoutTarget(source.fileno(), peer.address, 5, 96)
        fanout.send([target], [b"six"], 1)
        assert peer.packets(1)[0].payload == b"six"


def test_an_ipv4_peer_behind_a_dual_stack_socket_is_served(fanout: Fanout) -> None:
    """One IPv6 socket may serve both families by mapped addresses."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as source:
        try:
            source.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            source.bind(("::", 0))
        except OSError:
            return
        peer = Peer()
        target = FanoutTarget(source.fileno(), ("::ffff:127.0.0.1", peer.address[1]), 5, 96)
        fanout.send([target], [b"mapped"], 1)
        assert peer.packets(1)[0].payload == b"mapped"


def test_a_target_follows_its_peer_to_a_new_address(source: socket.socket, fanout: Fanout) -> None:
    """Symmetric RTP: the room's packets began to come from elsewhere."""
    old, new = Peer(), Peer()
    target = FanoutTarget(source.fileno(), old.address, 5, 96)
    fanout.send([target], [b"one"], 1)
    target.move_to(new.address)
    fanout.send([target], [b"two"], 2)
    assert old.packets(1)[0].payload == b"one"
    assert new.packets(1)[0].payload == b"two"
    with pytest.raises(LocalMediaError):
        target.move_to(("hall.example", 5004))


def test_a_target_outlives_the_descriptor_it_was_given(fanout: Fanout) -> None:
    """A closed transport's descriptor number may already be somebody else's."""
    source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer = Peer()
    target = FanoutTarget(source.fileno(), peer.address, 5, 96)
    source.close()
    assert fanout.send([target], [b"x"], 1).sent == 1
    peer.raw(1)
    target.close()
    target.close()
    assert fanout.send([target], [b"x"], 2).sent == 0
    assert fanout.resend(target, [0]) == 0
    assert peer.is_quiet()


def test_a_peer_that_cannot_be_reached_costs_the_others_nothing(
    source: socket.socket, fanout: Fanout
) -> None:
    """The kernel refuses a datagram to port 0: counted, not raised."""
    good = Peer()
    bad = FanoutTarget(source.fileno(), ("127.0.0.1", 0), 4, 96)
    target = FanoutTarget(source.fileno(), good.address, 5, 96)
    result = fanout.send([bad, target], [b"x", b"y"], 1)
    assert (result.sent, result.failed) == (2, 2)
    assert bad.packets_failed == 2
    assert len(good.packets(2)) == 2


def test_packets_may_leave_by_another_way(source: socket.socket, fanout: Fanout) -> None:
    """Through a TURN allocation, for instance: protected just the same."""
    keys = keys_of(SrtpProfile.AEAD_AES_256_GCM)
    out: list[bytes] = []
    target = FanoutTarget(-1, ("127.0.0.1", 9), 5, 96, srtp=keys, sender=out.append)
    fanout.send([target], [b"relayed"], 1)
    assert keys is not None
    assert RtpPacket.parse(SrtpReceiver(keys).unprotect(out[0])).payload == b"relayed"


@pytest.mark.parametrize("profile", [None, SrtpProfile.AES_CM_128_HMAC_SHA1_32], ids=str)
def test_a_large_frame_may_leave_in_parts(
    profile: SrtpProfile | None, source: socket.socket, fanout: Fanout
) -> None:
    """Sixteen packets each few milliseconds; a small frame sent meanwhile does not mix in."""
    peer = Peer(keys_of(profile))
    gone = Peer()
    target = FanoutTarget(source.fileno(), peer.address, 5, 96, 65_520, 0, peer.keys)
    leaving = FanoutTarget(source.fileno(), gone.address, 6, 96)
    payloads = [bytes([number]) * 500 for number in range(40)]
    departure = fanout.prepare([target, leaving], payloads, 1)
    assert departure.send().sent == 32
    leaving.close()
    assert fanout.send([target], [b"audio"], 2).sent == 1
    assert departure.remaining == 24
    assert departure.send(20).sent == 20
    assert departure.send().sent == 4
    assert (departure.remaining, departure.send().sent) == (0, 0)
    got = sorted(peer.packets(41), key=lambda p: (p.sequence_number - 65_520) & 0xFFFF)
    assert [p.payload for p in got] == [*payloads, b"audio"]
    assert [p.marker for p in got] == [False] * 39 + [True, True]
    assert len(gone.packets(16)) == 16
    assert gone.is_quiet()


def test_an_empty_frame_sends_nothing(source: socket.socket, fanout: Fanout) -> None:
    """An encoder may give none (rate control skipped a picture)."""
    target = FanoutTarget(source.fileno(), ("127.0.0.1", 9), 5, 96)
    assert fanout.send([target], [], 1).sent == 0
    assert target.next_sequence_number == 0
