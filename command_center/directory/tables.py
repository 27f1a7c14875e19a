"""Tables of the directory: who can be called, and where everybody is.

Coordinates are WGS-84 degrees. Region codes are GB/T 2260 (six digits) or the nine-digit town code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from uuid6 import uuid7


class OrganisationRow(SQLModel, table=True):
    """A government organisation or enterprise; the vertical tree and the units beside it."""

    __tablename__ = "organisation"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    parent_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    name: str = Field(max_length=120)
    tier: str = Field(max_length=16, description="province | city | county | town | enterprise")
    line: str = Field(
        default="emergency_management",
        max_length=32,
        description="emergency_management | fire | police | health | environment | ...",
    )
    region_code: str = Field(max_length=12, index=True)
    region_name: str = Field(default="", max_length=60)
    address: str = Field(default="", max_length=500)
    phone: str = Field(default="", max_length=32)
    longitude: float
    latitude: float
    is_demo: bool = False
    is_drill: bool = False


class SiteRow(SQLModel, table=True):
    """A conference site (会场): a hall with a room system."""

    __tablename__ = "site"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    name: str = Field(max_length=120, description="caption of its picture")
    tier: str = Field(max_length=16, description="province | city | county | town | enterprise")
    region_code: str = Field(max_length=12, index=True)
    longitude: float
    latitude: float
    address_kind: str = Field(
        default="registered", max_length=16, description="registered | static"
    )
    account: str | None = Field(
        default=None, max_length=64, unique=True, description="its SIP account; demo: division code"
    )
    uri: str | None = Field(
        default=None, max_length=200, description="static only: sip:room@10.1.2.3:5060"
    )
    trusted_host: str | None = Field(
        default=None,
        max_length=64,
        index=True,
        description="static only: IP address whose calls are taken without digest",
    )
    link: str = Field(
        default="internet",
        max_length=16,
        sa_column_kwargs={"server_default": "internet"},
        description="its line: private_line | internet | mobile | satellite",
    )
    max_bitrate_bps: int | None = Field(
        default=None, description="its line's cap each way in bit/s; none: as its kind has it"
    )
    srtp_policy: str | None = Field(
        default=None,
        max_length=16,
        description="of its media: required | preferred | off; none: as the gateway is set",
    )
    bridge_role: str | None = Field(
        default=None,
        max_length=8,
        description="it is another MCU: upper (over us) | lower (below us); none: a hall",
    )
    shows_h323_password: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": false()},
        description="its H.323 room is not let in by address or number alone",
    )
    backup_uri: str | None = Field(
        default=None,
        max_length=200,
        description="its other line (internet): sip:room@203.0.113.7, used when the first is cut",
    )
    ladder: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default="[]"),
        description="whom to ring when nobody answers: [{number, name, ring_timeout_s}]",
    )
    self_test: dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(JSONB(none_as_null=True), nullable=True),
        description="the newest self-test: {at, codes, ...}",
    )
    is_demo: bool = False
    is_drill: bool = False


class SipAccountRow(SQLModel, table=True):
    """Digest secrets of one account (RFC 8760) and where it is registered now."""

    __tablename__ = "sip_account"

    account: str = Field(primary_key=True, max_length=64)
    realm: str = Field(max_length=64)
    ha1_md5: str = Field(max_length=32)
    ha1_sha256: str = Field(max_length=64)
    h235_key: str | None = Field(
        default=None, max_length=40, description="SHA-1 of the password in hex (H.235.1)"
    )
    is_registered: bool = False
    contact: str | None = Field(default=None, max_length=300)
    user_agent: str | None = Field(default=None, max_length=200)
    registration_changed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    is_demo: bool = False
    is_drill: bool = False


class CameraRow(SQLModel, table=True):
    """A network camera (rtsp://, rtsps://) or a demo source drawn in the node (synthetic:NAME)."""

    __tablename__ = "camera"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    name: str = Field(max_length=120)
    url: str = Field(max_length=2000, description="never sent to a browser: may hold a password")
    region_code: str = Field(max_length=12, index=True)
    longitude: float
    latitude: float
    is_demo: bool = False
    is_drill: bool = False


class ExpertRow(SQLModel, table=True):
    """An expert who can be asked into a consultation."""

    __tablename__ = "expert"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str = Field(max_length=60)
    field: str = Field(max_length=120, description="what they know: 危险化学品, 水文 ...")
    unit_name: str = Field(default="", max_length=120)
    phone: str = Field(default="", max_length=32)
    region_code: str = Field(max_length=12, index=True)
    longitude: float
    latitude: float
    is_demo: bool = False
    is_drill: bool = False


class SipBindingRow(SQLModel, table=True):
    """A registered contact, kept so that a restarted gateway still knows where the room is."""

    __tablename__ = "sip_binding"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    account: str = Field(max_length=64, index=True)
    contact: str = Field(max_length=1000)
    transport: str = Field(max_length=8)
    host: str = Field(max_length=255)
    port: int
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    user_agent: str | None = Field(default=None, max_length=500)
    path: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    is_drill: bool = False
