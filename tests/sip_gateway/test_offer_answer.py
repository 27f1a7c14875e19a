"""Offer and answer: which codec, which level, which direction, what is refused."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_gateway.capability import LocalFloor, LocalMedia
from sip_gateway.errors import RemoteSipError
from sip_gateway.sip.offer_answer import (
    Security,
    answer_offer,
    make_offer,
    read_answer,
    reoffer,
)
from sip_gateway.sip.sdp import parse_sdp

from .test_parser import mutate

LOCAL = LocalMedia("10.0.0.2", 20000, 20002)

HEAD = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
AUDIO = "m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"


def offer(*sections: str, head: str = HEAD) -> bytes:
    return (head + "".join(sections)).encode()


def h264(*formats: tuple[int, str]) -> str:
    types = " ".join(str(number) for number, _ in formats)
    lines = [f"m=video 40002 RTP/AVP {types}\r\n"]
    for number, parameters in formats:
        lines.append(f"a=rtpmap:{number} H264/90000\r\n")
        if parameters:
            lines.append(f"a=fmtp:{number} {parameters}\r\n")
    return "".join(lines)


def answer(*sections: str, head: str = HEAD):  # type: ignore[no-untyped-def]
    agreement = answer_offer(
        parse_sdp(offer(*sections, head=head)), LOCAL, 9, fallback_host="10.0.0.9"
    )
    return agreement, {stream.media: stream for stream in agreement.streams}


@pytest.mark.parametrize(
    ("formats", "codec"),
    [
        ("0 8", "PCMA"),
        ("0", "PCMU"),
        ("0 8 9", "G722"),
        ("3 0", "PCMU"),
        ("8 96\r\na=rtpmap:96 opus/48000/2", "opus"),
        ("8 96\r\na=rtpmap:96 OPUS/48000/2", "opus"),
    ],
)
def test_our_preferred_common_audio_codec_is_chosen(formats: str, codec: str) -> None:
    """Wide-band first, whatever order the room lists them in."""
    _, streams = answer(f"m=audio 40000 RTP/AVP {formats}\r\n")
    assert streams["audio"].codec == codec


@pytest.mark.parametrize(
    ("formats", "payload_type", "mode"),
    [
        ([(97, "profile-level-id=42e01f;packetization-mode=1")], 97, 1),
        ([(97, "profile-level-id=42e01f;packetization-mode=0")], 97, 0),
        ([(97, "profile-level-id=42e01f")], 97, 0),
        (
            [
                (99, "profile-level-id=42801f"),
                (98, "profile-level-id=42801f; packetization-mode=1"),
            ],
            98,
            1,
        ),
        (
            [
                (99, "packetization-mode=1;profile-level-id=640028"),
                (98, "packetization-mode=1;profile-level-id=42e01f"),
            ],
            98,
            1,
        ),
    ],
)
def test_h264_mode_1_and_baseline_come_first(
    formats: list[tuple[int, str]], payload_type: int, mode: int
) -> None:
    """Modes are different codecs of offer/answer (RFC 6184 8.2.2); absent mode is 0."""
    _, streams = answer(h264(*formats))
    video = streams["video"]
    assert (video.payload_type, video.packetization_mode) == (payload_type, mode)


@pytest.mark.parametrize(
    ("offered", "answered", "theirs"),
    [
        ("profile-level-id=42e01f", "42e01f", "42e01f"),
        ("profile-level-id=42e00c", "42e00c", "42e00c"),
        ("profile-level-id=42e028", "42e01f", "42e01f"),
        ("profile-level-id=42e00c;level-asymmetry-allowed=1", "42e01f", "42e00c"),
        ("profile-level-id=640028;level-asymmetry-allowed=1", "64001f", "640028"),
        ("profile-level-id=4D0016", "4d0016", "4d0016"),
        ("", "42e01f", None),
    ],
)
def test_profile_level_id_is_answered_by_rfc_6184(
    offered: str, answered: str, theirs: str | None
) -> None:
    """The profile stays; the level falls to the lower, or is each side's own if allowed."""
    agreement, streams = answer(h264((97, offered)))
    fmtp = agreement.local.media[0].format_parameters(97)
    assert fmtp["profile-level-id"] == answered
    assert streams["video"].profile_level_id == theirs


