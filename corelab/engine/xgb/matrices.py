"""Channels as the engine's matrices: checked, then loaded (Container spec 2).

csv, libsvm in files ──▶ XGBoost's own text loader        everything else ──▶ Table ──▶ DMatrix
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import xgboost

from corelab.engine.xgb import data_files, tables, text_formats
from corelab.engine.xgb.content_types import Format
from corelab.engine.xgb.failures import UserError
from corelab.engine.xgb.tables import Table

logger = logging.getLogger(__name__)

_FLAT = "sagemaker_xgboost_input_data"
_NO_LABELS = (
    "Got input data without labels. Please check the input data set. If training job is running on multiple instances, "
    "please switch to using single instance if number of records in the data set is less than number of workers "
    "(16 * number of instance) in the cluster."
)


class Loader:
    """Loads the channels of one job.

    Args:
        scratch: a folder of the job; it becomes the working directory's place for links to data files, so it must
            be the working directory: the engine takes some characters of a path for its own.
    """

    def __init__(self, scratch: Path, data_format: Format, weighted: bool, piped: bool) -> None:
        self._flat = scratch / _FLAT
        self._format, self._weighted, self._piped = data_format, weighted, piped
        self._tables: dict[Path, Table | None] = {}

    def size(self, channel: Path | None) -> int:
        """Bytes of a channel's files; 1 for a pipe, 0 for a channel that is not there. Raises UserError."""
        if channel is None:
            return 0
        if self._piped and _pipe(channel).exists():
            logger.info("Pipe path %s found.", channel)
            return 1
        return data_files.size(channel)

    def check(self, channel: Path) -> None:
        """Look at the first lines of a channel's files. Raises UserError."""
        if self._piped:
            return
        if self._format == "csv":
            data_files.check_first_lines(channel, text_formats.check_csv)
        elif self._format == "libsvm":
            data_files.check_first_lines(channel, text_formats.check_libsvm)

    def load(self, channels: Sequence[Path]) -> xgboost.DMatrix | None:
        """All rows of the channels in one matrix; None when a pipe or recordio file brought none.

        Raises:
            UserError: unreadable data, or rows without labels.
        """
        if self._piped:
            logger.info("files path: %s", [str(channel) for channel in channels])
        else:
            data_files.flatten(channels, self._flat)
            logger.info("files path: %s", self._flat)
        try:
            matrix = self._load(channels)
        except (ValueError, TypeError) as error:  # the engine's own error is a ValueError
            raise UserError(f"Failed to load {self._format} data with exception:\n{error}") from error
        if matrix is not None and matrix.get_label().size == 0:
            raise UserError(_NO_LABELS)
        return matrix

    def _load(self, channels: Sequence[Path]) -> xgboost.DMatrix | None:
        if self._piped:
            return _matrix([self._from_pipe(channel) for channel in channels])
        return _FILE_LOADERS[self._format](self._flat, self._weighted)

    def _from_pipe(self, channel: Path) -> Table | None:
        # A pipe is read once; cross validation wants the same rows again.
        if channel not in self._tables:
            self._tables[channel] = _read_pipe(_pipe(channel), self._format, self._weighted)
        return self._tables[channel]


def _pipe(channel: Path) -> Path:
    return channel.with_name(f"{channel.name}_0")


def _read_pipe(pipe: Path, data_format: Format, weighted: bool) -> Table | None:
    with pipe.open("rb") as stream:
        if data_format == "csv":
            return tables.read_csv(stream, weighted)
        if data_format == "parquet":
            return tables.read_parquet(tables.split_parquet(stream.read()))
        return tables.read_recordio([stream])


def _matrix(parts: Sequence[Table | None]) -> xgboost.DMatrix | None:
    present = [part for part in parts if part is not None]
    if not present:
        return None
    table = Table.joined(present)
    return xgboost.DMatrix(table.features, label=table.label, weight=table.weight)


# Relative names: the engine takes ? # & ; in a path for arguments, a cache file or several paths.
def _load_csv(folder: Path, weighted: bool) -> xgboost.DMatrix:
    sample = next((path for path in folder.iterdir() if path.is_file()), None)
    if sample is None:
        raise ValueError("no file lies within the depth of folders that is loaded")
    delimiter = text_formats.csv_delimiter(text_formats.first_line(sample))
    weight = "&weight_column=1" if weighted else ""
    return xgboost.DMatrix(f"{folder.name}?format=csv&label_column=0&delimiter={delimiter}{weight}")


def _load_libsvm(folder: Path, weighted: bool) -> xgboost.DMatrix:
    return xgboost.DMatrix(f"{folder.name}?format=libsvm")


def _load_parquet(folder: Path, weighted: bool) -> xgboost.DMatrix | None:
    return _matrix([tables.read_parquet(folder.iterdir())])


def _load_recordio(folder: Path, weighted: bool) -> xgboost.DMatrix | None:
    with ExitStack() as stack:
        return _matrix(
            [tables.read_recordio(stack.enter_context(path.open("rb")) for path in folder.iterdir())]
        )


_FILE_LOADERS: dict[Format, Callable[[Path, bool], xgboost.DMatrix | None]] = {
    "csv": _load_csv,
    "libsvm": _load_libsvm,
    "parquet": _load_parquet,
    "recordio-protobuf": _load_recordio,
}
