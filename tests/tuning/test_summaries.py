"""Children as AWS's lists show them."""

from __future__ import annotations

import re

import pytest

from corelab.errors import AWSError
from corelab.tuning.child import Child
from corelab.tuning.naming import child_name
from corelab.tuning.rules import plan_tuning
from corelab.tuning.summaries import select, summarize
from tests.tuning.cases import algorithm_of, child, named, plan, several

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/tune-001-0a1b2c3d"


def names(children: list[Child]) -> list[str]:
    return [one.name for one in children]


FOUR = [
    child(1, 0.7, name="t-001-b", created=10.0),
    child(2, name="t-002-a", created=20.0),
    child(3, 0.9, name="t-003-c", created=30.0, status="Stopped"),
    child(4, 0.8, name="t-004-d", created=40.0),
]


def test_a_summary_of_a_child_with_a_result_has_its_final_value_and_whole_seconds() -> None:
    done = child(
        1,
        0.6,
        0.7,
        tuned={"eta": "0.1"},
        name="tune-001-0a1b2c3d",
        arn=ARN,
        created=10.9,
        started=12.7,
        ended=20.2,
    )
    assert summarize(plan(), done) == {
        "TrainingJobName": "tune-001-0a1b2c3d",
        "TrainingJobArn": ARN,
        "TuningJobName": "tune",
        "CreationTime": 10,
        "TrainingStartTime": 12,
        "TrainingEndTime": 20,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"eta": "0.1"},
        "ObjectiveStatus": "Succeeded",
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "validation:auc", "Value": 0.7},
    }


def test_a_summary_leaves_out_what_is_not_known_yet() -> None:
    summary = summarize(plan(), child(1, 0.6, status="InProgress"))
    assert summary["ObjectiveStatus"] == "Pending"
    assert not {"TrainingStartTime", "TrainingEndTime", "FinalHyperParameterTuningJobObjectiveMetric"} & set(
        summary
    )


def test_a_failed_child_says_why_and_has_no_final_value() -> None:
    summary = summarize(plan(), child(1, 0.6, status="Failed", failure="AlgorithmError: boom, exit code: 1"))
    assert (summary["FailureReason"], summary["ObjectiveStatus"]) == (
        "AlgorithmError: boom, exit code: 1",
        "Failed",
    )
    assert "FinalHyperParameterTuningJobObjectiveMetric" not in summary


def test_a_child_of_one_of_several_definitions_names_it() -> None:
    made = plan_tuning(several(named("a"), named("b"), jobs=4), 1, algorithm_of)
    assert summarize(made, child(2, definition=1))["TrainingJobDefinitionName"] == "b"


def test_sorting_by_the_final_value_leaves_out_children_without_one() -> None:
    by_value = select(FOUR, sort_by="FinalObjectiveMetricValue", descending=True)
    assert names(by_value) == ["t-003-c", "t-004-d", "t-001-b"]


@pytest.mark.parametrize(
    ("key", "last"), [("Name", "t-004-d"), ("CreationTime", "t-004-d"), ("Status", "t-003-c")]
)
def test_other_orders_keep_every_child(key: str, last: str) -> None:
    ascending = names(select(FOUR, sort_by=key))
    assert ascending[-1] == last
    assert ascending[::-1] == names(select(FOUR, sort_by=key, descending=True))


def test_a_list_can_be_limited_to_one_status() -> None:
    assert names(select(FOUR, status="Stopped")) == ["t-003-c"]


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(AWSError, match="SortBy must be one of"):
        select(FOUR, sort_by="Colour")


def test_child_names_count_up_and_end_in_eight_hexadecimal_digits() -> None:
    assert re.fullmatch(r"tune-007-[0-9a-f]{8}", child_name("tune", 7, "salt"))
    assert re.fullmatch(r"tune-1234-[0-9a-f]{8}", child_name("tune", 1234, "salt"))
    assert len(child_name("x" * 32, 10_000, "salt")) <= 63


def test_a_child_keeps_its_name_over_a_restart_and_a_new_tuning_job_gives_other_names() -> None:
    assert child_name("tune", 1, "arn 1") == child_name("tune", 1, "arn 1")
    assert child_name("tune", 1, "arn 1") != child_name("tune", 1, "arn 2")
