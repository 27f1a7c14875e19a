"""Experts, cameras near the scene, and the accounts of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass

from ..directory import CameraRow, ExpertRow
from ..security import Role
from . import places
from .minting import MARK, Mint
from .places import PROVINCE_CODE

EXPERT_FIELDS = (
    ("危险化学品", 2, "省危险化学品专家组"),
    ("化工工艺", 2, "省危险化学品专家组"),
    ("消防灭火", 2, "省消防救援专家组"),
    ("环境应急", 3, "省环境应急专家组"),
    ("急性中毒救治", 3, "省职业病防治院"),
    ("防汛抢险", 3, "省水利专家组"),
    ("森林防灭火", 2, "省森林防灭火专家组"),
    ("地震与建筑结构", 2, "省地震灾害专家组"),
    ("矿山安全", 2, "省矿山安全专家组"),
    ("道路桥梁", 2, "省交通运输专家组"),
    ("气象", 1, "省气象台"),
)
STORY_EXPERTS = {"危险化学品": ("许示十", "邓示甲")}

CAMERAS = (  # name, synthetic source, spot
    ("C02 演示精细化工·液氯库北", "synthetic:C02 液氯库北?silent", (113.8603, 24.4008)),
    ("C03 演示精细化工·厂门", "synthetic:C03 厂门?silent", (113.8588, 24.3987)),
    ("C04 演示化工园·路口", "synthetic:C04 园区路口?silent", (113.8560, 24.3969)),
)


@dataclass(frozen=True, slots=True)
class Login:
    """A demonstration account; the password is made at the installation."""

    username: str
    display_name: str
    role: Role
    region_code: str
    unit_name: str
    duty: str


LOGINS = (
    Login("chenshiyi", "陈示一", Role.DUTY_OFFICER, PROVINCE_CODE, "广东省应急管理厅", "值班员"),
    Login("linshier", "林示二", Role.DUTY_LEADER, PROVINCE_CODE, "广东省应急管理厅", "带班领导"),
    Login("huangshisan", "黄示三", Role.COMMANDER, PROVINCE_CODE, "广东省应急管理厅", "厅长"),
    Login("luoshiyi", "罗示乙", Role.DUTY_OFFICER, "440229", "翁源县应急管理局", "县值班员"),
    Login("wushiliu", "吴示六", Role.COMMANDER, "440200", "韶关市人民政府", "副市长"),
    Login("fengshixun", "封示训", Role.TRAINER, PROVINCE_CODE, "广东省应急管理厅", "演练导调"),
    Login("yaoshixi", "姚示系", Role.SYSTEM_ADMIN, PROVINCE_CODE, "广东省应急管理厅", "系统管理员"),
    Login(
        "jinshian", "金示安", Role.SECURITY_ADMIN, PROVINCE_CODE, "广东省应急管理厅", "安全管理员"
    ),
    Login(
        "qiushishen", "邱示审", Role.AUDIT_ADMIN, PROVINCE_CODE, "广东省应急管理厅", "审计管理员"
    ),
)


def experts(seed: int) -> list[ExpertRow]:
    """Experts by field, the story's two first."""
    mint = Mint(seed, "experts")
    home = places.by_code()["440100"]
    made = []
    for field, count, unit in EXPERT_FIELDS:
        named = STORY_EXPERTS.get(field, ())
        for at in range(count):
            longitude, latitude = places.strewn(home, mint.chance, 0.15)
            made.append(
                ExpertRow(
                    id=mint.id(),
                    name=named[at] if at < len(named) else mint.person(),
                    field=field,
                    unit_name=unit + MARK,
                    phone=mint.phone(home.code),
                    region_code=PROVINCE_CODE,
                    longitude=longitude,
                    latitude=latitude,
                    is_demo=True,
                )
            )
    return made


def cameras(seed: int) -> list[CameraRow]:
    """Three cameras near the scene, drawn in the media node."""
    mint = Mint(seed, "cameras")
    return [
        CameraRow(
            id=mint.id(),
            name=name,
            url=url,
            region_code="440229113",
            longitude=longitude,
            latitude=latitude,
            is_demo=True,
        )
        for name, url, (longitude, latitude) in CAMERAS
    ]
