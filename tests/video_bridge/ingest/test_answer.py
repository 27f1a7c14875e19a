"""What is taken of an offer, and how the answer says so."""

from dataclasses import replace

import pytest

from tests.video_bridge.ingest.offers import offer
from video_bridge.errors import RemoteMediaError
from video_bridge.ingest.answer import (
    Accepted,
    LocalCandidate,
    LocalTransport,
    accept,
    write_answer,
)
from video_bridge.ingest.offer import parse_offer
from video_bridge.rtp.transport_cc import TRANSPORT_CC_URI

LOCAL = LocalTransport(
    ice_ufrag="abcd",
    ice_password="p" * 22,
    fingerprint=":".join(["CD"] * 32),
    candidates=[
        LocalCandidate("1", 100, "10.9.9.9", 20000),
        LocalCandidate("2", 50, "127.0.0.1", 20000),
    ],
    session_id=1,
    cname="leg",
    ssrcs={"audio": 11, "video": 22, "content": 33},
)


def taken(text: str, *, publish: bool = True, play: bool = True) -> Accepted:
    return accept(parse_offer(text), publish=publish, play=play)


def test_h264_mode_one_of_the_common_profile_is_preferred() -> None:
    """One H.264 rung serves nearly all; VP8 costs a rung of its own."""
    video = taken(offer()).of("video")
    assert video is not None
    assert (video.codec.payload_type, video.packetization_mode) == (106, 1)
    assert taken(offer(video="96 102 104")).of("video").codec.payload_type == 102
    assert taken(offer(video="104 96")).of("video").codec.name == "VP8"
    assert taken(offer(video="104")).of("video").packetization_mode == 0


def test_opus_is_preferred_and_keys_follow_its_clock() -> None:
    """Key presses come with the clock of the voice."""
    audio = taken(offer()).of("audio")
    assert audio is not None
    assert (audio.codec.name, audio.telephone_event) == ("OPUS", 126)
    plain = taken(offer(audio="0 8 126")).of("audio")
    assert (plain.codec.name, plain.telephone_event) == ("PCMA", None)


@pytest.mark.parametrize(
    ("direction", "publish", "play", "ours"),
    [
        ("sendrecv", True, True, "sendrecv"),
        ("sendonly", True, True, "recvonly"),
        ("recvonly", True, True, "sendonly"),
        ("sendrecv", False, True, "sendonly"),
        ("sendrecv", True, False, "recvonly"),
        ("sendonly", False, True, "inactive"),
    ],
)
def test_direction_is_what_both_sides_allow(
    direction: str, publish: bool, play: bool, ours: str
) -> None:
    """A token to watch must not let its holder speak."""
    parsed = parse_offer(offer(direction=direction))
    answer = write_answer(parsed, accept(parsed, publish=publish, play=play), LOCAL)
    assert answer.count(f"a={ours}\r\n") == (3 if ours == "inactive" else 2)


def test_answer_mirrors_the_offers_sections() -> None:
    """RFC 3264: as many media lines in the same order; what we do not take has port 0."""
    parsed = parse_offer(offer())
    answer = write_answer(parsed, accept(parsed, publish=True, play=True), LOCAL)
    media = [line for line in answer.split("\r\n") if line.startswith("m=")]
    assert media == [
        "m=audio 20000 UDP/TLS/RTP/SAVPF 111 126",
        "m=video 20000 UDP/TLS/RTP/SAVPF 106",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    assert "a=group:BUNDLE 0 1\r\n" in answer
    assert answer.count("a=candidate:") == 2 and "a=end-of-candidates\r\n" in answer
    assert "a=setup:active\r\n" in answer and "a=ssrc:22 cname:leg\r\n" in answer
    assert "a=rtcp-fb:106 nack pli\r\n" in answer and "transport-cc" not in answer
    assert parse_offer(answer).media[1].codecs[0].parameters["profile-level-id"] == "42e01f"


def test_who_must_begin_dtls_is_told() -> None:
    """A WHIP client that can only be active gets a passive answerer."""
    assert taken(offer(setup="active")).setup == "passive"
    assert taken(offer(setup="passive")).setup == "active"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (offer(video="96", audio="111").replace("VP8", "AV1").replace("opus", "isac"),
         "sdp_no_common_codec"),
        (offer().replace("a=rtcp-mux\r\n", ""), "sdp_unsupported"),
        (offer().replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "sdp_unsupported"),
        (offer().replace("a=ice-ufrag:F7gI\r\n", ""), "sdp_unsupported"),
        (offer().replace("a=fingerprint", "a=print"), "sdp_unsupported"),
    ],
)  # fmt: skip
def test_offer_that_cannot_be_taken_says_why(text: str, code: str) -> None:
    """No codec in common is another thing than no WebRTC."""
    with pytest.raises(RemoteMediaError) as refused:
        taken(text)
    assert refused.value.code == code


