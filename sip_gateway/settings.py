"""Settings of the signalling room."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .messages import SrtpPolicy


class GuardSettings(BaseModel):
    """How much wrong traffic one source may send before it is shut out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages_per_s: float = Field(
        default=200.0, gt=0, description="messages a second one source may send on average"
    )
    message_burst: int = Field(
        default=2000, gt=0, description="messages one source may send at once"
    )
    score_limit: float = Field(
        default=120.0,
        gt=0,
        description="points at which a source is banned: an unanswered challenge is 1, a wrong "
        "password 8, a malformed message 4, a known scanner's name 120",
    )
    score_decay_per_s: float = Field(
        default=1.0, ge=0, description="points a source loses each second"
    )
    ban_s: float = Field(default=900.0, gt=0, description="seconds a ban lasts")
    exempt_sources: tuple[str, ...] = Field(
        default=(), description="addresses or networks (CIDR) that are never limited or banned"
    )
    tracked_sources: int = Field(
        default=50_000, gt=0, description="sources remembered at most; the oldest are forgotten"
    )

    @field_validator("exempt_sources")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ip_network(text, strict=False)
        return value


class GatewaySettings(BaseModel):
    """The SIP edge of the installation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen_host: str = Field(default="0.0.0.0", description="address SIP listens on")  # noqa: S104
    udp_port: int | None = Field(
        default=5060, ge=0, le=65535, description="UDP port, 0 for any, None for no UDP"
    )
    tcp_port: int | None = Field(
        default=5060, ge=0, le=65535, description="TCP port, 0 for any, None for no TCP"
    )
    bfcp_port: int | None = Field(
        default=3238,
        ge=0,
        le=65535,
        description="UDP and TCP port of BFCP, by which SIP rooms ask to present; None: content "
        "lines are refused",
    )
    h323_port: int | None = Field(
        default=1720, ge=0, le=65535, description="H.225.0 call signalling, None for no H.323"
    )
    h323_ras_port: int | None = Field(
        default=1719,
        ge=0,
        le=65535,
        description="RAS: our gatekeeper and our own registration, None for neither",
    )
    h323_open_registration: bool = Field(
        default=False,
        description="rooms register by number alone from any address; closed nets only",
    )
    h323_gatekeeper: str | None = Field(
        default=None, description="HOST[:PORT] of an outside gatekeeper to register with"
    )
    h323_traversal: bool = Field(
        default=False,
        description="a NAT is between us and the outside gatekeeper: offer H.460.18 and H.460.19",
    )
    h323_password_file: Path | None = Field(
        default=None, description="file with our password at the outside gatekeeper (H.235.1)"
    )
    h323_alternates: tuple[str, ...] = Field(
        default=(),
        description="HOST[:PORT] of gatekeepers to which rooms turn when ours is silent, in order",
    )
    h323_number: str = Field(default="9000", description="our number at the outside gatekeeper")
    h323_fast_start: bool = Field(
        default=True, description="propose media channels in SETUP, one round trip less"
    )
    h323_encryption: SrtpPolicy = Field(
        default=SrtpPolicy.OFF,
        description="media encryption by H.235.6 where a site has no policy; fast start is not "
        "proposed with it",
    )
    h323_tunnelling: bool = Field(
        default=True, description="offer H.245 inside the signalling connection"
    )
    tls_port: int | None = Field(
        default=5061, ge=0, le=65535, description="TLS port, used when certificate files are given"
    )
    certificate_file: Path | None = Field(default=None, description="PEM chain for SIP over TLS")
    key_file: Path | None = Field(default=None, description="PEM private key for SIP over TLS")
    peer_ca_file: Path | None = Field(
        default=None,
        description="PEM authorities that certificates of rooms we dial must come from; None: any "
        "certificate is taken, as rooms make their own",
    )
    srtp: SrtpPolicy = Field(
        default=SrtpPolicy.PREFERRED,
        description="media encryption by SDES (inside TLS) or DTLS, where a hall has no policy of "
        "its own: required refuses rooms without it",
    )
    realm: str = Field(
        default="command-center",
        min_length=1,
        max_length=120,
        description="digest realm; passwords are stored hashed with it",
    )
    domain: str | None = Field(
        default=None, description="host part of our own addresses; None: the listening address"
    )
    advertised_address: str | None = Field(
        default=None, description="address in Via and Contact behind a 1:1 NAT; None: the route's"
    )
    user_agent: str = Field(default="CommandCenter", max_length=80, description="Server header")
    md5_only_agents: tuple[str, ...] = Field(
        default=("baresip v0.", "baresip v1.", "sipp"),
        description="beginnings of User-Agent names (lower case) that give up when SHA-256 is "
        "offered beside MD5; others that do so are found out at their second attempt",
    )
    calls: int = Field(default=1000, gt=0, description="calls at one time at most")
    video_bitrate_bps: int = Field(
        default=2_000_000, gt=0, description="bit/s of video we ask a room to send at most"
    )
    first_response_s: float = Field(
        default=10.0, gt=0, description="seconds without any response until a room is unreachable"
    )
    line_response_s: float = Field(
        default=4.0,
        gt=0,
        description="the same where a room has another line to be tried, seconds",
    )
    line_check_s: float = Field(
        default=2.5,
        gt=0,
        description="seconds a silent room has to answer on its line before its other line is used",
    )
    node_grace_s: float = Field(
        default=12.0,
        ge=0,
        description="seconds calls are kept without a media node before they are ended",
    )
    minimum_expires_s: int = Field(default=60, gt=0, description="shortest registration, seconds")
    maximum_expires_s: int = Field(default=3600, gt=0, description="longest registration, seconds")
    nonce_life_s: float = Field(default=300.0, gt=0, description="seconds a digest nonce is good")
    connections: int = Field(default=4000, gt=0, description="TCP and TLS connections at most")
    connections_per_source: int = Field(
        default=400, gt=0, description="TCP and TLS connections of one address at most"
    )
    guard: GuardSettings = Field(default=GuardSettings(), description="limits against abuse")
