"""The `command-center` command."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Annotated

import typer

from .console_text import Speaker, phrase
from .settings import Settings

app = typer.Typer(
    name="command-center",
    help="应急指挥与会商 Emergency command and consultation for a provincial centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="JSON file of settings, written by `serve`")
]
VarDir = Annotated[Path | None, typer.Option("--var", help="where everything is written")]


def _settings(file: Path | None = None, **changes: object) -> Settings:
    """Settings of a file or of the environment, with what the command line says on top."""
    given = {name: value for name, value in changes.items() if value is not None}
    if file is not None:
        return Settings.model_validate({**json.loads(file.read_text("utf-8")), **given})
    return Settings.model_validate(given)


def _split(address: str | None, say: Speaker) -> tuple[str | None, int | None]:
    """HOST:PORT or [IPv6]:PORT; exits with words when it is neither."""
    if address is None:
        return None, None
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        say.line("listen_malformed")
        raise typer.Exit(2)
    return host.strip("[]"), int(port)


def _port_is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@app.command()
def serve(
    *,
    listen: Annotated[
        str | None, typer.Option(help="console and API, HOST:PORT [127.0.0.1:8080]")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="how phones reach us, for join links")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM certificate chain")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM private key")] = None,
    sip_listen: Annotated[str | None, typer.Option(help="SIP, HOST:PORT [0.0.0.0:5060]")] = None,
    media_address: Annotated[
        str | None, typer.Option(help="RTP address to advertise (1:1 NAT)")
    ] = None,
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="seed the demo province")
    ] = None,
    var: VarDir = None,
) -> None:
    """Start everything: database, media node, SIP gateway, web. Ctrl-C stops it all."""
    from .database import PostgresError
    from .processes import AlreadyRunningError, leave
    from .serve import serve as run
    from .supervisor import ChildFailedError

    say = Speaker()
    listen_host, listen_port = _split(listen, say)
    sip_host, sip_port = _split(sip_listen, say)
    if (certificate is None) is not (key is None):
        say.line("certificate_pair")
        raise typer.Exit(2)
    settings = _settings(
        listen_host=listen_host,
        listen_port=listen_port,
        public_url=public_url,
        certificate_file=certificate and certificate.absolute(),
        key_file=key and key.absolute(),
        sip_host=sip_host,
        sip_port=sip_port,
        media_address=media_address,
        demo=demo,
        var_dir=var,
    )
    try:
        if not _port_is_free(settings.listen_host, settings.listen_port):
            say.line("port_taken", address=f"{settings.listen_host}:{settings.listen_port}")
            raise typer.Exit(1)
        run(settings, say)
    except AlreadyRunningError as error:
        say.line("already_running", pid=error.pid or "?")
        raise typer.Exit(1) from error
    except PostgresError as error:
        say.line("database_failed", detail=str(error))
        raise typer.Exit(1) from error
    except ChildFailedError as error:
        say.line("child_failed", name=error.name, detail=error.detail)
        say.plain(error.log_tail)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        pass
    say.line("stopped")
    leave()


@app.command(hidden=True)
def web(settings_file: SettingsFile = None) -> None:
    """Run the web process alone; `serve` starts it."""
    from .web_process import run_web

    settings = _settings(settings_file)
    run_web(settings, settings.database_url or "")


@app.command()
def gateway(settings_file: SettingsFile = None, var: VarDir = None) -> None:
    """Run the SIP gateway alone, against a database and a media node that run already."""
    from .gateway_process import GatewayTakenError, run_gateway

    settings = _settings(settings_file, var_dir=var)
    if settings.database_url is None:
        Speaker().line("database_url_missing")
        raise typer.Exit(2)
    try:
        run_gateway(settings, settings.database_url)
    except GatewayTakenError as error:
        Speaker().line("gateway_taken")
        raise typer.Exit(1) from error


@app.command()
def worker(settings_file: SettingsFile = None, var: VarDir = None) -> None:
    """Run one more worker for coverage studies, against a database that runs already."""
    from .worker_process import run_worker

    settings = _settings(settings_file, var_dir=var)
    if settings.database_url is None:
        Speaker().line("database_url_missing")
        raise typer.Exit(2)
    run_worker(settings, settings.database_url)


@app.command()
def migrate(settings_file: SettingsFile = None, var: VarDir = None) -> None:
    """Bring the database to the newest schema."""
    from .database import migrate as run
    from .serve import database_running

    say = Speaker()
    settings = _settings(settings_file, var_dir=var)
    with database_running(settings, say) as database_url:
        run(database_url)
    say.line("migrated")


@app.command()
def seed(settings_file: SettingsFile = None, var: VarDir = None) -> None:
    """Seed the demo province into an empty database."""
    from .database import migrate as bring_up
    from .seeding import seed_demo
    from .serve import database_running

    say = Speaker()
    settings = _settings(settings_file, var_dir=var)
    with database_running(settings, say) as database_url:
        bring_up(database_url)
        say.line("seeded" if seed_demo(settings, database_url, say) else "seed_kept")


@app.command()
def administrators(
    region: Annotated[str | None, typer.Option(help="their division code: 440000")] = None,
    reset: Annotated[
        str | None, typer.Option(help="log-in name of one who lost password or second factor")
    ] = None,
    settings_file: SettingsFile = None,
    var: VarDir = None,
) -> None:
    """Make the first three administrators, or a new password for one of them."""
    from . import administrators as three
    from .checkup import is_running, settings_in_force
    from .database import migrate as bring_up
    from .serve import database_running

    say = Speaker()
    if reset is None and (region is None or not (len(region) == 6 and region.isdecimal())):
        say.line("administrators_region")
        raise typer.Exit(2)
    settings = _settings(settings_file, var_dir=var)
    if is_running(settings):
        settings = settings_in_force(settings)
    try:
        with database_running(settings, say) as database_url:
            bring_up(database_url)
            if reset is not None:
                password = three.reset(settings, database_url, reset)
                say.line("administrator_reset", name=reset)
                say.plain(f"    {reset}  {password}")
                return
            told = three.make_first(settings, database_url, region or "")
    except three.UsernameTakenError as error:
        say.line("administrators_exist")
        raise typer.Exit(1) from error
    except three.AdministratorUnknownError as error:
        say.line("administrator_unknown", name=reset)
        raise typer.Exit(1) from error
    say.line("administrators_made")
    for username, password in told:
        say.plain(f"    {username:<16} {password}")


@app.command()
def check(var: VarDir = None) -> None:
    """Look at the installation: database, schema, processes, font, disk, certificate."""
    from .checkup import look

    say = Speaker()
    findings = look(_settings(var_dir=var))
    for finding in findings:
        say.finding(finding.key, finding.detail, is_good=finding.is_good)
    if any(finding.is_fatal and not finding.is_good for finding in findings):
        raise typer.Exit(1)


@app.command("reset-demo")
def reset_demo(
    var: VarDir = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete the demo's data and seed it afresh. Stop `serve` first."""
    from .database import migrate as bring_up
    from .processes import AlreadyRunningError, InstanceLock
    from .seeding import OtherAccountsError, clear_demo, seed_demo
    from .serve import database_running

    say = Speaker()
    settings = _settings(var_dir=var)
    if not yes and not typer.confirm(phrase("reset_question", where=settings.var_dir)):
        raise typer.Exit(1)
    try:
        with (
            InstanceLock(settings.run_dir / "serve.lock"),
            database_running(settings, say) as database_url,
        ):
            bring_up(database_url)
            clear_demo(database_url)
            seed_demo(settings, database_url, say)
    except AlreadyRunningError as error:
        say.line("already_running", pid=error.pid or "?")
        raise typer.Exit(1) from error
    except OtherAccountsError as error:
        say.line("reset_refused")
        raise typer.Exit(1) from error
    say.line("reset_done")


def main() -> None:
    """Entry point of the installed command."""
    app()


__all__ = ["app", "main"]
