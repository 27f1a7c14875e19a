"""Deterministic ids, names and telephone numbers of the demonstration."""

from __future__ import annotations

from random import Random
from uuid import UUID

BORN_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z: every seeded id says the same time
MARK = "（演示）"
SURNAMES = "王李张刘杨黄赵吴徐孙朱马胡郭何高罗郑梁谢宋唐许邓冯曾彭蔡潘袁于董余苏叶吕魏蒋田杜丁沈"
GIVEN = "安博诚达恩方刚浩嘉军凯磊明宁平强荣山涛伟信阳勇泽志中兰梅静怡欣悦云燕萍慧敏洁"


class Mint:
    """One stream of chance per kind of record, so that adding teams never moves the depots."""

    def __init__(self, seed: int, kind: str) -> None:
        self.chance = Random(f"{seed}/{kind}")  # noqa: S311 - made-up data, no secret
        self._phone = 0

    def id(self) -> UUID:
        """A UUIDv7 whose random part comes from the seed."""
        bits = BORN_MS << 80 | 0x7 << 76 | self.chance.getrandbits(12) << 64
        bits |= 0b10 << 62 | self.chance.getrandbits(62)
        return UUID(int=bits)

    def person(self) -> str:
        """Every made-up name carries 示."""
        return self.chance.choice(SURNAMES) + "示" + self.chance.choice(GIVEN)

    def phone(self, area: str) -> str:
        """000 and four digits of the region and a running number: nobody can dial it."""
        self._phone += 1
        return f"000-{area[2:6]}-{self._phone:04d}"