@pytest.mark.parametrize(
    ("direction", "answered", "send", "receive"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
def test_directions_are_mirrored(direction: str, answered: str, send: bool, receive: bool) -> None:
    """RFC 3264 clause 6.1."""
    agreement, streams = answer(AUDIO + f"a={direction}\r\n")
    assert agreement.local.direction(agreement.local.media[0]) == answered
    assert (streams["audio"].send, streams["audio"].receive) == (send, receive)
    assert agreement.is_on_hold is not receive


def test_a_session_level_direction_counts_for_every_line() -> None:
    """Some rooms put a=sendonly above the m= lines."""
    _, streams = answer(AUDIO, head=HEAD + "a=sendonly\r\n")
    assert streams["audio"].send is False


def test_the_old_hold_takes_nothing_from_us() -> None:
    """c=0.0.0.0 (RFC 2543): nothing is sent to it, and never to that address."""
    _, streams = answer(AUDIO, head=HEAD.replace("c=IN IP4 10.0.0.1", "c=IN IP4 0.0.0.0"))
    assert streams["audio"].send is False
    assert streams["audio"].remote_host == "10.0.0.9"


def test_a_private_or_named_connection_address_is_tolerated() -> None:
    """Private addresses are passed on (media is symmetric); names are replaced."""
    _, private = answer(AUDIO, head=HEAD.replace("c=IN IP4 10.0.0.1", "c=IN IP4 192.168.1.7"))
    assert private["audio"].remote_host == "192.168.1.7"
    _, named = answer(AUDIO, head=HEAD.replace("c=IN IP4 10.0.0.1", "c=IN IP4 room.example"))
    assert named["audio"].remote_host == "10.0.0.9"


def test_a_line_of_its_own_address_is_used() -> None:
    """c= below m= stands before the session's."""
    _, streams = answer("m=audio 40000 RTP/AVP 8\r\nc=IN IP4 10.0.0.77\r\n")
    assert streams["audio"].remote_host == "10.0.0.77"


def test_content_bfcp_and_unknown_lines_are_refused_in_place() -> None:
    """The answer has as many m= lines as the offer, refused ones with port 0."""
    video = h264((97, "profile-level-id=42e01f;packetization-mode=1"))
    agreement, streams = answer(
        AUDIO,
        video + "a=content:main\r\n",
        video.replace("40002", "40004") + "a=content:slides\r\n",
        "m=application 40006 UDP/BFCP *\r\na=floorctrl:c-s\r\n",
        "m=audio 40008 RTP/SAVP 8\r\n",
    )
    assert [s.port for s in agreement.local.media] == [20000, 20002, 0, 0, 0]
    assert [s.media for s in agreement.local.media] == [
        "audio", "video", "video", "application", "audio",
    ]  # fmt: skip
    assert streams.keys() == {"audio", "video"}
    parse_sdp(bytes(agreement.local))


def test_bandwidth_lines_bound_what_we_send() -> None:
    """TIAS before AS, the m= line's before the session's."""
    _, streams = answer(AUDIO.replace("a=rtpmap", "b=AS:64\r\nb=TIAS:48000\r\na=rtpmap"))
    assert streams["audio"].max_bitrate_bps == 48_000
    _, streams = answer(AUDIO, head=HEAD.replace("t=0 0", "b=AS:384\r\nt=0 0"))
    assert streams["audio"].max_bitrate_bps == 384_000


def test_telephone_event_and_feedback_are_agreed() -> None:
    """DTMF by RFC 4733 and key-frame requests by RTCP."""
    video = h264((97, "packetization-mode=1")) + "a=rtcp-fb:* nack pli\r\na=rtcp-fb:97 ccm fir\r\n"
    video += "a=rtcp-fb:97 ccm tmmbr smaxpr=120\r\n"
    agreement, streams = answer(AUDIO, video)
    assert streams["audio"].telephone_event_type == 101
    assert "101" in agreement.local.media[0].formats
    assert set(streams["video"].rtcp_feedback) == {"nack pli", "ccm fir", "ccm tmmbr"}
    assert agreement.local.media[1].feedback(97) == ["nack pli", "ccm fir", "ccm tmmbr"]


def test_rtcp_goes_where_the_room_says() -> None:
    """a=rtcp (RFC 3605), else one above RTP."""
    _, streams = answer(AUDIO + "a=rtcp:45000\r\n")
    assert streams["audio"].remote_rtcp_port == 45000
    _, streams = answer(AUDIO)
    assert streams["audio"].remote_rtcp_port == 40001


@pytest.mark.parametrize(
    "sections",
    [
        ["m=audio 40000 RTP/AVP 3\r\n"],
        ["m=audio 0 RTP/AVP 8\r\n"],
        ["m=video 40002 RTP/AVP 99\r\na=rtpmap:99 AV1/90000\r\n"],
        ["m=application 5000 UDP/BFCP *\r\n"],
        [],
    ],
)
def test_nothing_in_common_is_said_so(sections: list[str]) -> None:
    """488 has this one code behind it."""
    with pytest.raises(RemoteSipError) as refused:
        answer(*sections)
    assert refused.value.code == "no_common_codec"


# --- our offers -------------------------------------------------------------------------------


def test_our_offer_is_answered_by_ourselves() -> None:
    """Two of our own ends agree on the best of everything."""
    ours = make_offer(LOCAL, 1, video_bitrate_bps=2_000_000)
    theirs = answer_offer(
        parse_sdp(bytes(ours)), LocalMedia("10.0.0.1", 4, 6), 2, fallback_host="x"
    )
    agreement = read_answer(ours, parse_sdp(bytes(theirs.local)), fallback_host="10.0.0.9")
    streams = {s.media: s for s in agreement.streams}
    assert (streams["audio"].codec, streams["video"].codec) == ("opus", "H264")
    assert streams["video"].packetization_mode == 1
    assert theirs.streams[1].max_bitrate_bps == 2_000_000
    assert (streams["audio"].remote_host, streams["audio"].remote_port) == ("10.0.0.1", 4)


def test_an_answer_that_refuses_video_gives_an_audio_call() -> None:
    """An audio-only phone answers m=video 0."""
    ours = make_offer(LOCAL, 1)
    agreement = read_answer(
        ours, parse_sdp(offer(AUDIO, "m=video 0 RTP/AVP 97\r\n")), fallback_host="x"
    )
    assert [s.codec for s in agreement.streams] == ["PCMA"]
    assert agreement.local.media[1].port == 0


def test_an_answer_may_number_a_codec_otherwise() -> None:
    """We send with their number and receive with ours (RFC 3264 clause 5.1)."""
    theirs = "m=audio 40000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n"
    agreement = read_answer(
        make_offer(LOCAL, 1),
        parse_sdp(offer(theirs, "m=video 0 RTP/AVP 97\r\n")),
        fallback_host="x",
    )
    stream = agreement.streams[0]
    assert (stream.payload_type, stream.receive_payload_type) == (111, 96)


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        ([AUDIO, h264((97, "")), AUDIO], "sdp_answer_mismatched"),
        ([], "no_common_codec"),
        ([AUDIO, AUDIO], "sdp_answer_mismatched"),
        (["m=audio 0 RTP/AVP 8\r\n", "m=video 0 RTP/AVP 97\r\n"], "no_common_codec"),
    ],
)
def test_an_answer_that_does_not_follow_the_offer_is_refused(
    sections: list[str], code: str
) -> None:
    """Each m= line has its answer in place (RFC 3264 clause 6)."""
    with pytest.raises(RemoteSipError) as refused:
        read_answer(make_offer(LOCAL, 1), parse_sdp(offer(*sections)), fallback_host="x")
    assert refused.value.code == code


