"""The file of passwords."""

from __future__ import annotations

from pathlib import Path

from command_center.demo.credentials import (
    Credential,
    new_password,
    read_credentials,
    write_credentials,
)
from command_center.security.passwords import check_rules


def test_a_password_passes_the_houses_own_rules() -> None:
    """Three kinds of characters, none that a room system's configuration would eat."""
    for _ in range(200):
        password = new_password()
        check_rules(password, "chenshiyi")
        assert password.isalnum()
        assert password.isascii()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The banner and the tests read what the seed wrote."""
    file = tmp_path / "var" / "demo-credentials.txt"
    log_in = Credential("chenshiyi", "Abc123", "陈示一 值班员")
    hall = Credential("440000-fire", "Def456", "省消防救援总队")
    write_credentials(file, [log_in], [hall])
    assert read_credentials(file) == [log_in, hall]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_no_file_is_no_credentials(tmp_path: Path) -> None:
    """A real installation has none."""
    assert read_credentials(tmp_path / "none.txt") == []
