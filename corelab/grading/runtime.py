"""The warm parents of this process, and the household of one submission made from them."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from corelab.grading.walls.frames import Broken, TooSlow
from corelab.grading.walls.limits import MIB, Limits
from corelab.grading.walls.occupant import Gone, Occupant
from corelab.grading.walls.parent import EnclosureControl, WallsFailed, WarmParent

_PORTS: Final = {"kernel": 9101, "judge": 9102}
_SETTINGS: Final = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class Parents:
    """The two warm parents; start them once and share them among all submissions of this process."""

    def __init__(self, walls: str) -> None:
        self.walls = walls
        self.notebook = WarmParent("notebook", walls)
        self.cloud = WarmParent("cloud", walls)

    def wait_until_ready(self) -> None:
        self.notebook.wait_until_ready()
        self.cloud.wait_until_ready()

    def close(self) -> None:
        self.notebook.close()
        self.cloud.close()


class Household:
    """The walls around one submission: its cloud, its kernel and its judge.

    Args:
        files: what the student handed in beside the notebook.
        course: the assignment's own files.
        seed: a tar archive of a cloud's home to start from.
        cloud: whether there is one; a notebook that connects to none needs none.

    Raises:
        WallsFailed: the system refused to build them.
    """

    def __init__(
        self,
        parents: Parents,
        limits: Limits,
        files: Mapping[str, bytes],
        course: Mapping[str, bytes],
        seed: bytes | None = None,
        cloud: bool = True,
    ) -> None:
        self._limits = limits
        self._occupants: dict[str, Occupant] = {}
        self._server: dict[str, object] | None = None
        self._cloud_place: EnclosureControl | None = None
        with contextlib.ExitStack() as archives:
            submission, assignment = (archives.enter_context(_archive(table)) for table in (files, course))
            home = archives.enter_context(_spooled(seed)) if seed is not None else None
            self._place = parents.notebook.enclose(limits, submission, assignment)
            if cloud:
                cloud_limits = replace(limits, memory_bytes=4096 * MIB, disk_bytes=2048 * MIB, processes=512)
                self._cloud_place = parents.cloud.enclose(cloud_limits, home)
        if self._cloud_place is not None:
            try:
                self._cloud = self._start(self._cloud_place, "cloud", {})
                self._server = self._greet()
            except BaseException:
                self.close()
                raise

    def start(self, role: str) -> Occupant:
        """Start the kernel or the judge, in place of one that has ended. Raises WallsFailed, Gone."""
        request: dict[str, object] = {
            "port": _PORTS[role],
            "server": self._server,
            "environment": {**_SETTINGS, **_app_id(role)},
        }
        occupant = self._start(self._place, role, request)
        if self._server is None:
            return occupant
        _, descriptor = occupant.listener()
        try:
            self._cloud.hand_over({"listen": role}, descriptor)
        finally:
            os.close(descriptor)
        self._cloud_answer()
        return occupant

    def archive(self) -> bytes:
        """End the cloud in good order and return its home as a tar archive."""
        with tempfile.TemporaryFile() as stream:
            self._cloud.hand_over({"archive": True}, stream.fileno())
            with contextlib.suppress(Gone):
                self._cloud.answer(60)
            stream.seek(0)
            return stream.read()

    def close(self) -> None:
        """End everything; whatever the student started ends too."""
        for occupant in self._occupants.values():
            occupant.hang_up()
        for occupant in self._occupants.values():
            occupant.close()
        self._place.close()
        if self._cloud_place is not None:
            self._cloud_place.close()

    def _start(self, place: EnclosureControl, role: str, request: dict[str, object]) -> Occupant:
        if role in self._occupants:
            self._occupants.pop(role).close()
        occupant = place.start(role, self._limits, request)
        self._occupants[role] = occupant
        return occupant

    def _greet(self) -> dict[str, object]:
        hello = self._cloud_answer()
        return {"pid": hello["ready"], "version": hello["version"]}

    def _cloud_answer(self) -> dict[str, object]:
        try:
            return self._cloud.answer(30)
        except (Gone, TooSlow, Broken) as problem:
            raise WallsFailed(f"The submission's cloud did not start: {problem}") from problem


def _app_id(role: str) -> dict[str, str]:
    """The judge's calls can be told from the student's in the journal."""
    return {"AWS_SDK_UA_APP_ID": "corelab-judge"} if role == "judge" else {}


@contextlib.contextmanager
def _archive(files: Mapping[str, bytes]) -> Iterator[int]:
    with tempfile.TemporaryFile() as stream:
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, content in files.items():
                if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                    continue
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))
        stream.flush()
        yield stream.fileno()


@contextlib.contextmanager
def _spooled(content: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.flush()
        yield stream.fileno()
