"""The audit chain: every state change leaves a row whose HMAC-SM3 covers the row before it.

The key lies outside the database (`var/secrets/audit.key`), so that whoever can write rows still
cannot forge one. The head row authenticates the chain's end, so that truncation shows. Personal
data stays in `detail`, of which the chain covers only the digest: it can be erased on its day
(突发事件应对法 2024, art. 85) without breaking a link.
"""

from __future__ import annotations

import hmac as compare
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from .actor import Actor
from .tables import AuditHeadRow, AuditRow

GENESIS = "0" * 64


@dataclass(slots=True)
class AuditEntry:
    """What one service call did. Services add to it through `Work.concerns`."""

    action: str
    outcome: str = "done"
    object_kind: str = ""
    object_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    is_drill: bool = False


def load_key(path: Path) -> bytes:
    """The chain's key, made at first use with mode 0600."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def _canonical(value: object) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    ).encode()


def _sm3(data: bytes) -> str:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


class AuditChain:
    """Appends and verifies. `append` runs in the caller's transaction, under one advisory lock."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def subkey(self, purpose: bytes) -> bytes:
        """A key for another purpose of the installation, from which this one does not follow."""
        mac = hmac.HMAC(self._key, hashes.SHA256())
        mac.update(purpose)
        return mac.finalize()

    def _mac(self, *parts: object) -> str:
        mac = hmac.HMAC(self._key, hashes.SM3())
        mac.update(_canonical(parts))
        return mac.finalize().hex()

    def _row_mac(self, row: AuditRow) -> str:
        at = row.at.astimezone(UTC).isoformat()
        return self._mac(
            row.seq, at, row.actor_id, row.actor_kind, row.action, row.outcome,
            row.object_kind, row.object_id, row.request_id, row.remote,
            row.detail_digest, row.is_drill, row.previous_mac,
        )  # fmt: skip

    def _head_mac(self, seq: int, chain_mac: str) -> str:
        return self._mac("head", seq, chain_mac)

    async def append(
        self,
        session: AsyncSession,
        entries: list[AuditEntry],
        *,
        actor: Actor,
        at: datetime,
        request_id: str,
        remote: str,
    ) -> None:
        """Write the entries after the chain's head. The caller holds the append lock."""
        head = await session.get(AuditHeadRow, 1, populate_existing=True)
        if head is None:
            head = AuditHeadRow(id=1, seq=0, chain_mac=GENESIS, head_mac="")
            session.add(head)
        for entry in entries:
            row = AuditRow(
                seq=head.seq + 1,
                at=at,
                actor_id=actor.id,
                actor_kind=actor.kind.value,
                actor_name=actor.name,
                action=entry.action,
                outcome=entry.outcome,
                object_kind=entry.object_kind,
                object_id=entry.object_id,
                request_id=request_id,
                remote=remote,
                detail=json.loads(_canonical(entry.detail)),
                detail_digest=_sm3(_canonical(entry.detail)),
                previous_mac=head.chain_mac,
                mac="",
                is_drill=entry.is_drill,
            )
            row.mac = self._row_mac(row)
            session.add(row)
            head.seq, head.chain_mac = row.seq, row.mac
        head.head_mac = self._head_mac(head.seq, head.chain_mac)
        await session.flush()

    async def verify(self, session: AsyncSession) -> list[str]:
        """Every break found, in words for the audit administrator; empty when whole."""
        breaks: list[str] = []
        previous, expected = GENESIS, 1
        rows = await session.stream_scalars(
            select(AuditRow).order_by(AuditRow.__table__.c.seq).execution_options(yield_per=500)  # type: ignore[attr-defined]
        )
        async for row in rows:
            if row.seq != expected:
                breaks.append(f"rows {expected} to {row.seq - 1} are missing")
            if row.previous_mac != previous:
                breaks.append(f"row {row.seq} does not follow the row before it")
            if not compare.compare_digest(row.mac, self._row_mac(row)):
                breaks.append(f"row {row.seq} was changed")
            if row.detail is not None and row.detail_digest != _sm3(_canonical(row.detail)):
                breaks.append(f"the detail of row {row.seq} was changed")
            previous, expected = row.mac, row.seq + 1
        head = await session.get(AuditHeadRow, 1, populate_existing=True)
        last = expected - 1
        if head is None:
            return [*breaks, "the head of the chain is missing"] if last else breaks
        if not compare.compare_digest(head.head_mac, self._head_mac(head.seq, head.chain_mac)):
            breaks.append("the head of the chain was changed")
        if (head.seq, head.chain_mac) != (last, previous):
            breaks.append(f"the chain ends at row {last}, its head says {head.seq}")
        return breaks


APPEND_PATIENCE_MS = 8000


async def take_append_lock(session: AsyncSession) -> None:
    """Events and audit rows are appended by one transaction at a time, in the order of commits.

    In a rush many wait here for their turn: longer than any single statement may take.
    """
    await session.execute(
        text(
            "SELECT set_config('lock_timeout', :patience, true),"
            " set_config('statement_timeout', :patience, true)"
        ),
        {"patience": str(APPEND_PATIENCE_MS)},
    )
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x43434C4F47})
