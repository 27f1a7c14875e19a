"""What the library lists give: one shape a kind, each with its place."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from sip_gateway.messages import SrtpPolicy

T = TypeVar("T")


class Items(BaseModel, Generic[T]):
    """A list; `items` is cut at `limit`."""

    items: list[T]


class Placed(BaseModel):
    """What every entry has. WGS-84 degrees; the region is a GB/T 2260 code, towns nine digits."""

    id: UUID
    name: str
    longitude: float
    latitude: float
    region_code: str
    region_name: str
    is_demo: bool


class OrganisationOut(Placed):
    """`line` is emergency_management, fire, police, health, environment ..."""

    parent_id: UUID | None
    tier: str
    line: str
    address: str
    phone: str


class SelfTestOut(BaseModel):
    """A hall's newest call to the self-test number: `codes` is good, or what is wrong."""

    at: AwareDatetime
    codes: list[str]
    loss_pct: float = 0.0
    video: str = ""
    audio: str = ""


class SiteOut(Placed):
    """A hall. `address_state` is registered, unregistered or static.

    `protocol` is that of its first address; `ladder` is who is rung when nobody answers there.
    """

    organisation_id: UUID
    organisation_name: str
    tier: str
    account: str | None
    address_state: str
    protocol: Literal["sip", "h323"] = "sip"
    uri: str | None = None
    trusted_host: str | None = None
    backup_uri: str | None = None
    ladder: list[dict[str, Any]] = []
    link: str = "internet"
    max_bitrate_bps: int | None = None
    srtp_policy: SrtpPolicy | None = None  # none: as the gateway is set
    bridge_role: Literal["upper", "lower"] | None = None  # another MCU above or below us
    self_test: SelfTestOut | None = None


class VehiclesOut(BaseModel):
    kind: str
    count: int


class TeamOut(Placed):
    """`authority` order: commanded; request: asked, and may decline."""

    code: str
    kind: str
    unit_name: str
    skills: list[str]
    crew: int
    vehicles: list[VehiclesOut]
    speed_class: str
    authority: str
    state: str
    leader: str
    phone: str


class StockOut(BaseModel):
    item: str
    quantity: int
    reserved: int
    unit: str


class DepotOut(Placed):
    code: str
    unit_name: str
    leader: str
    phone: str
    stock: list[StockOut]


class SubstanceOut(BaseModel):
    """Tonnes: the design maximum and the threshold of GB 18218-2018."""

    name: str
    quantity_t: float
    threshold_t: float
    unit: str = "t"


class HazardOut(Placed):
    """`level` 1 is the most serious; null: S < 1, no major hazard and without level."""

    code: str
    enterprise: str
    kind: str
    level: int | None
    s_value: float
    r_value: float | None
    residents: int
    substances: list[SubstanceOut]
    phone: str


class ExpertOut(Placed):
    specialty: str
    unit_name: str
    phone: str


class CameraOut(Placed):
    """`source` is rtsp or synthetic; the address itself may hold a password and stays here."""

    organisation_id: UUID | None
    source: str
