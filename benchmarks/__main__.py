"""`python -m benchmarks NAME --json [--seconds S]`: run one benchmark, or `all` of them.

Progress goes to stderr; the last line on stdout is one JSON object. `--write PAGE` replaces this
benchmark's section of the page and keeps the others. A name that is planned but not built exits
with status 2 and says so. A benchmark is a module here with `run(arguments)` and, if it has options
of its own, `add_arguments(parser)`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from . import report
from .machine import describe
from .sections import SECTIONS


def _module(name: str) -> ModuleType | None:
    full = f"{__package__}.{name}"
    return importlib.import_module(full) if importlib.util.find_spec(full) else None


def _run(name: str, rest: list[str]) -> dict[str, object] | None:
    """Run one, and write its section where it is told to."""
    module = _module(name)
    if module is None:
        return None
    parser = argparse.ArgumentParser(prog=f"benchmarks {name}")
    parser.add_argument("--json", action="store_true", help="one line instead of a table")
    parser.add_argument("--seconds", type=float, default=None, help="how long each try runs")
    parser.add_argument("--write", type=Path, default=None, help="page whose section to replace")
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    arguments = parser.parse_args(rest)
    result: dict[str, object] = module.run(arguments)
    found = {"benchmark": name, **result, "machine": describe()}
    if arguments.write is not None:
        entry: report.Entry = {"command": _command(name, rest), "day": _today(), "result": found}
        report.record(arguments.write, report.title_of(name, found), entry)
    return found


def _command(name: str, rest: list[str]) -> str:
    """As somebody would type it again, without where it was written to."""
    words = ["python", "-m", "benchmarks", name]
    skips = False
    for word in rest:
        if not skips and word not in ("--json", "--write"):
            words.append(word)
        skips = word == "--write"
    return shlex.join(words)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _run_all(rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks all")
    parser.add_argument("--write", type=Path, required=True, help="markdown file to write")
    parser.add_argument("--seconds", default=None, help="given to each of them")
    parser.add_argument("--only", default=None, help="names by comma")
    arguments = parser.parse_args(rest)
    chosen = arguments.only.split(",") if arguments.only else list(SECTIONS)
    failed = False
    for run in (run for run in report.RUNS if run.benchmark in chosen):
        print(f"== {run.title}", file=sys.stderr, flush=True)
        words = [*run.words, *(["--seconds", arguments.seconds] if arguments.seconds else [])]
        try:
            result = _run(run.benchmark, [*words, "--write", str(arguments.write)])
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the others' figures are wanted
            failed = True
            print(f"   failed: {error}", file=sys.stderr)
            reason = f"{type(error).__name__} {error}"
            report.record(arguments.write, run.title, {"failed": reason, "day": _today()})
            continue
        if result is None:
            print("   not built", file=sys.stderr)
        else:
            print(json.dumps(result, ensure_ascii=False), flush=True)
    return 1 if failed else 0


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        for name, section in SECTIONS.items():
            state = "" if _module(name) else "  (not built)"
            print(f"  {name:10} {section.job}{state}", file=sys.stderr)
        return 0 if argv else 2
    name, rest = argv[0], argv[1:]
    if name == "all":
        return _run_all(rest)
    if name not in SECTIONS:
        print(f"no benchmark is called {name}; there are: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    result = _run(name, rest)
    if result is None:
        print(f"{name} is planned but not built", file=sys.stderr)
        return 2
    if "--json" in rest:
        print(json.dumps(result, ensure_ascii=False))
    else:
        for key, value in result.items():
            print(f"{key:28} {json.dumps(value, ensure_ascii=False)}")
    return 0


sys.exit(main(sys.argv[1:]))
