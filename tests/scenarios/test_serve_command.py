"""`command-center serve` as a user runs it: up, down, killed, up again."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.harness.processes import PATIENCE_S, crowding, wait_until
from tests.harness.product import ROOT, Api, Product
from tests.scenarios import story

PEERS = pytest.mark.peer("fonts")
pytestmark = pytest.mark.timeout(600)  # several starts in one test
CHILDREN = ("video_bridge.node", "command_center gateway", "command_center web", "bin/postgres -D")


def processes_of(folder: Path) -> dict[int, str]:
    """Living processes of an installation: pid -> command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((entry / "cwd").readlink())
        except OSError:
            continue
        if line and (str(folder) in line or where.startswith(str(folder))):
            found[int(entry.name)] = line
    return found


def pid_of(folder: Path, text: str) -> int:
    pids = [pid for pid, line in processes_of(folder).items() if text in line]
    assert pids, (text, processes_of(folder))
    return min(pids)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    started = Product(tmp_path_factory.mktemp("installed") / "product")
    yield started
    started.close()


@pytest.fixture
def product(installed: Product) -> Product:
    """One installation serves all tests of this file; it runs when each begins."""
    if installed.peer.process.poll() is not None:
        installed.start()
    return installed


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_center", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@PEERS
def test_it_starts_stops_and_starts_again_quickly(product: Product) -> None:
    """Ctrl-C stops everything it started within 5 s; the second start takes under 15 s."""
    lines = " ".join(processes_of(product.folder).values())
    assert all(child in lines for child in CHILDREN), lines
    api = product.api()
    health = api.get("/health")
    assert {part["name"]: part["state"] for part in health["components"]} == {
        "database": "ok",
        "media_node": "ok",
        "gateway": "ok",
    }
    wait_until(lambda: "http://127.0.0.1:8080" in product.peer.text(), 20)
    assert "chenshiyi" in product.peer.text()
    passwords = product.credentials()
    began = time.monotonic()
    product.stop()
    wait_until(
        lambda: not processes_of(product.folder), why=lambda: str(processes_of(product.folder))
    )
    assert time.monotonic() - began < 5.0 * crowding()
    assert product.start() < 15.0 * crowding()
    assert product.credentials() == passwords
    assert product.api().get("/incidents?state=all")["items"]


@PEERS
def test_a_killed_parent_leaves_no_orphan_and_loses_nothing(product: Product) -> None:
    """kill -9 of the parent alone, in the middle of work: children go, the record stays."""
    incident = story.file_report(product.api())
    os.kill(product.peer.process.pid, signal.SIGKILL)
    wait_until(
        lambda: not processes_of(product.folder), why=lambda: str(processes_of(product.folder))
    )
    assert product.start() < 15.0 * crowding()
    kept = product.api().get(f"/incidents/{incident['id']}")
    assert kept["number"] == incident["number"]


@PEERS
@pytest.mark.parametrize("child", ["video_bridge.node", "command_center gateway"])
def test_a_crashed_child_comes_back_while_the_others_serve(product: Product, child: str) -> None:
    """The operator keeps working; the health dot tells."""
    api = product.api()
    pid = pid_of(product.folder, child)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: api.get("/health")["status"] != "ok")
    assert api.get("/incidents")["items"]
    wait_until(lambda: api.get("/health")["status"] == "ok")
    assert pid_of(product.folder, child) != pid


@PEERS
def test_a_second_start_in_the_same_folder_is_told_so(product: Product) -> None:
    """Two supervisors would fight over one database."""
    done = command(product.folder, "serve", "--listen", "127.0.0.1:8090")
    assert done.returncode == 1
    assert str(product.peer.process.pid) in done.stdout
    assert product.api().get("/health")["status"] == "ok"


@PEERS
def test_the_demo_is_reset_only_when_stopped(product: Product) -> None:
    """`reset-demo` starts afresh: new passwords, old reports gone."""
    story.file_report(product.api(), title="【演示】要删除的事件")
    before = product.credentials()["chenshiyi"]
    assert command(product.folder, "reset-demo", "--yes").returncode == 1
    product.stop()
    done = command(product.folder, "reset-demo", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    product.start()
    assert product.credentials()["chenshiyi"] != before
    titles = [i["title"] for i in product.api().get("/incidents?state=all")["items"]]
    assert titles
    assert "【演示】要删除的事件" not in titles


@PEERS
def test_beyond_loopback_it_serves_https_with_its_own_certificate(tmp_path: Path) -> None:
    """A phone gets no camera otherwise; links and codes are https."""
    folder = tmp_path / "product"
    folder.mkdir()
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "command_center", "serve", "--listen", "0.0.0.0:8443"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"},
        stdout=log,
        stderr=log,
    )
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    def answers() -> bool:
        assert process.poll() is None, (folder / "serve.log").read_text()
        try:
            with urllib.request.urlopen(
                "https://127.0.0.1:8443/api/v1/config", context=trusting, timeout=3
            ) as answer:
                return b'"public_url":"https://' in answer.read()
        except OSError:
            return False

    try:
        wait_until(answers, 240, (folder / "serve.log").read_text)
        assert re.search(
            r"SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}", (folder / "serve.log").read_text()
        )
        with pytest.raises((OSError, HTTPException)):
            urllib.request.urlopen("http://127.0.0.1:8443/api/v1/config", timeout=3)
        pinned = ssl.create_default_context(
            cafile=str(folder / "var" / "certificate" / "https-certificate.pem")
        )
        with urllib.request.urlopen("https://127.0.0.1:8443/api/v1/config", context=pinned):
            pass
    finally:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        assert time.monotonic() - began < 5.0 * crowding()


@PEERS
def test_a_taken_port_is_named(product: Product, tmp_path: Path) -> None:
    """The person at the terminal reads which address, not a trace."""
    other = tmp_path / "other"
    other.mkdir()
    done = command(other, "serve", "--listen", "127.0.0.1:8080")
    assert done.returncode == 1
    assert "127.0.0.1:8080" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@PEERS
def test_the_api_of_a_fresh_installation_needs_a_log_in(product: Product) -> None:
    """Nothing but health, configuration and log-in is open to strangers."""
    stranger = Api(product.base)
    assert stranger.get("/health")["components"] == []
    status, _, _ = stranger.raw("GET", "/api/v1/incidents")
    assert status == 401


@PEERS
def test_check_says_what_runs(product: Product) -> None:
    """One command tells an administrator whether the installation is whole. Leaves it frozen."""
    good = command(product.folder, "check")
    assert good.returncode == 0, good.stdout
    assert "✗" not in good.stdout.replace("✗ 控制台页面", "")
    os.kill(pid_of(product.folder, "video_bridge.node"), signal.SIGSTOP)
    bad = command(product.folder, "check")
    assert bad.returncode == 1, bad.stdout
    assert "✗ 媒体节点" in bad.stdout
