"""Wrong work of assignments 2 to 5, as students hand it in: each check says what it expected, what came, what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from corelab import checks, churn
from corelab.checks import CheckFailed, traffic

ROLE = "arn:aws:iam::123456789012:role/LabRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
SOON = {"Delay": 1, "MaxAttempts": 120}
OBJECTIVE = {"Type": "Maximize", "MetricName": "validation:auc"}
DEPTH = {"Name": "max_depth", "MinValue": "2", "MaxValue": "4"}
OTHERS = [
    {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"},
    {"Name": "gamma", "MinValue": "0", "MaxValue": "5"},
]
RANGES = {"IntegerParameterRanges": [DEPTH], "ContinuousParameterRanges": OTHERS}


def told(question, *args, **named):
    """What a check says of wrong work; the test fails when it says nothing, or leaves a part out."""
    with pytest.raises(CheckFailed) as caught:
        question(*args, **named)
    failed = caught.value
    assert failed.claim and failed.expected.strip() and failed.got.strip() and failed.hint.strip()
    return str(failed)


def prepared(customers):
    filled = customers.drop(columns=["customer_id", "churn"], errors="ignore").fillna({"total_charge": 0})
    return pd.get_dummies(filled, dtype=int)


class Work:
    """One student's cloud: a training job, a search that ended and one that was stopped, a model, a scored batch."""

    def __init__(self, lab):
        self.lab, self.sagemaker = lab, lab.client("sagemaker")
        customers = churn.load()
        table = pd.concat([customers["churn"], prepared(customers)], axis="columns")
        self.train, self.validation = self.put(table[:3000]), self.put(table[3000:4000])
        self.job = self.trained()
        self.search, self.stopped = self.searched(2, wait=True), self.searched(4, wait=False)
        self.artifact = self.sagemaker.describe_training_job(TrainingJobName=self.job)["ModelArtifacts"][
            "S3ModelArtifacts"
        ]
        self.model = self.modelled(self.artifact)
        self.batch = prepared(churn.batch())
        self.transform = self.transformed()

    def put(self, table):
        key = f"{self.lab.name('wrong')}/part.csv"
        self.lab.client("s3").put_object(
            Bucket=self.lab.bucket, Key=key, Body=table.to_csv(header=False, index=False).encode()
        )
        return f"s3://{self.lab.bucket}/{key}"

    def definition(self):
        uris = {"train": self.train, "validation": self.validation}
        return {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "InputDataConfig": [
                {
                    "ChannelName": name,
                    "ContentType": "text/csv",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                }
                for name, uri in uris.items()
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.lab.bucket}/wrong/out"},
            "ResourceConfig": MACHINE | {"VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        }

    def trained(self):
        name = self.lab.name("base")
        settings = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": "20"}
        self.sagemaker.create_training_job(
            TrainingJobName=name, HyperParameters=settings, **self.definition()
        )
        waiter = self.sagemaker.get_waiter("training_job_completed_or_stopped")
        waiter.wait(TrainingJobName=name, WaiterConfig=SOON)
        return name

    def searched(self, jobs, wait):
        name = self.lab.name("tune")
        config = {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": OBJECTIVE,
            "ParameterRanges": RANGES,
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 2},
        }
        rounds = "10" if wait else "4000"
        static = {"objective": "binary:logistic", "num_round": rounds}
        self.sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig=config,
            TrainingJobDefinition=self.definition() | {"StaticHyperParameters": static},
        )
        if not wait:
            self.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        self.ended(name)
        return name

    def ended(self, name):
        while True:
            told_of = self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
            if told_of["HyperParameterTuningJobStatus"] in ("Completed", "Stopped", "Failed"):
                return

    def modelled(self, address):
        name = self.lab.name("model")
        container = {"Image": IMAGE, "ModelDataUrl": address}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        return name

    def transformed(self):
        name, uri = self.lab.name("batch"), self.put(self.batch)
        source = {"S3DataType": "S3Prefix", "S3Uri": uri}
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=self.model,
            TransformInput={
                "DataSource": {"S3DataSource": source},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": f"s3://{self.lab.bucket}/wrong/{name}", "AssembleWith": "Line"},
            TransformResources=MACHINE,
        )
        waiter = self.sagemaker.get_waiter("transform_job_completed_or_stopped")
        waiter.wait(TransformJobName=name, WaiterConfig=SOON)
        return name

    def scores(self):
        body = self.lab.client("s3").get_object(
            Bucket=self.lab.bucket, Key=f"wrong/{self.transform}/part.csv.out"
        )["Body"]
        return pd.Series(
            [float(line) for line in body.read().split()], index=churn.batch()["customer_id"].tolist()
        )


