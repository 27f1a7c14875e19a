"""`make test`: a whole run of pytest, then a second look at few failures.

Browsers and other makers' programs share the machine with everything else; one of two thousand
tests may lose a race that has nothing to do with the change. At most `MOST` failures of such tests
are run once more, alone. Those that pass now are named as unsteady, with the failure printed above
still to be read and mended; one that fails again keeps the run red. A failure of any other test
(unit, architecture) stands at once, and so does any ending but "some tests failed".
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import plugin

MOST = 3
SOME_FAILED = 1  # pytest's exit code


def worth_a_look(code: int, failed: list[str]) -> bool:
    """Few failures, all of tests that drive other programs."""
    kinds = {plugin.kind_of(nodeid) for nodeid in failed}
    return (
        code == SOME_FAILED
        and 0 < len(failed) <= MOST
        and kinds <= {"console", "faults", "peers", "scenarios", "service"}
    )


def _pytest(arguments: list[str], **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        noted = Path(folder, "failed")
        code = _pytest(sys.argv[1:], **{plugin.FAILURES: str(noted)})
        failed = sorted(set(noted.read_text().splitlines())) if noted.exists() else []
    if not worth_a_look(code, failed):
        return code
    print(f"second look, alone: {', '.join(failed)}", flush=True)
    code = _pytest(["--no-header", *failed], **{plugin.SECOND_LOOK: "1"})
    if code == 0:
        print(f"UNSTEADY, passed when run alone: {', '.join(failed)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
