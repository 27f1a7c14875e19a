"""A socket's packets taken in, by each way this machine has."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.datapath import (
    DatagramKind,
    Intake,
    PythonIntake,
    SrtpKeys,
    SrtpProfile,
    SrtpSender,
    create_intake,
    status,
)
from video_bridge.rtp import header_ext, rtcp
from video_bridge.rtp.packet import RtpPacket

from .test_fanout import keys_of

MakeIntake = Callable[..., Intake]
WAYS: dict[str, MakeIntake] = {"python": PythonIntake}
if status().datapath == "c":
    WAYS["c"] = create_intake
SUITES = [None, *SrtpProfile]
STUN = bytes.fromhex("000100002112a442") + bytes(12)
DTLS = bytes.fromhex("16fefd0000000000000000") + bytes(20)
REPORT = rtcp.build(rtcp.ReceiverReport(7))


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind(("127.0.0.1", 0))
    return sock


@pytest.fixture
def here() -> Iterator[socket.socket]:
    with _socket() as sock:
        yield sock


@pytest.fixture
def peer(here: socket.socket) -> Iterator[socket.socket]:
    with _socket() as sock:
        sock.connect(here.getsockname())
        yield sock


@pytest.fixture(params=list(WAYS))
def make(request: pytest.FixtureRequest) -> MakeIntake:
    return WAYS[request.param]


def _packet(sequence: int, ssrc: int = 1, size: int = 50, **more: object) -> bytes:
    payload = bytes([sequence & 0xFF]) * size
    return bytes(RtpPacket(96, sequence & 0xFFFF, sequence, ssrc, payload, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", SUITES, ids=str)
def test_packets_are_opened_and_everything_else_is_handed_on(
    profile: SrtpProfile | None, here: socket.socket, peer: socket.socket, make: MakeIntake
) -> None:
    """RTP, RTCP, STUN and DTLS share a WebRTC socket (RFC 7983, RFC 5761)."""
    keys = keys_of(profile)
    sender = SrtpSender(keys) if keys else None
    intake = make(here.fileno(), keys)
    plain = [_packet(sequence) for sequence in range(65_530, 65_540)]
    for data in [STUN, *(sender.protect(p) if sender else p for p in plain), REPORT, DTLS]:
        peer.send(data)
    found = intake.read()
    assert [d.data for d in found] == [STUN, *plain, REPORT, DTLS]
    assert [d.kind for d in found] == [0, *[1] * 10, 0, 0]
    assert {d.address for d in found} == {peer.getsockname()}
    assert intake.read() == []
    assert intake.packets_refused == 0
    intake.close()


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_forgery_replay_and_truncation_are_refused(
    profile: SrtpProfile, here: socket.socket, peer: socket.socket, make: MakeIntake
) -> None:
    """Every flipped byte, the same packet twice, every shorter one; then a good one passes."""
    keys = keys_of(profile)
    assert keys is not None
    sender = SrtpSender(keys)
    intake = make(here.fileno(), keys)
    good = sender.protect(_packet(1, size=12))
    bad = [bytes([*good[:i], good[i] ^ 0x04, *good[i + 1 :]]) for i in range(2, len(good))]
    bad += [good[:size] for size in range(2, len(good))]
    for start in range(0, len(bad), 30):
        for data in bad[start : start + 30]:
            peer.send(data)
        assert {d.kind for d in intake.read()} == {DatagramKind.REFUSED}
    assert intake.packets_refused == len(bad)
    for data in (good, good, sender.protect(_packet(2))):
        peer.send(data)
    assert [d.kind for d in intake.read()] == [1, 2, 1]


@pytest.mark.parametrize("profile", [SrtpProfile.AES_CM_128_HMAC_SHA1_80, None], ids=str)
def test_the_level_is_told_where_the_packet_has_one(
    profile: SrtpProfile | None, here: socket.socket, peer: socket.socket, make: MakeIntake
) -> None:
    """RFC 6464, so that silent legs need no decoding."""
    keys = keys_of(profile)
    sender = SrtpSender(keys) if keys else None
    intake = make(here.fileno(), keys, level_id=3)
    elements: list[dict[int, bytes]] = [{1: b"mid", 3: b"\xaa"}, {3: b"\x7f"}, {1: b"mid"}]
    for sequence, element in enumerate(elements):
        extension, body = header_ext.build_extensions(element)
        data = _packet(sequence, extension_profile=extension, extensions=body)
        peer.send(sender.protect(data) if sender else data)
    data = _packet(9)
    peer.send(sender.protect(data) if sender else data)
    data = _packet(10, extension_profile=0x1000, extensions=b"\x03\x01\xaa\x00")
    peer.send(sender.protect(data) if sender else data)
    assert [d.level_dbov for d in intake.read()] == [-42, -127, None, None, None]


def test_keys_may_come_later(here: socket.socket, peer: socket.socket, make: MakeIntake) -> None:
    """The socket is read from the first STUN packet on; the handshake ends later."""
    keys = keys_of(SrtpProfile.AEAD_AES_256_GCM)
    assert keys is not None
    intake = make(here.fileno())
    peer.send(DTLS)
    assert [d.kind for d in intake.read()] == [DatagramKind.OTHER]
    intake.set_keys(keys)
    peer.send(SrtpSender(keys).protect(_packet(1)))
    assert [d.data for d in intake.read()] == [_packet(1)]


def test_many_packets_come_in_batches(
    here: socket.socket, peer: socket.socket, make: MakeIntake
) -> None:
    """The caller reads until nothing is left."""
    intake = make(here.fileno())
    for sequence in range(100):
        peer.send(_packet(sequence, size=1300))
    sizes = []
    while batch := intake.read():
        sizes.append(len(batch))
    assert sum(sizes) == 100
    assert max(sizes) == 32


def test_an_oversized_datagram_is_refused(
    here: socket.socket, peer: socket.socket, make: MakeIntake
) -> None:
    """No peer sends more than a frame of Ethernet; it must not be taken for a whole packet."""
    intake = make(here.fileno())
    peer.send(_packet(1, size=5000))
    peer.send(_packet(2))
    assert [d.kind for d in intake.read()] == [DatagramKind.REFUSED, DatagramKind.RTP]


def test_a_closed_intake_reads_nothing(here: socket.socket, make: MakeIntake) -> None:
    """Closing twice is harmless, and the caller's descriptor stays his."""
    intake = make(here.fileno())
    intake.close()
    intake.close()
    assert intake.read() == []
    assert here.fileno() >= 0
    assert here.getsockname()