def test_second_camera_of_a_client_is_refused_alone() -> None:
    """One picture and one sound per leg; the rest of the offer still stands."""
    second = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:3\na=rtcp-mux\na=rtpmap:96 VP8/90000"
    accepted = taken(offer(extra=second))
    assert [s is not None for s in accepted.sections] == [True, True, False, False]


NUMBERS = "a=extmap:3 " + TRANSPORT_CC_URI
RTX = "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102"


def test_numbers_and_rtx_are_taken_where_they_are_offered_whole() -> None:
    """Each needs its two lines; the RTX type is that of the codec that was chosen."""
    plain = taken(offer(video="102", direction="recvonly")).of("video")
    assert (plain.numbers_id, plain.rtx_type) == (None, None)
    asked = offer(video="102 103", direction="recvonly")
    asked = asked.replace("a=rtcp-rsize", f"a=rtcp-rsize\r\n{NUMBERS}\r\n" + RTX)
    parsed = parse_offer(asked)
    accepted = accept(parsed, publish=True, play=True)
    video, audio = accepted.of("video"), accepted.of("audio")
    assert (video.numbers_id, video.rtx_type) == (3, 103)
    assert (audio.numbers_id, audio.rtx_type) == (None, None)
    answer = write_answer(parsed, accepted, replace(LOCAL, rtx_ssrcs={"video": 44}))
    for line in (
        "m=video 20000 UDP/TLS/RTP/SAVPF 102 103",
        "a=rtcp-fb:102 transport-cc",
        NUMBERS,
        "a=rtpmap:103 rtx/90000",
        "a=fmtp:103 apt=102",
        "a=ssrc-group:FID 22 44",
        "a=ssrc:44 cname:leg",
    ):
        assert f"{line}\r\n" in answer
    both_ways = taken(asked.replace("a=recvonly", "a=sendrecv")).of("video")
    assert (both_ways.numbers_id, both_ways.rtx_type) == (None, 103)
    assert taken(asked.replace("apt=102", "apt=96")).of("video").rtx_type is None
    assert taken(asked.replace("extmap:3", "extmap:15")).of("video").numbers_id is None


CONTENT = """m=video 9 UDP/TLS/RTP/SAVPF 96 106
c=IN IP4 0.0.0.0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8gAb
a=mid:3
a=sendrecv
a=rtcp-mux
a=content:slides
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:96 VP8/90000
a=rtpmap:106 H264/90000
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=ssrc:4242 cname:x
"""


def with_content(section: str = CONTENT) -> str:
    return offer(extra=section).replace("BUNDLE 0 1 2", "BUNDLE 0 1 2 3")


def test_marked_second_video_section_is_content_and_an_unmarked_one_is_refused() -> None:
    """RFC 4796: a shared screen beside the camera; a second camera has no place."""
    parsed = parse_offer(with_content())
    accepted = accept(parsed, publish=True, play=True)
    content, video = accepted.of("content"), accepted.of("video")
    assert content is not None and video is not None
    assert (content.mid, content.codec.name) == ("3", "H264")
    assert content.send and content.receive
    answer = write_answer(parsed, accepted, LOCAL)
    section = answer[answer.index("a=mid:3") :]
    assert "a=content:slides\r\n" in section and "a=ssrc:33 cname:leg\r\n" in section
    assert "profile-level-id=42e028" in section, "pages of 1080 lines are taken"
    assert next(s for s in parsed.media if s.media == "content").ssrcs == (4242,)
    refused = taken(with_content(CONTENT.replace("a=content:slides\n", "")))
    assert refused.of("content") is None and refused.sections[-1] is None
