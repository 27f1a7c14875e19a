"""H.235.6 packets: what is encrypted, what stays in clear, and what a peer may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.errors import RemoteMediaError
from video_bridge.rtp.h235 import H235Cipher
from video_bridge.rtp.packet import RtpPacket

KEY = bytes(range(16))
CLEAR = RtpPacket(96, 4711, 90_000, 0xA0D10, b"picture" * 9, marker=True)


@given(payload=st.binary(min_size=1, max_size=1300), sequence=st.integers(0, 0xFFFF))
def test_a_payload_of_any_length_comes_back(payload: bytes, sequence: int) -> None:
    """With its header in clear, in whole blocks, and not as it was."""
    packet = bytes(RtpPacket(96, sequence, 90_000, 5, payload))
    sealed = H235Cipher(KEY).protect(packet)
    assert (len(sealed) - 12) % 16 == 0
    assert sealed[1:12] == packet[1:12]
    assert payload not in sealed or len(payload) < 3
    assert H235Cipher(KEY).unprotect(sealed) == packet


def test_the_same_payload_differs_from_packet_to_packet() -> None:
    """The vector is of the sequence number and the timestamp."""
    later = RtpPacket(96, 4712, 90_000, 0xA0D10, CLEAR.payload, marker=True)
    cipher = H235Cipher(KEY)
    assert cipher.protect(bytes(CLEAR))[12:] != cipher.protect(bytes(later))[12:]
    assert cipher.protect(bytes(CLEAR)) == cipher.protect(bytes(CLEAR))  # sent again: the same


@pytest.mark.parametrize(
    ("clear", "sealed"),
    [
        ("4920776f756c64206c696b652074686520", "c6353568f2bf8cb4d8a580362da7ff7f97"),
        (
            "4920776f756c64206c696b65207468652047656e6572616c20476175277320",
            "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
        ),
    ],
)
def test_stolen_ciphertext_is_read_as_rfc_3962_has_it(clear: str, sealed: str) -> None:
    """Its vectors, under its key and a vector of zeros."""
    head = bytes([0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5])
    cipher = H235Cipher(b"chicken teriyaki")
    assert cipher.unprotect(head + bytes.fromhex(sealed)) == head + bytes.fromhex(clear)


def test_sources_and_extension_stay_in_clear() -> None:
    """Both may stand before the payload."""
    head = (
        bytes([0x92, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5]) + bytes(8) + b"\xbe\xde\0\x01\x10\x55\0\0"
    )
    sealed = H235Cipher(KEY).protect(head + b"sound")
    assert sealed[1 : len(head)] == head[1:]
    assert H235Cipher(KEY).unprotect(sealed) == head + b"sound"


@given(st.binary(max_size=200))
def test_junk_is_one_remote_error_or_a_packet(junk: bytes) -> None:
    """Another key gives junk as well: there is no authentication."""
    try:
        H235Cipher(KEY).unprotect(junk)
    except RemoteMediaError as error:
        assert error.code == "h235_malformed"
