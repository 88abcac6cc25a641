"""Names for one run's resources, always legal on AWS.

    training_job_name          project-framework-timestamp            at most 63 characters
    tuning_job_name            project-framework-tune-yymmddHHMMSS    at most 32
    model_name, endpoint_name  project-framework[-endpoint]           at most 63, the same in every run

How a name is made to fit:

1. *Slug*: accents go (``é`` becomes ``e``), capitals become small, all besides a-z and 0-9 becomes hyphens.
   A project in a script without such letters becomes ``p`` and eight digits of its hash.
2. *Cut*: too long a name loses the end of its project, then of its framework, never its suffix or timestamp.
3. *Mark*: a cut name without a timestamp ends its project in four digits of its hash, so that two long
   projects never share an endpoint.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from corelab.errors import BadArgument

# The service model's limits: TrainingJobName, ModelName, EndpointName ... and HyperParameterTuningJobName.
_LONGEST = 63
_LONGEST_TUNING = 32
_SHORTEST_PROJECT = 4
_MARK_LENGTH = 4
_LONGEST_FOLDER = 256  # bytes; S3 allows 1,024 a key, and a job adds a path of its own


def slug(text: str, what: str = "name") -> str:
    """The text as lower-case letters, digits and single hyphens, as AWS names allow.

    Raises:
        BadArgument: when it holds no letter and no digit.
    """
    if not isinstance(text, str) or not any(character.isalnum() for character in text):
        raise BadArgument(f"{what} must hold a letter or a digit, such as 'ada-essentials'; got {text!r}.")
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or f"p{_digest(text, 8)}"


def folder_key(text: str) -> str:
    """A folder inside a bucket, without slashes at its ends.

    Raises:
        BadArgument: when it is empty, steps up, or holds what S3 advises against in keys.
    """
    parts = text.strip("/").split("/") if isinstance(text, str) else [""]
    wrong = any(part in ("", ".", "..") or re.search(r"[^\w!.*'() -]", part) for part in parts)
    if wrong or len(text.encode()) > _LONGEST_FOLDER:
        raise BadArgument(
            "A folder is letters, digits and -_.!*'() with single slashes between, such as 'essentials' or "
            f"'2026/essentials', at most {_LONGEST_FOLDER} bytes; got {text!r}."
        )
    return text.strip("/")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one project, one framework, one moment.

    Args:
        project: a slug, see ``slug()``.
        framework: a slug.
        moment: when the run began; shown in UTC.
    """

    project: str
    framework: str
    moment: datetime

    @property
    def timestamp(self) -> str:
        """``2026-11-22T09-30-00``, shared by every name and path of the run."""
        return self.moment.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S")

    @property
    def training_job(self) -> str:
        return self._dated()

    @property
    def tuning_job(self) -> str:
        """Shorter by AWS's rule: the date has two digits a part, and the project gets what is left."""
        return self._fit(f"tune-{self.moment.astimezone(UTC):%y%m%d%H%M%S}", _LONGEST_TUNING, marked=False)

    @property
    def transform_job(self) -> str:
        return self._dated("transform")

    @property
    def processing_job(self) -> str:
        return self._dated("processing")

    @property
    def model(self) -> str:
        return self._lasting("")

    @property
    def endpoint(self) -> str:
        return self._lasting("endpoint")

    @property
    def endpoint_config(self) -> str:
        return self._lasting("endpoint-config")

    @property
    def serverless_endpoint(self) -> str:
        return self._lasting("serverless-endpoint")

    @property
    def serverless_endpoint_config(self) -> str:
        return self._lasting("serverless-endpoint-config")

    def _dated(self, kind: str = "") -> str:
        return self._fit(f"{kind}-{self.timestamp}".lstrip("-"), _LONGEST, marked=False)

    def _lasting(self, suffix: str) -> str:
        return self._fit(suffix, _LONGEST, marked=True)

    def _fit(self, suffix: str, limit: int, marked: bool) -> str:
        project, framework = self.project, self.framework
        room = limit - 1 - (len(suffix) + 1 if suffix else 0)  # the hyphens between the parts
        if len(project) + len(framework) > room:
            mark = f"-{_digest(f'{project}-{framework}', _MARK_LENGTH)}" if marked else ""
            least = min(len(project), _SHORTEST_PROJECT) + len(mark)
            framework = _cut(framework, room - least)
            project = _cut(project, room - len(framework) - len(mark)) + mark
        return "-".join(part for part in (project, framework, suffix) if part)


def _cut(text: str, length: int) -> str:
    return text[:length].rstrip("-")


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