def test_lines_left_out_at_the_end_of_an_answer_are_refused_ones() -> None:
    """Old rooms know no content line and drop it; their call is worth more than the rule."""
    agreement = read_answer(make_offer(LOCAL, 1), parse_sdp(offer(AUDIO)), fallback_host="x")
    assert [stream.media for stream in agreement.streams] == ["audio"]
    assert [section.port for section in agreement.local.media] == [20000, 0]


WITH_CONTENT = LocalMedia("10.0.0.2", 20000, 20002, 20004, LocalFloor(3238, 77, 1))
SLIDES = "m=video 40004 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=content:slides\r\na=label:12\r\n"


@pytest.mark.parametrize(
    ("line", "is_served"),
    [
        ("m=application 5000 UDP/BFCP *\r\na=floorctrl:c-only\r\n", True),
        ("m=application 5000 UDP/BFCP *\r\na=floorctrl:s-only\r\n", False),
        ("m=application 9 TCP/BFCP *\r\na=floorctrl:c-s\r\na=setup:actpass\r\n", True),
        ("m=application 9 TCP/BFCP *\r\na=floorctrl:c-s\r\na=setup:passive\r\n", False),
        ("m=application 0 UDP/BFCP *\r\n", False),
    ],
)
def test_we_serve_the_floor_or_there_is_none(line: str, is_served: bool) -> None:
    """RFC 8856: s-only and setup:passive of ours; content is taken beside the main picture."""
    described = parse_sdp(offer(AUDIO, h264((97, "")), SLIDES, line))
    agreement = answer_offer(described, WITH_CONTENT, 9, fallback_host="10.0.0.9")
    assert (agreement.floor is not None) is is_served
    assert [stream.media for stream in agreement.streams] == ["audio", "video", "content"]
    floor = agreement.local.media[3]
    assert (floor.value("confid") == "77") is is_served


