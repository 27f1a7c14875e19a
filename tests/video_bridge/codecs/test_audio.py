"""Audio encoders, decoders, resampling and concealment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from video_bridge.allocation.links import LOSSY, NARROW, USUAL
from video_bridge.codecs import audio, g711, libopus
from video_bridge.codecs.concealment import PitchRepeater
from video_bridge.codecs.resample import Decimator, Interpolator
from video_bridge.errors import LocalMediaError, RemoteMediaError

CODECS = ("opus", "G722", "PCMA", "PCMU")
Sound = NDArray[np.int16]


def tone(frequency: float, seconds: float, amplitude: float = 8000.0, rate: int = 48_000) -> Sound:
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def strongest(sound: Sound, rate: int = 48_000) -> tuple[float, float]:
    """(frequency of the strongest line, its power over all the rest in dB)."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    peak = int(spectrum.argmax())
    line = spectrum[max(0, peak - 4) : peak + 5].sum()
    rest = max(spectrum.sum() - line, 1e-9)
    return peak * rate / len(sound), float(10 * np.log10(line / rest))


def _through(codec: str, sound: Sound, lost: set[int] = frozenset()) -> Sound:  # type: ignore[assignment]
    encoder, decoder = audio.audio_encoder(codec), audio.audio_decoder(codec)
    payloads = [encoder.encode(sound[i : i + 960]) for i in range(0, len(sound), 960)]
    out = []
    for index, payload in enumerate(payloads):
        if index in lost:
            following = payloads[index + 1] if index + 1 not in lost else None
            out.append(decoder.conceal(following))
        else:
            out.append(decoder.decode(payload))
    return np.concatenate(out)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("frequency", [440.0, 3000.0])
def test_a_tone_comes_through_clean(codec: str, frequency: float) -> None:
    """The same pitch and loudness, 35 dB over all else, 960 samples a frame."""
    heard = _through(codec, tone(frequency, 2.0))
    assert len(heard) == 96_000
    pitch, purity = strongest(heard[48_000:])
    assert abs(pitch - frequency) < 2
    assert purity > 35
    assert 7000 < np.abs(heard[48_000:]).max() < 9000


def test_wide_band_codecs_carry_what_telephones_cannot() -> None:
    """6 kHz: G.722 and Opus keep it, G.711 filters it out instead of folding it back."""
    sound = tone(6000.0, 1.0)
    for codec in ("opus", "G722"):
        assert abs(strongest(_through(codec, sound)[24_000:])[0] - 6000) < 4
    for codec in ("PCMA", "PCMU"):
        assert np.abs(_through(codec, sound)[24_000:]).max() < 30


@pytest.mark.parametrize("factor", [3, 6])
def test_decimation_suppresses_aliases(factor: int) -> None:
    """What lies above the new half rate falls by 50 dB at least."""
    low = 48_000 // factor
    for frequency in (0.62 * low, 0.8 * low, 1.2 * low):
        out = Decimator(factor).process(tone(frequency, 0.5, 20_000))
        assert np.abs(out[200:]).max() < 20_000 * 10 ** (-50 / 20), frequency


@pytest.mark.parametrize("factor", [3, 6])
def test_resampling_in_pieces_equals_resampling_at_once(factor: int) -> None:
    """The filters carry their state over frame borders: no click every 20 ms."""
    sound = np.random.default_rng(2).integers(-9000, 9000, 9600).astype(np.int16)
    pieces = Decimator(factor)
    cut = [pieces.process(sound[i : i + 960]) for i in range(0, 9600, 960)]
    low = Decimator(factor).process(sound)
    assert np.array_equal(np.concatenate(cut), low)
    up = Interpolator(factor)
    raised = [up.process(low[i : i + 160]) for i in range(0, len(low), 160)]
    assert np.array_equal(np.concatenate(raised), Interpolator(factor).process(low))


