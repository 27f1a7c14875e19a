"""Compile the C datapath once per user and machine, and load it.

No compiler, no libcrypto or no writable place is no error: `library()` then gives None and
`status()` the reason, and packets go through the Python twin.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SOURCES = Path(__file__).with_name("c")
_COMPILERS = ("cc", "gcc", "clang")
_FLAGS = ("-O2", "-shared", "-fPIC", "-std=gnu11")
_LIBRARIES = ("-ldl", "-lm", "-pthread")
_COMPILE_TIMEOUT_S = 60.0
_VERSION = 5


@dataclass(frozen=True, slots=True)
class DatapathStatus:
    """`datapath` is "c" or "python"; `reason` says why not C, or where the library lies."""

    datapath: str
    reason: str


class _UnavailableError(Exception):
    """This machine cannot have the C datapath; the text says why."""


@functools.cache
def _load() -> tuple[ctypes.CDLL | None, DatapathStatus]:
    try:
        path = _compiled()
        library = ctypes.CDLL(str(path))
        if library.dp_version() != _VERSION:
            raise _UnavailableError("the library is of another version")
        _find_crypto(library)
    except (_UnavailableError, OSError, AttributeError) as error:
        return None, DatapathStatus("python", str(error))
    return library, DatapathStatus("c", str(path))


def library() -> ctypes.CDLL | None:
    """The loaded library; the first call may compile for a second."""
    return _load()[0]


def status() -> DatapathStatus:
    """Which way packets go on this machine, for health and benchmarks."""
    return _load()[1]


def _find_crypto(library: ctypes.CDLL) -> None:
    names = ["libcrypto.so.3", "libcrypto.so.1.1", ctypes.util.find_library("crypto")]
    for name in names:
        if name is not None and library.dp_load_crypto(name.encode()) == 0:
            return
    raise _UnavailableError("no libcrypto with the needed functions")


def _compiled() -> Path:
    """The shared library of exactly these sources, compiled if it is not there yet."""
    files = sorted(_SOURCES.glob("*.[ch]"))
    source = b"".join(path.read_bytes() for path in files)
    units = [str(path) for path in files if path.suffix == ".c"]
    flags = " ".join((*_FLAGS, *_LIBRARIES, platform.machine(), *platform.libc_ver()))
    digest = hashlib.sha256(source + flags.encode()).hexdigest()[:16]
    folder = _folder()
    path = folder / f"datapath-{digest}.so"
    if path.exists() and _is_ours(path):
        return path
    compiler = next((found for name in _COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise _UnavailableError("no C compiler")
    handle, name = tempfile.mkstemp(dir=folder, suffix=".so")
    os.close(handle)
    made = Path(name)
    try:
        done = subprocess.run(
            [compiler, *_FLAGS, "-o", str(made), *units, *_LIBRARIES],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMPILE_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise _UnavailableError(f"the compiler refused: {done.stderr.strip()[:200]}")
        made.chmod(0o700)
        made.replace(path)  # atomic: two processes may compile at once
    except subprocess.TimeoutExpired as error:
        raise _UnavailableError("the compiler took too long") from error
    finally:
        made.unlink(missing_ok=True)
    return path


def _folder() -> Path:
    """A folder that only this user can write: others' code must never be loaded."""
    for folder in _candidates():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(folder) and os.access(folder, os.W_OK | os.X_OK):
                return folder
        except OSError:
            continue
    raise _UnavailableError("no private folder to compile into")


def _candidates() -> list[Path]:
    folders = [Path(tempfile.gettempdir()) / f"command-center-{os.getuid()}"]
    with contextlib.suppress(RuntimeError):  # this user has no home
        folders.insert(0, Path.home() / ".cache" / "command-center")
    return folders


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    is_link = stat.S_ISLNK(found.st_mode)
    return not is_link and found.st_uid == os.getuid() and not found.st_mode & 0o022
