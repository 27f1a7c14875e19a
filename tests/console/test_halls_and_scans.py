"""The directory of halls, and the alarm of an address that was shut out."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console import situation
from tests.console.conftest import Served

SCANNER, HALL = "198.51.100.68", "198.51.100.67"


def test_a_scan_is_an_alarm_on_the_duty_desk(page: Page, server: Served) -> None:
    """Address, reason, end of the ban and whom to tell, without a reload; a hall is let in."""
    page.goto(f"{server.url}/desk")
    expect(page.locator("ol li")).to_have_count(3)
    alarm = page.get_by_role("alert", name="会场网关已封禁来源")
    expect(alarm).to_have_count(0)
    server.state.bans += [
        situation.ban(SCANNER, "scanner", tell="网络安全 演示值守 020-0000"),
        situation.ban(HALL, "wrong_password", site_name="演示始兴会场"),
    ]
    server.emit("source.banned")
    scan = alarm.locator("article", has_text=SCANNER)
    for words in ("使用 SIP 扫描工具", "起封禁", "请告知：网络安全 演示值守 020-0000"):
        expect(scan).to_contain_text(words)
    known = alarm.locator("article", has_text=HALL)
    expect(known).to_contain_text("演示始兴会场")
    expect(page.get_by_role("button", name="告警与超时")).to_contain_text("3")
    known.get_by_role("button", name="解除封禁").click()
    page.get_by_role("dialog").get_by_role("button", name="解除封禁").click()
    expect(known).to_have_count(0)
    expect(scan).to_be_visible()
    assert server.state.sent("POST", "/source-bans/pardon") == [{"host": HALL}]


def test_the_directory_says_how_each_hall_is_reached_and_what_its_self_test_found(
    page: Page, server: Served
) -> None:
    """Protocol, line, encryption, and the newest self-test in plain words with its time."""
    page.goto(f"{server.url}/contacts")
    rows = page.locator(".el-table__body-wrapper tbody tr")
    faulty, good = rows.nth(0), rows.nth(1)
    for words in ("SIP", "专线", "必须加密", "没有收到图像", "网络丢包 7%", "30 分钟前"):
        expect(faulty).to_contain_text(words)
    for words in ("H.323", "互联网", "优先加密", "正常：图像、声音都已收到"):
        expect(good).to_contain_text(words)


def test_a_hall_gets_its_backup_address_ladder_line_and_encryption(
    page: Page, server: Served
) -> None:
    """Only what was changed is sent: the audit shall name nothing else."""
    page.goto(f"{server.url}/contacts")
    row = page.locator(".el-table__body-wrapper tbody tr").first
    row.get_by_role("button", name="详细").click()
    drawer = page.get_by_role("dialog", name="演示会场1", exact=True)
    expect(drawer).to_contain_text("没有收到图像")
    expect(drawer.get_by_label("第一地址")).to_have_count(0)
    drawer.get_by_label("备用地址").fill("sip:room@203.0.113.7")
    drawer.get_by_text("优先加密", exact=True).click()
    drawer.get_by_role("button", name="添加电话").click()
    drawer.get_by_label("称呼").fill("值班室")
    drawer.get_by_label("电话", exact=True).fill("07512871234")
    drawer.get_by_role("button", name="保存").click()
    expect(page.get_by_text("会场已保存")).to_be_visible()
    step = {"name": "值班室", "number": "07512871234", "ring_timeout_s": 30}
    assert server.state.sent("PUT", "/lines") == [
        {"backup_uri": "sip:room@203.0.113.7", "ladder": [step]}
    ]
    assert server.state.sent("PUT", "/srtp-policy") == [{"srtp_policy": "preferred"}]
    assert server.state.sent("PUT", "/link") == []


def test_the_roster_names_protocol_and_line(page: Page, server: Served) -> None:
    """A hall that came by its backup line, and one whose duty phone took the call.

    Above it stand dial number and PIN, to be read out to a caller.
    """
    meeting = server.state.open_consultation()
    halls = [row for row in meeting["participants"] if row["kind"] == "site"]
    halls[0] |= {"signalling": "h323", "link": "private_line", "line": "backup"}
    halls[1] |= {"signalling": "sip", "link": "satellite", "line": "telephone"}
    page.goto(f"{server.url}/consultations/{meeting['id']}")
    expect(page.locator("header.head")).to_contain_text("入会密码 246810")
    first = page.locator(f"li.member[data-id='{halls[0]['id']}']")
    for words in ("H.323", "专线", "备用线路"):
        expect(first).to_contain_text(words)
    second = page.locator(f"li.member[data-id='{halls[1]['id']}']")
    for words in ("SIP", "卫星", "值班电话接听"):
        expect(second).to_contain_text(words)
