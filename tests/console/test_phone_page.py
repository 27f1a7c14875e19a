"""/m/{token}: works at 360 x 640, with gloves, on a line that breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console import situation
from tests.console.conftest import PATIENCE_MS, Served
from tests.console.stand_in import TOKEN, order_of
from tests.harness.processes import wait_until


@pytest.fixture(params=[(360, 640), (412, 915)])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        is_mobile=True,
        has_touch=True,
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def give_order(server: Served) -> None:
    """One order for the team that holds the link."""
    line = situation.proposal(situation.tasks())["lines"][0]
    server.state.orders[server.state.first] = [order_of(line)]


def test_one_tap_joins_with_camera_and_microphone(phone: Page, server: Served) -> None:
    """The link is the first tap, the button the second; nothing is asked in between."""
    phone.goto(f"{server.url}/m/{TOKEN}")
    phone.get_by_role("button", name="加入会商").tap()
    expect(phone.get_by_role("button", name="闭麦")).to_be_visible()
    phone.wait_for_function(
        "document.querySelector('video.self')?.srcObject?.getTracks().length === 2"
    )
    wait_until(lambda: server.state.sent("POST", "/session"))


def test_targets_are_large_and_nothing_overflows(phone: Page, server: Served) -> None:
    """Gloves: 48 px at least; sun: no sideways scrolling to find a button."""
    give_order(server)
    phone.goto(f"{server.url}/m/{TOKEN}")
    phone.get_by_role("button", name="加入会商").tap()
    expect(phone.get_by_role("button", name="闭麦")).to_be_visible()
    # four of the call, the order, the floor
    expect(phone.get_by_role("button")).to_have_count(6)
    boxes = phone.evaluate(
        "[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect())"
        ".map(r => [r.width, r.height])"
    )
    assert len(boxes) == 6
    assert all(width >= 48 and height >= 48 for width, height in boxes)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_order_is_received_accepted_reached_and_done(phone: Page, server: Served) -> None:
    """The team's four words go back to the desk, one large button at a time."""
    give_order(server)
    phone.goto(f"{server.url}/m/{TOKEN}")
    for word in ("收到", "受领", "到达", "完成"):
        phone.get_by_role("button", name=word).tap()
    expect(phone.locator("article")).to_contain_text("已办结")
    steps = [
        path.rsplit("/", 1)[1] for method, path, _ in server.state.requests if "/orders/" in path
    ]
    assert steps == ["receive", "accept", "arrive", "done"]


def test_wrong_link_says_what_to_do(phone: Page, server: Served) -> None:
    """A person at the scene needs a sentence, not a code."""
    phone.goto(f"{server.url}/m/nonsense")
    expect(phone.get_by_role("alert")).to_contain_text("请联系值班员重新发送")
    expect(phone.get_by_role("button")).to_have_count(0)


def test_drill_is_marked_on_the_phone_too(phone: Page, server: Served) -> None:
    """The exercise mark is on every screen."""
    phone.goto(f"{server.url}/m/{TOKEN}")
    expect(phone.locator("header.drill")).to_contain_text("演练")


def test_phone_without_secure_page_is_told_why_there_is_no_camera(
    browser: Browser, server: Served
) -> None:
    """On plain http the browser has no getUserMedia at all: say so, and let them watch."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"
        "Object.defineProperty(window, 'isSecureContext', {value: false})"
    )
    page.goto(f"{server.url}/m/{TOKEN}")
    expect(page.get_by_text("此页面不是 https 打开")).to_be_visible()
    page.get_by_role("button", name="加入会商").click()
    expect(page.get_by_role("button", name="退出")).to_be_visible()
    expect(page.get_by_role("button", name="闭麦")).to_have_count(0)
    context.close()


def test_phone_that_the_desk_hung_up_does_not_come_back_by_itself(
    phone: Page, server: Served
) -> None:
    """挂断 is the desk's decision: a machine that rejoins at once would undo it."""
    phone.goto(f"{server.url}/m/{TOKEN}")
    phone.get_by_role("button", name="加入会商").tap()
    expect(phone.get_by_text("正在自动重新入会")).to_be_visible()
    server.state.phone_state, server.state.phone_reason = "left", "removed"
    expect(phone.get_by_role("alert")).to_contain_text("会控已挂断")
    expect(phone.get_by_role("button", name="加入会商")).to_be_visible()
