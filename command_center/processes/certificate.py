"""The certificate an installation makes for itself, so that phones get a camera from day one.

Browsers give camera and microphone to secure pages only. A self-made certificate is warned about
once; an installation with a name of its own puts real files in its settings.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = timedelta(days=397)  # what browsers accept at most
RENEW_BEFORE_END = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    certificate: Path
    key: Path
    fingerprint_sha256: str  # shown at start-up, so that a person can compare it on the phone


def ensure_certificate(directory: Path, hosts: Iterable[str], *, now: datetime) -> CertificateFiles:
    """Files for `hosts` (names or addresses) under `directory`; made or renewed when needed.

    A certificate is kept while it is valid for 30 more days and names all hosts, so that a phone
    that has accepted it is not asked again at each start.
    """
    now = now.replace(microsecond=0)  # a certificate knows whole seconds
    names = sorted(set(hosts) | {"localhost", "127.0.0.1"})
    files = directory / "https-certificate.pem", directory / "https-key.pem"
    certificate = _load(*files)
    if certificate is None or not _serves(certificate, names, now):
        certificate = _make(names, now, *files)
    return CertificateFiles(*files, certificate.fingerprint(hashes.SHA256()).hex(":").upper())


def _load(certificate_file: Path, key_file: Path) -> x509.Certificate | None:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*spki) != key.public_key().public_bytes(*spki):
        return None
    return certificate


def _serves(certificate: x509.Certificate, names: list[str], now: datetime) -> bool:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return False
    if certificate.not_valid_after_utc - now < RENEW_BEFORE_END:
        return False
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = {str(name.value) for name in alternatives}
    return set(names) <= held


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode("ascii"))


def _make(
    names: list[str], now: datetime, certificate_file: Path, key_file: Path
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "command-center")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks of phones differ
        .not_valid_after(now + VALIDITY)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate
