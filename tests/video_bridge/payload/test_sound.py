"""Sound payloads and telephone events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.codecs.audio import audio_encoder
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.payload import dtmf, g711, g722, opus
from video_bridge.rtp.packet import RtpPacket


@pytest.mark.parametrize(
    ("toc", "samples"),
    [
        (b"\x08", 960),  # SILK narrow band 20 ms
        (b"\x00", 480),
        (b"\x18", 2880),  # SILK 60 ms
        (b"\x60", 480),  # hybrid 10 ms
        (b"\x68", 960),
        (b"\x80", 120),  # CELT 2.5 ms
        (b"\xf8", 960),  # CELT full band 20 ms
        (b"\xf9", 1920),
        (b"\xfa", 1920),
        (b"\xfb\x03", 2880),
        (b"\xfb\x86", 5760),
    ],
)
def test_opus_tells_its_own_length(toc: bytes, samples: int) -> None:
    """RFC 6716 table 2 and section 3.2: the jitter buffer places packets by it."""
    assert opus.duration(toc + b"....") == samples


@pytest.mark.parametrize("payload", [b"", b"\xfb", b"\xfb\x00", b"\xfb\x07", b"\x1b\x03"])
def test_impossible_opus_lengths_are_refused(payload: bytes) -> None:
    """Nothing, no frame count, no frames, more than 120 ms."""
    with pytest.raises(RemoteMediaError):
        opus.duration(payload)


@given(st.binary(max_size=8))
def test_any_sound_payload_has_a_length_or_is_refused(payload: bytes) -> None:
    """The network may send anything under a sound payload type."""
    for module in (opus, g711, g722):
        try:
            assert module.duration(payload) > 0
            assert module.Depacketiser().depacketise(payload) == payload
        except RemoteMediaError:
            continue


def test_our_own_opus_packets_are_20_ms() -> None:
    """The sender's clock advances by 960 a packet."""
    encoder = audio_encoder("opus")
    for _ in range(5):
        (payload,) = opus.packetise(encoder.encode(np.zeros(960, np.int16)))
        assert opus.duration(payload) == encoder.clock_units == 960


def test_g711_and_g722_split_into_20_ms() -> None:
    """160 bytes each: G.722's clock runs at 8000 although it samples at 16000."""
    assert [len(p) for p in g711.packetise(bytes(400))] == [160, 160, 80]
    assert [len(p) for p in g722.packetise(bytes(320))] == [160, 160]


@pytest.mark.parametrize("module", [g711, g722])
def test_oversized_sound_is_refused(module: object) -> None:
    """A second of sound in a packet is no telephone's."""
    with pytest.raises(RemoteMediaError):
        module.duration(bytes(8000))  # type: ignore[attr-defined]


@given(
    st.builds(
        dtmf.TelephoneEvent,
        event=st.integers(0, 255),
        is_end=st.booleans(),
        volume=st.integers(0, 63),
        duration=st.integers(0, 65535),
    )
)
def test_telephone_events_round_trip(event: dtmf.TelephoneEvent) -> None:
    """RFC 4733 section 2.3; cut anywhere it is refused."""
    assert dtmf.TelephoneEvent.parse(bytes(event)) == event
    for size in range(4):
        with pytest.raises(RemoteMediaError):
            dtmf.TelephoneEvent.parse(bytes(event)[:size])


def test_each_press_is_told_once() -> None:
    """The end is sent three times, and the first packets may be lost."""
    depacketiser = dtmf.Depacketiser()
    heard = []
    for timestamp, digit, lost in ((1000, "1", 0), (4000, "#", 0), (9000, "1", 4)):
        for payload in dtmf.packetise(digit)[lost:]:
            if key := depacketiser.push(payload, timestamp):
                heard.append(key)
    assert heard == ["1", "#", "1"]


def test_events_that_are_no_keys_are_not_told() -> None:
    """Flash hook, fax tones."""
    assert dtmf.Depacketiser().push(bytes(dtmf.TelephoneEvent(16, False, 10, 160)), 1) is None


def test_an_unknown_key_is_our_mistake() -> None:
    """Only sixteen keys exist."""
    for wrong in ("x", "", "12"):
        with pytest.raises(LocalMediaError):
            dtmf.packetise(wrong)


def test_a_captured_key_press_is_read() -> None:
    """aiortc's sample of a real telephone event."""
    for path in suite("badinput/rtp-rtcp-sctp-aiortc", "rtp_dtmf.bin"):
        packet = RtpPacket.parse(path.read_bytes())
        assert bytes(packet) == path.read_bytes()
        assert dtmf.TelephoneEvent.parse(packet.payload).digit is not None
