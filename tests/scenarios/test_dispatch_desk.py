"""The dispatch desk in Chromium on the real server, from two incidents to a plan on the wall.

No mocks: the product, its solver processes, its node.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.harness.processes import wait_until
from tests.harness.product import Api, Product
from tests.scenarios import story

PEERS = pytest.mark.peer("chromium", "fonts")
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--use-angle=swiftshader",  # the map needs WebGL
    "--enable-unsafe-swiftshader",
]
AWAY = {
    "title": "乳源“演示仓库”液氨泄漏",
    "place_name": "乳源县桂头镇演示仓库",
    "region_code": "440232",
    "longitude": 113.40,
    "latitude": 24.93,
}
SHOTS = os.environ.get("SCREENSHOTS")


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    made = Product(tmp_path / "product")
    yield made
    made.close()


@pytest.fixture
def page(product: Product) -> Iterator[Page]:
    """The operator, logged in; a script that throws fails the test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        context.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        found = context.new_page()
        faults: list[str] = []
        found.on("pageerror", lambda error: faults.append(str(error)))
        found.goto(product.base)
        found.get_by_label("账号").fill("chenshiyi")
        found.get_by_label("密码").fill(product.credentials()["chenshiyi"])
        found.get_by_role("button", name="登录").click()
        expect(found.locator("nav")).to_be_visible()
        yield found
        with contextlib.suppress(Exception):
            browser.close()
        assert not faults, faults


def shot(page: Page, name: str) -> None:
    """A picture for the docs, when somebody asked for them."""
    if SHOTS:
        page.wait_for_timeout(1_500)
        page.screenshot(path=f"{SHOTS}/dispatch-{name}.png")


def newest(api: Api) -> dict[str, Any]:
    plan: dict[str, Any] = api.get("/dispatch-plans/newest")["plan"]
    return plan


def close_bridge(page: Page, api: Api, plan: dict[str, Any]) -> str:
    """Click a bridge that the plan drives over, where it lies on the map; returns its road."""
    canvas = page.locator(".map .canvas")
    expect(canvas).to_have_attribute("data-window", re.compile(","))
    west, south, east, north = map(float, str(canvas.get_attribute("data-window")).split(","))
    bridges = api.get(f"/roads/bridges?west={west}&south={south}&east={east}&north={north}")
    driven = {
        frozenset(map(tuple, pair))
        for line in plan["alternatives"][0]["lines"][2:]
        for pair in pairwise(line["route"])
    }
    road = next(b for b in bridges["items"] if frozenset(map(tuple, b["points"])) in driven)
    longitude, latitude = (sum(p[k] for p in road["points"]) / 2 for k in (0, 1))
    box = canvas.bounding_box()
    assert box is not None
    across = (longitude - west) / (east - west)
    down = (_mercator(north) - _mercator(latitude)) / (_mercator(north) - _mercator(south))
    page.keyboard.press("r")
    expect(page.locator(".hint")).to_be_visible()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    return str(road["name"])


def _mercator(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))


@PEERS
@pytest.mark.timeout(230)
def test_two_incidents_from_the_plan_to_the_wall(product: Product, page: Page) -> None:
    """Two incidents at once, two lines accepted, a bridge closed, one line by hand, and shown."""
    api = product.api()
    incidents = [story.file_report(api), story.file_report(api, **AWAY)]
    for incident in incidents:
        story.activate(api, incident)
    wanted = ",".join(incident["id"] for incident in incidents)
    page.goto(f"{product.base}/dispatch?incidents={wanted}")
    cards = page.locator(".card")
    expect(cards).to_have_count(1)
    expect(page.locator(".chip.on")).to_have_count(2)
    lines = page.locator("[data-line]")
    wait_until(lambda: lines.count() >= 6, 60)
    first = newest(api)
    assert {li["incident_id"] for li in first["alternatives"][0]["lines"]} == {
        incident["id"] for incident in incidents
    }
    shot(page, "first")
    for index in (0, 1):
        lines.nth(index).locator(".el-checkbox").click()
    page.get_by_role("button", name="下达 2 项").click()
    expect(page.locator("article.ordered")).to_have_count(2)
    orders = [o for i in incidents for o in api.get(f"/incidents/{i['id']}/orders")["items"]]
    assert len(orders) == 2

    road = close_bridge(page, api, first)
    expect(cards).to_have_count(3)
    expect(page.locator(".card.chosen")).to_contain_text("平衡")
    expect(page.locator(".left")).to_contain_text(f"{road} 桥梁")
    replanned = newest(api)
    assert replanned["question"]["closed_roads"]
    assert {order["id"] for order in orders} <= {o["order_id"] for o in replanned["orders"]}
    shot(page, "balanced")

    target = lines.last
    task = target.locator(".body p").first.inner_text()
    target.get_by_role("button", name="改派").click()
    dialog = page.locator(".recommend")
    rows = dialog.locator("li:not(.unable)")
    expect(rows.first).to_be_visible()
    shot(page, "recommend")
    other = rows.filter(has_not_text="当前方案").first
    team = other.locator("strong").inner_text()
    other.get_by_role("button", name="指定").click()
    expect(
        page.locator("article", has_text="人工指定").locator("strong", has_text=team)
    ).to_be_visible()
    expect(page.locator(".left")).to_contain_text(re.compile(re.escape(team)))
    assert task
    shot(page, "by-hand")

    consultation = api.post(
        f"/incidents/{incidents[0]['id']}/consultations",
        {"title": "两地处置会商", "members": [{"kind": "phone", "name": "大厅"}]},
    )
    page.keyboard.press("p")
    page.get_by_role("button", name="放入会商").click()
    content = f"/consultations/{consultation['id']}/content"
    wait_until(
        lambda: (api.get(content)["holder"] or {}).get("name") == "调度方案（幻灯片）",
        60,
        lambda: f"nobody presents: {api.get(content)}",
    )
    shot(page, "slide")
