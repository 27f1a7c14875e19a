"""The C datapath and its Python twin send the same bytes."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from video_bridge.datapath import (
    Departures,
    FanoutTarget,
    PythonFanout,
    SrtpKeys,
    SrtpProfile,
    SrtpReceiver,
    build,
    create_fanout,
    status,
)

from .test_fanout import Peer, keys_of


def _has_compiler() -> bool:
    return any(build.shutil.which(name) for name in build._COMPILERS)


@settings(max_examples=60, deadline=None)
@given(
    profile=st.none() | st.sampled_from(list(SrtpProfile)),
    shapes=st.lists(
        st.lists(st.integers(1, 1290), min_size=1, max_size=20), min_size=1, max_size=4
    ),
    start=st.sampled_from([0, 1, 65_520, 65_535]) | st.integers(0, 65_535),
    extension=st.sampled_from([b"", bytes.fromhex("bede000110300000")]),
    marker_last=st.booleans(),
    again=st.lists(st.integers(0, 60), max_size=5),
)
def test_both_send_the_same_bytes(  # noqa: PLR0917 - hypothesis gives each by its name
    profile: SrtpProfile | None,
    shapes: list[list[int]],
    start: int,
    extension: bytes,
    marker_last: bool,
    again: list[int],
) -> None:
    """Any suite, frames of any shape, over the roll-over, resent packets too."""
    if status().datapath != "c":
        assert not _has_compiler(), status().reason
        return
    keys = keys_of(profile)
    frames = [[os.urandom(size) for size in shape] for shape in shapes]
    heard: list[list[bytes]] = []
    for fanout in (PythonFanout(), create_fanout()):
        out: list[bytes] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
            peer = Peer()
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
            target = FanoutTarget(
                source.fileno(), peer.address, 0xDEADBEEF, 97, start, 3, keys, extension=extension
            )
            for number, payloads in enumerate(frames):
                fanout.send([target], payloads, number * 3600, marker_last=marker_last)
                out += peer.raw(len(payloads))
            wanted = {(start + index) & 0xFFFF for index in again}
            out += sorted(peer.raw(fanout.resend(target, wanted)))
            target.close()
            peer.socket.close()
        heard.append(out)
    assert heard[0] == heard[1]


@settings(max_examples=40, deadline=None)
@given(
    profile=st.none() | st.sampled_from(list(SrtpProfile)),
    shapes=st.lists(
        st.lists(st.integers(1, 1280), min_size=1, max_size=20), min_size=1, max_size=4
    ),
    numbers_from=st.sampled_from([1, 65_530, 2**32 - 3]),
    extension_id=st.integers(1, 14),
    has_rtx=st.booleans(),
    again=st.lists(st.integers(0, 60), max_size=5),
)
def test_both_number_and_retransmit_the_same(  # noqa: PLR0917 - hypothesis gives each by its name
    profile: SrtpProfile | None,
    shapes: list[list[int]],
    numbers_from: int,
    extension_id: int,
    has_rtx: bool,
    again: list[int],
) -> None:
    """Transport-wide numbers over their roll-over, RTX or not: same bytes, same memory."""
    if status().datapath != "c":
        assert not _has_compiler(), status().reason
        return
    keys = keys_of(profile)
    frames = [[os.urandom(size) for size in shape] for shape in shapes]
    heard: list[list[bytes]] = []
    logs: list[list[tuple[int, int]]] = []
    for fanout in (PythonFanout(), create_fanout()):
        out: list[bytes] = []
        departures = Departures(extension_id)
        departures.log.next = numbers_from
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
            peer = Peer()
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
            rtx = None
            if has_rtx:
                rtx = FanoutTarget(
                    source.fileno(), peer.address, 9, 98, 65_534, 0, keys, departures=departures
                )
            target = FanoutTarget(
                source.fileno(), peer.address, 5, 97, 7, 3, keys, departures=departures, rtx=rtx
            )
            for number, payloads in enumerate(frames):
                fanout.send([target], payloads, number * 3600)
                out += peer.raw(len(payloads))
            for index in again:
                out += peer.raw(fanout.resend(target, [7 + index]))
            target.close()
            peer.socket.close()
        heard.append(out)
        logs.append([(place.number, place.octets) for place in departures.log.departed])
    assert heard[0] == heard[1]
    assert logs[0] == logs[1]


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_the_roll_over_counter_is_carried_for_long(profile: SrtpProfile) -> None:
    """Four times around, a packet in each thousand opened by libsrtp."""
    keys = keys_of(profile)
    assert keys is not None
    receiver = SrtpReceiver(keys)
    out: list[bytes] = []
    target = FanoutTarget(-1, ("127.0.0.1", 9), 7, 96, 65_000, 0, keys, sender=out.append)
    fanout = create_fanout()
    opened = 0
    for round_ in range(200):
        fanout.send([target], [b"x" * 8], round_)
        receiver.unprotect(out.pop())
        opened += 1
        target.next_extended += 1000
    assert opened == 200
    assert target.next_extended >> 16 == 4


def test_a_send_and_a_resend_may_meet_in_two_threads() -> None:
    """One key context, two threads: every packet still opens."""
    keys = SrtpKeys(SrtpProfile.AEAD_AES_128_GCM, os.urandom(16), os.urandom(12))
    fanout = create_fanout()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        peer = Peer(keys)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        target = FanoutTarget(source.fileno(), peer.address, 5, 96, 0, 0, keys)
        fanout.send([target], [b"a" * 900, b"b" * 900], 0)
        stop = threading.Event()
        resent = [0]

        def resend() -> None:
            while not stop.is_set():
                resent[0] += fanout.resend(target, [0, 1])

        thread = threading.Thread(target=resend)
        thread.start()
        for number in range(300):
            fanout.send([target], [b"c" * 1000] * 4, number)
        stop.set()
        thread.join()
        assert resent[0] > 0
        assert fanout.resend(target, [target.next_sequence_number - 1]) == 1
        first: dict[int, bytes] = {}
        opened = 0
        receiver = SrtpReceiver(keys)
        peer.socket.settimeout(0.05)
        while True:
            try:
                data = peer.socket.recv(2000)
            except TimeoutError:
                break
            sequence = int.from_bytes(data[2:4], "big")
            if sequence in first:
                assert data == first[sequence]
            else:
                receiver.unprotect(data)
                first[sequence] = data
                opened += 1
        assert opened > 100


def test_a_machine_without_a_compiler_uses_the_twin_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`make run` works with or without a C compiler."""
    monkeypatch.setattr(build, "_candidates", lambda: [tmp_path / "cache"])
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    build._load.cache_clear()
    try:
        assert create_fanout().datapath == "python"
        assert status() == build.DatapathStatus("python", "no C compiler")
    finally:
        monkeypatch.undo()
        build._load.cache_clear()


def test_a_library_that_others_could_have_written_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A world-writable folder is passed over; nowhere left means the twin."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setattr(build, "_candidates", lambda: [shared])
    build._load.cache_clear()
    try:
        assert status() == build.DatapathStatus("python", "no private folder to compile into")
    finally:
        monkeypatch.undo()
        build._load.cache_clear()


def test_it_is_compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second start of a node must not wait for a compiler."""
    if not _has_compiler():
        return
    monkeypatch.setattr(build, "_candidates", lambda: [tmp_path / "cache"])
    first = build._compiled()
    monkeypatch.setattr(build.subprocess, "run", lambda *_, **__: pytest.fail("compiled again"))
    assert build._compiled() == first
    assert isinstance(ctypes.CDLL(str(first)).dp_version(), int)
