"""The composition root: the only place that builds things and hands them to each other.

What only one process needs is imported where it is built: the gateway loads no optimiser.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from .database import Database
from .processes import (
    ensure_certificate,
    is_loopback,
    local_ipv4_addresses,
    reachable_host,
)
from .security import AuditChain, Desk, LogIn, Passwords, load_key
from .settings import Settings

if TYPE_CHECKING:
    from aiohttp import web

    from resource_dispatch import RoadNetwork
    from sip_gateway import Gateway
    from sip_gateway.ports import Trunk

    from .consultation.switchboard import Switchboard
    from .consultation.turn import TurnRelay
    from .web.health import Health

AUDIT_KEY = "audit.key"
TURN_SECRET = "turn-secret"  # noqa: S105 - a file's name
TRUNK_PASSWORD = "sip-trunk-password"  # noqa: S105 - a file's name
H323_PASSWORD = "h323-gatekeeper-password"  # noqa: S105 - a file's name
ROADS = "roads.json.gz"


def product_version() -> str:
    """The installed version, or what a checkout that is not installed calls itself."""
    try:
        return version("command-center")
    except PackageNotFoundError:
        return "0.1.0"


def node_socket(settings: Settings) -> Path:
    """Where the media node listens for its control wire."""
    return settings.run_dir / "node-1.sock"


def gateway_socket(settings: Settings) -> Path:
    """Where the gateway listens for its control wire."""
    return settings.run_dir / "gateway.sock"


def worker_mark(settings: Settings) -> Path:
    """The file by which a worker says that it runs."""
    return settings.run_dir / "worker.pid"


def certificate_folder(settings: Settings) -> Path:
    """Where certificates made by ourselves are kept."""
    return settings.var_dir / "certificate"


def public_url(settings: Settings) -> str:
    """How others reach the console: the setting, or made of the listening address."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if settings.certificate_file else "http"
    return f"{scheme}://{reachable_host(settings.listen_host)}:{settings.listen_port}"


def origins(settings: Settings) -> list[str] | None:
    """Pages that may open a socket; None: the page's own origin, which a proxy would hide."""
    if settings.public_url is None:
        return None
    hosts = ["localhost", "127.0.0.1", settings.listen_host]
    if not is_loopback(settings.listen_host):
        hosts += local_ipv4_addresses()
    scheme = "https" if settings.certificate_file else "http"
    own = {f"{scheme}://{host}:{settings.listen_port}" for host in hosts}
    return sorted(own | {public_url(settings)})


def build_desk(settings: Settings, database: Database) -> Desk:
    """Units of work with the installation's audit chain."""
    return Desk(database, AuditChain(load_key(settings.secrets_dir / AUDIT_KEY)))


def road_network(settings: Settings) -> RoadNetwork:
    """The installation's road graph under `var`, or the made-up one of the demo province."""
    from resource_dispatch import RoadNetwork, load_graph

    from .demo.roads import demo_road_network

    file = settings.var_dir / ROADS
    return RoadNetwork(load_graph(file)) if file.exists() else demo_road_network()


NODE_FULL_PCT = 95


def build_health(database: Database, switchboard: Switchboard) -> Health:
    """What the health dot asks: database, media node, gateway."""
    from .web.health import Component, Health

    async def database_answers() -> Component:
        is_up = await database.is_answering()
        return Component("database", "ok" if is_up else "down")

    async def node_answers() -> Component:
        if not switchboard.node.is_connected:
            return Component("media_node", "down")
        capacity = await switchboard.node.capacity()
        state = "degraded" if capacity.used_pct >= NODE_FULL_PCT else "ok"
        return Component("media_node", state, f"{capacity.used_pct} % of its capacity used")

    async def gateway_answers() -> Component:
        return Component("gateway", "ok" if switchboard.gateway.is_connected else "down")

    health = Health()
    health.add("database", database_answers)
    health.add("media_node", node_answers)
    health.add("gateway", gateway_answers)
    return health


