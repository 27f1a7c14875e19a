"""Which way a member is reached now: by which protocol, on which of its lines. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sip_gateway.messages import CallChanged
from video_bridge.messages import Link

from ..directory.tables import SiteRow
from .model import link_of

Signalling = Literal["sip", "h323"]
Line = Literal["first", "backup", "telephone"]
_HOST = re.compile(r"^(?:sips?|h323):(?:([^@]*)@)?(\[[^\]]+\]|[^:;?]+)")


@dataclass(frozen=True, slots=True)
class Reached:
    """`line` telephone: the duty phone of the call ladder took the call, not the hall."""

    signalling: Signalling | None = None
    link: Link | None = None
    line: Line | None = None


def _parts(uri: str) -> tuple[str, str]:
    found = _HOST.match(uri)
    return (found[1] or "", found[2].strip("[]")) if found else ("", "")


def uri_host(uri: str) -> str:
    """The host of an address without its port; empty for what is no address."""
    return _parts(uri)[1]


def reached(site: SiteRow | None, call: CallChanged | None) -> Reached:
    """From the directory and the gateway's call; nothing of a member without either."""
    link = None if site is None else link_of(site.link)
    if call is None:
        return Reached(link=link)
    signalling: Signalling = "h323" if call.remote.startswith("h323:") else "sip"
    if site is None:
        return Reached(signalling, link)
    user, host = _parts(call.remote)
    numbers = {str(step.get("number")) for step in site.ladder}
    if not call.incoming and user in numbers:
        return Reached(signalling, link, "telephone")
    backup = _parts(site.backup_uri)[1] if site.backup_uri else ""
    is_backup = bool(backup) and backup in (call.remote_host, "" if call.incoming else host)
    return Reached(signalling, link, "backup" if is_backup else "first")
