"""kill -9 of everything: what was acknowledged is there after the next start."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes import PATIENCE_S, wait_until
from tests.harness.product import Api, ApiError, Product
from tests.scenarios import story

ALONE = pytest.mark.peer("namespace")


class Clerk(threading.Thread):
    """Reports, activates and dispatches without pause; remembers what was acknowledged."""

    def __init__(self, api: Api) -> None:
        super().__init__(daemon=True)
        self._api = api
        self.incidents: list[dict[str, Any]] = []
        self.tasks: dict[str, int] = {}
        self.orders: dict[str, set[str]] = {}
        self.entries: dict[str, list[str]] = {}

    def run(self) -> None:
        try:
            for number in range(1000):
                incident = story.file_report(self._api, title=f"演示事故{number}")
                self.incidents.append(incident)
                self.tasks[incident["id"]] = len(story.activate(self._api, incident))
                text = f"记录{number}"
                self._api.post(f"/incidents/{incident['id']}/timeline", {"text": text})
                self.entries[incident["id"]] = [text]
                if number % 2:
                    orders = story.dispatch(self._api, incident)
                    self.orders[incident["id"]] = {order["id"] for order in orders}
        except (ApiError, OSError, AssertionError, ValueError):
            return  # killed in the middle, as intended


@ALONE
def test_what_was_acknowledged_survives_kill_9_of_everything(tmp_path: Path) -> None:
    """Web, gateway, node and PostgreSQL die in the middle of an activation; then all starts."""
    product = Product(tmp_path / "product")
    try:
        clerk = Clerk(product.api())
        clerk.start()
        wait_until(lambda: len(clerk.incidents) >= 3, 60)
        time.sleep(0.35)
        product.kill_everything()
        clerk.join(PATIENCE_S)
        assert not clerk.is_alive()
        product.start()
        api = product.api()
        for incident in clerk.incidents:
            kept = api.get(f"/incidents/{incident['id']}")
            assert kept["number"] == incident["number"]
            tasks = api.get(f"/incidents/{incident['id']}/tasks")["items"]
            # an activation is whole or not there at all, and there when it was acknowledged
            acknowledged = clerk.tasks.get(incident["id"])
            assert len(tasks) == acknowledged or acknowledged is None
            orders = api.get(f"/incidents/{incident['id']}/orders")["items"]
            assert {order["id"] for order in orders} >= clerk.orders.get(incident["id"], set())
            assert len({order["number"] for order in orders}) == len(orders)
            timeline = api.get(f"/incidents/{incident['id']}/timeline?limit=500")["items"]
            texts = [entry["text"] for entry in timeline]
            for text in clerk.entries.get(incident["id"], []):
                assert sum(text in entry for entry in texts) == 1, (text, texts)
    finally:
        product.close()
