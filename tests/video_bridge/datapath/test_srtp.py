"""SRTP keys and single packets."""

from __future__ import annotations

import os

import pytest

from tests.harness.plugin import suite
from video_bridge.datapath import SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.rtp import rtcp
from video_bridge.rtp.packet import RtpPacket

PACKET = bytes(RtpPacket(96, 1, 2, 3, b"payload" * 20))
REPORT = rtcp.build(rtcp.ReceiverReport(1))


def _keys(profile: SrtpProfile) -> SrtpKeys:
    return SrtpKeys(profile, os.urandom(profile.key_size), os.urandom(profile.salt_size))


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_both_kinds_of_packet_pass_and_grow_by_the_tag(profile: SrtpProfile) -> None:
    """RTP and RTCP, each profile."""
    keys = _keys(profile)
    sender, receiver = SrtpSender(keys), SrtpReceiver(keys)
    protected = sender.protect(PACKET)
    assert len(protected) == len(PACKET) + profile.tag_size
    assert receiver.unprotect(protected) == PACKET
    assert receiver.unprotect_rtcp(sender.protect_rtcp(REPORT)) == REPORT


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_forgery_replay_and_a_foreign_key_are_refused(profile: SrtpProfile) -> None:
    """Each flipped byte, the same packet twice, somebody else's packet."""
    keys = _keys(profile)
    protected = SrtpSender(keys).protect(PACKET)
    for position in range(len(protected)):
        flipped = bytearray(protected)
        flipped[position] ^= 0x01
        with pytest.raises(RemoteMediaError):
            SrtpReceiver(keys).unprotect(bytes(flipped))
    receiver = SrtpReceiver(keys)
    receiver.unprotect(protected)
    with pytest.raises(RemoteMediaError):
        receiver.unprotect(protected)
    with pytest.raises(RemoteMediaError):
        SrtpReceiver(_keys(profile)).unprotect(protected)
    assert receiver.refused == 1


@pytest.mark.parametrize("profile", SrtpProfile, ids=str)
def test_packets_cut_anywhere_raise_only_remote_errors(profile: SrtpProfile) -> None:
    """Truncated, empty, oversized."""
    keys = _keys(profile)
    protected = SrtpSender(keys).protect(PACKET)
    receiver = SrtpReceiver(keys)
    for junk in [*(protected[:size] for size in range(len(protected))), bytes(3000)]:
        with pytest.raises(RemoteMediaError):
            receiver.unprotect(junk)
        with pytest.raises(RemoteMediaError):
            receiver.unprotect_rtcp(junk)
    assert receiver.unprotect(protected) == PACKET


def test_seeds_of_libsrtp_raise_only_remote_errors() -> None:
    """Its own fuzzing corpus, both ways."""
    receiver = SrtpReceiver(_keys(SrtpProfile.AES_CM_128_HMAC_SHA1_80))
    for path in suite("badinput/srtp-libsrtp"):
        data = path.read_bytes()
        for unprotect in (receiver.unprotect, receiver.unprotect_rtcp):
            try:
                unprotect(data)
            except RemoteMediaError:
                continue


def test_an_oversized_packet_is_our_mistake() -> None:
    """Nothing larger than a datagram of Ethernet is ever sent."""
    sender = SrtpSender(_keys(SrtpProfile.AEAD_AES_128_GCM))
    for protect in (sender.protect, sender.protect_rtcp):
        with pytest.raises(LocalMediaError):
            protect(bytes(1500))


def test_dtls_material_is_cut_as_the_rfc_says() -> None:
    """RFC 5764 section 4.2: client key, server key, client salt, server salt."""
    profile = SrtpProfile.AES_CM_128_HMAC_SHA1_80
    material = bytes(range(60))
    ours, theirs = SrtpKeys.from_dtls_material(profile, material, is_dtls_client=True)
    assert (ours.master_key, ours.master_salt) == (material[:16], material[32:46])
    assert (theirs.master_key, theirs.master_salt) == (material[16:32], material[46:60])
    swapped = SrtpKeys.from_dtls_material(profile, material, is_dtls_client=False)
    assert swapped == (theirs, ours)
    with pytest.raises(LocalMediaError):
        SrtpKeys.from_dtls_material(profile, material[:59], is_dtls_client=True)


def test_keys_are_checked_and_never_printed() -> None:
    """A log line with a key opens every recording of that line."""
    keys = _keys(SrtpProfile.AEAD_AES_256_GCM)
    assert keys.master_key.hex() not in repr(keys)
    assert str(keys.master_key) not in repr(keys)
    with pytest.raises(LocalMediaError):
        SrtpKeys(SrtpProfile.AEAD_AES_256_GCM, b"short", bytes(12))


def test_profiles_are_found_by_both_their_names() -> None:
    """SDES in SIP says the suite, DTLS the number."""
    for profile in SrtpProfile:
        assert SrtpProfile.from_suite(profile.suite) is profile
        assert SrtpProfile.from_dtls_id(profile.dtls_id) is profile
    with pytest.raises(LocalMediaError):
        SrtpProfile.from_suite("NULL_HMAC_SHA1_80")
    with pytest.raises(LocalMediaError):
        SrtpProfile.from_dtls_id(0x0005)
