"""Janus as a rival: its streaming plugin sends one RTP source to WebRTC receivers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import cast

from .machine import usage
from .network import NEAR, Child, FarSide

SOURCE_PORT = 5004
START_TIMEOUT_S = 15.0

_CONFIGURATION = {
    "janus.jcfg": """
general: {{ plugins_folder = "{root}/plugins"; transports_folder = "{root}/transports";
            debug_level = 2; session_timeout = 0 }}
media: {{ ipv6 = false; min_nack_queue = 500 }}
nat: {{ ice_enforce_list = "{near}"; nice_debug = false }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
""",
    "janus.transport.http.jcfg": """
general: {{ json = "compact"; base_path = "/janus"; http = true; port = 8088; ip = "{near}";
            https = false }}
admin: {{ admin_http = false }}
""",
    "janus.plugin.streaming.jcfg": """
fan: {{ type = "rtp"; id = 1; description = "one rung"; video = true; videoport = {port};
        videopt = 96; videocodec = "h264";
        videofmtp = "profile-level-id=42e01f;packetization-mode=1" }}
""",
}
_OTHER_PLUGINS = (
    "audiobridge duktape echotest lua nosip recordplay sip textroom videocall videoroom voicemail"
)

_OTHER_TRANSPORTS = "mqtt nanomsg pfunix rabbitmq websockets"


class UnavailableError(Exception):
    """Janus cannot be measured here; the text says why."""


def measure(receivers: int, suite: str, seconds: float) -> dict[str, float]:
    """CPU of the Janus process per packet that a receiver got. Raises UnavailableError."""
    try:
        return _measure(receivers, suite, seconds)
    except (RuntimeError, OSError) as error:
        raise UnavailableError(str(error)) from error


def _measure(receivers: int, suite: str, seconds: float) -> dict[str, float]:
    program = shutil.which("janus")
    if program is None:
        raise UnavailableError("not installed (Debian package janus)")
    far = FarSide("fanout_janus_client")
    source = Child([sys.executable, "-m", "benchmarks.fanout_sender", "source"])
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "janus.log")
        with log.open("wb") as sink:
            janus = subprocess.Popen(
                [program, "-F", folder, "-C", str(_configure(Path(folder)))],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_up(janus, log)
            connected = cast(int, far.ask(do="connect", count=receivers, suite=suite)["connected"])
            if connected != receivers:
                raise UnavailableError(f"{connected} of {receivers} receivers connected")
            return _run(janus.pid, far, source, receivers, seconds)
        finally:
            janus.terminate()
            try:
                janus.wait(5)
            except subprocess.TimeoutExpired:
                janus.kill()
                janus.wait()
            source.close()
            far.close()


def _configure(folder: Path) -> Path:
    root = next(iter(sorted(Path("/usr/lib").glob("*/janus/plugins"))), None)
    if root is None:
        raise UnavailableError("its plugins were not found under /usr/lib")
    values = {
        "root": root.parent,
        "near": NEAR,
        "port": SOURCE_PORT,
        "plugins": _libraries(_OTHER_PLUGINS),
        "transports": _libraries(_OTHER_TRANSPORTS),
    }
    for name, text in _CONFIGURATION.items():
        (folder / name).write_text(text.format(**values), encoding="ascii")
    return folder / "janus.jcfg"


def _libraries(names: str) -> str:
    return ",".join(f"libjanus_{name}.so" for name in names.split())


def _wait_until_up(janus: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if janus.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"http://{NEAR}:8088/janus/info", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    tail = log.read_text(encoding="utf-8", errors="replace")[-300:]
    raise UnavailableError(f"did not start: {tail}")


def _run(pid: int, far: FarSide, source: Child, receivers: int, seconds: float) -> dict[str, float]:
    source.ask(do="open", port=SOURCE_PORT)
    source.ask(do="send", seconds=1.0)
    first = cast(int, far.ask(do="count")["received"])
    before = usage(pid)
    sent = cast(int, source.ask(do="send", seconds=seconds)["sent"])
    delivered = cast(int, far.ask(do="count")["received"]) - first
    used = usage(pid) - before
    if not delivered:
        raise UnavailableError("no packet arrived")
    return {
        "us_per_packet": 1e6 * used.run_s / delivered,
        "delivered_pct": 100.0 * delivered / (sent * receivers),
        "cpu_wait_pct": used.wait_pct,
    }
