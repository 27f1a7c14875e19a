"""Rescue teams of the demonstration: the story's nine, and those of every city and county."""

from __future__ import annotations

from dataclasses import dataclass

from resource_dispatch import Authority, SpeedClass, Team

from . import places
from .minting import MARK, Mint
from .places import Place

ORDER, REQUEST = Authority.ORDER.value, Authority.REQUEST.value
LIGHT = SpeedClass.LIGHT.value
STANDARD = SpeedClass.STANDARD.value
HEAVY = SpeedClass.HEAVY.value


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of team: name, who it belongs to, what it can do, how many people and vehicles."""

    word: str
    unit: str
    skills: tuple[str, ...]
    crew: tuple[int, int]
    vehicles: tuple[tuple[str, int], ...]
    speed: str = STANDARD
    authority: str = ORDER


BRIGADE = Kind(
    "消防救援大队",
    "消防救援",
    ("搜救", "水幕", "侦检"),
    (16, 28),
    (("水罐消防车", 3), ("抢险救援车", 1)),
)
SPECIAL = Kind(
    "特勤消防站",
    "消防救援",
    ("侦检", "搜救", "洗消", "建筑坍塌救援", "水域救援"),
    (20, 30),
    (("抢险救援车", 2), ("化学事故抢险车", 1), ("水罐消防车", 2)),
)
AMBULANCES = Kind(
    "急救队", "卫生健康", ("转运", "检伤"), (12, 24), (("负压救护车", 4), ("救护车", 4)), LIGHT
)
MONITORS = Kind("环境应急监测队", "生态环境", ("环境监测",), (6, 10), (("应急监测车", 2),), LIGHT)
VOLUNTEERS = Kind(
    "社会救援队",
    "社会力量",
    ("疏散", "搜救"),
    (20, 40),
    (("运兵车", 2), ("越野车", 3)),
    STANDARD,
    REQUEST,
)
EVACUATION = Kind("民兵应急分队", "人民武装", ("疏散", "堤坝抢险"), (30, 60), (("运兵车", 3),))
CHEMICAL = Kind(
    "危化救援队",
    "专业队伍",
    ("堵漏", "倒罐", "重型防化", "洗消"),
    (14, 24),
    (("堵漏器材车", 1), ("倒罐作业车", 1), ("洗消车", 1)),
    HEAVY,
)
PLANT = Kind(
    "企业专职消防队",
    "企业队伍",
    ("堵漏", "水幕"),
    (10, 20),
    (("泡沫消防车", 2),),
    STANDARD,
    REQUEST,
)
FOREST = Kind(
    "专业森林消防队", "专业队伍", ("森林扑火",), (25, 50), (("运兵车", 3), ("森林消防车", 1))
)
PUMPS = Kind(
    "应急排水队", "专业队伍", ("排涝", "堤坝抢险"), (10, 20), (("龙吸水排涝车", 2),), HEAVY
)
ROADS = Kind(
    "公路抢通队", "交通运输", ("道路抢通",), (12, 24), (("挖掘机拖车", 2), ("装载机", 1)), HEAVY
)
MINE = Kind(
    "矿山救护队", "专业队伍", ("矿山救援", "排涝"), (18, 30), (("矿山救护车", 3),), STANDARD
)
SATELLITE = Kind(
    "应急通信队", "通信管理", ("卫星通信", "无人机侦察"), (6, 10), (("卫星通信车", 1),), LIGHT
)
DRONES = Kind("航空应急队", "专业队伍", ("无人机侦察",), (6, 12), (("无人机运输车", 2),), LIGHT)
BARRIERS = Kind(
    "水上污染清除队",
    "专业队伍",
    ("污染拦截",),
    (10, 18),
    (("围油栏作业车", 2),),
    STANDARD,
)

EVERY_CITY = (SPECIAL, AMBULANCES, MONITORS, VOLUNTEERS, EVACUATION)
SOME_CITIES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (CHEMICAL, ("440100", "440500", "440800", "440900", "441300", "441800", "440400")),
    (PLANT, ("440700", "440900", "441300", "441900", "445200", "440600")),
    (FOREST, ("440200", "441400", "441600", "441800", "441200", "445300", "441700")),
    (PUMPS, ("440100", "440300", "440600", "441900", "440800", "441200", "440500")),
    (ROADS, ("440200", "440100", "441400", "441600", "441800", "440900", "441200")),
    (MINE, ("440200", "441400", "445300", "441800")),
    (SATELLITE, ("440100", "440300", "440800", "441400")),
    (DRONES, ("440100", "440200", "441300", "441200")),
    (BARRIERS, ("440100", "440200", "441800", "441300", "440700")),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A team of the story. The spot is fixed where the story says how long it drives."""

    code: str
    name: str
    region_code: str
    spot: tuple[float, float]
    crew: int
    skills: tuple[str, ...]
    kind: Kind
    leader: str
    authority: str = ORDER


