"""The hub in C and its Python twin hand up, keep back and count the same."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from video_bridge.codecs.audio import QUIET_PEAK
from video_bridge.codecs.g711 import quiet_codes
from video_bridge.datapath import (
    Arrival,
    Counters,
    DatagramKind,
    Flow,
    Hub,
    Mode,
    Peer,
    PythonHub,
    SrtpProfile,
    SrtpSender,
    create_hub,
    status,
)
from video_bridge.rtp import rtcp
from video_bridge.rtp.header_ext import ONE_BYTE_PROFILE
from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.source import ReceiveStatistics
from video_bridge.streams.counted import CountedStatistics

from .test_fanout import keys_of

WAYS: dict[str, Callable[[], Hub]] = {"python": PythonHub}
if status().datapath == "c":
    WAYS["c"] = create_hub
SUITES = [None, *SrtpProfile]
SILENCE = b"\xd5" * 160
VOICE = bytes(range(160))


class Here:
    """A hub with one peer and one socket, and a far end to send from."""

    def __init__(self, make: Callable[[], Hub]) -> None:
        self.hub = make()
        self.peer: Peer = self.hub.peer()
        self.socket, self.far, self.stranger = (self._bound() for _ in range(3))
        self.line = self.hub.watch(self.peer, self.socket, 77)

    @staticmethod
    def _bound() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind(("127.0.0.1", 0))
        return sock

    def send(self, *packets: bytes) -> None:
        for data in packets:
            self.far.sendto(data, self.socket.getsockname())

    def read(self) -> list[Arrival]:
        found: list[Arrival] = []
        while True:
            arrivals, is_busy = self.hub.read()
            found += arrivals
            if not is_busy:
                return found

    def close(self) -> None:
        self.hub.unwatch(self.line)
        for sock in (self.socket, self.far, self.stranger):
            sock.close()
        self.hub.close()


@pytest.fixture(params=list(WAYS))
def here(request: pytest.FixtureRequest) -> Iterator[Here]:
    made = Here(WAYS[request.param])
    yield made
    made.close()


def _packet(sequence: int, payload: bytes = b"x" * 30, **more: object) -> bytes:
    fields: dict[str, object] = {"payload_type": 96, "timestamp": sequence * 160, "ssrc": 5}
    fields.update(more)
    return bytes(
        RtpPacket(sequence_number=sequence & 0xFFFF, payload=payload, **fields)  # type: ignore[arg-type]
    )


def _values(counters: Counters) -> tuple[object, ...]:
    names = ("ssrc", "starts", "base", "highest", "cycles", "received", "octets", "bytes")
    return tuple(getattr(counters, name) for name in (*names, "frames", "kept_back"))


@pytest.mark.parametrize("profile", SUITES, ids=str)
def test_rtp_and_rtcp_are_opened_and_the_rest_is_handed_up(
    profile: SrtpProfile | None, here: Here
) -> None:
    """RTP, RTCP, STUN and DTLS of a WebRTC leg share one socket."""
    keys = keys_of(profile)
    sender = SrtpSender(keys) if keys else None
    here.peer.set_keys(keys)
    rtp, report = _packet(65_535), rtcp.build_compound([rtcp.ReceiverReport(7, ())])
    stun = bytes.fromhex("000100002112a442") + bytes(12)
    here.send(
        sender.protect(rtp) if sender else rtp,
        stun,
        sender.protect_rtcp(report) if sender else report,
    )
    found = here.read()
    assert [(a.kind, a.data, a.tag) for a in found] == [
        (DatagramKind.RTP, rtp, 77),
        (DatagramKind.OTHER, stun, 77),
        (DatagramKind.RTCP, report, 77),
    ]
    assert {a.address for a in found} == {here.far.getsockname()}
    assert here.hub.packets_refused == 0


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_forged_replayed_and_malformed_packets_are_refused(
    profile: SrtpProfile, here: Here
) -> None:
    """Nothing of them reaches the leg, and nothing of them is counted."""
    keys = keys_of(profile)
    assert keys is not None
    sender = SrtpSender(keys)
    here.peer.set_keys(keys)
    here.peer.set_flow(0, Flow(96, 90_000))
    good = sender.protect(_packet(1))
    report = sender.protect_rtcp(rtcp.build_compound([rtcp.ReceiverReport(7, ())]))
    here.send(good, report)
    assert len(here.read()) == 2
    forged = good[:-1] + bytes((good[-1] ^ 1,))
    forged_report = report[:9] + bytes((report[9] ^ 1,)) + report[10:]
    here.send(good, report, forged, forged_report, good[:13], report[:12], b"\x80\xc8\x00\x00")
    assert here.read() == []
    assert here.hub.packets_refused == 7
    assert here.peer.counters(0).received == 1


def _wild(rng: random.Random) -> list[tuple[int, dict[str, object]]]:
    """Losses, reordering, duplicates, roll-over, jumps and a change of source."""
    sequence, sent = 65_400, []
    for step in range(600):
        sequence += rng.choice([1, 1, 1, 1, 1, 2, 5])
        if step in (200, 400):
            sequence += 20_000
        ssrc = 5 if step < 500 else 6
        sent.append((sequence, {"ssrc": ssrc, "marker": rng.random() < 0.2}))
        if rng.random() < 0.05:
            sent.append(sent[-1])
    for at in range(0, len(sent) - 1, 7):
        sent[at], sent[at + 1] = sent[at + 1], sent[at]
    return sent


def test_both_count_as_rfc_3550_says(here: Here) -> None:
    """Loss, order, roll-over and restarts come out as the plain statistics have them."""
    here.peer.set_flow(1, Flow(96, 8000))
    plain = ReceiveStatistics(8000)
    for sequence, more in _wild(random.Random(3)):
        data = _packet(sequence, **more)
        here.send(data)
        (arrival,) = here.read()
        packet = RtpPacket.parse(arrival.data)
        plain.received(
            packet.ssrc, packet.sequence_number, packet.timestamp, len(packet.payload), 0.0
        )
    counted = CountedStatistics(8000, here.peer.counters(1))
    theirs, ours = plain.report_block(1.0), counted.report_block(1.0)
    assert theirs is not None
    assert ours is not None
    assert (ours.ssrc, ours.packets_lost, ours.highest_sequence) == (
        theirs.ssrc,
        theirs.packets_lost,
        theirs.highest_sequence,
    )
    assert counted.packets_received == plain.packets_received
    assert counted.octets_received == plain.octets_received


@pytest.mark.skipif(len(WAYS) < 2, reason="no C datapath here")
def test_both_agree_on_any_packets() -> None:
    """Whatever comes: what is handed up and what is counted is the same."""
    rng = random.Random(9)
    pair = [Here(make) for make in WAYS.values()]
    for here in pair:
        here.peer.set_flow(0, Flow(96, 90_000))
        here.peer.set_flow(1, Flow(8, 8000, quiet_codes=quiet_codes("PCMA", QUIET_PEAK)))
        here.line.expect(here.far.getsockname())
        here.peer.set_mode(0, Mode.COUNT)
        here.peer.set_mode(1, Mode.GATE)
    for sequence, more in _wild(rng):
        kind = rng.choice([96, 8, 8, 101])
        payload = rng.choice([SILENCE, VOICE, os.urandom(rng.randrange(200)), b""])
        padding = rng.choice([0, 0, 0, 4])
        data = _packet(sequence, payload, payload_type=kind, padding_size=padding, **more)
        if rng.random() < 0.1:
            data = data[: rng.randrange(len(data) + 1)]
        if rng.random() < 0.1:
            at = rng.randrange(len(data) or 1)
            data = data[:at] + os.urandom(1) + data[at + 1 :]
        for here in pair:
            here.send(data)
    twin, native = ([(a.kind, a.data, a.level_dbov) for a in here.read()] for here in pair)
    assert twin == native
    for index in range(2):
        assert _values(pair[0].peer.counters(index)) == _values(pair[1].peer.counters(index))
    assert pair[0].hub.packets_refused == pair[1].hub.packets_refused
    for here in pair:
        here.close()


def test_a_hidden_picture_is_counted_and_kept_back(here: Here) -> None:
    """Of 144 sites nine are seen; the others' packets never reach Python."""
    here.peer.set_flow(0, Flow(96, 90_000))
    here.line.expect(here.far.getsockname())
    here.send(_packet(1))
    assert len(here.read()) == 1
    here.peer.set_mode(0, Mode.COUNT)
    here.send(*(_packet(n, marker=n % 2 == 0) for n in range(2, 40)), _packet(40, payload_type=8))
    assert [RtpPacket.parse(a.data).payload_type for a in here.read()] == [8]
    counters = here.peer.counters(0)
    assert (counters.received, counters.kept_back, counters.frames) == (39, 38, 19)
    assert counters.bytes == 39 * 42
    assert abs(counters.last_at - time.monotonic()) < 5
    here.peer.set_mode(0, Mode.PASS)
    here.send(_packet(41))
    assert len(here.read()) == 1


