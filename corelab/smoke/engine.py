"""A papermill engine that writes the executed notebook once, when its run has ended.

Papermill's own writes the whole notebook before and after every cell, Markdown included: for a lesson of the
course, which runs for ten seconds, that is five more.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, papermill_engines

NAME = "corelab"


class SavedAtTheEnd(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Ends by papermill's own last save, also after an error."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        written, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = written


papermill_engines.register(NAME, SavedAtTheEnd)
