"""Organisations and conference sites: the vertical tree of 144 and the units beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from ..directory import OrganisationRow, SiteRow
from . import places
from .minting import Mint
from .places import PROVINCE_CODE, SCENE, TOWNS, Place

HORIZONTAL = {  # line -> (province, city, county); empty: no such unit at that tier
    "fire": ("省消防救援总队", "消防救援支队", "消防救援大队"),
    "police": ("省公安厅", "公安局", "公安局"),
    "health": ("省卫生健康委", "卫生健康局", "卫生健康局"),
    "environment": ("省生态环境厅", "生态环境局", "生态环境分局"),
    "water": ("省水利厅", "水务局", ""),
    "meteorology": ("省气象局", "气象局", ""),
    "transport": ("省交通运输厅", "交通运输局", ""),
    "natural_resources": ("省自然资源厅", "自然资源局", ""),
    "communications": ("省通信管理局", "", ""),
    "reserves": ("省粮食和储备局", "", ""),
    "publicity": ("省委宣传部", "", ""),
    "forestry": ("省林业局", "", ""),
    "government_duty": ("省政府总值班室", "", ""),
}
TIER_AT = {"province": 0, "city": 1, "county": 2}
SITE_LINES = ("fire", "police", "health", "environment", "water", "meteorology", "transport")
ENTERPRISE = "韶关演示精细化工有限公司"


@dataclass(slots=True)
class Directory:
    """What is written, and who the story's parts are."""

    organisations: list[OrganisationRow] = field(default_factory=list)
    sites: list[SiteRow] = field(default_factory=list)
    by_code: dict[str, OrganisationRow] = field(default_factory=dict)


def directory(seed: int) -> Directory:
    """All organisations and sites. Parents come before children."""
    made = Directory()
    mint = Mint(seed, "organisations")
    for place in places.divisions():
        _vertical(made, mint, place)
    for place in places.divisions():
        _horizontal(made, mint, place)
    _scene(made, mint)
    return made


def _office(place: Place) -> str:
    return "广东省应急管理厅" if place.tier == "province" else f"{place.name}应急管理局"


def _address(place: Place) -> str:
    return f"{'' if place.tier == 'province' else '广东省'}{places.full_name(place)}（演示地址）"


def _vertical(made: Directory, mint: Mint, place: Place) -> None:
    parent = made.by_code.get(place.parent_code)
    row = _organisation(
        mint,
        parent.id if parent else None,
        _office(place),
        place,
        tier=place.tier,
        line="emergency_management",
    )
    made.organisations.append(row)
    made.by_code[place.code] = row
    name = "省厅指挥大厅" if place.tier == "province" else _office(place)
    if place.name == "城区":
        name = f"{places.full_name(place)}应急管理局"
        row.name = name
    made.sites.append(_site(mint, row, name, place.code))


def _horizontal(made: Directory, mint: Mint, place: Place) -> None:
    parent = made.by_code[place.code]
    for line, names in HORIZONTAL.items():
        word = names[TIER_AT[place.tier]]
        if not word:
            continue
        name = word if place.tier == "province" else _unit_name(place, line, word)
        row = _organisation(mint, parent.id, name, place, tier=place.tier, line=line)
        made.organisations.append(row)
        if place.tier == "province" and line in SITE_LINES:
            made.sites.append(_site(mint, row, name, f"{PROVINCE_CODE}-{line}"))


def _unit_name(place: Place, line: str, word: str) -> str:
    """A county's environment office is a branch of the city's: 韶关市生态环境局翁源分局."""
    if line == "environment" and place.tier == "county":
        city = places.by_code()[place.parent_code].name
        return f"{city}生态环境局{_short(place.name)}分局"
    owner = places.full_name(place) if place.name == "城区" else place.name
    return f"{owner}{word}"


def _short(name: str) -> str:
    for tail in ("壮族瑶族自治县", "瑶族自治县"):
        if name.endswith(tail):
            return name.removesuffix(tail)
    return name[:-1] if len(name) > 2 else name


def _scene(made: Directory, mint: Mint) -> None:
    """The enterprise of the accident and the shelter with the rare character in its name."""
    county = places.by_code()["440229"]
    plant = Place("440229113", "440229", "enterprise", ENTERPRISE, *SCENE)
    row = _organisation(
        mint, made.by_code["440229"].id, ENTERPRISE, plant, tier="enterprise", line="enterprise"
    )
    row.region_name, row.address = county.name, "广东省韶关市翁源县翁城镇演示化工园"
    made.organisations.append(row)
    made.sites.append(_site(mint, row, "E1值班室（演示精细化工）", "440229113-e1"))
    for code, (longitude, latitude) in TOWNS.items():
        name = places.towns()[code]
        town = Place(code, code[:6], "town", name, longitude, latitude)
        office = _organisation(
            mint,
            made.by_code[code[:6]].id,
            f"{name}人民政府",
            town,
            tier="town",
            line="emergency_management",
        )
        made.organisations.append(office)
        made.by_code[code] = office
    shelter = made.by_code["441881120"]
    name = f"英德{places.towns()['441881120']}备用安置点"
    made.sites.append(_site(mint, shelter, name, "441881120"))


def _organisation(
    mint: Mint, parent_id: UUID | None, name: str, place: Place, *, tier: str, line: str
) -> OrganisationRow:
    return OrganisationRow(
        id=mint.id(),
        parent_id=parent_id,
        name=name,
        tier=tier,
        line=line,
        region_code=place.code,
        region_name=place.name,
        address=_address(place),
        phone=mint.phone(place.code),
        longitude=place.longitude,
        latitude=place.latitude,
        is_demo=True,
    )


def _site(mint: Mint, owner: OrganisationRow, name: str, account: str) -> SiteRow:
    return SiteRow(
        id=mint.id(),
        organisation_id=owner.id,
        name=name,
        tier=owner.tier,
        region_code=owner.region_code,
        longitude=owner.longitude,
        latitude=owner.latitude,
        account=account,
        link="private_line" if owner.tier in ("province", "city") else "internet",
        is_demo=True,
    )