def build_web(settings: Settings, database_url: str) -> web.Application:
    """The web process: API, live events, console and switchboard."""
    from resource_dispatch import SolverPool

    from .consultation.live_figures import push_figures
    from .consultation.session_routes import OfferMemory
    from .consultation.settings import ConsultationSettings
    from .consultation.switchboard import Switchboard
    from .dispatch_desk import PlanRunner, push_progress
    from .incidents import AskingRule
    from .incidents.dispatching import Dispatcher
    from .installation import Installation
    from .recordings.download import Downloads
    from .recordings.keeper import RecordingKeeper
    from .recordings.settings import RecordingSettings
    from .web.app import create_app
    from .web.schemas import PublicConfig

    database = Database(database_url)
    desk = build_desk(settings, database)
    switchboard = Switchboard(desk, node_socket(settings), gateway_socket(settings))
    pool = SolverPool()
    downloads = Downloads()
    keeper = RecordingKeeper(
        desk,
        node_socket(settings),
        RecordingSettings(
            folder=settings.recordings_dir,
            retention_days=settings.recording_retention_days,
            minimum_free_mib=settings.recording_minimum_free_mib,
        ),
    )
    roads = cache(lambda: road_network(settings))
    asking = AskingRule(settings.request_accept_pct, 60 * settings.request_answer_minutes)
    runner = PlanRunner(desk, pool, roads, asking=asking)
    services: list[object] = [
        settings,
        LogIn(desk, Passwords(), administrators_need_totp=settings.administrators_need_totp),
        Installation(settings, product_version()),
        build_health(database, switchboard),
        PublicConfig(
            demo=settings.demo, version=product_version(), public_url=public_url(settings)
        ),
        Dispatcher(pool, roads, asking),
        runner,
        switchboard,
        keeper,
        downloads,
        OfferMemory(),
        ConsultationSettings(
            public_url=public_url(settings), network_contact=settings.network_contact
        ),
        turn_relay(settings),
    ]
    app = create_app(desk, services, origins=origins(settings))
    switchboard.push = push_figures(app, desk)
    runner.push = push_progress(app)

    async def run(_app: web.Application) -> AsyncIterator[None]:
        await pool.start()
        await switchboard.start()
        await keeper.start()
        yield
        await runner.stop()
        await downloads.stop()
        await keeper.stop()
        await switchboard.stop()
        await pool.close()
        await database.close()

    app.cleanup_ctx.append(run)
    return app


def sip_trunk(settings: Settings) -> Trunk | None:
    """The telephone trunk of the settings, its password from `secrets/sip-trunk-password`."""
    from sip_gateway.ports import Trunk

    if settings.sip_trunk is None:
        return None
    file = settings.secrets_dir / TRUNK_PASSWORD
    password = file.read_text("utf-8").strip() if file.exists() else None
    return Trunk(settings.sip_trunk, settings.sip_trunk_username, password)


def turn_relay(settings: Settings) -> TurnRelay:
    """The TURN relay of the settings, the secret it shares from `secrets/turn-secret`."""
    from .consultation.turn import TurnRelay

    file = settings.secrets_dir / TURN_SECRET
    secret = file.read_text("utf-8").strip() if file.exists() else ""
    urls = tuple(url for url in settings.turn_urls.split(",") if url)
    return TurnRelay(urls=urls, secret=secret)


def sip_certificate(settings: Settings) -> tuple[Path, Path]:
    """Certificate and key of SIP over TLS: the console's, or one made by ourselves."""
    if settings.certificate_file is not None and settings.key_file is not None:
        return settings.certificate_file, settings.key_file
    hosts = [*local_ipv4_addresses(), settings.sip_host]
    wanted = [host for host in hosts if host not in ("0.0.0.0", "::")]  # noqa: S104 - compared
    files = ensure_certificate(certificate_folder(settings) / "sip", wanted, now=datetime.now(UTC))
    return files.certificate, files.key


def secret_file(settings: Settings, name: str) -> Path | None:
    """A file under `secrets`; None where it was not made."""
    file = settings.secrets_dir / name
    return file if file.exists() else None


def build_gateway(
    settings: Settings, database_url: str
) -> tuple[Gateway, Callable[[], Awaitable[None]]]:
    """The gateway with its directory, and what closes the directory's database."""
    from sip_gateway import Gateway, GatewaySettings

    from .consultation.gateway_directory import GatewayDirectory

    database = Database(database_url, pool_size=5)
    directory = GatewayDirectory(build_desk(settings, database), sip_trunk(settings))
    certificate, key = sip_certificate(settings)
    gateway = Gateway(
        GatewaySettings(
            listen_host=settings.sip_host,
            udp_port=settings.sip_port,
            tcp_port=settings.sip_port,
            tls_port=settings.sip_port + 1,
            bfcp_port=settings.sip_port + 2,
            h323_port=settings.h323_port,
            h323_ras_port=settings.h323_ras_port,
            h323_gatekeeper=settings.h323_gatekeeper,
            h323_number=settings.h323_number,
            h323_traversal=settings.h323_traversal,
            h323_password_file=secret_file(settings, H323_PASSWORD),
            h323_alternates=tuple(filter(None, settings.h323_alternates.split(","))),
            certificate_file=certificate,
            key_file=key,
        ),
        directory,
        node_socket(settings),
        gateway_socket(settings),
        store=directory,
    )
    return gateway, database.close
