"""What the course's check cells call: each says what was expected, what came, and one thing to try.

from corelab import checks
checks.role(role)                  # ✓ The role is the ARN of an execution role
"""

from __future__ import annotations

from corelab.checks.choices import choice, chosen
from corelab.checks.cloud import bucket, region, role, s3_path, uploaded
from corelab.checks.jobs import (
    artifact,
    channels,
    completed,
    image,
    job_arn,
    job_name,
    training_job,
    worst_case_cost,
)
from corelab.checks.logs import curve
from corelab.checks.outcome import CannotTell, CheckFailed
from corelab.checks.plans import planned_channels, planned_resources
from corelab.checks.scores import file_written, learning_curve, probabilities, ranking, same_predictions
from corelab.checks.tables import features, missing_shares, parts, training_file

__all__ = [
    "CannotTell",
    "CheckFailed",
    "artifact",
    "bucket",
    "channels",
    "choice",
    "chosen",
    "completed",
    "curve",
    "features",
    "file_written",
    "image",
    "job_arn",
    "job_name",
    "learning_curve",
    "missing_shares",
    "parts",
    "planned_channels",
    "planned_resources",
    "probabilities",
    "ranking",
    "region",
    "role",
    "s3_path",
    "same_predictions",
    "training_file",
    "training_job",
    "uploaded",
    "worst_case_cost",
]