def test_down_and_up_again_only_delays() -> None:
    """1 kHz through both filters: same amplitude within 0.1 dB."""
    out = Interpolator(6).process(Decimator(6).process(tone(1000.0, 0.5)))
    assert np.abs(out[4800:-4800]).max() == pytest.approx(8000, rel=0.012)


def test_g711_follows_the_tables_of_the_recommendation() -> None:
    """Known codes: silence, the extremes and their signs (ITU-T G.711 tables 1 and 2)."""
    assert g711.encode_alaw(np.array([0, -1], np.int16)) in (b"\xd5\x55", b"\xd5\xd5")
    assert g711.encode_ulaw(np.array([0], np.int16)) == b"\xff"
    assert g711.decode_alaw(b"\xd5\x55\xaa\x2a").tolist() == [8, -8, 32256, -32256]
    assert g711.decode_ulaw(b"\xff\x7f\x80\x00").tolist() == [0, 0, 32124, -32124]


@pytest.mark.parametrize(
    ("encode", "decode"),
    [(g711.encode_alaw, g711.decode_alaw), (g711.encode_ulaw, g711.decode_ulaw)],
)
def test_g711_codes_survive_a_round_trip(encode: object, decode: object) -> None:
    """Every code decodes to a level that encodes to the same level; steps stay fine."""
    codes = bytes(range(256))
    levels = decode(codes)  # type: ignore[operator]
    assert np.array_equal(decode(encode(levels)), levels)  # type: ignore[operator]
    ramp = np.arange(-32768, 32768, 7).astype(np.int16)
    error = np.abs(decode(encode(ramp)).astype(int) - ramp)  # type: ignore[operator]
    assert (error <= np.maximum(np.abs(ramp.astype(int)) // 16, 700)).all()
    assert (error <= np.maximum(np.abs(ramp.astype(int)) // 20 + 20, 0))[np.abs(ramp) < 32000].all()


@pytest.mark.parametrize("codec", CODECS)
def test_a_lost_frame_is_filled_and_a_long_loss_fades(codec: str) -> None:
    """One frame: the tone goes on; the fourth: nearly silence."""
    heard = _through(codec, tone(300.0, 1.0), lost={20, *range(30, 36)}).astype(np.float64)
    loudness = [float(np.sqrt(np.mean(heard[i : i + 960] ** 2))) for i in range(0, 48_000, 960)]
    assert loudness[20] > 0.5 * loudness[19]
    assert max(loudness[34:36]) < 0.2 * loudness[19]
    assert loudness[45] == pytest.approx(loudness[15], rel=0.1)


def test_concealment_keeps_the_pitch_and_does_not_click() -> None:
    """A voice-like tone of 150 Hz with harmonics, one frame repeated."""
    sound = (tone(150, 0.5, 6000) + tone(450, 0.5, 3000)).astype(np.int16)
    repeater = PitchRepeater()
    for start in range(0, 19_200, 960):
        repeater.played(sound[start : start + 960])
    made = repeater.conceal(960)
    after = repeater.played(sound[20_160:21_120])
    whole = np.concatenate((sound[18_240:19_200], made, after)).astype(np.int32)
    natural = np.abs(np.diff(sound.astype(np.int32))).max()
    assert np.abs(np.diff(whole)).max() < 3 * natural
    error = np.sqrt(np.mean((made - sound[19_200:20_160].astype(float)) ** 2))
    assert error < 0.5 * np.sqrt(np.mean(sound.astype(float) ** 2))


def test_concealing_before_anything_was_heard_is_silence() -> None:
    """The first packet may be the lost one."""
    for codec in CODECS:
        assert np.abs(audio.audio_decoder(codec).conceal()).max() < 50


def test_opus_fec_recovers_a_lost_packet() -> None:
    """The packet after a loss carries a coarse copy: closer to the truth than concealment."""
    if libopus.load() is None:
        pytest.fail("no libopus beside PyAV: FEC cannot work on this machine")
    rng = np.random.default_rng(3)
    glide = np.cumsum(np.linspace(120, 500, 96_000)) / 48_000
    voice = sum(np.sin(2 * np.pi * k * glide) / k for k in range(1, 9))
    sound = (5000 * voice + rng.normal(0, 40, 96_000)).astype(np.int16)
    clean = _through("opus", sound).astype(float)
    lost = set(range(12, 98, 6))

    def error(with_fec: bool) -> float:
        encoder, decoder = audio.audio_encoder("opus"), audio.audio_decoder("opus")
        payloads = [encoder.encode(sound[i : i + 960]) for i in range(0, 96_000, 960)]
        wrong = 0.0
        for index, payload in enumerate(payloads):
            if index in lost:
                out = decoder.conceal(payloads[index + 1] if with_fec else None)
                wrong += float(np.sum((out - clean[index * 960 : index * 960 + 960]) ** 2))
            else:
                decoder.decode(payload)
        return wrong

    assert error(True) < 0.5 * error(False)


def test_opus_without_a_separate_library_still_decodes() -> None:
    """The fall-back through PyAV: stereo and mono, concealment by repetition."""
    encoder, decoder = audio.audio_encoder("opus"), audio.PlainOpusDecoder()
    sound = tone(440, 1.0)
    heard = [decoder.decode(encoder.encode(sound[i : i + 960])) for i in range(0, 48_000, 960)]
    assert abs(strongest(np.concatenate(heard)[24_000:])[0] - 440) < 3
    assert len(decoder.conceal()) == 960


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CODECS), st.lists(st.binary(max_size=120), max_size=4))
def test_junk_raises_only_remote_errors_and_does_not_end_the_decoder(
    codec: str, junk: list[bytes]
) -> None:
    """Then a good packet is decoded."""
    decoder = audio.audio_decoder(codec)
    for payload in junk:
        try:
            decoder.decode(payload)
        except RemoteMediaError:
            continue
    good = audio.audio_encoder(codec).encode(tone(440, 0.02))
    assert len(decoder.decode(good)) == 960


def test_unknown_codecs_and_misshapen_frames_are_our_mistake() -> None:
    """The caller negotiated something we never offered, or counts samples wrongly."""
    for make in (audio.audio_encoder, audio.audio_decoder):
        with pytest.raises(LocalMediaError):
            make("G729")
    for codec in CODECS:
        with pytest.raises(LocalMediaError):
            audio.audio_encoder(codec).encode(np.zeros(480, np.int16))


def test_silence_is_told_without_decoding_only_where_it_is_certain() -> None:
    """G.711 by its codes, Opus by its DTX packets; anything louder is decoded."""
    for codec in ("PCMA", "PCMU"):
        encoder, decoder = audio.audio_encoder(codec), audio.audio_decoder(codec)
        assert decoder.is_surely_quiet(encoder.encode(np.zeros(960, np.int16)))
        assert not decoder.is_surely_quiet(bytes([0xD5] * 159) + encoder.encode(tone(440, 0.02)))
    assert audio.audio_decoder("opus").is_surely_quiet(b"\xf8")
    for codec in ("opus", "G722"):
        silence = audio.audio_encoder(codec).encode(np.zeros(960, np.int16))
        assert not audio.audio_decoder(codec).is_surely_quiet(silence * 2)


def test_opus_takes_less_of_a_narrow_line_and_repeats_more_over_a_lossy_one() -> None:
    """The listener's line decides: a satellite hall is sent 20 kbit/s, a phone more redundancy."""
    spoken = np.random.default_rng(1).normal(0, 2500, 960 * 50).astype(np.int16)
    sizes = {}
    for terms in (NARROW, USUAL, LOSSY):
        encoder = audio.audio_encoder(
            "opus", bitrate_bps=terms.bitrate_bps, expected_loss_pct=terms.expected_loss_pct
        )
        frames = [encoder.encode(spoken[n : n + 960]) for n in range(0, len(spoken), 960)]
        sizes[terms] = sum(map(len, frames)) * 8
    assert sizes[NARROW] < 0.8 * sizes[USUAL] < sizes[LOSSY]
