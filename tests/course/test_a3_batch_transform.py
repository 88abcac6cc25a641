"""The batch notebook on a live local SageMaker: a student with boto3, SDK 2's Transformer and results joined to inputs."""

from __future__ import annotations

import re

import nbformat

from corelab import churn
from corelab.checks import CheckFailed

from .conftest import ROOT

SOURCE = ROOT / "source/a3_batch_transform/batch_transform.ipynb"
RELEASE = ROOT / "release/a3_batch_transform/batch_transform.ipynb"
GRADED = [cell.id for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id.endswith("_check")]
# Another way through: codes for levels, gaps filled, another region of S3, joined results, an event pattern as text.
STUDENT = {
    "scenarios": "scenarios = 'ca'",
    "batch_costs": "batch_costs = 'b'",
    "prepare": """
levels = {c: sorted(batch_customers[c].unique()) for c in ("contract", "plan", "payment", "region")}
def prepare(people):
    out = people.drop(["customer_id", "churn", "devices", "age"], axis=1, errors="ignore").copy()
    for column, names in levels.items():
        out[column] = out[column].map({name: i for i, name in enumerate(names)})
    return out.fillna({"total_charge": 0, "usage_gb": 55.0, "outage_hours": 0.0, "satisfaction": 3.0})
features = prepare(batch_customers)
""",
    "choose_model": "source_job_name = list(candidates.index)[-1]",
    "blueprint": "blueprint = 'c'",
    "create_model": """
student = "Grace Hopper"
job = sagemaker.describe_training_job(TrainingJobName=source_job_name)
model_name = "grace-hopper-" + run
sagemaker.create_model(ModelName=model_name, ExecutionRoleArn=job["RoleArn"], Containers=[{
    "Image": job["AlgorithmSpecification"]["TrainingImage"],
    "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}])
model = Model.get(model_name)
""",
    "model_refusal": """
def attempt(address):
    sagemaker.create_model(ModelName=mended_name, ExecutionRoleArn=role, PrimaryContainer={
        "Image": job["AlgorithmSpecification"]["TrainingImage"], "ModelDataUrl": address})
try:
    attempt(folder + "/")
except ClientError as problem:
    model_refusal = problem.response["Error"]["Message"]
attempt(job["ModelArtifacts"]["S3ModelArtifacts"])
""",
    "inference_form": "inference_form = ['D', 'B']",
    "write_batch": """
np.savetxt("mine.csv", features.to_numpy(float), delimiter=",")
s3.upload_file("mine.csv", bucket, f"scoring/{run}/in/customers.csv")
input_uri = f"s3://{bucket}/scoring/{run}/in/"
""",
    "transform_parts": """
transform_input = {"ContentType": "text/csv", "SplitType": "Line", "DataSource": {"S3DataSource": {
    "S3DataType": "S3Prefix", "S3Uri": input_uri}}}
transform_output = {"S3OutputPath": f"s3://{bucket}/scoring/{run}/out/", "AssembleWith": "Line"}
from types import SimpleNamespace
transform_resources = SimpleNamespace(instance_type="ml.m5.xlarge", instance_count=1)
""",
    "create_transform": """
from sagemaker.transformer import Transformer
transform_job_name = "grace-" + run
asked = Transformer(model_name, 1, "ml.m5.xlarge", output_path=transform_output["S3OutputPath"],
                    assemble_with="Line", accept="text/csv",
                    tags=[{"Key": "course", "Value": "corelab"}, {"Key": "assignment", "Value": "a3_batch_transform"}])
asked.transform(input_uri, content_type="text/csv", split_type="Line", join_source="Input",
                job_name=transform_job_name, wait=False)
sagemaker.get_waiter("transform_job_completed_or_stopped").wait(
    TransformJobName=transform_job_name, WaiterConfig={"Delay": 1})
transform_job = TransformJob.get(transform_job_name)
""",
    "output_name": "output_name = 'B'",
    "find_output": """
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"scoring/{run}/out/")
[output_uri] = [f"s3://{bucket}/" + item["Key"] for page in pages for item in page["Contents"]]
""",
    "read_scores": """
s3.download_file(bucket, output_uri.split("/", 3)[3], "results.csv")
joined = pd.read_csv("results.csv", header=None)
scores = joined.iloc[:, -1].set_axis(batch_ids)
""",
    "by_hand": """
booster = load_booster(TrainingJob.get(source_job_name))
by_hand = dict(zip(batch_ids[:7], booster.inplace_predict(features[:7].to_numpy(float)).tolist()))
by_hand = pd.Series(by_hand)
""",
    "read_log": """
logs, group = boto3.client("logs"), {"logGroupName": "/aws/sagemaker/TransformJobs"}
found = logs.filter_log_events(**group, logStreamNamePrefix=transform_job_name, filterPattern="MaxPayloadInMB")
payload_line = found["events"][0]["message"]
""",
    "label_reason": """
lines = [event["message"] for event in logs.filter_log_events(**group, logStreamNamePrefix=label_job_name)["events"]]
label_reason = [line for line in lines if "does not match" in line][0]
""",
    "place_refusal": """
place_refusal = "Please ensure that the bucket exists in the selected region"
again = send("place", features.head(10))
while (job := sagemaker.describe_transform_job(TransformJobName=again))["TransformJobStatus"] == "InProgress":
    time.sleep(0.2)
left_there = s3.list_objects_v2(Bucket=bucket, Prefix=job["TransformOutput"]["S3OutputPath"].split("/", 3)[3])
place_output_uri = f"s3://{bucket}/{left_there['Contents'][0]['Key']}"
""",
    "silent_order": "silent_order = 'A'",
    "cost": """
told = sagemaker.describe_transform_job(TransformJobName=transform_job_name)
seconds = told["TransformEndTime"].timestamp() - told["TransformStartTime"].timestamp()
from corelab.core.prices import load_prices
cost_of_one = load_prices().hourly("ml.m5.xlarge") * seconds / 3600 / 10_000
""",
    "alert": """
pattern = '{"source": ["aws.sagemaker"], "detail-type": ["SageMaker Transform Job State Change"],'
pattern += '"detail": {"TransformJobStatus": ["Failed"]}}'
""",
    "test_scores": """
chances = booster.inplace_predict(prepare(test_customers).to_numpy(float))
test_probability = pd.Series(chances, index=test_customers["customer_id"])
ranked = test_probability.sort_values(ascending=False).index[:len(test_probability) // 10]
test_lift = float(left.loc[ranked].mean()) / float(left.mean())
""",
    "call_list": "call_customers = scores.sort_values().index[-1000:]",
}


