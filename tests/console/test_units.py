"""The console's own unit tests, which need Node but no browser."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)
CONSOLE = Path(__file__).resolve().parents[2] / "command_center" / "console"


def run_node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Node programme of the console's packages by the Node that builds the console."""
    spec = importlib.util.spec_from_file_location("console_build", CONSOLE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    node, environment = build.node_environment()
    build.install(node, environment)
    return subprocess.run(
        [str(node), *arguments],
        cwd=CONSOLE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_rules_of_the_form_the_clocks_and_the_words_hold() -> None:
    """Their own names tell what broke."""
    done = run_node("node_modules/vitest/vitest.mjs", "run")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_types_of_the_console_hold() -> None:
    """English has every Chinese sentence, and the pages use the API's names: vue-tsc says so."""
    done = run_node("node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit")
    assert done.returncode == 0, done.stdout[-6000:]