@pytest.fixture(scope="module")
def work(connected):
    return Work(connected)


def test_a_search_that_was_stopped_is_no_complete_one(work):
    said = told(checks.tuned, work.stopped)
    assert "Completed" in said and "Stopped" in said


def test_a_gain_against_another_metric_or_other_rows_is_named(work):
    final = {
        metric["MetricName"]: metric["Value"]
        for metric in work.sagemaker.describe_training_job(TrainingJobName=work.job)["FinalMetricDataList"]
    }
    best = work.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=work.search)[
        "BestTrainingJob"
    ]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    checks.improvement(best - final["validation:auc"], work.search, work.job)
    for wrong in (best - final["train:auc"], 1 - best, "better", None):
        assert "same metric" in told(checks.improvement, wrong, work.search, work.job)
    assert "honest" in told(checks.beats_baseline, best <= final["validation:auc"], work.search, work.job)


def test_costs_of_the_best_job_alone_are_named(work):
    assert "every training job of the search" in told(checks.tuning_cost, 0.0, work.search)
    said = told(checks.price_of_gain, -1.0, work.search, work.job)
    assert "hundredths" in said or "no sum buys" in said


def test_another_job_than_the_best_is_named(work):
    assert work.job in told(checks.best_job, work.job, work.search)


def test_a_quotation_that_the_service_never_said_is_named(work):
    mended = {"HyperParameterTuningJobObjective": OBJECTIVE | {"MetricName": "validation:roc_auc"}}
    checks.refused_search("A metric is required for this hyperparameter tuning job", work.search, **mended)
    for wrong in ("metric", "It did not know the metric roc_auc.", "", None, 3):
        said = told(checks.refused_search, wrong, work.search, **mended)
        assert "word for word" in said
    not_mended = {"HyperParameterTuningJobObjective": OBJECTIVE}
    sentence = "A metric is required for this hyperparameter tuning job"
    assert "a mended" in told(checks.refused_search, sentence, work.search, **not_mended)
    assert "in your cloud" in told(checks.refused_search, sentence, "never-made", **mended)


def test_refused_models_and_transforms_are_compared_with_the_clouds_words(work):
    checks.refused_model("Could not access model data at s3://somewhere/else/.", work.model)
    checks.refused_transform(
        'No S3 objects found under S3 URL "s3://mine/inputs/" given in input', work.transform
    )
    for question, name in (
        (checks.refused_model, work.model),
        (checks.refused_transform, work.transform),
    ):
        for wrong in ("model data", "the folder was empty, I think", None):
            assert "word for word" in told(question, wrong, name)
        assert "create" in told(question, "Could not access model data at", "never-made")


def test_a_broken_job_must_have_failed_and_the_line_be_its_own(work):
    assert "Failed" in told(checks.failed_transform, "400", work.transform)


def test_a_model_of_a_folder_or_of_a_copied_artifact_is_named(work):
    copy = {"Bucket": work.lab.bucket, "Key": f"wrong/copy-of/{work.job}/output/model.tar.gz"}
    source = {"Bucket": work.lab.bucket, "Key": work.artifact.split("/", 3)[3]}
    work.lab.client("s3").copy_object(CopySource=source, **copy)
    copied = work.modelled(f"s3://{copy['Bucket']}/{copy['Key']}")
    assert "artifact of a training job of yours" in told(checks.model, copied)
    assert "create it" in told(checks.model, "never-made")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda table: table.assign(churn=0)[["churn", *table.columns]], "is the label or an id among them"),
        (lambda table: table.drop(columns=table.columns[-1]), "is a level missing"),
        (lambda table: table[sorted(table.columns)], "same order of columns"),
        (lambda table: table.fillna({"satisfaction": 0}), "same filling"),
        (lambda table: (table - table.mean()) / table.std(), "same scale"),
        (lambda table: table.head(9_999), "each customer once"),
        (lambda table: table.astype({table.columns[-1]: bool}), "dtype=int"),
        (lambda table: pd.concat([table.columns.to_frame().T, table]), "no header"),
    ],
)
def test_a_file_that_the_model_was_not_trained_for_is_named(work, spoil, words):
    uri = work.put(spoil(work.batch))
    assert words in told(checks.inference_file, uri, work.model, rows=10_000)


