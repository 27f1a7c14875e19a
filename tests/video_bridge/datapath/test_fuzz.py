"""The C datapath under packets that are nearly right, with sanitizers and with valgrind."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.soak import IS_SOAK
from video_bridge.datapath import build

SOURCE = Path(__file__).with_name("fuzz.c")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def _built(folder: Path, *flags: str) -> Path:
    """The driver; skips where this machine cannot build it."""
    compiler = next(filter(None, map(shutil.which, build._COMPILERS)), None)
    if compiler is None:
        pytest.skip("no C compiler")
    made = folder / "fuzz"
    command = [compiler, "-std=gnu11", "-g", "-O1", *flags, "-o", str(made), str(SOURCE)]
    command += ["-ldl", "-lm", "-pthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "cannot find" in done.stderr:
        pytest.skip("no sanitizer libraries")
    assert done.returncode == 0, done.stderr[-2000:]
    return made


def _run(command: list[str], timeout_s: float) -> None:
    options = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **options},
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert "packets" in done.stdout


@pytest.mark.soak
def test_no_packet_makes_the_datapath_read_or_write_elsewhere(tmp_path: Path) -> None:
    """Anybody can send to an open port; address and undefined-behaviour sanitizers watch."""
    driver = _built(tmp_path, *SANITIZERS)
    for seed in range(20 if IS_SOAK else 1):
        _run([str(driver), "2000000" if IS_SOAK else "40000", str(seed)], 1200)


@pytest.mark.soak(only=True)
def test_valgrind_finds_no_uninitialised_byte_and_no_leak(tmp_path: Path) -> None:
    """What sanitizers do not see: values that were never written."""
    if shutil.which("valgrind") is None:
        pytest.skip("no valgrind")
    driver = _built(tmp_path)
    watch = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--track-origins=yes"]
    _run([*watch, str(driver), "100000", "3"], 3000)
