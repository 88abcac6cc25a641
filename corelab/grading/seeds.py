"""Clouds that hold the reference results of earlier assignments, for submissions that build on them."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from corelab.authoring.syllabus import Assignment, Syllabus
from corelab.grading.walls.limits import Limits

log = logging.getLogger(__name__)


class Seeds:
    """Runs the reference notebooks that an assignment needs, once, and keeps the cloud they leave.

    Args:
        folder: where archives are kept, by the digest of the notebooks they come from.
    """

    def __init__(self, folder: Path, walls: str, limits: Limits) -> None:
        self._folder, self._walls, self._limits = folder, walls, limits

    def before(self, course: Syllabus, assignment: Assignment) -> bytes | None:
        """An archive of the home a submission's cloud starts from; None when nothing comes before it."""
        needed = [course.source(course[name]) for name in assignment.needs]
        if not needed:
            return None
        texts = [path.read_text(encoding="utf-8") for path in needed]
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
        kept = self._folder / f"{digest}.tar"
        if not kept.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(f".{hash(self)}")
            draft.write_bytes(self._grow(texts))
            draft.replace(kept)
        return kept.read_bytes()

    def _grow(self, texts: list[str]) -> bytes:
        from corelab.grading.unit import reference_home

        return reference_home(texts, self._walls, self._limits)
