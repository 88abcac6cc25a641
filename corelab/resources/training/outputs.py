"""Takes a finished container's files to S3: the model, further output, checkpoints."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from corelab.resources.cloud import Cloud
from corelab.resources.s3_data import BadSource, S3Uri, items, safe_path
from corelab.store.contract import ObjectNotFound


class UploadFailed(Exception):
    """Output cannot be stored; the text is the job's failure reason after ``ClientError: ``."""


def artifact_uri(output_path: str, job_name: str, compressed: bool) -> str:
    """Where a job's model lands (Service spec 4.2)."""
    place = S3Uri.parse(output_path).joined(job_name, "output")
    return str(place.joined("model.tar.gz")) if compressed else f"{place.joined('model')}/"


def upload_model(cloud: Cloud, role: str, roots: list[Path], uri: str) -> None:
    """Store what the hosts left in ``model/``: one archive with the files at its root, or loose files.

    Raises UploadFailed.
    """
    if uri.endswith("/"):
        for path, name in _files([root / "model" for root in roots]):
            put(cloud, role, S3Uri.parse(uri).joined(name), path)
    else:
        archive = roots[0] / "model.tar.gz"
        pack(archive, [root / "model" for root in roots])
        put(cloud, role, S3Uri.parse(uri), archive)


def upload_output_data(cloud: Cloud, role: str, roots: list[Path], output_path: str, job_name: str) -> None:
    """Store ``output/data`` as ``output.tar.gz``, when a host wrote any. Raises UploadFailed."""
    folders = [root / "output" / "data" for root in roots]
    if any(True for _ in _files(folders)):
        archive = roots[0] / "output.tar.gz"
        pack(archive, folders)
        put(cloud, role, S3Uri.parse(output_path).joined(job_name, "output", "output.tar.gz"), archive)


def pack(archive: Path, folders: list[Path]) -> None:
    """A gzipped tar of the folders' files, their paths counted from each folder."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for path, name in _files(folders):
            tar.add(path, arcname=name, recursive=False)


def put(cloud: Cloud, role: str, target: S3Uri, source: Path) -> None:
    """Store one file with the job's role. Raises UploadFailed."""
    if not cloud.identity.allows(role, "s3:PutObject", f"arn:aws:s3:::{target.bucket}/{target.key}"):
        raise UploadFailed(
            f"Artifact upload failed:AccessDenied: the role {role} lacks s3:PutObject on {target}"
        )
    try:
        cloud.objects.put_file(target.bucket, target.key, source)
    except ObjectNotFound as error:
        raise UploadFailed(
            f"Artifact upload failed:NoSuchBucket: there is no bucket {target.bucket}"
        ) from error


class Checkpoints:
    """Keeps a job's checkpoint folder and its S3 prefix alike, from before the first round to the last."""

    _LEFT_OUT = ".sagemaker-ignore"  # the ending of what the algorithm has not finished writing

    def __init__(self, cloud: Cloud, role: str, uri: str, folders: list[Path]) -> None:
        self._cloud, self._role, self._uri, self._folders = cloud, role, S3Uri.parse(uri), folders
        self._stored: dict[str, tuple[int, int]] = {}

    def restore(self) -> None:
        """Bring what an earlier job left to every host. Raises UploadFailed."""
        try:
            for folder in self._folders:
                folder.mkdir(parents=True, exist_ok=True)
                for item in items(self._cloud.objects, f"{str(self._uri).rstrip('/')}/"):
                    target = folder / safe_path(item.relative)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with self._cloud.objects.open(item.bucket, item.key) as body:
                        target.write_bytes(body.read())
        except (BadSource, ObjectNotFound) as error:
            raise UploadFailed(f"Checkpoints under {self._uri} cannot be read: {error}") from error
        self._stored = {name: _stamp(path) for path, name in _files(self._folders[:1])}

    def store(self) -> None:
        """Upload what the master host has new or changed. Raises UploadFailed."""
        for path, name in _files(self._folders[:1]):
            if name.endswith(self._LEFT_OUT):
                continue
            try:
                stamp = _stamp(path)
                if self._stored.get(name) != stamp:
                    with path.open("rb") as body:  # the algorithm may replace the file while it is read
                        self._put(name, body.read())
                    self._stored[name] = stamp
            except FileNotFoundError:  # an old checkpoint was tidied away meanwhile
                continue

    def _put(self, name: str, body: bytes) -> None:
        target = self._uri.joined(name)
        if not self._cloud.identity.allows(
            self._role, "s3:PutObject", f"arn:aws:s3:::{target.bucket}/{target.key}"
        ):
            raise UploadFailed(
                f"Checkpoint upload failed:AccessDenied: the role {self._role} may not write {target}"
            )
        try:
            self._cloud.objects.put_bytes(target.bucket, target.key, body)
        except ObjectNotFound as error:
            raise UploadFailed(
                f"Checkpoint upload failed:NoSuchBucket: there is no {target.bucket}"
            ) from error


def _files(folders: list[Path]) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path, path.relative_to(folder).as_posix()


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
