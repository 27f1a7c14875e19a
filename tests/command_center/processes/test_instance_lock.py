"""One installation per directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command_center.processes import AlreadyRunningError, InstanceLock


def test_second_holder_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    """Two supervisors on one `var/` would fight over sockets and the database."""
    with InstanceLock(tmp_path / "serve.lock"), pytest.raises(AlreadyRunningError) as caught:
        InstanceLock(tmp_path / "serve.lock").__enter__()
    assert caught.value.pid == os.getpid()


def test_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    """A file left by a killed process locks nobody out."""
    (tmp_path / "serve.lock").write_text("999999")
    with InstanceLock(tmp_path / "serve.lock"):
        pass
    with InstanceLock(tmp_path / "serve.lock"):
        pass
