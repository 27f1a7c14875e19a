"""The solver's own process: `python -m resource_dispatch.worker`, started by `solver_pool.py`.

Problems come pickled on standard input from the parent, each after its length; each better plan
leaves as one line of JSON, the last with `done`. The process runs at nice 15, so that media keeps
its cores, and dies with its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import signal
import sys
import time

from .optimiser import columns, separable
from .optimiser.evaluate import Evaluation
from .optimiser.order import LENGTH_BYTES, SolveOrder
from .optimiser.problem import Plan
from .optimiser.solve import solve
from .optimiser.stop import MaxSeconds

NICE = 15
PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Warm up, then answer one order after another until the parent goes."""
    _die_with_parent(int(sys.argv[1]))
    os.nice(NICE)
    import ortools.sat.python.cp_model  # noqa: F401  (loaded before the clock runs)

    separable.warm_up()
    columns.warm_up()
    _say(ready=True)
    while head := sys.stdin.buffer.read(LENGTH_BYTES):
        length = int.from_bytes(head)
        order = pickle.loads(sys.stdin.buffer.read(length))  # noqa: S301  (our own parent wrote it)
        _answer(order)


def _answer(order: SolveOrder) -> None:
    def improved(plan: Plan, judged: Evaluation) -> None:
        _say(plan=plan.routes, objective=judged.objective)

    stop = MaxSeconds(order.due - time.monotonic())
    result = solve(order.problem, stop, order.seed, improved, start=order.start)
    _say(
        plan=result.plan.routes,
        solver=result.solver,
        bound=result.bound,
        iterations=result.iterations,
        done=True,
    )


if __name__ == "__main__":
    main()
