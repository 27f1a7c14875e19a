"""H.261 and H.263: what rooms of twenty years ago send and read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import EncodedFrame, VideoDecoder, VideoEncoder
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import h261, h263, h263_1998
from video_bridge.payload.bits import BitJoiner, Piece, cut
from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.reorder import VideoReorder

from .ffmpeg_rtp import decoded_by_ffmpeg, moving_picture, packets_of_ffmpeg, psnr

CIF = (352, 288)
DEPACKETISERS: dict[str, Callable[[], h261.Depacketiser | h263.Depacketiser]] = {
    "H261": h261.Depacketiser,
    "H263": h263.Depacketiser,
    "H263-1998": h263_1998.Depacketiser,  # type: ignore[dict-item]
}
STARTS = {
    "H261": h261.starts_frame,
    "H263": h263.starts_frame,
    "H263-1998": h263_1998.starts_frame,
}


def _payloads(codec: str, frame: EncodedFrame, limit: int = 1200) -> list[bytes]:
    if codec == "H261":
        return h261.packetise(frame.data, is_intra=frame.is_key, max_payload=limit)
    if codec == "H263":
        return h263.packetise(frame.data, frame.macroblocks, max_payload=limit)
    return h263_1998.packetise(frame.data, max_payload=limit)


def _encoded(codec: str, count: int, bitrate_bps: int = 800_000) -> list[EncodedFrame]:
    encoder = VideoEncoder(codec, *CIF, 25, bitrate_bps)
    return [encoder.encode(moving_picture(*CIF, step), step) for step in range(count)]


@pytest.mark.parametrize("codec", DEPACKETISERS)
@pytest.mark.parametrize("limit", [300, 1200])
def test_frames_survive_packetisation_bit_by_bit(codec: str, limit: int) -> None:
    """Cuts inside bytes are put together again; the marker's frame begins recognisably."""
    for frame in _encoded(codec, 12):
        payloads = _payloads(codec, frame, limit)
        assert DEPACKETISERS[codec]().depacketise(payloads) == frame.data
        assert [STARTS[codec](p) for p in payloads] == [True] + [False] * (len(payloads) - 1)
        if codec != "H263":
            assert max(map(len, payloads)) <= limit


def test_h263_keeps_to_its_size_where_the_encoder_gave_places_to_cut() -> None:
    """Macroblock cuts (mode B) where a GOB is too large: noise at a high rate."""
    rng = random.Random(1)
    encoder = VideoEncoder("H263", *CIF, 25, 6_000_000)
    modes = set()
    for step in range(8):
        picture = moving_picture(*CIF, step)
        noise = bytes(rng.getrandbits(8) for _ in range(CIF[0] * CIF[1]))
        luma = picture.y // 2 + _plane(noise) // 2
        frame = encoder.encode(Picture(luma, picture.u, picture.v), step)
        payloads = h263.packetise(frame.data, frame.macroblocks)
        modes |= {h263.mode(p) for p in payloads}
        assert max(map(len, payloads)) <= 1200
        assert h263.Depacketiser().depacketise(payloads) == frame.data
    assert modes == {"A", "B"}


def _plane(noise: bytes) -> Picture:
    import numpy as np

    return np.frombuffer(noise, np.uint8).reshape(CIF[1], CIF[0])  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("codec", "encoder", "options"),
    [
        ("H261", "h261", {"strict": "experimental"}),
        ("H263", "h263", {"rtpflags": "rfc2190"}),
        ("H263-1998", "h263p", {}),
    ],
)
def test_frames_of_ffmpeg_are_read(codec: str, encoder: str, options: dict[str, str]) -> None:
    """FFmpeg's muxer packetises, we reorder, depacketise and decode every frame."""
    packets = packets_of_ffmpeg(encoder, 30, CIF, options)
    assert len(packets) > 60
    reorder = VideoReorder(starts_frame=STARTS[codec])
    decoder, depacketiser = VideoDecoder(codec), DEPACKETISERS[codec]()
    pictures = []
    for packet in packets:
        reorder.insert(packet, 0.0)
        for frame in reorder.frames(0.0):
            for shown in decoder.decode(depacketiser.depacketise(frame.payloads)):
                pictures.append(Picture(shown.y.copy(), shown.u.copy(), shown.v.copy()))
    assert len(pictures) >= 29
    assert psnr(pictures[0], moving_picture(*CIF, 0)) > 25
    assert psnr(pictures[28], moving_picture(*CIF, 28)) > 25


@pytest.mark.parametrize(
    ("codec", "rtpmap"),
    [("H261", "H261/90000"), ("H263", "H263/90000"), ("H263-1998", "H263-1998/90000")],
)
def test_ffmpeg_reads_our_frames(codec: str, rtpmap: str, tmp_path: Path) -> None:
    """We encode and packetise, FFmpeg's depacketiser and decoder show the picture."""
    encoded = _encoded(codec, 25, 600_000)
    frames = [_payloads(codec, frame, 700) for frame in encoded]
    out = decoded_by_ffmpeg(frames, rtpmap, "", tmp_path)
    assert len(out) == 25
    assert (out[-1].width, out[-1].height) == CIF
    ours = VideoDecoder(codec)
    shown = [ours.decode(frame.data)[0].y.tobytes() for frame in encoded[:1]]
    theirs = {frame.to_ndarray(format="yuv420p")[: CIF[1]].tobytes() for frame in out}
    assert shown[0] in theirs  # bit for bit the picture that we decode ourselves


