"""TPKT, Q.931 and the ASN.1 door on two captured calls of other makers' stacks.

The captures are Asterisk's chan_ooh323 and h323plus; where they are absent the summary says so.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_gateway.h323 import asn1
from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.q931 import ElementId, MessageType, Q931Message, user_user
from sip_gateway.h323.tpkt import MAX_PDU, TpktReader, frame
from tests.harness.plugin import suite
from tests.sip_gateway.h323 import capture

RELEASE = {
    "h323-uu-pdu": {
        "h323-message-body": (
            "releaseComplete",
            {
                "protocolIdentifier": (0, 0, 8, 2250, 0, 4),
                "callIdentifier": {"guid": bytes(range(16))},
            },
        ),
        "h245Tunnelling": True,
    }
}


CAPTURES = suite(".", "h323-*.pcap*")


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_captured_call_decodes_wholly_and_survives_our_encoder(path: Path) -> None:
    """Another maker's bytes become values, and our bytes of these values mean the same."""
    signalling, control = 0, 0
    for pdu in capture.pdus(path):
        if pdu[0] != 8:
            value = asn1.decode_h245(pdu)
            assert asn1.decode_h245(asn1.encode_h245(value)) == value
            control += 1
            continue
        message = Q931Message.parse(pdu)
        assert bytes(message) == pdu
        contents = message.element(ElementId.USER_USER)
        assert contents is not None
        value = asn1.decode_uu(contents)
        assert asn1.decode_uu(asn1.encode_uu(value)) == value
        signalling += 1
        for tunnelled in value["h323-uu-pdu"].get("h245Control", []):
            inner = asn1.decode_h245(tunnelled)
            assert asn1.decode_h245(asn1.encode_h245(inner)) == inner
            control += 1
    assert signalling + control >= 60, (signalling, control)


def test_release_complete_has_its_extension_bitmap_before_its_open_types() -> None:
    """The library alone pads wrongly here; the expected ending follows X.691 clause 19.7."""
    encoded = asn1.encode_uu(RELEASE)
    assert asn1.decode_uu(encoded) == RELEASE
    assert encoded.endswith(bytes([0x01, 0x80])), encoded.hex()  # open type: one octet, true


def test_a_value_of_the_wrong_type_is_our_own_error() -> None:
    """Never blamed on the peer."""
    with pytest.raises(asn1.LocalH323Error):
        asn1.encode_uu({"h323-uu-pdu": {"nonsense": 1}})


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(pdu: bytes) -> None:
    """No exception but RemoteH323Error leaves the ASN.1 door, whatever the library raises."""
    for decode in (asn1.decode_uu, asn1.decode_ras, asn1.decode_h245):
        with contextlib.suppress(RemoteH323Error):
            decode(pdu)


def test_a_pdu_over_the_limit_is_refused_before_decoding() -> None:
    """Sixteen kilobytes hold any real message; more is an attack on the decoder."""
    with pytest.raises(RemoteH323Error, match="pdu_too_large"):
        asn1.decode_h245(b"\0" * (MAX_PDU + 1))


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.integers(1, 7))
def test_frames_survive_any_cutting(pdus: list[bytes], step: int) -> None:
    """TCP delivers pieces as it likes."""
    stream = b"".join(frame(pdu) for pdu in pdus)
    reader, found = TpktReader(), []
    for at in range(0, len(stream), step):
        found += reader.feed(stream[at : at + step])
    assert found == pdus


def test_a_keep_alive_frame_is_not_a_pdu() -> None:
    """H.225.0 peers send an empty TPKT to hold a connection open."""
    assert TpktReader().feed(frame(b"") + frame(b"x")) == [b"x"]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\x04\x00\x00\x08", "tpkt_version"),
        (b"\x03\x00\x00\x00", "tpkt_length"),
        (b"\x03\x00\x00\x03", "tpkt_length"),
        (b"\x03\x00\xff\xff", "tpkt_too_large"),
    ],
)
def test_a_lying_frame_ends_the_connection(head: bytes, code: str) -> None:
    """After one wrong length nothing that follows can be trusted."""
    with pytest.raises(RemoteH323Error, match=code):
        TpktReader().feed(head)


SETUP = Q931Message(
    MessageType.SETUP,
    call_reference=4660,
    from_destination=False,
    elements=(
        (ElementId.BEARER_CAPABILITY, bytes.fromhex("8893a5")),
        (ElementId.DISPLAY, "翁源县".encode() + b"\0"),
        user_user(b"\x20\xb8"),
    ),
)


def test_elements_are_found_by_their_number() -> None:
    """Display, user-user and cause are what a call needs."""
    parsed = Q931Message.parse(bytes(SETUP))
    assert parsed == SETUP
    assert parsed.display == "翁源县"
    assert parsed.element(ElementId.USER_USER) == b"\x20\xb8"
    assert parsed.cause is None
    released = Q931Message(MessageType.RELEASE_COMPLETE, 1, True, ((8, b"\x80\x90"),))
    assert Q931Message.parse(bytes(released)).cause == 16


def test_a_truncated_message_is_refused_or_shorter() -> None:
    """Cut at every byte: RemoteH323Error, or the elements before the cut."""
    whole = bytes(SETUP)
    for length in range(len(whole)):
        try:
            parsed = Q931Message.parse(whole[:length])
        except RemoteH323Error:
            continue
        assert parsed.elements == SETUP.elements[: len(parsed.elements)]
        assert len(parsed.elements) < len(SETUP.elements)
