"""The tuning notebook on a live local SageMaker: a student who works with boto3, after training on libsvm."""

from __future__ import annotations

import uuid

import nbformat
import pytest

from corelab import churn
from corelab.checks import CheckFailed

from .conftest import ROOT

RELEASE = ROOT / "release/a2_hyperparameter_tuning/hyperparameter_tuning.ipynb"
GRADED = [cell.id for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id.endswith("_check")]
# Another way through: boto3 and dicts, random search without early stopping, other ranges, a finer threshold.
STUDENT = {
    "read_baseline": """
job = sagemaker.describe_training_job(TrainingJobName=baseline_name)
lines = boto3.client("logs").filter_log_events(
    logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=baseline_name + "/")["events"]
metric_names = set()
for line in lines:
    for pair in line["message"].split("#011")[1:]:
        metric_names.add(pair.partition(":")[0])
[baseline_auc] = [m["Value"] for m in job["FinalMetricDataList"] if m["MetricName"] == "validation:auc"]
""",
    "better": "better = 'd, a'",
    "objective": 'objective = {"Type": "Maximize", "MetricName": "validation:auc"}',
    "what_they_do": "what_they_do = 'b'",
    "kinds_of_range": "kinds_of_range = ['C']",
    "local_search": """
before, local_results = time.time(), []
for child_weight in (1, 5, 20):
    for share in (0.5, 1.0):
        model = xgb.XGBClassifier(n_estimators=40, max_depth=4, learning_rate=0.2, min_child_weight=child_weight,
                                  subsample=share, n_jobs=1, eval_metric="auc")
        model.fit(train_rows[:, 1:], train_rows[:, 0], verbose=False,
                  eval_set=[(validation_rows[:, 1:], validation_rows[:, 0])])
        local_results.append(dict(child=child_weight, share=share, auc=model.evals_result()["validation_0"]["auc"][-1]))
local_results, local_seconds = pd.DataFrame(local_results), time.time() - before
""",
    "ranges": """
ranges = {
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "3", "MaxValue": "6"}],
    "ContinuousParameterRanges": [
        {"Name": "subsample", "MinValue": "0.6", "MaxValue": "1.0", "ScalingType": "Linear"},
        {"Name": "lambda", "MinValue": "0.1", "MaxValue": "10", "ScalingType": "Logarithmic"}]}
""",
    "limits": """
from corelab.core.prices import training_cost
limits = {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 1}
stopping = {"MaxRuntimeInSeconds": 120}
budget = training_cost("ml.m5.xlarge", 5 * 120)
resources, price_of_an_hour = baseline.resource_config, training_cost("ml.m5.xlarge", 3600)
""",
    "strategies": "strategies = 'B'",
    "template": """
definition = {
    "AlgorithmSpecification": {"TrainingImage": job["AlgorithmSpecification"]["TrainingImage"],
                               "TrainingInputMode": "FastFile"},
    "StaticHyperParameters": {"objective": "binary:logistic", "num_round": "40", "eta": "0.2"},
    "StoppingCondition": stopping,
    **{name: job[name] for name in ("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")}}
""",
    "search_config": """
student = "Grace Hopper"
tuning_job_name = "grace-" + time.strftime("%j%H%M%S")
config = {"Strategy": "Random", "HyperParameterTuningJobObjective": objective, "ResourceLimits": limits,
          "ParameterRanges": ranges, "TrainingJobEarlyStoppingType": "Off"}
""",
    "create_tuning": """
sagemaker.create_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=tuning_job_name, HyperParameterTuningJobConfig=config,
    TrainingJobDefinition=definition,
    Tags=[{"Key": "course", "Value": "corelab"}, {"Key": "assignment", "Value": "a2_hyperparameter_tuning"}])
while True:
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)
    if found["HyperParameterTuningJobStatus"] != "InProgress":
        break
    time.sleep(0.2)
tuning_job = HyperParameterTuningJob.get(tuning_job_name)
""",
    "trials": """
summaries = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=tuning_job_name, SortBy="CreationTime", SortOrder="Ascending")["TrainingJobSummaries"]
trials = pd.DataFrame([s["TunedHyperParameters"] for s in summaries]).astype(float)
trials["auc"] = [s["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for s in summaries]
best_job_name = summaries[int(trials["auc"].argmax())]["TrainingJobName"]
""",
    "importance": """
from sklearn.ensemble import RandomForestRegressor
forest = RandomForestRegressor(20, random_state=1).fit(trials[tuned], trials["auc"])
importance = dict(zip(tuned, forest.feature_importances_))
""",
    "improvement": """
improvement = float(trials["auc"].max()) - baseline_auc
beats_baseline = bool(improvement > 0)
""",
    "cost": """
billed = [sagemaker.describe_training_job(TrainingJobName=s["TrainingJobName"])["BillableTimeInSeconds"]
          for s in summaries]
tuning_cost = training_cost("ml.m5.xlarge", sum(billed))
cost_of_a_point = tuning_cost / improvement / 100 if beats_baseline else float("inf")
""",
    "threshold": """
best = load_booster(TrainingJob.get(best_job_name))
probability = best.inplace_predict(validation_rows[:, 1:]).tolist()
gone = validation_rows[:, 0]
best_threshold = min(sorted(set(np.round(probability, 3))), key=lambda at: sum(
    call if p >= at else missed_leaver * y for p, y in zip(probability, gone)))
""",
    "metric_refusal": """
metric_refusal = "a metric is required for this hyperparameter tuning job objective".capitalize()
start("m", HyperParameterTuningJobObjective=objective)
""",
    "range_refusal": """
range_refusal = "MinValue must be less than or equal to MaxValue."
start("r", ParameterRanges=ranges)
""",
    "narrow_spread": """
listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=narrow_name)
narrow_spread = np.std([s["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
                        for s in listed["TrainingJobSummaries"]])
""",
    "stop_search": """
sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="l-" + tuning_job_name)
""",
}


