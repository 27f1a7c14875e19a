"""`python -m benchmarks NAME --json [--seconds S]`: run one benchmark, or `all` of them.

Progress goes to stderr; the last line on stdout is one JSON object. A name that is planned but not
built exits with status 2 and says so. A benchmark is a module here with `run(arguments)` and,
if it has options of its own, `add_arguments(parser)`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

from . import report
from .machine import describe

NAMES = {
    "fanout": "one rung's packets to many receivers, against aiortc and Janus",
    "province": "a province's sites in one consultation",
    "latency": "from a site's frame to the programme that shows it",
    "join": "from a click to the first picture",
    "sip": "calls and registrations per second",
    "h323": "H.323 call set-up",
    "dispatch": "the optimiser against others on known instances",
    "roads": "travel times over a large road graph",
    "search": "finding documents by Chinese words",
    "desk": "many consoles at one desk",
}


def _module(name: str) -> ModuleType | None:
    full = f"{__package__}.{name}"
    return importlib.import_module(full) if importlib.util.find_spec(full) else None


def _run(name: str, rest: list[str]) -> dict[str, object] | None:
    module = _module(name)
    if module is None:
        return None
    parser = argparse.ArgumentParser(prog=f"benchmarks {name}")
    parser.add_argument("--json", action="store_true", help="one line instead of a table")
    parser.add_argument("--seconds", type=float, default=None, help="how long each try runs")
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    result: dict[str, object] = module.run(parser.parse_args(rest))
    return {"benchmark": name, **result, "machine": describe()}


def _run_all(rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks all")
    parser.add_argument("--write", type=Path, required=True, help="markdown file to write")
    parser.add_argument("--seconds", default=None, help="given to each of them")
    parser.add_argument("--only", default=None, help="names by comma")
    arguments = parser.parse_args(rest)
    chosen = arguments.only.split(",") if arguments.only else list(NAMES)
    results: dict[str, dict[str, object]] = {}
    failed: dict[str, str] = {}
    for run in (run for run in report.RUNS if run.benchmark in chosen):
        print(f"== {run.title}", file=sys.stderr, flush=True)
        words = [*run.options, *(["--seconds", arguments.seconds] if arguments.seconds else [])]
        try:
            result = _run(run.benchmark, words)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the others' figures are wanted
            failed[run.title] = f"{type(error).__name__}: {error}"
            print(f"   failed: {error}", file=sys.stderr)
            continue
        if result is None:
            print("   not built", file=sys.stderr)
        else:
            results[run.title] = result
    report.write(arguments.write, NAMES, results, failed)
    print(json.dumps(results, ensure_ascii=False))
    return 1 if failed else 0


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        for name, job in NAMES.items():
            state = "" if _module(name) else "  (not built)"
            print(f"  {name:10} {job}{state}", file=sys.stderr)
        return 0 if argv else 2
    name, rest = argv[0], argv[1:]
    if name == "all":
        return _run_all(rest)
    if name not in NAMES:
        print(f"no benchmark is called {name}; there are: {', '.join(NAMES)}", file=sys.stderr)
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
