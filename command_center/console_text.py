"""What `command-center` says at the terminal: each line in Chinese and English."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from .processes import reachable_host
from .settings import Settings

CREDENTIALS_FILE = "demo-credentials.txt"


@cache
def _words() -> dict[str, list[str]]:
    text = (Path(__file__).parent / "locales" / "terminal.json").read_text(encoding="utf-8")
    words: dict[str, list[str]] = json.loads(text)
    return words


def phrase(key: str, **fields: object) -> str:
    """The bilingual line of a key."""
    zh, en = _words()[key]
    return f"{zh.format(**fields)}  {en}"


def chinese(key: str) -> str:
    """The Chinese half alone: a name that is stored."""
    return _words()[key][0]


class Speaker:
    """Prints to the terminal; a pipe gets the same lines without colour."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, emoji=False)  # ":CD:" is a fingerprint, no picture

    def line(self, key: str, **fields: object) -> None:
        self._console.print(phrase(key, **fields), markup=False, soft_wrap=True)

    def plain(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def finding(self, key: str, detail: str, *, is_good: bool) -> None:
        mark, colour = ("✓", "green") if is_good else ("✗", "red")
        self._console.print(f"[{colour}]{mark}[/{colour}]", end=" ")
        self._console.print(f"{phrase(key)}  {detail}", markup=False, soft_wrap=True)

    def banner(
        self,
        settings: Settings,
        address: str,
        *,
        is_healthy: bool,
        log_ins: list[tuple[str, str, str]],
    ) -> None:
        """Address, demo log-ins (name, password, who it is) and SIP registrar."""
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(overflow="fold")  # a path that is cut short finds nothing
        table.add_row(phrase("banner_address"), address)
        if log_ins:
            table.add_row(phrase("banner_login"), "")
            for username, password, who in log_ins:
                table.add_row(f"    {who}", f"{username}  {password}")
        sip = f"sip:{reachable_host(settings.sip_host)}:{settings.sip_port}"
        table.add_row(phrase("banner_sip"), sip)
        if settings.demo:
            table.add_row("", phrase("banner_sip_hint"))
            table.add_row(phrase("banner_passwords"), str(settings.var_dir / CREDENTIALS_FILE))
        table.add_row(phrase("banner_logs"), str(settings.log_dir))
        if not address.startswith("https:"):
            table.add_row("", phrase("banner_insecure"))
        title = phrase("banner_title" if is_healthy else "banner_unhealthy")
        self._console.print(Panel(table, title=title, subtitle=phrase("banner_stop")))
