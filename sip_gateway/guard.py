"""Shuts out sources that scan, spray passwords or flood. Pure: time is an argument.

A source collects points for what goes wrong and loses them with time and with success. A source
that has authenticated lately is not blamed for unanswered challenges: a whole province may sit
behind one address and register at once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from .settings import GuardSettings


class Offence(StrEnum):
    CHALLENGED = "challenged"  # sent no credentials; harmless once, a scan many times over
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a name; unknown users count the same
    MALFORMED = "malformed"
    SCANNER = "scanner"  # names itself as a known scanning tool


POINTS = {
    Offence.CHALLENGED: 1.0,
    Offence.WRONG_PASSWORD: 8.0,
    Offence.MALFORMED: 4.0,
    Offence.SCANNER: 120.0,
}
SCANNER_NAMES = (
    "friendly-scanner",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sipsak",
    "vaxsipuseragent",
)
TRUST_S = 3600.0


@dataclass(slots=True)
class _Source:
    score: float = 0.0
    tokens: float = 0.0
    seen_at: float = 0.0
    banned_until: float = 0.0
    trusted_until: float = 0.0


def is_scanner(user_agent: str | None) -> bool:
    """Whether a User-Agent names a tool that nobody runs by accident."""
    name = (user_agent or "").lower()
    return any(known in name for known in SCANNER_NAMES)


class Guard:
    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._exempt: list[IPv4Network | IPv6Network] = [
            ip_network(text, strict=False) for text in settings.exempt_sources
        ]
        self._exempt_hosts: dict[str, bool] = {}

    def admits(self, host: str, now: float) -> bool:
        """Whether a message from `host` may be looked at; spends one of its tokens."""
        if self._is_exempt(host):
            return True
        source = self._source(host, now)
        if source.banned_until > now or source.tokens < 1.0:
            return False
        source.tokens -= 1.0
        return True

    def blame(self, host: str, offence: Offence, now: float) -> bool:
        """Count an offence; True when it led to a ban just now."""
        if self._is_exempt(host):
            return False
        source = self._source(host, now)
        if offence is Offence.CHALLENGED and source.trusted_until > now:
            return False
        source.score += POINTS[offence]
        if source.score < self._settings.score_limit or source.banned_until > now:
            return False
        source.banned_until = now + self._settings.ban_s
        source.score = 0.0
        return True

    def praise(self, host: str, now: float) -> None:
        """The source authenticated."""
        if not self._is_exempt(host):
            source = self._source(host, now)
            source.score = max(0.0, source.score - 2.0)
            source.trusted_until = now + TRUST_S

    def banned(self, now: float) -> list[str]:
        return [host for host, source in self._sources.items() if source.banned_until > now]

    def pardon(self, host: str) -> None:
        self._sources.pop(host, None)

    def _source(self, host: str, now: float) -> _Source:
        settings = self._settings
        source = self._sources.get(host)
        if source is None:
            source = self._sources[host] = _Source(tokens=settings.message_burst, seen_at=now)
            while len(self._sources) > settings.tracked_sources:
                self._sources.popitem(last=False)
            return source
        self._sources.move_to_end(host)
        passed = max(0.0, now - source.seen_at)
        source.seen_at = now
        source.tokens = min(
            settings.message_burst, source.tokens + passed * settings.messages_per_s
        )
        source.score = max(0.0, source.score - passed * settings.score_decay_per_s)
        return source

    def _is_exempt(self, host: str) -> bool:
        if not self._exempt:
            return False
        known = self._exempt_hosts.get(host)
        if known is None:
            if len(self._exempt_hosts) > self._settings.tracked_sources:
                self._exempt_hosts.clear()
            known = any(ip_address(host) in network for network in self._exempt)
            self._exempt_hosts[host] = known
        return known
