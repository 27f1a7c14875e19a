"""The rules of the house are checked by machines: imports, types, style, front doors."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("command_center", "plans", "resource_dispatch", "drills", "sip_gateway", "video_bridge")

PLANTED = {
    "the media room looks up at signalling": ("video_bridge", "import sip_gateway\n"),
    "the media room looks up at the roof": ("video_bridge", "import command_center\n"),
    "the columns meet": ("plans", "import sip_gateway\n"),
    "media knows dispatch": ("video_bridge", "import resource_dispatch\n"),
    "a protocol core opens a socket": ("sip_gateway/sip", "import socket\n"),
    "a protocol core reads the clock": ("video_bridge/rtp", "import time\n"),
    "the roof enters by the window": ("command_center", "import video_bridge.codecs\n"),
}


def _run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_import_contracts_are_kept() -> None:
    """Downwards in one column, never across: the architecture in one command."""
    done = _run("lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def broken_imports(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of the code with every violation planted in a file of its own."""
    root = tmp_path_factory.mktemp("planted")
    for room in ROOMS:
        for source in (ROOT / room).rglob("*.py"):
            if "node_modules" in source.parts:
                continue
            copy = root / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (root / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for number, (folder, line) in enumerate(PLANTED.values()):
        (root / folder / f"planted_{number}.py").write_text(line)
    done = _run("lint-imports", "--no-cache", cwd=root)
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.mark.parametrize("violation", PLANTED)
def test_a_planted_import_violation_is_found(violation: str, broken_imports: str) -> None:
    """A contract that cannot fail would prove nothing: each is among the broken ones."""
    folder, line = PLANTED[violation]
    number, imported = list(PLANTED).index(violation), line.split()[1]
    planted = f"{folder.replace('/', '.')}.planted_{number}"
    chain = rf"^-? *{re.escape(planted)} -> {re.escape(imported)}\b"
    assert re.search(chain, broken_imports, re.M), broken_imports


def test_ruff_finds_nothing() -> None:
    """Style is not discussed in reviews."""
    done = _run("ruff", "check", ".")
    assert done.returncode == 0, done.stdout
    done = _run("ruff", "format", "--check", ".")
    assert done.returncode == 0, done.stdout


def test_mypy_strict_finds_nothing() -> None:
    """No Any crosses a front door."""
    done = _run("mypy")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_front_door(room: str) -> None:
    """Other rooms import only what `__all__` offers, under a docstring that says the job."""
    probe = f'import {room}; assert {room}.__doc__; assert hasattr({room}, "__all__")'
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_entering_the_media_room_loads_no_codec() -> None:
    """The web process and the gateway speak to a node; they must not carry its weight."""
    probe = (
        "import sys, video_bridge; "
        "heavy = {'av', 'cv2', 'aiortc', 'numpy'} & sys.modules.keys(); "
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
