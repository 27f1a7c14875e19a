"""A phone on a network that lets no UDP through: media by TCP to a coturn relay, from there on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import sync_playwright
from uuid6 import uuid7

from command_center.consultation.turn import TurnRelay, credentials
from tests.harness.browser import Browser
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, running
from tests.peers.bare_node import BareNode, eventually
from video_bridge import messages as m

SECRET = "only-in-this-test"
NODE_PORTS, RELAY_PORTS = "21000:21999", "62000:62100"
RELAY = TurnRelay(urls=("turn:127.0.0.1:3478?transport=tcp",), secret=SECRET)


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Peer]:
    command = (
        f"turnserver -n --listening-ip 127.0.0.1 --relay-ip {ADDRESS} --listening-port 3478 "
        f"--min-port 62000 --max-port 62100 --use-auth-secret --static-auth-secret {SECRET} "
        f"--realm centre --no-cli --no-tls --no-dtls --log-file stdout --verbose "
        f"--pidfile {tmp_path}/turn.pid --userdb {tmp_path}/turn.db"
    )
    with running(command.split(), tmp_path / "turn.log") as peer:
        peer.wait_for("127.0.0.1:3478")
        yield peer


def block_udp() -> None:
    """Between browser and node; only the relay's own ports reach the node."""
    for rule in (
        f"-p udp --dport {NODE_PORTS} ! --sport {RELAY_PORTS}",
        f"-p udp --sport {NODE_PORTS} ! --dport {RELAY_PORTS}",
        "-p udp --dport 3478",
    ):
        subprocess.run(["iptables", "-A", "INPUT", *rule.split(), "-j", "DROP"], check=True)


@pytest.mark.peer("chromium", "coturn", "fonts")
def test_phone_without_udp_sees_and_is_seen_through_the_relay(relay: Peer, tmp_path: Path) -> None:
    """The relay takes the credentials that the API gives, and the node needs to know nothing."""
    node = BareNode(tmp_path)
    block_udp()
    try:
        with sync_playwright() as playwright:
            phone = Browser(playwright, tmp_path / "1", marker=1, tone_hz=620.0)
            leg = str(uuid7())
            given = credentials(RELAY, "field-team-1", datetime.now(UTC)).model_dump(mode="json")
            page = node.page_of("前方救援队", leg=leg) + "&ice=" + quote(json.dumps(given["items"]))
            phone.page.goto(page)
            assert phone.page.evaluate("window.joined") == "ok", phone.console
            node.wait_event(m.LegUp, leg, 40)
            eventually(lambda: 1 in phone.seen("#programme"), 40, relay.text()[-2000:])
            assert "ALLOCATE processed, success" in relay.text()
            phone.close()
    finally:
        node.close()
