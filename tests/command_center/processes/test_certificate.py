"""The certificate an installation makes for itself."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from command_center.processes import ensure_certificate

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def _names(path: Path) -> set[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


def test_certificate_names_every_host_and_loads_into_a_server(tmp_path: Path) -> None:
    """A browser looks at the subject alternative names only, addresses included."""
    files = ensure_certificate(tmp_path, ["10.1.2.3", "command.example"], now=NOW)
    assert _names(files.certificate) == {"10.1.2.3", "command.example", "localhost", "127.0.0.1"}
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
        files.certificate, files.key
    )


def test_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Secrets are files with mode 0600."""
    files = ensure_certificate(tmp_path, [], now=NOW)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_certificate_is_kept_while_it_serves(tmp_path: Path) -> None:
    """A phone that accepted it once is not asked again at each start."""
    first = ensure_certificate(tmp_path, ["10.1.2.3"], now=NOW)
    again = ensure_certificate(tmp_path, ["10.1.2.3"], now=NOW + timedelta(days=300))
    assert again.fingerprint_sha256 == first.fingerprint_sha256


def test_certificate_is_renewed_for_a_new_host_and_before_it_ends(tmp_path: Path) -> None:
    """Otherwise the installation would stop serving phones on a day nobody planned."""
    first = ensure_certificate(tmp_path, [], now=NOW)
    moved = ensure_certificate(tmp_path, ["10.9.9.9"], now=NOW)
    later = ensure_certificate(tmp_path, ["10.9.9.9"], now=NOW + timedelta(days=380))
    assert len({f.fingerprint_sha256 for f in (first, moved, later)}) == 3


def test_broken_files_are_replaced(tmp_path: Path) -> None:
    """A start that was killed while writing must not lock the installation out of https."""
    files = ensure_certificate(tmp_path, [], now=NOW)
    files.key.write_bytes(b"half a key")
    again = ensure_certificate(tmp_path, [], now=NOW)
    assert again.fingerprint_sha256 != files.fingerprint_sha256