def test_a_sound_file_passes(work):
    checks.inference_file(work.put(work.batch), work.model, rows=10_000)


def test_results_of_another_place_or_with_rows_lost_or_moved_are_named(work):
    scores = work.scores()
    checks.batch_scores(scores, work.transform)
    lost = scores.iloc[:-1]
    assert "row i of the results" in told(checks.batch_scores, lost, work.transform)
    assert "every line of it" in told(checks.batch_scores, scores.round(2), work.transform)
    moved = pd.Series(np.roll(scores.to_numpy(), 1), index=scores.index)
    assert "belong together" in told(checks.batch_ranking, moved, label_key=5)
    elsewhere = f"s3://{work.lab.bucket}/wrong/another/part.csv.out"
    assert ".out" in told(checks.transform_output, elsewhere, work.transform)
    assert "a stream that starts" in told(checks.transform_log, "it went well, I am sure", work.transform)


def test_times_and_prices_that_are_not_the_jobs_are_named(work):
    assert "total_seconds" in told(checks.transform_seconds, 3600, work.transform)
    assert "divided by the rows" in told(checks.cost_per_prediction, 0.115, work.transform, rows=10_000)


def test_an_endpoint_on_machines_is_not_serverless(work):
    name = work.lab.name("machines")
    variant = {"VariantName": "AllTraffic", "ModelName": work.model, "InitialInstanceCount": 1}
    work.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
    )
    said = told(checks.serverless_config, name, work.model)
    assert "a ServerlessConfig" in said and "ml.m5.large" in said and "around the clock" in said


def test_an_endpoint_that_was_called_too_early_or_never_is_named(work, monkeypatch):
    monkeypatch.setattr(traffic, "LOG_SECONDS", 0.0)
    name = work.lab.name("early")
    small = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "AllTraffic", "ModelName": work.model, "ServerlessConfig": small}
    work.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    assert "in your cloud" in told(checks.deployed, name, ["Creating", "InService"])
    work.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert "InService" in told(checks.deployed, name, ["Creating"])
    work.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=SOON)
    assert "must reach this endpoint itself" in told(checks.invoked, name, least=1)
    assert "before and after each call" in told(checks.percentiles, [1.0] * 20, 1.0, 1.0, name)
    assert "did the update fail" in told(checks.updated, name, name)
    assert "endpoints first" in told(checks.nothing_left, name)
    work.sagemaker.delete_endpoint(EndpointName=name)
    work.sagemaker.delete_endpoint_config(EndpointConfigName=name)


@pytest.mark.parametrize(
    ("question", "args", "words"),
    [
        (checks.planned_serverless, ({"MemorySizeInMB": 1000, "MaxConcurrency": 2},), "whole gigabytes"),
        (checks.planned_serverless, ({"MemorySizeInMB": 1024, "MaxConcurrency": 200},), "stay small"),
        (checks.throttled, (8, 0, 8, "any"), "send all at once"),
        (checks.throttled, (3, 3, 8, "any"), "one or the other"),
        (checks.cost_of_thousand, (1.0, 1024, [10.0] * 20), "GB-second"),
        (checks.break_even, (100, 1024, [10.0] * 20, "ml.m5.large"), "price of one request"),
        (checks.all_answered, ([1, None], 2), "wait before each new try"),
        (checks.same_predictions, ([0.2, 0.4], [0.2, 0.5]), "same rows"),
        (checks.handles_errors, (None, "any", "1", "1,1"), "def ask"),
        (checks.handles_errors, (lambda *_: {"scores": ["0.5"]}, "any", "1", "1,1"), "float()"),
        (checks.handles_errors, (lambda *_: {"scores": [0.5]}, "any", "1", "1,1"), "ValidationError"),
        (checks.reused, ("arn:aws:sagemaker:us-east-1:123456789012:model/a", "other", "a"), "describe first"),
        (checks.experiments, ([{"name": "a", "auc": 0.8, "seconds": 3}],), "a page at a time"),
        (checks.tagged, (["arn:aws:sagemaker:us-east-1:123456789012:model/a"], "run"), "its own ARN"),
        (checks.training_bill, (-1,), "billable seconds"),
    ],
)
def test_other_wrong_answers_hear_what_to_do(connected, question, args, words):
    assert words in told(question, *args)