@pytest.mark.parametrize("codec", DEPACKETISERS)
def test_payloads_cut_anywhere_raise_only_remote_errors(codec: str) -> None:
    """Every truncation of every payload, each payload left out, and pure junk."""
    payloads = _payloads(codec, _encoded(codec, 1)[0], 400)
    variants: list[Iterable[bytes]] = [payloads[:i] + payloads[i + 1 :] for i in range(4)]
    variants += [[*payloads[:1], payloads[1][:size]] for size in range(len(payloads[1]))]
    variants += [[payloads[0][:size]] for size in range(60)]
    decoder = VideoDecoder(codec)
    for variant in variants:
        try:
            decoder.decode(DEPACKETISERS[codec]().depacketise(variant))
        except RemoteMediaError:
            continue


@settings(max_examples=200)
@given(st.sampled_from(sorted(DEPACKETISERS)), st.lists(st.binary(max_size=30), max_size=5))
def test_any_payloads_give_a_frame_or_a_remote_error(codec: str, payloads: list[bytes]) -> None:
    """Nothing else leaves the depacketisers."""
    for payload in payloads:
        STARTS[codec](payload)
    try:
        frame = DEPACKETISERS[codec]().depacketise(payloads)
    except RemoteMediaError:
        return
    h263.is_keyframe(frame)


def test_seeds_of_other_projects_raise_only_remote_errors() -> None:
    """RTP seeds and SRTP corpora taken as payloads."""
    for name in ("badinput/webrtc-rtp", "badinput/srtp-libsrtp"):
        for path in suite(name):
            data = path.read_bytes()
            for codec, make in DEPACKETISERS.items():
                for start in range(min(len(data), 64)):
                    STARTS[codec](data[start:])
                    try:
                        make().depacketise([data[start : start + 40], data[start:]])
                    except RemoteMediaError:
                        continue


@given(st.binary(min_size=1, max_size=60), st.data())
def test_bits_cut_anywhere_are_joined_again(stream: bytes, data: st.DataObject) -> None:
    """Any cuts, at any bit, in any number."""
    cuts = sorted(data.draw(st.sets(st.integers(1, 8 * len(stream) - 1), max_size=12)))
    joiner = BitJoiner("test_malformed")
    for start, end in zip([0, *cuts], [*cuts, 8 * len(stream)], strict=True):
        joiner.add(cut(stream, start, end))
    assert joiner.finish() == stream


@given(st.lists(st.tuples(st.binary(max_size=5), st.integers(0, 7), st.integers(0, 7)), max_size=6))
def test_pieces_that_do_not_meet_in_a_byte_are_joined_too(
    pieces: list[tuple[bytes, int, int]],
) -> None:
    """Legal, if odd: compared with strings of bits."""
    joiner, text = BitJoiner("test_malformed"), ""
    for data, sbit, ebit in pieces:
        try:
            joiner.add(Piece(data, sbit, ebit))
        except RemoteMediaError:
            assert 8 * len(data) <= sbit + ebit
            continue
        bits = "".join(f"{byte:08b}" for byte in data)
        text += bits[sbit : len(bits) - ebit]
    if text:
        whole = joiner.finish()
        assert "".join(f"{byte:08b}" for byte in whole)[: len(text)] == text
        assert len(whole) == -(-len(text) // 8)


def test_headers_are_laid_out_as_the_rfcs_say() -> None:
    """Against bits written by hand from RFC 4587 section 4.1 and RFC 2190 section 5."""
    header = h261.Header(3, 5, True, True, gob=9, macroblock=17, quantiser=21, horizontal=-3)
    assert f"{int.from_bytes(bytes(header), 'big'):032b}" == ("01110111100110001101011110100000")
    assert h261.Header.parse(bytes(header) + b"x") == header
    block = h263.Macroblock(100, 17, 4, 300, -1, 5)
    frame = bytes.fromhex("00008002") + bytes.fromhex("0a0f") + bytes(40)
    first, second = h263.packetise(frame, [block], max_payload=24)[:2]
    assert h263.mode(first) == "A"
    assert h263.mode(second) == "B"
    bits = f"{int.from_bytes(second[:8], 'big'):064b}"
    assert bits[:2] == "10"
    assert (bits[2:5], bits[11:16]) == ("100", "10001")  # SBIT of bit 100, QUANT
    assert (bits[16:21], bits[21:30]) == ("00100", "100101100")  # GOBN, MBA
    assert (bits[36:43], bits[43:50]) == ("1111111", "0000101")  # HMV1, VMV1


def test_rfc_4629_extra_headers_are_passed_over() -> None:
    """VRC byte and a repeated picture header may stand before the bit stream."""
    assert h263_1998.Depacketiser().depacketise([b"\x06\x18" + b"V" + b"XYZ" + b"\x80data"]) == (
        b"\x00\x00\x80data"
    )


def test_a_lost_packet_costs_its_frame_only() -> None:
    """The next picture start is recognised although frames have no common timestamp."""
    for codec in DEPACKETISERS:
        reorder = VideoReorder(give_up_s=0.1, starts_frame=STARTS[codec])
        sequence, out = 0, []
        for number, frame in enumerate(_encoded(codec, 6)):
            payloads = _payloads(codec, frame, 400)
            for index, payload in enumerate(payloads):
                packet = RtpPacket(
                    34, sequence, number * 3600, 1, payload, marker=index == len(payloads) - 1
                )
                sequence += 1
                if (number, index) != (2, 0):
                    reorder.insert(packet, number * 0.04)
            out += reorder.frames(number * 0.04)
        out += reorder.frames(1.0)
        assert [frame.timestamp // 3600 for frame in out] == [0, 1, 3, 4, 5]
