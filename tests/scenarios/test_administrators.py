"""The three administrators in Chromium on the real server: an account from nothing to the desk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.harness.product import Product

PEERS = pytest.mark.peer("chromium", "fonts")
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
PATIENCE_MS = 90_000
SHOTS = os.environ.get("SCREENSHOTS")
OWN = "Benren-2026!"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    made = Product(tmp_path / "product")
    yield made
    made.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


def enter(browser: Browser, product: Product, username: str, password: str) -> Page:
    """A browser of his own for each person; a script that throws fails the test."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(product.base)
    page.get_by_label("账号").fill(username)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("header.top")).to_be_visible()
    return page


def shot(page: Page, name: str) -> None:
    """A picture for the docs, when somebody asked for them."""
    if SHOTS:
        page.wait_for_timeout(1_000)
        page.screenshot(path=f"{SHOTS}/administration-{name}.png")


def make_account(page: Page) -> str:
    """The system administrator's part. Returns the first password."""
    expect(page.get_by_role("heading", name="账号")).to_be_visible()
    expect(page.locator(".el-table__body-wrapper tbody tr")).to_have_count(9)
    shot(page, "accounts")
    page.get_by_role("button", name="新建账号").click()
    form = page.get_by_role("dialog", name="新建账号")
    form.get_by_label("账号").fill("xinren")
    form.get_by_label("姓名").fill("新示人")
    form.get_by_label("单位").fill("韶关市应急管理局")
    form.locator(".el-select").click()
    page.get_by_role("option", name="韶关市 440200").click()
    shot(page, "new-account")
    form.get_by_role("button", name="新建并生成初始密码").click()
    told = page.get_by_role("dialog", name="初始密码")
    password = told.locator("code.password").inner_text()
    shot(page, "first-password")
    told.get_by_role("button", name="已记下，关闭").click()
    expect(page.locator("tr", has_text="新示人")).to_contain_text("未授角色")
    return password


def give_role(page: Page) -> None:
    """The security administrator's part."""
    page.locator("tr", has_text="新示人").get_by_role("link", name="新示人").click()
    drawer = page.get_by_role("dialog", name="新示人")
    drawer.get_by_text("值班员", exact=True).click()
    shot(page, "roles")
    drawer.get_by_role("button", name="保存角色").click()
    expect(page.get_by_text("角色已保存，立即生效")).to_be_visible()


def own_password(page: Page, first: str) -> None:
    """The new person's part: nothing else is there until the password is his own."""
    expect(page.get_by_role("heading", name="请先设置自己的密码")).to_be_visible()
    expect(page.locator("nav a")).to_have_count(0)
    page.get_by_label("当前密码").fill(first)
    page.get_by_label("新密码", exact=True).fill(OWN)
    page.get_by_label("再输一次新密码").fill(OWN)
    shot(page, "own-password")
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_role("link", name="值班台")).to_be_visible()


@PEERS
@pytest.mark.timeout(600)
def test_a_new_person_comes_to_the_desk_by_two_administrators_and_a_third_sees_it(
    product: Product, browser: Browser
) -> None:
    """Account, role, own password, the desk; then shut out at once; all of it in the audit."""
    told = product.credentials()
    system = enter(browser, product, "yaoshixi", told["yaoshixi"])
    first = make_account(system)
    give_role(enter(browser, product, "jinshian", told["jinshian"]))
    person = enter(browser, product, "xinren", first)
    own_password(person, first)

    system.reload()
    system.locator("tr", has_text="新示人").get_by_role("link", name="新示人").click()
    system.get_by_role("button", name="停用账号").click()
    system.get_by_role("dialog", name="停用账号").get_by_role("button", name="停用账号").click()
    expect(system.locator("tr", has_text="新示人")).to_contain_text("已停用")
    person.reload()
    expect(person.get_by_role("button", name="登录")).to_be_visible()

    auditor = enter(browser, product, "qiushishen", told["qiushishen"])
    rows = auditor.locator(".el-table__body-wrapper tbody tr")
    expect(rows.first).to_be_visible()
    auditor.get_by_label("操作人", exact=True).fill("姚示系")
    auditor.get_by_role("button", name="查询").click()
    expect(rows.filter(has_text="停用账号")).to_have_count(1)
    expect(rows.filter(has_text="新建账号")).to_have_count(1)
    expect(rows.filter(has_text="接报")).to_have_count(0)
    shot(auditor, "audit")
    auditor.get_by_role("button", name="校验审计链").click()
    expect(auditor.get_by_text("审计链完整")).to_be_visible()

    system.goto(f"{product.base}/system")
    table = system.locator(".el-table").first
    for kind in ("媒体节点", "会场网关", "网页服务", "数据库"):
        expect(table).to_contain_text(kind)
    shot(system, "system")