def test_our_offer_of_content_is_taken_or_refused_line_by_line() -> None:
    """A room without content refuses both lines; the call goes on with the main picture."""
    ours = make_offer(WITH_CONTENT, 1)
    assert [section.port for section in ours.media] == [20000, 20002, 20004, 3238]
    content = SLIDES.replace("a=label:12\r\n", "")
    floor = "m=application 5000 UDP/BFCP *\r\na=floorctrl:c-only\r\n"
    taken = parse_sdp(offer(AUDIO, h264((98, "")), content, floor))
    read = read_answer(ours, taken, fallback_host="x", floor=WITH_CONTENT.floor)
    assert [stream.media for stream in read.streams] == ["audio", "video", "content"]
    assert read.floor is not None and read.floor.remote_port == 5000
    again = reoffer(read.local, LocalMedia("10.0.0.3", 1, 3, 5, WITH_CONTENT.floor))
    assert [section.port for section in again.media] == [1, 3, 5, 3238]
    refusing = content.replace("40004", "0"), floor.replace("5000", "0")
    refused = parse_sdp(offer(AUDIO, h264((98, "")), *refusing))
    read = read_answer(ours, refused, fallback_host="x", floor=WITH_CONTENT.floor)
    assert (len(read.streams), read.floor) == (2, None)


def test_a_second_offer_repeats_what_was_agreed_at_new_ports() -> None:
    """After a node was lost: same lines, same payload types, a higher version."""
    agreement, _ = answer(AUDIO, "m=application 5000 UDP/BFCP *\r\n", h264((99, "")))
    moved = reoffer(agreement.local, LocalMedia("10.0.0.3", 21000, 21002))
    assert [s.port for s in moved.media] == [21000, 0, 21002]
    assert [s.formats for s in moved.media] == [s.formats for s in agreement.local.media]
    assert moved.connection == "10.0.0.3"
    assert int(moved.origin.split()[2]) == int(agreement.local.origin.split()[2]) + 1


