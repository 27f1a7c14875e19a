"""SRTP for single packets through pylibsrtp: all that is received, and RTCP that is sent.

Media that is fanned out to many goes through `datapath.fanout`.
"""

from __future__ import annotations

import pylibsrtp

from ..errors import LocalMediaError, RemoteMediaError
from .keys import SrtpKeys, SrtpProfile

_PROFILES = {
    SrtpProfile.AES_CM_128_HMAC_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SrtpProfile.AES_CM_128_HMAC_SHA1_32: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    SrtpProfile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
REPLAY_WINDOW = 1024


def _session(keys: SrtpKeys, ssrc_type: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(
        key=keys.master_key + keys.master_salt,
        ssrc_type=ssrc_type,
        srtp_profile=_PROFILES[keys.profile],
    )
    policy.allow_repeat_tx = True  # a NACKed packet goes out again, byte for byte the same
    policy.window_size = REPLAY_WINDOW
    return pylibsrtp.Session(policy)


class SrtpReceiver:
    """One peer's packets, any SSRC."""

    def __init__(self, keys: SrtpKeys) -> None:
        self._session = _session(keys, pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self.refused = 0

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet. Raises RemoteMediaError `srtp_refused` on forgery, replay or junk."""
        try:
            return bytes(self._session.unprotect(packet))
        except (pylibsrtp.Error, ValueError) as error:
            self.refused += 1
            raise RemoteMediaError("srtp_refused", why=str(error)) from error

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The compound RTCP packet. Raises RemoteMediaError `srtp_refused`."""
        try:
            return bytes(self._session.unprotect_rtcp(packet))
        except (pylibsrtp.Error, ValueError) as error:
            self.refused += 1
            raise RemoteMediaError("srtp_refused", why=str(error)) from error


class SrtpSender:
    """Our packets to one peer, any SSRC."""

    def __init__(self, keys: SrtpKeys) -> None:
        self._session = _session(keys, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)

    def protect(self, packet: bytes) -> bytes:
        """Raises LocalMediaError `srtp_not_protected`: packet too large, or sent too long ago."""
        try:
            return bytes(self._session.protect(packet))
        except (pylibsrtp.Error, ValueError) as error:
            raise LocalMediaError("srtp_not_protected", why=str(error)) from error

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Raises LocalMediaError `srtp_not_protected`."""
        try:
            return bytes(self._session.protect_rtcp(packet))
        except (pylibsrtp.Error, ValueError) as error:
            raise LocalMediaError("srtp_not_protected", why=str(error)) from error