def test_a_student_who_uses_a_transformer_and_joined_results_passes_every_check(
    run, connected, kernels_use_lab
):
    outcomes = run(RELEASE, STUDENT)
    assert {cell: problem for cell, problem in outcomes.items() if problem} == {}
    assert set(STUDENT) <= outcomes.keys()
    assert len(GRADED) > 22


def test_an_untouched_release_passes_no_check(run, connected, kernels_use_lab):
    outcomes = run(RELEASE)
    assert [check for check in GRADED if not isinstance(outcomes[check], NameError | CheckFailed)] == []


def test_the_key_to_the_labels_of_the_batch_stays_with_the_grader():
    [key] = re.findall(r"label_key=([\d_]+)", SOURCE.read_text(encoding="utf-8"))
    # Too many keys to try, even for somebody who is told how well a guess does.
    assert int(key) > 2**48
    handed_out = [*(ROOT / "release").rglob("*"), *(ROOT / "corelab").rglob("*.[pctj]*")]
    texts = [path.read_text(encoding="utf-8", errors="ignore") for path in handed_out if path.is_file()]
    assert len(texts) > 100
    assert [text for text in texts if key in text or key.replace("_", "") in text] == []


def test_without_the_key_the_labels_of_the_batch_are_other_ones():
    secret, guessed = churn.batch_labels(2**50), churn.batch_labels(0)
    assert "churn" not in churn.batch()
    assert 2000 < (secret != guessed).sum() < 4000
