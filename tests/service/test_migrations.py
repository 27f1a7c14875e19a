"""The migrations and the tables in the code say the same."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from command_center.database import async_url, migrate
from command_center.database.metadata import collect_tables
from command_center.database.migrate import alembic_config


def test_a_migrated_database_is_what_the_tables_say(database_url: str) -> None:
    """A table changed without its migration works in nobody's installation but the author's.

    When it fails: `python -m command_center.database.autogenerate "what changed"`.
    """
    metadata = collect_tables()
    engine = create_engine(async_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        assert set(metadata._sequences) <= set(found.get_sequence_names())
        checks = {
            str(check["name"])
            for table in found.get_table_names()
            for check in found.get_check_constraints(table)
        }
        excludes = connection.exec_driver_sql(
            "SELECT conname FROM pg_constraint WHERE contype = 'x'"
        ).scalars()
        named = {
            str(constraint.name)
            for table in metadata.tables.values()
            for constraint in table.constraints
            if type(constraint).__name__ in ("CheckConstraint", "ExcludeConstraint")
        }
        assert named <= checks | set(excludes)
    engine.dispose()


def test_migrations_have_one_head_and_run_twice(database_url: str) -> None:
    """Two heads stop every start; a second run changes nothing."""
    script = ScriptDirectory.from_config(alembic_config(database_url))
    assert len(script.get_heads()) == 1
    migrate(database_url)


def test_every_record_is_marked_as_drill_or_part_of_one_that_is() -> None:
    """`is_drill` is on every record from the first migration; parts inherit their plan's."""
    tables = collect_tables().tables.values()
    marked = {table.name for table in tables if "is_drill" in table.columns}
    unmarked = [
        table.name
        for table in tables
        if table.name not in marked
        and not any(key.column.table.name in marked for key in table.foreign_keys)
    ]
    assert unmarked == []


def test_the_first_migration_can_be_taken_back(database_url: str) -> None:
    """Down and up again: nothing is left behind that would stop the next start."""
    config = alembic_config(database_url)
    command.downgrade(config, "base")
    migrate(database_url)
