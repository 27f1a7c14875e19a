"""`python -m command_center.database.autogenerate "message"`: write the next migration.

It compares the tables in the code with a scratch database brought to the newest migration, then
writes a numbered file under `migrations/versions`. Read it before you commit it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory

from .migrate import alembic_config, migrate
from .postgres import EmbeddedPostgres


def write_revision(url: str, message: str) -> Path | None:
    """Write the revision against an empty database at `url`; None when nothing differs."""
    migrate(url)
    config = alembic_config(url)
    count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    script = command.revision(
        config,
        message=message,
        autogenerate=True,
        rev_id=f"{count + 1:04d}",
        process_revision_directives=_nothing_for_no_difference,
    )
    if script is None or isinstance(script, list):
        return None
    return Path(script.path)


def _nothing_for_no_difference(_context: object, _revision: object, directives: list[Any]) -> None:
    if directives and directives[0].upgrade_ops.is_empty():
        directives.clear()


def main() -> int:
    message = " ".join(sys.argv[1:]).strip()
    if not message:
        sys.stderr.write('say what changes: autogenerate "add shelters"\n')
        return 2
    with tempfile.TemporaryDirectory(prefix="cc-autogenerate-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        try:
            path = write_revision(server.start(), message)
        finally:
            server.stop()
    sys.stdout.write(f"{path or 'the tables and the migrations agree: nothing written'}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