STORY_TEAMS = (
    Named(
        "T01",
        "翁城专职消防站",
        "440229113",
        (113.8515, 24.3935),
        12,
        ("侦检", "洗消"),
        BRIGADE,
        "冯示八",
    ),
    Named(
        "T02",
        "翁源消防大队",
        "440229",
        (114.1262, 24.3531),
        22,
        ("搜救", "水幕"),
        BRIGADE,
        "江示源",
    ),
    Named(
        "T03",
        "粤北危化队",
        "440204",
        (113.6085, 24.8110),
        18,
        ("堵漏", "倒罐", "重型防化"),
        CHEMICAL,
        "雷示岭",
    ),
    Named(
        "T04",
        "英德消防大队",
        "441881",
        (113.3975, 24.2090),
        20,
        ("水幕", "洗消"),
        BRIGADE,
        "石示英",
    ),
    Named(
        "T05",
        "韶关急救队",
        "440203",
        (113.5790, 24.7960),
        24,
        ("转运", "检伤"),
        AMBULANCES,
        "柳示春",
    ),
    Named(
        "T06",
        "广州检测专家队",
        "440100",
        (113.3250, 23.1400),
        10,
        ("在线质谱", "环境监测"),
        MONITORS,
        "卢示谱",
    ),
    Named(
        "T07", "省应急通信队", "440205", (113.6050, 24.6820), 8, ("卫星通信",), SATELLITE, "温示波"
    ),
    Named(
        "T08",
        "连平企业专职队",
        "441623",
        (114.4860, 24.3720),
        15,
        ("堵漏",),
        PLANT,
        "邱示连",
        REQUEST,
    ),
    Named(
        "T09",
        "韶关社会救援队",
        "440204",
        (113.5990, 24.8020),
        30,
        ("疏散",),
        VOLUNTEERS,
        "骆示众",
        REQUEST,
    ),
)
REPLACED = {  # the story's team stands where the rule would make one
    ("440229", BRIGADE.word),
    ("441881", BRIGADE.word),
    ("440200", AMBULANCES.word),
    ("440200", VOLUNTEERS.word),
}


def teams(seed: int) -> list[Team]:
    """Every team, the story's first. Codes are T01-T09, then region and running number."""
    mint = Mint(seed, "teams")
    made = [_named(mint, named) for named in STORY_TEAMS]
    for county in places.counties():
        if (county.code, BRIGADE.word) not in REPLACED:
            made.append(_of_kind(mint, county, BRIGADE, len(made)))
    for city in places.cities():
        if city.code in places.CITIES_WITHOUT_COUNTIES:
            made.append(_of_kind(mint, city, BRIGADE, len(made)))
        for kind in EVERY_CITY:
            if (city.code, kind.word) not in REPLACED:
                made.append(_of_kind(mint, city, kind, len(made)))
    for kind, codes in SOME_CITIES:
        made += [
            _of_kind(mint, places.by_code()[code], kind, len(made) + at)
            for at, code in enumerate(codes)
        ]
    return made


def _named(mint: Mint, named: Named) -> Team:
    longitude, latitude = named.spot
    return Team(
        id=mint.id(),
        code=named.code,
        name=named.name,
        kind=named.kind.word,
        unit_name=f"{named.kind.unit}{MARK}",
        region_code=named.region_code,
        longitude=longitude,
        latitude=latitude,
        skills=list(named.skills),
        crew=named.crew,
        vehicles=[{"kind": kind, "count": count} for kind, count in named.kind.vehicles],
        speed_class=named.kind.speed,
        authority=named.authority,
        contact_name=named.leader,
        phone=mint.phone(named.region_code),
        is_demo=True,
    )


def _of_kind(mint: Mint, place: Place, kind: Kind, number: int) -> Team:
    longitude, latitude = places.strewn(place, mint.chance)
    owner = places.full_name(place) if place.name == "城区" else place.name
    return Team(
        id=mint.id(),
        code=f"{place.code}-{number + 1:03d}",
        name=f"{owner}{kind.word}",
        kind=kind.word,
        unit_name=f"{kind.unit}{MARK}",
        region_code=place.code,
        longitude=longitude,
        latitude=latitude,
        skills=list(kind.skills),
        crew=mint.chance.randint(*kind.crew),
        vehicles=[{"kind": word, "count": count} for word, count in kind.vehicles],
        speed_class=kind.speed,
        authority=kind.authority,
        contact_name=mint.person(),
        phone=mint.phone(place.code),
        is_demo=True,
    )