# --- the parser -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "sdp_version_unsupported"),
        (b"v=1\r\n", "sdp_version_unsupported"),
        (b"v=0\r\ns=-\r\n", "sdp_origin_missing"),
        (b"v=0\r\no=x\r\n", "sdp_origin_malformed"),
        (offer("m=audio 99999 RTP/AVP 8\r\n"), "sdp_media_malformed"),
        (offer("m=audio 40000\r\n"), "sdp_media_malformed"),
        (offer("x\r\n"), "sdp_line_malformed"),
        (offer("c=IN IP4\r\n"), "sdp_connection_malformed"),
        (offer("b=AS\r\n"), "sdp_bandwidth_malformed"),
        (offer(*["m=audio 1 RTP/AVP 8\r\n"] * 30), "sdp_too_many_media"),
        (offer("a=x\r\n" * 2000), "sdp_too_many_lines"),
        (offer("a=" + "x" * 40_000 + "\r\n"), "sdp_too_large"),
    ],
)
def test_each_fault_of_a_description_has_its_code(body: bytes, code: str) -> None:
    """Stable codes for what rooms get wrong."""
    with pytest.raises(RemoteSipError) as refused:
        parse_sdp(body)
    assert refused.value.code == code


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_mutated_descriptions_raise_only_remote(seed: int) -> None:
    """Invariant: parse and answer give an agreement or RemoteSipError."""
    video = h264((97, "profile-level-id=42e01f;packetization-mode=1"))
    raw = mutate(offer(AUDIO, video, "a=rtcp-fb:* nack pli\r\n"), random.Random(seed))
    try:
        agreement = answer_offer(parse_sdp(raw), LOCAL, 1, fallback_host="10.0.0.9")
    except RemoteSipError:
        return
    again = parse_sdp(bytes(agreement.local))
    assert len(again.media) == len(agreement.local.media)


# --- SRTP keys --------------------------------------------------------------------------------

KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"  # 30 bytes, RFC 4568's example
SECURE = Security(lambda size: bytes(range(size)))
STRICT = Security(lambda size: bytes(range(size)), is_required=True)


def secure_offer(protocol: str, *lines: str) -> bytes:
    cryptos = "".join(f"a=crypto:{line}\r\n" for line in lines)
    return offer(AUDIO.replace("RTP/AVP", protocol) + cryptos)


