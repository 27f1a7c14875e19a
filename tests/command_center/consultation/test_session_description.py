"""Edge checks on offers and trickle fragments."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation.errors import RemoteConsultationError
from command_center.consultation.session_description import (
    checked_offer,
    trickled_candidates,
    ufrag_of,
    wants_ice_restart,
)
from tests.harness.plugin import suite

OFFER = """v=0
o=- 3 2 IN IP4 127.0.0.1
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA:BB:CC
a=setup:actpass
a=rtpmap:111 opus/48000/2
"""

FRAGMENT = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
    "a=candidate:1 1 udp 2122260223 d3a9.local 61764 typ host\r\na=end-of-candidates\r\n"
)


def test_an_offer_leaves_with_crlf_lines() -> None:
    """Parsers behind us see one form, whatever a client sent."""
    assert checked_offer(OFFER.encode()) == OFFER.replace("\n", "\r\n")
    assert ufrag_of(OFFER) == "abcd"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"),
        ("s=-\n", ""),
        ("m=audio 9 UDP", "m=audio 99999 UDP"),
        ("SAVPF 111", "SAVPF opus"),
        ("SAVPF 111", "SAVPF 300"),
        ("a=fingerprint:sha-256 AA:BB:CC\n", ""),
        ("AA:BB:CC", "nonsense"),
        ("a=setup:actpass", "a=setup:maybe"),
        ("opus/48000/2", "opus/0"),
        ("opus/48000/2", "opus"),
        ("a=ice-ufrag:abcd\n", ""),
        ("s=-", "this is no line"),
        ("s=-", "s=\x00"),
        (OFFER, ""),
        (OFFER, "x" * 70_000),
        ("t=0 0", "t=0 0\n" + "a=x\n" * 2000),
    ],
)
def test_a_malformed_offer_is_refused(old: str, new: str) -> None:
    """Each is a shape that crashed or confused a parser somewhere."""
    with pytest.raises(RemoteConsultationError) as caught:
        checked_offer(OFFER.replace(old, new).encode())
    assert caught.value.code == "sdp_malformed"


def test_an_offer_that_is_no_text_is_refused() -> None:
    """GBK bytes are no UTF-8."""
    with pytest.raises(RemoteConsultationError):
        checked_offer("s=会商".encode("gbk"))


@given(st.binary(max_size=3000) | st.text(max_size=3000).map(str.encode))
def test_whatever_comes_only_remote_errors_leave(data: bytes) -> None:
    """An unchecked exception here is a 500 that any stranger could cause."""
    for check in (checked_offer, trickled_candidates):
        with contextlib.suppress(RemoteConsultationError):
            check(data)


def test_the_fuzzers_corpus_raises_only_remote_errors() -> None:
    """The WebRTC project's SDP seeds, truncated too."""
    for path in suite("badinput/webrtc-sdp"):
        data = path.read_bytes()
        for end in range(0, len(data), max(1, len(data) // 50)):
            with contextlib.suppress(RemoteConsultationError):
                checked_offer(data[:end])


def test_trickled_candidates_are_taken_out_of_the_fragment() -> None:
    """RFC 8840: lines of other kinds ride along."""
    assert [line.split()[4] for line in trickled_candidates(FRAGMENT.encode())] == [
        "192.0.2.1",
        "d3a9.local",
    ]


def test_another_ufrag_is_an_ice_restart() -> None:
    """RFC 9725 tells a trickle from a restart by the credentials."""
    assert not wants_ice_restart(FRAGMENT.encode(), "abcd")
    assert wants_ice_restart(FRAGMENT.encode(), "other")


def test_a_malformed_candidate_is_refused() -> None:
    """It would reach the node's ICE stack."""
    with pytest.raises(RemoteConsultationError) as caught:
        trickled_candidates(b"a=candidate:1 1 udp x 192.0.2.1 61764 typ host\r\n")
    assert caught.value.code == "trickle_malformed"