def test_packets_from_elsewhere_are_handed_up_whatever_the_mode(here: Here) -> None:
    """So a room is found that moved to another port (symmetric RTP)."""
    here.peer.set_flow(0, Flow(96, 90_000))
    here.peer.set_mode(0, Mode.COUNT)
    here.line.expect(here.far.getsockname())
    here.stranger.sendto(_packet(1), here.socket.getsockname())
    assert [a.address for a in here.read()] == [here.stranger.getsockname()]
    here.line.expect(None, anywhere=True)
    here.stranger.sendto(_packet(2), here.socket.getsockname())
    assert here.read() == []
    here.line.expect(None)
    here.send(_packet(3))
    assert len(here.read()) == 1


def test_a_silent_microphone_is_kept_back_and_its_first_word_is_not(here: Here) -> None:
    """After half a second without a sound; the packet that ends the silence passes."""
    here.peer.set_flow(0, Flow(8, 8000, quiet_codes=quiet_codes("PCMA", QUIET_PEAK)))
    here.peer.set_mode(0, Mode.GATE)
    here.line.expect(here.far.getsockname())
    began = time.monotonic()
    last_passed, first_kept = 0.0, 60.0  # a stall of this machine moves neither the wrong way
    sequence = 0
    while time.monotonic() - began < 1.0:
        sequence += 1
        sent = time.monotonic() - began
        here.send(_packet(sequence, SILENCE, payload_type=8))
        if here.read():
            last_passed = sent
        else:
            first_kept = min(first_kept, time.monotonic() - began)
        time.sleep(0.02)
    assert first_kept > 0.4
    assert last_passed < 0.9
    here.send(_packet(sequence + 1, VOICE, payload_type=8))
    assert len(here.read()) == 1
    here.send(_packet(sequence + 2, SILENCE, payload_type=8))
    assert len(here.read()) == 1


