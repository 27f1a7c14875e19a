"""DTLS of one leg by aiortc, with the SRTP keys handed out to our own packet path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from aiortc.rtcicetransport import RTCIceTransport
from OpenSSL import SSL

from ..datapath import SrtpKeys, SrtpProfile
from ..errors import LocalMediaError, RemoteMediaError

_PROFILES = {
    b"SRTP_AEAD_AES_256_GCM": SrtpProfile.AEAD_AES_256_GCM,
    b"SRTP_AEAD_AES_128_GCM": SrtpProfile.AEAD_AES_128_GCM,
    b"SRTP_AES128_CM_SHA1_80": SrtpProfile.AES_CM_128_HMAC_SHA1_80,
}


@dataclass(frozen=True, slots=True)
class DtlsKeys:
    """What the handshake gave for SRTP."""

    send: SrtpKeys
    receive: SrtpKeys


class Datagrams(Protocol):
    """What carries the handshake."""

    async def recv(self) -> bytes: ...

    async def send(self, data: bytes) -> None: ...


class _Link:
    """What `RTCDtlsTransport` wants of an ICE transport."""

    role = "controlled"

    def __init__(self, datagrams: Datagrams) -> None:
        self._recv = datagrams.recv
        self._send = datagrams.send


def make_certificate() -> RTCCertificate:
    """A key and a certificate of our own, good for one leg."""
    return RTCCertificate.generateCertificate()


def fingerprint_of(certificate: RTCCertificate) -> str:
    """Its sha-256 fingerprint, without the name."""
    found = (f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")
    return str(next(found))


class Dtls(RTCDtlsTransport):
    """One handshake over a path to the peer; then only alerts arrive here."""

    def __init__(
        self, path: Datagrams, *, is_client: bool, certificate: RTCCertificate | None = None
    ) -> None:
        self._certificate = certificate or make_certificate()
        super().__init__(cast(RTCIceTransport, _Link(path)), [self._certificate])
        self._set_role("client" if is_client else "server")
        self._is_stopping = False

    @property
    def fingerprint(self) -> str:
        """Our sha-256 fingerprint."""
        return fingerprint_of(self._certificate)

    async def handshake(
        self, fingerprints: tuple[tuple[str, str], ...], on_closed: Callable[[], None]
    ) -> DtlsKeys:
        """Complete the handshake; `on_closed` is called when the peer closes afterwards.

        Raises RemoteMediaError `dtls_failed`; on a wrong fingerprint the peer is told so.
        """
        wanted = [RTCDtlsFingerprint(algorithm=a, value=v) for a, v in fingerprints]
        await self.start(RTCDtlsParameters(fingerprints=wanted))
        if self._state != State.CONNECTED:
            await self._say_goodbye()
            raise RemoteMediaError("dtls_failed")

        def changed() -> None:
            if self._state == State.CLOSED and not self._is_stopping:
                on_closed()

        self.on("statechange", changed)
        return self._export_keys()

    def _export_keys(self) -> DtlsKeys:
        if self._ssl is None:
            raise LocalMediaError("dtls_not_started")
        profile = _PROFILES[self._ssl.get_selected_srtp_profile()]
        material = self._ssl.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (profile.key_size + profile.salt_size)
        )
        send, receive = SrtpKeys.from_dtls_material(
            profile, material, is_dtls_client=self._role == "client"
        )
        return DtlsKeys(send, receive)

    async def _say_goodbye(self) -> None:
        """aiortc leaves the peer of a refused handshake waiting; close both sides."""
        if self._ssl is None or not self.encrypted:
            return
        try:
            self._ssl.shutdown()
            await self._write_ssl()
        except (SSL.Error, ConnectionError):
            return

    async def stop(self) -> None:
        self._is_stopping = True
        task = self._task
        await super().stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
