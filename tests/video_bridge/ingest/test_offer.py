"""Offers come from anywhere: what is good is understood, what is bad raises Remote only."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.plugin import suite
from tests.video_bridge.ingest.offers import FINGERPRINT, offer
from video_bridge.errors import RemoteMediaError
from video_bridge.ingest.offer import parse_candidate, parse_offer


def test_browser_offer_is_understood() -> None:
    """Every value that the answer depends on is found where Chromium puts it."""
    parsed = parse_offer(offer())
    audio, video, data = parsed.media
    assert parsed.bundle == ("0", "1", "2")
    assert (audio.kind, video.kind, data.kind) == ("audio", "video", "application")
    assert audio.ice_ufrag == "F7gI" and audio.fingerprints == (("sha-256", FINGERPRINT),)
    assert [c.name for c in audio.codecs] == ["OPUS", "G722", "PCMU", "PCMA", "TELEPHONE-EVENT"]
    assert audio.codecs[0].parameters == {"minptime": "10", "useinbandfec": "1"}
    assert video.codecs[1].feedback[-1] == "nack pli"
    assert audio.extensions["urn:ietf:params:rtp-hdrext:ssrc-audio-level"] == 1
    assert [c.host for c in audio.candidates] == ["10.9.9.9"], "TCP and mDNS are left out"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=0",
        "v=1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
        offer().replace("m=audio 9", "m=audio 99999"),
        offer().replace("m=audio 9", "m=audio nine"),
        offer().replace("111 9 0 8 126", "111 x"),
        offer().replace("a=mid:1", "a=mid:0"),
        offer().replace("a=setup:actpass", "a=setup:both"),
        offer().replace("a=ice-pwd:x9cml/YzichV2+XlhiMu8gAb", "a=ice-pwd:short"),
        offer().replace(FINGERPRINT, "AB:CD"),
        offer().replace("opus/48000/2", "opus/fast"),
        offer().replace("opus/48000/2", "opus/0"),
        offer().replace("40001 typ", "70001 typ"),
        offer().replace("10.9.9.9 40001", "ten.nine 40001"),
        offer(extra="\x00\n"),
        offer(extra="no equals sign"),
        offer(extra="a=" + "x" * 3000),
        offer(extra="\n".join(["a=x"] * 2000)),
        offer() + "a=x\r\n" * 20_000,
        offer(extra="\n".join([f"m=audio 9 RTP/AVP 0\na=mid:x{n}" for n in range(40)])),
        offer().replace("111", "１１１"),
    ],
)
def test_malformed_offer_is_refused_by_name(text: str) -> None:
    """One code for all that is not SDP, so that the edge has one sentence for it."""
    with pytest.raises(RemoteMediaError) as refused:
        parse_offer(text)
    assert refused.value.code == "sdp_malformed"


def check(text: str) -> None:
    try:
        parse_offer(text)
    except RemoteMediaError as error:
        assert error.code == "sdp_malformed"


@given(st.text(max_size=300))
@settings(max_examples=150)
def test_any_text_raises_remote_only(text: str) -> None:
    """No input may end in another exception."""
    check(text)
    check("v=0\n" + text)


def test_mutated_offers_raise_remote_only() -> None:
    """Cut at every line, mutated at random places: read, or refused by name."""
    text = offer()
    lines = text.splitlines(keepends=True)
    for count in range(len(lines)):
        check("".join(lines[:count]))
    chance = random.Random(7)
    for _ in range(400):
        characters = list(text)
        for _ in range(chance.randint(1, 6)):
            characters[chance.randrange(len(characters))] = chance.choice("0:=/ az\r\n\t９é;-")
        check("".join(characters))


def test_seeds_of_the_webrtc_project_raise_remote_only() -> None:
    """SDP that broke other parsers."""
    for path in suite("badinput/webrtc-sdp"):
        check(path.read_bytes().decode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("candidate:1 1 UDP 2122260223 192.168.1.7 50000 typ host", "192.168.1.7"),
        ("a=candidate:1 1 udp 2122260223 fe80::1 50000 typ srflx raddr 0.0.0.0 rport 9", "fe80::1"),
        ("candidate:1 1 tcp 1 10.0.0.1 9 typ host tcptype active", None),
        ("candidate:1 2 udp 1 10.0.0.1 50000 typ host", None),
        ("candidate:1 1 udp 1 abc.local 50000 typ host", None),
        ("", None),
        ("a=end-of-candidates", None),
    ],
)
def test_candidates_that_cannot_be_used_are_passed_over(text: str, host: str | None) -> None:
    """A browser trickles much that we need not."""
    candidate = parse_candidate(text)
    assert (candidate.host if candidate else None) == host


def test_malformed_candidate_is_refused() -> None:
    """Trickled lines are as little trusted as offers."""
    for text in ("candidate:1 1 udp x 10.0.0.1 5 typ host", "rubbish", "candidate:" + "9" * 600):
        with pytest.raises(RemoteMediaError):
            parse_candidate(text)
