"""What the course's check cells call: each says what was expected, what came, and one thing to try.

from corelab import checks
checks.role(role)                  # ✓ The role is the ARN of an execution role
"""

from __future__ import annotations

from corelab.checks.choices import choice, chosen
from corelab.checks.cloud import bucket, region, role, s3_path, uploaded
from corelab.checks.endpoints import (
    deployed,
    deployment_time,
    failed_endpoint,
    nothing_left,
    planned_serverless,
    serverless_config,
    serving_model,
    updated,
)
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
from corelab.checks.traffic import (
    all_answered,
    break_even,
    cold_starts,
    cost_of_thousand,
    handles_errors,
    invoked,
    percentiles,
    throttled,
)
from corelab.checks.trials import (
    beats_baseline,
    cheapest_threshold,
    importance,
    improvement,
    price_of_gain,
    refusal,
    spread,
    trial_table,
    tuning_cost,
)
from corelab.checks.tuning import (
    best_job,
    final_metric,
    logged_metrics,
    stopped_tuning,
    tuned,
    tuning_job,
    tuning_name,
    tuning_template,
)
from corelab.checks.tuning_plans import (
    local_search,
    planned_budget,
    planned_limits,
    planned_objective,
    planned_ranges,
    planned_template,
)

__all__ = [
    "CannotTell",
    "CheckFailed",
    "all_answered",
    "artifact",
    "beats_baseline",
    "best_job",
    "break_even",
    "bucket",
    "channels",
    "cheapest_threshold",
    "choice",
    "chosen",
    "cold_starts",
    "completed",
    "cost_of_thousand",
    "curve",
    "deployed",
    "deployment_time",
    "failed_endpoint",
    "features",
    "file_written",
    "final_metric",
    "handles_errors",
    "image",
    "importance",
    "improvement",
    "invoked",
    "job_arn",
    "job_name",
    "learning_curve",
    "local_search",
    "logged_metrics",
    "missing_shares",
    "nothing_left",
    "parts",
    "percentiles",
    "planned_budget",
    "planned_channels",
    "planned_limits",
    "planned_objective",
    "planned_ranges",
    "planned_resources",
    "planned_serverless",
    "planned_template",
    "price_of_gain",
    "probabilities",
    "ranking",
    "refusal",
    "region",
    "role",
    "s3_path",
    "same_predictions",
    "serverless_config",
    "serving_model",
    "spread",
    "stopped_tuning",
    "throttled",
    "training_file",
    "training_job",
    "trial_table",
    "tuned",
    "tuning_cost",
    "tuning_job",
    "tuning_name",
    "tuning_template",
    "updated",
    "uploaded",
    "worst_case_cost",
]
