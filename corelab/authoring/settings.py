"""nbgrader's settings of a course folder, and the database they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def read(root: Path) -> Any:
    """What ``nbgrader_config.py`` of the course folder says, as a traitlets Config; an empty one without the file."""
    from traitlets.config.loader import Config, PyFileConfigLoader

    file = root / "nbgrader_config.py"
    return PyFileConfigLoader(file.name, path=str(root)).load_config() if file.exists() else Config()


def note_version(db_url: str) -> None:
    """Mark a new database as of this nbgrader's version; it would start a process by name to ask for that.

    Raises:
        sqlalchemy.exc.DBAPIError: the database cannot be opened.
    """
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR
    from sqlalchemy import Column, MetaData, String, Table, create_engine, inspect

    engine = create_engine(db_url)
    try:
        if inspect(engine).get_table_names():
            return
        table = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))
        with engine.begin() as connection:
            table.create(connection)
            version = ScriptDirectory(ALEMBIC_DIR).get_current_head()
            connection.execute(table.insert().values(version_num=version))
    finally:
        engine.dispose()
