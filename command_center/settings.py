"""Settings of the command centre: one frozen model, read once by the composition root.

Sources, strongest first: command line, environment (`COMMAND_CENTER_*`, and `DATABASE_URL`), then
the defaults below. Secrets come from files under `var/secrets`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_TURN_URL = r"turns?:[A-Za-z0-9.\-\[\]:]+(\?transport=(udp|tcp))?"


class Settings(BaseSettings):
    """Every setting of the roof, with its unit."""

    model_config = SettingsConfigDict(
        env_prefix="COMMAND_CENTER_", frozen=True, extra="forbid", populate_by_name=True
    )

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("database_url", "DATABASE_URL"),
        description="a real PostgreSQL; none starts the embedded one under `var_dir`",
    )
    var_dir: Path = Field(default=Path("var"), description="everything that is written")
    listen_host: str = Field(default="127.0.0.1", description="address of the console and API")
    listen_port: int = Field(default=8080, ge=1, le=65535, description="TCP port")
    public_url: str | None = Field(
        default=None, description="how phones reach us, for join links; none: from the address"
    )
    certificate_file: Path | None = Field(default=None, description="PEM chain, for https")
    key_file: Path | None = Field(default=None, description="PEM key, for https")
    demo: bool = Field(default=True, description="seed the demo province and its log-ins")
    sip_host: str = Field(default="0.0.0.0", description="address of SIP signalling")  # noqa: S104
    sip_port: int = Field(default=5060, ge=1, le=65535, description="UDP and TCP port of SIP")
    sip_trunk: str | None = Field(
        default=None,
        pattern=r"^sips?:[A-Za-z0-9.\-\[\]:]+$",
        description="where telephone numbers are dialled, sip:host:port; none: no telephones",
    )
    sip_trunk_username: str | None = Field(
        default=None,
        description="the trunk's account; its password is in `secrets/sip-trunk-password`",
    )
    h323_port: int | None = Field(
        default=1720, ge=1, le=65535, description="TCP port of H.323; none: no H.323"
    )
    h323_ras_port: int | None = Field(
        default=1719, ge=1, le=65535, description="UDP port of our gatekeeper; none: none"
    )
    h323_gatekeeper: str | None = Field(
        default=None, description="HOST[:PORT] of an outside gatekeeper to register with"
    )
    h323_traversal: bool = Field(
        default=False,
        description="a NAT is between us and the outside gatekeeper: offer H.460.18 and H.460.19; "
        "a password there is in `secrets/h323-gatekeeper-password`",
    )
    h323_alternates: str = Field(
        default="",
        description="HOST[:PORT] of gatekeepers to which rooms turn when ours is silent, by comma",
    )
    h323_number: str = Field(default="9000", description="our number at the outside gatekeeper")
    media_address: str | None = Field(
        default=None, description="address advertised for RTP: the outer one of a 1:1 NAT"
    )
    turn_urls: str = Field(
        default="",
        pattern=rf"^({_TURN_URL}(,{_TURN_URL})*)?$",
        description="TURN relay for phones whose UDP is blocked, by comma; its shared secret is in "
        "`secrets/turn-secret`; empty: none",
    )
    rtp_port_first: int = Field(default=20000, ge=1024, le=65535, description="first RTP port")
    rtp_port_last: int = Field(default=23999, ge=1024, le=65535, description="last RTP port")
    dscp_audio: str = Field(
        default="EF", description="marking of sound: EF, AFxy, CSx, 0 to 63, or off"
    )
    dscp_video: str = Field(
        default="AF41", description="marking of pictures, and of phones' bundles: as above"
    )

    request_accept_pct: int = Field(
        default=70,
        ge=0,
        le=100,
        description="how likely an asked team (商请) comes, %; counts as four answers of its city",
    )
    request_answer_minutes: int = Field(
        default=10, ge=0, le=240, description="how long an asked team takes to decline, minutes"
    )

    network_contact: str = Field(
        default="",
        max_length=120,
        description="whom the desk tells of a scan or of guessed passwords: name and number",
    )
    recording_retention_days: int = Field(
        default=180, ge=1, le=36500, description="recordings older than this are deleted, days"
    )
    recording_minimum_free_mib: int = Field(
        default=1024, ge=0, description="recording stops while the disk has less, MiB"
    )
    administrators_need_totp: bool = Field(
        default=False,
        description="administrators log in with a second factor (RFC 6238), set up at their next "
        "log-in",
    )

    @property
    def run_dir(self) -> Path:
        return self.var_dir / "run"

    @property
    def secrets_dir(self) -> Path:
        return self.var_dir / "secrets"

    @property
    def postgres_dir(self) -> Path:
        return self.var_dir / "postgres"

    @property
    def recordings_dir(self) -> Path:
        return self.var_dir / "recordings"

    @property
    def log_dir(self) -> Path:
        return self.var_dir / "log"

    def with_changes(self, **changes: Any) -> Settings:
        """A copy with the given fields replaced, validated again."""
        return Settings.model_validate({**self.model_dump(), **changes})
