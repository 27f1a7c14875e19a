"""The composition root: the only place that builds things and hands them to each other."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aiohttp import web

from resource_dispatch import RoadNetwork, SolverPool, load_graph

from .database import Database
from .demo.roads import demo_road_network
from .incidents.dispatching import Dispatcher
from .processes import is_loopback, local_ipv4_addresses, reachable_host
from .security import AuditChain, Desk, LogIn, Passwords, load_key
from .settings import Settings
from .web.app import create_app
from .web.health import Component, Health
from .web.schemas import PublicConfig

AUDIT_KEY = "audit.key"
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
    file = settings.var_dir / ROADS
    return RoadNetwork(load_graph(file)) if file.exists() else demo_road_network()


def build_web(settings: Settings, database_url: str) -> web.Application:
    """The web process: API, live events and console."""
    database = Database(database_url)
    desk = build_desk(settings, database)
    health = Health()

    async def database_answers() -> Component:
        is_up = await database.is_answering()
        return Component("database", "ok" if is_up else "down")

    health.add("database", database_answers)
    config = PublicConfig(
        demo=settings.demo, version=product_version(), public_url=public_url(settings)
    )
    pool = SolverPool()
    dispatcher = Dispatcher(pool, cache(lambda: road_network(settings)))
    services: list[object] = [settings, LogIn(desk, Passwords()), health, config, dispatcher]
    app = create_app(desk, services, origins=origins(settings))

    async def close_all(_app: web.Application) -> None:
        await pool.close()
        await database.close()

    app.on_cleanup.append(close_all)
    return app
