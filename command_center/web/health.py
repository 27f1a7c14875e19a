"""Health: the parts of the system report here; strangers see only whether it is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

PROBE_TIMEOUT_S = 2.5


@dataclass(frozen=True, slots=True)
class Component:
    """One part: `state` is ok, degraded or down; `detail` is for the signed-in."""

    name: str
    state: str
    detail: str = ""


Probe = Callable[[], Awaitable[Component]]


class Health:
    """Collects probes; each answers within its time or counts as down."""

    def __init__(self) -> None:
        self._probes: dict[str, Probe] = {}

    def add(self, name: str, probe: Probe) -> None:
        self._probes[name] = probe

    async def check(self) -> list[Component]:
        async def ask(name: str, probe: Probe) -> Component:
            try:
                async with asyncio.timeout(PROBE_TIMEOUT_S):
                    return await probe()
            except TimeoutError:
                return Component(name, "down", "no answer in time")
            except Exception as error:  # noqa: BLE001 - a broken probe is a broken part
                return Component(name, "down", type(error).__name__)

        return list(await asyncio.gather(*(ask(n, p) for n, p in self._probes.items())))
