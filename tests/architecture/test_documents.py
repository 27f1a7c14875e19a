"""Documentation lives beside the code and is true: its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "node_modules" not in path.parts
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
FENCE = re.compile(r"```(?:bash|sh|console)\n(.*?)```", re.S)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def _commands() -> list[str]:
    """Every command line of every fenced shell block, once, without comments."""
    lines = []
    for path in DOCUMENTS:
        for block in FENCE.findall(path.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.split(" #")[0].strip().removeprefix("$ ")
                if command and not command.startswith("#"):
                    lines.append(command)
    return sorted(set(lines))


@cache
def _help(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"},
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    """A dead link is a promise broken."""
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("command", _commands())
def test_a_documented_command_exists(command: str) -> None:
    """make targets, command-center subcommands with their options, benchmarks: all by name."""
    words = [word for word in shlex.split(command) if not re.match(r"^[A-Z_]+=", word)]
    if words[0] == "make":
        for target in words[1:]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), target
    if words[0].endswith("command-center"):
        options = [word.split("=")[0] for word in words[1:] if word.startswith("--")]
        subcommand = [word for word in words[1:2] if not word.startswith("-")]
        text = _help("command_center", *subcommand, "--help")
        assert "Usage" in text, text
        assert all(option in text for option in options), (options, text)
    if "-m benchmarks" in command:
        name = command.split("-m benchmarks")[1].split(maxsplit=1)[0]
        assert name in _help("benchmarks", "--help"), name
    if 'ARGS="' in command:
        text = _help("command_center", "serve", "--help")
        for option in re.findall(r"--[a-z-]+", command.split('ARGS="')[1]):
            assert option in text, option
