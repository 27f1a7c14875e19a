"""SRTP keys and profiles (RFC 3711, RFC 7714), named as DTLS-SRTP and SDES name them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..errors import LocalMediaError


class SrtpProfile(Enum):
    """Value: (SDES crypto suite name, DTLS-SRTP profile id, key size, salt size, tag size)."""

    AES_CM_128_HMAC_SHA1_80 = ("AES_CM_128_HMAC_SHA1_80", 0x0001, 16, 14, 10)
    AES_CM_128_HMAC_SHA1_32 = ("AES_CM_128_HMAC_SHA1_32", 0x0002, 16, 14, 4)
    AEAD_AES_128_GCM = ("AEAD_AES_128_GCM", 0x0007, 16, 12, 16)
    AEAD_AES_256_GCM = ("AEAD_AES_256_GCM", 0x0008, 32, 12, 16)

    @property
    def suite(self) -> str:
        return self.value[0]

    @property
    def dtls_id(self) -> int:
        return self.value[1]

    @property
    def key_size(self) -> int:
        return self.value[2]

    @property
    def salt_size(self) -> int:
        return self.value[3]

    @property
    def tag_size(self) -> int:
        """Bytes that SRTP adds to an RTP packet."""
        return self.value[4]

    @property
    def is_gcm(self) -> bool:
        return self.salt_size == 12

    @classmethod
    def from_suite(cls, suite: str) -> SrtpProfile:
        """Raises LocalMediaError `srtp_profile_unknown`."""
        for profile in cls:
            if profile.suite == suite:
                return profile
        raise LocalMediaError("srtp_profile_unknown", suite=suite)

    @classmethod
    def from_dtls_id(cls, dtls_id: int) -> SrtpProfile:
        """Raises LocalMediaError `srtp_profile_unknown`."""
        for profile in cls:
            if profile.dtls_id == dtls_id:
                return profile
        raise LocalMediaError("srtp_profile_unknown", dtls_id=dtls_id)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt of one direction."""

    profile: SrtpProfile
    master_key: bytes
    master_salt: bytes

    def __post_init__(self) -> None:
        if (
            len(self.master_key) != self.profile.key_size
            or len(self.master_salt) != self.profile.salt_size
        ):
            raise LocalMediaError("srtp_key_size_wrong", suite=self.profile.suite)

    def __repr__(self) -> str:
        return f"SrtpKeys({self.profile.suite}, ...)"  # keys never reach a log

    @classmethod
    def from_dtls_material(
        cls, profile: SrtpProfile, material: bytes, *, is_dtls_client: bool
    ) -> tuple[SrtpKeys, SrtpKeys]:
        """(ours to send, the peer's) from 2 x (key + salt) exported bytes (RFC 5764 4.2)."""
        k, s = profile.key_size, profile.salt_size
        if len(material) < 2 * (k + s):
            raise LocalMediaError("srtp_key_size_wrong", suite=profile.suite)
        client = cls(profile, material[:k], material[2 * k : 2 * k + s])
        server = cls(profile, material[k : 2 * k], material[2 * k + s : 2 * (k + s)])
        return (client, server) if is_dtls_client else (server, client)