@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/AVP"])
def test_offered_keys_are_answered_with_our_own(protocol: str) -> None:
    """SAVP, and crypto lines under AVP, which rooms send when SRTP is optional."""
    body = secure_offer(protocol, f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20")
    agreement = answer_offer(parse_sdp(body), LOCAL, 1, fallback_host="x", security=SECURE)
    keying = agreement.streams[0].srtp
    assert keying is not None
    assert (keying.suite, keying.receive_key) == ("AES_CM_128_HMAC_SHA1_80", KEY)
    line = agreement.local.media[0].value("crypto")
    assert line == f"1 AES_CM_128_HMAC_SHA1_80 inline:{keying.send_key}"
    assert agreement.local.media[0].protocol == protocol


def test_the_strongest_offered_suite_is_chosen_with_its_tag() -> None:
    """GCM before counter mode; the answer names the tag it takes up."""
    gcm = base64.b64encode(bytes(44)).decode()
    body = secure_offer(
        "RTP/SAVP",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
        f"7 AEAD_AES_256_GCM inline:{gcm}",
    )
    agreement = answer_offer(parse_sdp(body), LOCAL, 1, fallback_host="x", security=SECURE)
    assert (agreement.local.media[0].value("crypto") or "").startswith("7 AEAD_AES_256_GCM ")


@pytest.mark.parametrize(
    ("protocol", "line", "security"),
    [
        ("RTP/SAVP", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}", None),
        ("RTP/SAVP", "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", SECURE),
        ("RTP/SAVP", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4", SECURE),
        ("RTP/SAVP", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP", SECURE),
        ("RTP/SAVP", f"1 F8_128_HMAC_SHA1_80 inline:{KEY}", SECURE),
        ("RTP/AVP", "x", STRICT),
    ],
)
def test_media_that_cannot_be_encrypted_as_agreed_is_refused(
    protocol: str, line: str, security: Security | None
) -> None:
    """Never in the clear where one side insists, never with a key we cannot use."""
    body = parse_sdp(secure_offer(protocol, line))
    with pytest.raises(RemoteSipError) as refused:
        answer_offer(body, LOCAL, 1, fallback_host="x", security=security)
    assert refused.value.code == ("srtp_required" if security is STRICT else "srtp_unusable")


@pytest.mark.parametrize("security", [SECURE, STRICT])
def test_our_own_offer_with_keys_is_settled(security: Security) -> None:
    """Each end sends with its key and receives with the other's."""
    ours = make_offer(LOCAL, 1, security=security)
    theirs = answer_offer(
        parse_sdp(bytes(ours)),
        LocalMedia("10.0.0.1", 4, 6),
        2,
        fallback_host="x",
        security=Security(lambda size: b"z" * size),
    )
    agreement = read_answer(ours, parse_sdp(bytes(theirs.local)), fallback_host="x")
    for here, there in zip(agreement.streams, theirs.streams, strict=True):
        assert here.srtp is not None and there.srtp is not None
        assert here.srtp.send_key == there.srtp.receive_key
        assert here.srtp.receive_key == there.srtp.send_key
    assert "d0Rm" not in repr(agreement.streams) and "enp6" not in repr(agreement.streams)


def test_preferred_srtp_falls_back_and_required_does_not() -> None:
    """A room without SRTP answers plain RTP: taken if preferred, refused if required."""
    plain = parse_sdp(offer(AUDIO, "m=video 0 RTP/AVP 97\r\n"))
    agreement = read_answer(make_offer(LOCAL, 1, security=SECURE), plain, fallback_host="x")
    assert agreement.streams[0].srtp is None
    assert agreement.local.media[0].value("crypto") is None
    with pytest.raises(RemoteSipError) as refused:
        read_answer(make_offer(LOCAL, 1, security=STRICT), plain, fallback_host="x")
    assert refused.value.code == "srtp_missing"


def test_a_key_stays_in_a_re_invite_and_changes_on_another_node() -> None:
    """Counters of a running sender go on; a new sender never uses an old key."""
    body = parse_sdp(secure_offer("RTP/SAVP", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"))
    first = answer_offer(body, LOCAL, 1, fallback_host="x", security=SECURE)
    other = Security(lambda size: b"z" * size)
    again = answer_offer(body, LOCAL, 1, fallback_host="x", security=other, previous=first.local)
    assert again.streams[0].srtp == first.streams[0].srtp
    moved = reoffer(first.local, LOCAL, security=other)
    assert moved.media[0].value("crypto") != first.local.media[0].value("crypto")


@pytest.mark.parametrize(
    ("section", "codec"),
    [
        ("m=video 40002 RTP/AVP 31\r\n", "H261"),
        ("m=video 40002 RTP/AVP 34\r\na=fmtp:34 CIF4=2;CIF=1\r\n", "H263"),
        ("m=video 40002 RTP/AVP 34 96\r\na=rtpmap:96 H263-1998/90000\r\n", "H263-1998"),
        ("m=video 40002 RTP/AVP 34 100\r\na=rtpmap:100 VP8/90000\r\n", "VP8"),
        ("m=video 40002 RTP/AVP 34 31\r\na=fmtp:34 QCIF=1\r\n", "H261"),
    ],
)
def test_old_rooms_get_the_best_they_have(section: str, codec: str) -> None:
    """VP8, H.263-1998, H.263, H.261 in this order; QCIF alone is not taken, we send CIF."""
    agreement, streams = answer(section)
    assert streams["video"].codec == codec
    payload_type = streams["video"].payload_type
    if codec != "VP8":
        assert agreement.local.media[0].format_parameters(payload_type)["cif"] == "1"


def test_our_offer_names_every_codec_and_our_answer_a_bit_rate() -> None:
    """b=AS tells a room in calls of either direction how much video we want of it."""
    formats = make_offer(LOCAL, 7, video_bitrate_bps=900_000).media[1]
    assert [one.name for one in formats.maps()] == [
        *("H264", "H264", "VP8", "H263-1998", "H263", "H261"),
    ]
    agreement = answer_offer(
        parse_sdp(offer(AUDIO, "m=video 40002 RTP/AVP 34\r\nb=TIAS:256000\r\n")),
        LOCAL,
        9,
        fallback_host="10.0.0.9",
        video_bitrate_bps=900_000,
    )
    assert [section.bandwidths for section in agreement.local.media] == [(), (("AS", 900),)]
    assert agreement.streams[1].max_bitrate_bps == 256_000
