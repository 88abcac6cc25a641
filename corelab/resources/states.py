"""Which states a resource may be in, and which may follow which, as a table."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of resource, spelt as in their ARNs."""

    TRAINING_JOB = "training-job"
    TUNING_JOB = "hyper-parameter-tuning-job"
    TRANSFORM_JOB = "transform-job"
    MODEL = "model"
    ENDPOINT_CONFIG = "endpoint-config"
    ENDPOINT = "endpoint"
    SCALABLE_TARGET = "scalable-target"
    SCALING_POLICY = "scaling-policy"


class Status(StrEnum):
    """Every status a record may have; a kind uses those its row in TRANSITIONS names."""

    EXISTS = "Exists"  # what never runs: models, endpoint configurations
    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    DELETING = "Deleting"
    CREATING = "Creating"
    UPDATING = "Updating"
    ROLLING_BACK = "RollingBack"
    IN_SERVICE = "InService"


_JOB = {
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.FAILED, Status.STOPPING, Status.STOPPED}),
    Status.STOPPING: frozenset({Status.STOPPED, Status.COMPLETED, Status.FAILED}),
    Status.COMPLETED: frozenset[Status](),
    Status.FAILED: frozenset[Status](),
    Status.STOPPED: frozenset[Status](),
}
_ENDPOINT = {
    Status.CREATING: frozenset({Status.IN_SERVICE, Status.FAILED, Status.DELETING}),
    Status.IN_SERVICE: frozenset({Status.UPDATING, Status.DELETING, Status.FAILED}),
    Status.UPDATING: frozenset({Status.IN_SERVICE, Status.ROLLING_BACK, Status.FAILED, Status.DELETING}),
    Status.ROLLING_BACK: frozenset({Status.IN_SERVICE, Status.FAILED, Status.DELETING}),
    Status.FAILED: frozenset({Status.DELETING}),
    Status.DELETING: frozenset[Status](),
}
_LASTING: dict[Status, frozenset[Status]] = {Status.EXISTS: frozenset()}
_EDITABLE = {Status.EXISTS: frozenset({Status.EXISTS})}

TRANSITIONS: dict[Kind, dict[Status, frozenset[Status]]] = {
    Kind.TRAINING_JOB: _JOB,
    Kind.TUNING_JOB: _JOB,
    Kind.TRANSFORM_JOB: _JOB,
    Kind.MODEL: _LASTING,
    Kind.ENDPOINT_CONFIG: _LASTING,
    Kind.ENDPOINT: _ENDPOINT,
    Kind.SCALABLE_TARGET: _EDITABLE,
    Kind.SCALING_POLICY: _EDITABLE,
}


def may_follow(kind: Kind, before: Status, after: Status) -> bool:
    """Whether a record of this kind may go from one status to the other."""
    return after in TRANSITIONS[kind].get(before, frozenset())
