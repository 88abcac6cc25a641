"""Unpacks a model archive, which anybody may have made, into the folder of one variant."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path

from corelab.resources.s3_data import BadSource, S3Uri
from corelab.store.contract import Identity, ObjectNotFound, ObjectStore

MOST_BYTES = 8 << 30
MOST_MEMBERS = 10_000


class ArtifactUnusable(Exception):
    """The archive cannot be had or unpacked; the text says why."""


def unpack(objects: ObjectStore, identity: Identity, role: str, uri: str, folder: Path) -> None:
    """Fetch ``uri`` with the role and unpack it into ``folder``, which is made anew.

    Only plain files and folders that stay inside are taken; anything else refuses the whole archive.

    Raises:
        ArtifactUnusable: no access, no such object, no gzipped tar, too large, or a member that leaves the folder.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        place = S3Uri.parse(uri)
        if not identity.allows(role, "s3:GetObject", f"arn:aws:s3:::{place.bucket}/{place.key}"):
            raise ArtifactUnusable(f"The role {role} may not read {uri}.")
        with (
            objects.open(place.bucket, place.key) as body,
            tarfile.open(fileobj=body, mode="r:gz") as archive,
        ):
            _extract(archive, folder)
    except (BadSource, ObjectNotFound) as error:
        raise ArtifactUnusable(f"There is no object {uri}.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ArtifactUnusable(f"{uri} is not a model.tar.gz that can be unpacked: {error}") from error


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    size = 0
    for number, member in enumerate(archive):
        size += member.size
        if number >= MOST_MEMBERS or size > MOST_BYTES:
            raise ArtifactUnusable(
                f"The archive holds more than {MOST_MEMBERS} files or {MOST_BYTES >> 30} GB unpacked."
            )
        if not (member.isfile() or member.isdir()):
            raise ArtifactUnusable(f"The archive's member {member.name!r} is neither a file nor a folder.")
        archive.extract(member, folder, filter="data")
