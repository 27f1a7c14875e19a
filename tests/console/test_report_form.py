"""信息报送: what is typed, what is refused, what is sent."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import Served
from tests.console.stand_in import problem


def fill(page: Page) -> None:
    """Everything a report must have; all figures stay 不详."""
    page.get_by_placeholder("例如：翁源县某企业液氯泄漏").fill("演示仓库氯气泄漏")
    page.locator(".el-select__wrapper", has_text="输入名称或区划代码").click()
    page.locator(".el-select-dropdown__item:visible").first.click()
    field(page, "地点名称").fill("翁城镇演示化工园")
    page.get_by_label("经度").fill("113.86")
    page.get_by_label("纬度").fill("24.40")
    field(page, "报告人").first.fill("罗示乙")
    field(page, "签发人").fill("林示二")
    page.get_by_text("发生时间不详").click()


def field(page: Page, label: str) -> Locator:
    return page.locator(".el-form-item", has_text=label).locator("input")


def test_empty_form_names_each_fault_in_chinese_and_sends_nothing(
    page: Page, server: Served
) -> None:
    """A half report must not leave: the law asks for place, time and a named signer."""
    page.goto(f"{server.url}/report")
    page.get_by_role("button", name="报出", exact=True).click()
    expect(page.locator(".page-head .failure")).to_contain_text("处需要改正")
    for words in ("必填：事件名称", "必填：所在区划", "必填：发生时间", "必填：签发人"):
        expect(page.get_by_text(words)).to_be_visible()
    assert server.state.sent("POST", "/incidents") == []


def test_unknown_figures_leave_as_null_and_zero_leaves_as_zero(page: Page, server: Served) -> None:
    """不详 and 0 are different facts: the grade depends on it."""
    page.goto(f"{server.url}/report")
    fill(page)
    page.get_by_label("死亡").fill("0")
    page.get_by_label("确诊中毒").fill("11")
    page.locator(".figure", has_text="下落不明").get_by_text("待核").click()
    page.get_by_role("button", name="报出", exact=True).click()
    page.wait_for_url("**/incidents/*")
    (report,) = server.state.sent("POST", "/incidents")
    assert report["casualties"]["deaths"] == 0
    assert report["casualties"]["poisoned_diagnosed"] == 11
    assert report["casualties"]["missing"] is None
    assert report["pending"] == ["missing"]
    assert report["signer"] == "林示二"
    assert report["occurred_at"] is None
    assert report["received_at"].endswith("+08:00")


def test_typed_report_survives_a_reload(page: Page, server: Served) -> None:
    """Nothing typed is lost when the browser is closed or the power fails."""
    page.goto(f"{server.url}/report")
    page.get_by_placeholder("例如：翁源县某企业液氯泄漏").fill("演示未完的报告")
    page.get_by_label("死亡").fill("2")
    page.reload()
    expect(page.get_by_placeholder("例如：翁源县某企业液氯泄漏")).to_have_value("演示未完的报告")
    expect(page.get_by_label("死亡")).to_have_value("2")


def test_unanswered_report_is_sent_again_under_the_same_key(page: Page, server: Served) -> None:
    """A line that breaks after the server took the report must not make two incidents."""
    page.goto(f"{server.url}/report")
    fill(page)
    keys: list[str] = []
    page.on(
        "request",
        lambda request: (
            keys.append(request.headers["idempotency-key"])
            if request.method == "POST" and request.url.endswith("/incidents")
            else None
        ),
    )
    page.context.set_offline(True)
    page.get_by_role("button", name="报出", exact=True).click()
    expect(page.get_by_text("服务器没有应答")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="报出", exact=True).click()
    page.wait_for_url("**/incidents/*")
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_refusal_of_the_server_is_shown_in_its_own_words(page: Page, server: Served) -> None:
    """The server knows rules the page does not; its sentence says what to do."""
    words = "死亡人数不能大于涉险人数"
    server.state.refuse["POST /incidents"] = problem(422, "casualties_impossible", words)
    page.goto(f"{server.url}/report")
    fill(page)
    page.get_by_role("button", name="报出", exact=True).click()
    expect(page.locator(".page-head .failure")).to_contain_text(words)
    expect(page.get_by_placeholder("例如：翁源县某企业液氯泄漏")).to_have_value("演示仓库氯气泄漏")


def test_impossible_figure_is_named_in_the_words_of_the_form(page: Page, server: Served) -> None:
    """The operator sees which figure contradicts which, and it is marked where it is typed."""
    server.state.refuse["POST /incidents"] = problem(
        422, "casualties_impossible", "伤亡数字不合理", figure="deaths", rule="exceeds_endangered"
    )
    page.goto(f"{server.url}/report")
    fill(page)
    page.get_by_label("死亡").fill("3")
    page.get_by_role("button", name="报出", exact=True).click()
    expect(page.locator(".page-head .failure")).to_contain_text("死亡不能多于涉险")
    expect(page.locator(".figure.wrong")).to_contain_text("死亡未被接受")