@pytest.fixture(scope="module")
def libsvm_baseline(connected):
    """The newest job of assignment 1 in this cloud, by a student who wrote libsvm, zeros included."""
    customers = churn.load()
    part = churn.split_index(customers["customer_id"])
    codes = customers.drop(columns=["customer_id", "churn"]).apply(
        lambda column: column if column.dtype.kind in "if" else column.astype("category").cat.codes
    )
    channels = []
    for name in ("train", "validation"):
        rows = zip(customers["churn"][part == name], codes[part == name].to_numpy(float), strict=True)
        text = "\n".join(
            f"{label} " + " ".join(f"{i}:{v:g}" for i, v in enumerate(row) if v == v) for label, row in rows
        )
        key = f"libsvm/{uuid.uuid4().hex}/{name}.txt"
        connected.client("s3").put_object(Bucket=connected.bucket, Key=key, Body=text.encode())
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{connected.bucket}/{key}"}
        channels.append(
            {"ChannelName": name, "ContentType": "text/libsvm", "DataSource": {"S3DataSource": source}}
        )
    return train(connected, channels)


def train(connected, channels):
    sagemaker, name = connected.client("sagemaker"), connected.name("libsvm")
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "TrainingInputMode": "File",
        },
        RoleArn="arn:aws:iam::123456789012:role/LabRole",
        InputDataConfig=channels,
        OutputDataConfig={"S3OutputPath": f"s3://{connected.bucket}/libsvm/out"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"objective": "binary:logistic", "eval_metric": "auc", "num_round": "40"},
        Tags=[{"Key": "course", "Value": "corelab"}, {"Key": "assignment", "Value": "a1_training_job"}],
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return name


def test_a_student_who_trained_on_libsvm_and_uses_boto3_passes_every_check(
    run, connected, kernels_use_lab, libsvm_baseline
):
    outcomes = run(RELEASE, STUDENT)
    assert {cell: problem for cell, problem in outcomes.items() if problem} == {}
    assert set(STUDENT) <= outcomes.keys()
    assert len(GRADED) > 25


def test_an_untouched_release_passes_no_check(run, connected, kernels_use_lab, libsvm_baseline):
    outcomes = run(RELEASE)
    assert [check for check in GRADED if not isinstance(outcomes[check], NameError | CheckFailed)] == []
