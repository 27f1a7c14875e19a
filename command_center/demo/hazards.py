"""Three hundred major hazards and the ammonia unit that is none, identified by GB 18218-2018."""

from __future__ import annotations

from dataclasses import dataclass

from plans import Holding, MajorHazardRow, identify, substance_named

from . import places
from .minting import Mint
from .organisations import ENTERPRISE
from .places import SCENE, Place

COUNT = 300


@dataclass(frozen=True, slots=True)
class Sort:
    """A usual unit: substance, what it is called, tonnes from and to, its share of all."""

    substance: str
    unit_name: str
    kind: str
    least: int
    most: int
    weight: int
    trade: str


SORTS = (
    Sort("汽油", "成品油罐区", "storage", 400, 60_000, 22, "油库"),
    Sort("液化石油气", "液化石油气储罐区", "storage", 60, 6_000, 20, "燃气"),
    Sort("天然气", "LNG储罐区", "storage", 60, 20_000, 8, "燃气"),
    Sort("液氯", "液氯库", "storage", 6, 60, 6, "化工"),
    Sort("液氨", "液氨制冷机房", "production", 11, 60, 12, "冷冻食品"),
    Sort("甲醇", "甲醇罐区", "storage", 600, 12_000, 8, "化工"),
    Sort("苯乙烯", "苯乙烯罐区", "storage", 600, 9_000, 5, "新材料"),
    Sort("甲苯", "甲苯罐区", "storage", 500, 4_000, 5, "涂料"),
    Sort("环氧乙烷", "环氧乙烷罐区", "storage", 12, 800, 3, "日化"),
    Sort("氢气", "氢气长管拖车站", "storage", 6, 30, 3, "能源"),
    Sort("液氧", "空分液氧储罐", "storage", 220, 2_000, 4, "气体"),
    Sort("丙酮", "丙酮罐区", "storage", 500, 3_000, 2, "电子化学品"),
    Sort("氟化氢", "无水氟化氢储罐", "storage", 2, 40, 1, "氟化工"),
    Sort("二氧化硫", "液体二氧化硫罐区", "storage", 25, 120, 1, "化工"),
)
BRANDS = (
    "示安",
    "示源",
    "示华",
    "示泰",
    "示新",
    "示远",
    "示丰",
    "示诚",
    "示达",
    "示和",
    "示宏",
    "示盛",
)
RESIDENTS = ((0, 30), (12, 15), (36, 15), (70, 20), (180, 12), (420, 8))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit to be identified. `spot` is longitude, latitude; tonnes is the design maximum."""

    code: str
    name: str
    enterprise: str
    kind: str
    region_code: str
    spot: tuple[float, float]
    residents: int
    substance: str
    tonnes: str


STORY_UNITS = (
    Unit("HZ1", "液氯库", ENTERPRISE, "storage", "440229113", SCENE, 412, "液氯", "28"),
    Unit("HZ2", "液氨制冷", ENTERPRISE, "production", "440229113", SCENE, 412, "液氨", "8"),
)


def hazards(seed: int) -> list[MajorHazardRow]:
    """HZ1 and HZ2 of the story, then the others spread over the counties."""
    mint = Mint(seed, "hazards")
    homes = [p for p in places.divisions() if p.tier == "county"]
    homes += [p for p in places.cities() if p.code in places.CITIES_WITHOUT_COUNTIES] * 4
    mint.chance.shuffle(homes)
    units = list(STORY_UNITS)
    while len(units) < COUNT + 1:  # HZ2 is no major hazard
        units.append(_unit(mint, homes[len(units) % len(homes)], len(units)))
    return [_row(mint, unit) for unit in units]


def _unit(mint: Mint, home: Place, number: int) -> Unit:
    sort = mint.chance.choices(SORTS, [s.weight for s in SORTS])[0]
    level, _ = mint.chance.choices(RESIDENTS, [weight for _, weight in RESIDENTS])[0]
    residents = level and level + mint.chance.randint(0, level // 3)
    spread = (sort.most / sort.least) ** mint.chance.random()
    owner = places.full_name(home) if home.name == "城区" else home.name
    return Unit(
        code=f"WX-{home.code}-{number:03d}",
        name=sort.unit_name,
        enterprise=f"{owner}{mint.chance.choice(BRANDS)}{sort.trade}有限公司（演示{number:03d}）",
        kind=sort.kind,
        region_code=home.code,
        spot=places.strewn(home, mint.chance, 0.08),
        residents=residents,
        substance=sort.substance,
        tonnes=str(round(sort.least * spread)),
    )


def _row(mint: Mint, unit: Unit) -> MajorHazardRow:
    found = identify([Holding(unit.substance, unit.tonnes)], unit.residents)
    substance = substance_named(unit.substance)
    return MajorHazardRow(
        id=mint.id(),
        code=unit.code,
        name=unit.name,
        enterprise_name=unit.enterprise,
        unit_kind=unit.kind,
        region_code=unit.region_code,
        longitude=unit.spot[0],
        latitude=unit.spot[1],
        residents_500m=unit.residents,
        substances=[
            {
                "name": unit.substance,
                "cas": substance.cas,
                "q_tonnes": float(unit.tonnes),
                "threshold_tonnes": float(substance.threshold_tonnes),
                "beta": float(substance.beta),
            }
        ],
        s_value=round(float(found.s), 4),
        r_value=None if found.r is None else round(float(found.r), 4),
        level=found.level,
        duty_phone=mint.phone(unit.region_code),
        is_demo=True,
    )
