"""The algorithm's metrics: names, directions, and how the platform finds them in the log (Container spec 3.3)."""

from __future__ import annotations

MAXIMIZED = (
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
)
MINIMIZED = (
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
NAMES = MAXIMIZED + MINIMIZED
SETS = ("train", "validation")
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


def is_maximized(name: str) -> bool:
    """Whether more is better; takes ``auc`` and ``validation:auc`` alike."""
    return name.rpartition(":")[2] in MAXIMIZED


def metric_pattern(name: str) -> str:
    """The regular expression that AWS fills in for a metric such as ``validation:auc``.

    It matches lines as the log shows them, with ``#011`` for each tab (Service spec 4.2).
    """
    return rf".*\[[0-9]+\].*{_printed(name)}{_NUMBER}.*"


def _printed(name: str) -> str:
    """What stands before a metric's value in a line of the log."""
    data_set, _, metric = name.partition(":")
    return f"#011{data_set}-{metric}:"


METRIC_DEFINITIONS = tuple(
    {"Name": f"{data_set}:{metric}", "Regex": metric_pattern(f"{data_set}:{metric}")}
    for metric in sorted(NAMES)
    for data_set in SETS
)


# What a line must hold for a definition to match it: sixty regular expressions a line are slow, sixty words are not.
NEEDED_TEXT = {definition["Regex"]: _printed(definition["Name"]) for definition in METRIC_DEFINITIONS}


def default_definitions(image: str) -> list[dict[str, str]]:
    """MetricDefinitions of a built-in image's jobs; every image that runs here prints the same metrics."""
    return [dict(definition) for definition in METRIC_DEFINITIONS]