def test_the_sender_s_own_word_of_silence_is_believed(here: Here) -> None:
    """RFC 6464: a browser tells the level of each packet of a microphone."""
    keys = keys_of(SrtpProfile.AEAD_AES_128_GCM)
    assert keys is not None
    sender = SrtpSender(keys)
    here.peer.set_keys(keys, 3)
    here.peer.set_flow(0, Flow(111, 48_000, dtx_size=2))
    here.peer.set_mode(0, Mode.GATE)
    here.line.expect(None, anywhere=True)
    levels = [-90, -20]
    for number, level in enumerate(levels):
        extension = bytes((0x30, -level, 0, 0))
        data = _packet(
            number, payload_type=111, extension_profile=ONE_BYTE_PROFILE, extensions=extension
        )
        here.send(sender.protect(data))
    assert [a.level_dbov for a in here.read()] == levels


def test_a_flow_that_stays_goes_on_counting(here: Here) -> None:
    """A re-INVITE that changes nothing does not begin the statistics anew; another codec does."""
    here.peer.set_flow(0, Flow(96, 90_000))
    here.send(_packet(1), _packet(2))
    here.read()
    here.peer.set_flow(0, Flow(96, 90_000, dtx_size=2))
    assert here.peer.counters(0).received == 2
    here.peer.set_flow(0, Flow(97, 90_000))
    assert here.peer.counters(0).received == 0
    here.peer.set_flow(0, None)
    here.send(_packet(3, payload_type=97))
    assert len(here.read()) == 1
    assert here.peer.counters(0).received == 0


def test_a_burst_on_many_sockets_arrives_whole(here: Here) -> None:
    """More than one call's worth, from more sockets than one call asks."""
    more = [Here._bound() for _ in range(90)]
    lines = [here.hub.watch(here.peer, sock, 1000 + n) for n, sock in enumerate(more)]
    for number, sock in enumerate(more):
        for part in range(5):
            here.far.sendto(bytes((1, number, part)), sock.getsockname())
    found = here.read()
    assert sorted((a.tag, a.data) for a in found) == [
        (1000 + number, bytes((1, number, part))) for number in range(90) for part in range(5)
    ]
    for line, sock in zip(lines, more, strict=True):
        here.hub.unwatch(line)
        sock.close()
