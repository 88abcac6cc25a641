"""The files of a channel: their size, their first lines, and one flat folder of links to them (Container spec 2.2)."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from corelab.engine.xgb.failures import AlgorithmError, UserError

logger = logging.getLogger(__name__)

MAX_FOLDER_DEPTH = 3


def size(folder: Path) -> int:
    """Bytes in all files of the tree; 0 when there is no folder.

    Raises:
        UserError: a hidden file.
    """
    total = 0
    for path in _walk(folder):
        if path.name.startswith("."):
            raise UserError("Hidden file found in the data path! Remove that before training.")
        total += path.stat().st_size
    return total


def check_first_lines(folder: Path, check: Callable[[Path], None]) -> None:
    """Run a format check on each data file of the first leaf folder, which is all the container looks at.

    Raises:
        UserError: no such path, or what the check raises.
    """
    if not folder.exists():
        raise UserError(f"{folder} is not a valid path!")
    leaf = next(Path(parent) for parent, folders, _ in os.walk(folder) if not folders)
    for entry in _entries(leaf):
        if entry.is_file() and _is_data(entry.name):
            check(Path(entry.path))


def warn_of_same_data(train: Path, validation: Path) -> None:
    """Warn when both channels seem to hold the same files.

    Raises:
        UserError: one of the folders is not there.
    """
    if train == validation or train.name == validation.name:
        logger.warning(
            "Found same path for training and validation. This is not recommended and results may not be correct."
        )
        return
    if not train.exists():
        raise UserError("training data's path is not existed")
    if not validation.exists():
        raise UserError("validation data's path is not existed")
    validation_sizes = _sizes(validation)
    for name, length in _sizes(train).items():
        if validation_sizes.get(name) == length:
            logger.warning(
                "Suspected identical files found. (%s and %s with same size %d bytes). A model that is validated on "
                "its own training data looks better than it is.",
                train / name,
                validation / name,
                length,
            )


def flatten(folders: Sequence[Path], target: Path) -> None:
    """Empty ``target`` and fill it with links to every file of the folders, two levels of folders deep.

    Raises:
        AlgorithmError: a folder is not there.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for folder in folders:
        if not folder.exists():
            raise AlgorithmError(f"Unable to create symlinks as {folder} or {target} doesn't exist ")
        try:
            # The path's digest in a link's name keeps files of the same name apart.
            for path in _shallow(folder, 1):
                _link(
                    path,
                    target / f"{path.name}{hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()}",
                )
        except _TooDeep as deep:
            logger.warning(
                "The depth of folder %s exceed the limit %d. Files in deeper sub dirs won't be loaded. "
                "Please adjust the folder structure accordingly.",
                deep,
                MAX_FOLDER_DEPTH,
            )


class _TooDeep(Exception):
    """The text is the folder that was being scanned."""


def _shallow(folder: Path, depth: int) -> Iterator[Path]:
    """Files in directory order; a folder too deep ends the scan where it stands, as in the container."""
    if depth > MAX_FOLDER_DEPTH:
        raise _TooDeep(folder)
    for entry in _entries(folder):
        if entry.is_dir():
            yield from _shallow(Path(entry.path), depth + 1)
        elif entry.is_file():
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """In directory order, which is not sorted."""
    with os.scandir(folder) as entries:
        return list(entries)


def _link(path: Path, link: Path) -> None:
    try:
        link.symlink_to(path)
    except OSError:  # Windows lets few users make symbolic links
        try:
            link.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, link)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)


def _sizes(folder: Path) -> dict[str, int]:
    return {entry.name: entry.stat().st_size for entry in _entries(folder) if entry.is_file()}


def _is_data(name: str) -> bool:
    is_cache = ".cache" in name and ("dtrain" in name or "dval" in name)
    return not name.startswith((".", "_")) and not is_cache