def test_ipv6_addresses_are_written_out(make: MakeIntake) -> None:
    """Symmetric RTP answers to where packets come from."""
    with ExitStack() as stack:
        ends = [
            stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) for _ in "ab"
        ]
        try:
            for end in ends:
                end.bind(("::1", 0))
        except OSError:
            return  # no IPv6 here: nothing to show
        ends[0].sendto(_packet(1), ends[1].getsockname())
        (found,) = make(ends[1].fileno()).read()
        assert found.address == ends[0].getsockname()[:2]


def _both(keys: SrtpKeys | None, packets: list[bytes]) -> list[list[tuple[bytes, int]]]:
    """What each way makes of the same packets."""
    out = []
    for make in WAYS.values():
        with _socket() as here, _socket() as peer:
            intake = make(here.fileno(), keys, level_id=1)
            found: list[tuple[bytes, int]] = []
            for start in range(0, len(packets), 32):
                for data in packets[start : start + 32]:
                    peer.sendto(data, here.getsockname())
                found += [
                    (d.data if d.kind is not DatagramKind.REFUSED else b"", d.kind)
                    for d in intake.read()
                ]
            intake.close()
            out.append(found)
    return out


@settings(max_examples=60)
@given(
    profile=st.sampled_from(SUITES),
    start=st.sampled_from([0, 40_000, 65_400, 65_535]),
    rng=st.randoms(use_true_random=False),
)
def test_both_ways_judge_alike(profile: SrtpProfile | None, start: int, rng: random.Random) -> None:
    """Three SSRCs, shuffled, doubled, forged, cut, over the roll-over, mixed with junk."""
    keys = keys_of(profile)
    sender = SrtpSender(keys) if keys else None
    packets = []
    for number in range(rng.randint(1, 120)):
        ssrc = rng.choice([1, 2, 0xFFFFFFFF])
        data = _packet(start + number, ssrc, rng.randint(0, 60))
        packets.append(sender.protect(data) if sender else data)
    for _ in range(rng.randint(0, 20)):
        packets.insert(rng.randrange(len(packets)), rng.choice(packets))
        forged = bytearray(rng.choice(packets))
        forged[rng.randrange(len(forged))] ^= 1 << rng.randrange(8)
        packets.insert(rng.randrange(len(packets)), bytes(forged))
        whole = rng.choice(packets)
        packets.insert(rng.randrange(len(packets)), whole[: rng.randint(1, len(whole))])
        packets.insert(rng.randrange(len(packets)), rng.choice([STUN, DTLS, REPORT]))
    for at in range(0, len(packets) - 4, 3):
        other = at + rng.randint(0, 4)
        packets[at], packets[other] = packets[other], packets[at]
    results = _both(keys, packets)
    assert results.count(results[0]) == len(WAYS)
    assert len(results[0]) == len(packets)


def test_both_ways_remember_a_thousand_packets_and_follow_jumps() -> None:
    """Replay protection: just inside and just outside the window, after small and large steps."""
    keys = keys_of(SrtpProfile.AEAD_AES_128_GCM)
    assert keys is not None
    rng = random.Random(2)
    order = [0]
    for step in (1, 63, 64, 65, 500, 959, 960, 1023, 1024, 1025, 3000, 9000):
        order.append(max(order) + step)
        order += [max(order) - back for back in (0, 1, 62, 63, 64, 65, 500, 1022, 1023)]
    order += [max(order) - rng.randrange(1020) for _ in range(200)]
    packets = []
    for index in order:
        if index >= 0:  # a sender of its own for each: it may not go back itself
            packets.append(SrtpSender(keys).protect(_packet(index & 0xFFFF)))
    results = _both(keys, packets)
    assert results.count(results[0]) == len(WAYS)
    assert {kind for _, kind in results[0]} == {1, 2}


def test_seeds_of_libsrtp_are_judged_alike() -> None:
    """Its own fuzzing corpus, opened with a key it was not made for, and without any."""
    seeds = [p.read_bytes()[:1500] for p in suite("badinput/srtp-libsrtp")]
    seeds = [seed for seed in seeds if seed]
    for keys in (keys_of(SrtpProfile.AES_CM_128_HMAC_SHA1_32), None):
        results = _both(keys, seeds)
        assert results.count(results[0]) == len(WAYS)


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_sources_come_and_go(
    profile: SrtpProfile, here: socket.socket, peer: socket.socket, make: MakeIntake
) -> None:
    """A peer that changes its SSRC forty times is still heard."""
    keys = SrtpKeys(profile, os.urandom(profile.key_size), os.urandom(profile.salt_size))
    sender = SrtpSender(keys)
    intake = make(here.fileno(), keys)
    for ssrc in range(1, 41):
        peer.send(sender.protect(_packet(ssrc, ssrc)))
        peer.send(sender.protect(_packet(ssrc + 1, ssrc)))
        assert [d.kind for d in intake.read()] == [1, 1]
