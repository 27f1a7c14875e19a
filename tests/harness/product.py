"""The product itself, started as a user starts it, and a plain HTTP client for its API."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from . import namespace
from .processes import PATIENCE_S, Peer, wait_until

ROOT = Path(__file__).parents[2]


class ApiError(AssertionError):
    """An answer of 4xx or 5xx, with its problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem}")
        self.status, self.problem = status, problem
        self.code = problem.get("code")


class Api:
    """One logged-in person (or nobody yet)."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def raw(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = PATIENCE_S,
    ) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(self.base + path, data=body, method=method)
        for name, value in {"X-CSRF": "1", **(headers or {})}.items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=timeout_s) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A JSON call under /api/v1. Raises ApiError for 4xx and 5xx."""
        payload = None if body is None else json.dumps(body).encode()
        status, _, raw = self.raw(
            method, "/api/v1" + path, payload, {"Content-Type": "application/json", **headers}
        )
        answer = json.loads(raw) if raw else {}
        if status >= 400:
            raise ApiError(status, answer)
        return answer

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def log_in(self, username: str, password: str) -> Any:
        return self.post("/session", {"username": username, "password": password})


class Product:
    """`command-center serve` in a folder of its own: its database, sockets and secrets."""

    def __init__(self, folder: Path, *arguments: str, port: int = 8080) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port, self.arguments = folder, port, arguments
        self.base = f"http://127.0.0.1:{port}"
        self.start()

    def start(self, timeout_s: float = 120) -> float:
        """Start and wait until it is healthy. Returns the seconds it took."""
        began = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        self.peer = Peer(
            [
                sys.executable,
                "-m",
                "command_center",
                "serve",
                "--listen",
                f"127.0.0.1:{self.port}",
                *self.arguments,
            ],
            self.folder / "serve.log",
            {**environment, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"},
            cwd=self.folder,
        )
        wait_until(self._is_healthy, timeout_s, lambda: f"not up:\n{self.peer.text()[-6000:]}")
        return time.monotonic() - began

    def _is_healthy(self) -> bool:
        assert self.peer.process.poll() is None, f"ended:\n{self.peer.text()[-6000:]}"
        with contextlib.suppress(OSError, ValueError):
            status, _, body = Api(self.base).raw("GET", "/api/v1/health", timeout_s=15)
            return status == 200 and json.loads(body).get("status") == "ok"
        return False

    def stop(self, timeout_s: float = PATIENCE_S) -> float:
        """Ctrl-C. Returns the seconds it took."""
        began = time.monotonic()
        self.peer.process.send_signal(signal.SIGINT)
        self.peer.process.wait(timeout_s)
        return time.monotonic() - began

    def kill_everything(self) -> None:
        """kill -9 of every process of this installation, PostgreSQL too."""
        marker = str(self.folder)
        for _ in range(3):
            for process in Path("/proc").iterdir():
                if process.name.isdigit() and int(process.name) != os.getpid():
                    with contextlib.suppress(OSError):
                        line = (process / "cmdline").read_bytes().decode(errors="replace")
                        where = str((process / "cwd").readlink())
                        if marker in line or where.startswith(marker):
                            os.kill(int(process.name), signal.SIGKILL)
            time.sleep(0.1)

    def credentials(self) -> dict[str, str]:
        """Account or log-in name -> password, from var/demo-credentials.txt."""
        text = (self.folder / "var" / "demo-credentials.txt").read_text()
        found = {}
        for line in text.splitlines():
            if match := re.match(r"^\s*([\w.-]+)\s+(\S+)", line):
                found[match[1]] = match[2]
        return found

    def api(self, username: str = "chenshiyi") -> Api:
        api = Api(self.base)
        api.log_in(username, self.credentials()[username])
        return api

    def close(self) -> None:
        if self.peer.process.poll() is None:
            with contextlib.suppress(Exception):
                self.stop()
        self.kill_everything()


def sip_address() -> str:
    """Where halls inside the test's namespace reach the gateway."""
    return namespace.ADDRESS
