"""Forty depots with stock: one a city, four of the province, and fifteen in counties."""

from __future__ import annotations

from resource_dispatch import Depot, StockItem

from . import places
from .minting import MARK, Mint
from .places import Place

PROVINCIAL = {
    "440100": "省应急物资中心库（广州）",
    "440200": "韶关储备点",
    "440500": "省应急物资粤东库（汕头）",
    "440800": "省应急物资粤西库（湛江）",
}
IN_COUNTIES = (
    "440229",
    "440281",
    "440282",
    "441881",
    "441882",
    "441623",
    "441622",
    "441481",
    "441581",
    "440781",
    "440882",
    "440981",
    "441781",
    "441284",
    "445381",
)
COMMON = (  # item, unit, least, most
    ("帐篷", "顶", 40, 300),
    ("折叠床", "张", 100, 800),
    ("棉被", "床", 200, 2000),
    ("毛毯", "条", 200, 1500),
    ("瓶装水", "箱", 100, 1200),
    ("编织袋", "条", 3000, 40000),
    ("救生衣", "件", 100, 800),
    ("移动排水泵", "台", 4, 30),
    ("发电机", "台", 2, 20),
)
LARGE = (
    ("正压式空气呼吸器", "套", 20, 80),
    ("重型防化服", "套", 12, 40),
    ("堵漏器材", "套", 4, 16),
    ("冲锋舟", "艘", 4, 30),
    ("土工布", "m²", 2000, 20000),
    ("砂石料", "m³", 100, 800),
    ("吸附棉", "t", 1, 6),
    ("活性炭", "t", 5, 30),
    ("风力灭火机", "台", 10, 60),
    ("灭火水枪", "支", 40, 200),
)
CHEMICALS = (("液碱", "t", 20, 60), ("消石灰", "t", 15, 50))
CHEMICAL_DEPOTS = frozenset({"440100", "440500", "440800", "440900", "441300", "441800"})
SHAOGUAN = {"液碱": (40, "t"), "消石灰": (25, "t"), "重型防化服": (30, "套")}
SHAOGUAN_SPOT = (113.6155, 24.7370)


def depots(seed: int) -> tuple[list[Depot], list[StockItem]]:
    """Depots and what lies in them."""
    mint = Mint(seed, "depots")
    made: list[Depot] = []
    stock: list[StockItem] = []
    for code, name in PROVINCIAL.items():
        depot = _depot(mint, places.by_code()[code], name, f"D{len(made) + 1:02d}")
        if name == "韶关储备点":
            depot.longitude, depot.latitude = SHAOGUAN_SPOT
        made.append(depot)
        stock += _stock(mint, depot, (*COMMON, *LARGE), is_large=True)
    for city in places.cities():
        depot = _depot(mint, city, f"{city.name}应急物资储备库", f"D{len(made) + 1:02d}")
        made.append(depot)
        stock += _stock(mint, depot, (*COMMON, *LARGE), is_large=False)
    for code in IN_COUNTIES:
        county = places.by_code()[code]
        depot = _depot(mint, county, f"{county.name}应急物资储备点", f"D{len(made) + 1:02d}")
        made.append(depot)
        stock += _stock(mint, depot, COMMON, is_large=False)
    return made, stock


def _depot(mint: Mint, place: Place, name: str, code: str) -> Depot:
    longitude, latitude = places.strewn(place, mint.chance, 0.04)
    is_provincial = name in PROVINCIAL.values()
    return Depot(
        id=mint.id(),
        code=code,
        name=name,
        unit_name=("省粮食和储备局" if is_provincial else f"{place.name}应急管理局") + MARK,
        region_code=place.code,
        longitude=longitude,
        latitude=latitude,
        contact_name=mint.person(),
        phone=mint.phone(place.code),
        is_demo=True,
    )


def _stock(
    mint: Mint, depot: Depot, items: tuple[tuple[str, str, int, int], ...], *, is_large: bool
) -> list[StockItem]:
    amounts = {item: (mint.chance.randint(least, most), unit) for item, unit, least, most in items}
    if is_large or depot.region_code in CHEMICAL_DEPOTS:
        for item, unit, least, most in CHEMICALS:
            amounts[item] = (mint.chance.randint(least, most), unit)
    if depot.name == "韶关储备点":
        amounts |= SHAOGUAN
    return [
        StockItem(
            id=mint.id(), depot_id=depot.id, item=item, unit=unit, quantity=quantity, is_demo=True
        )
        for item, (quantity, unit) in amounts.items()
    ]
