"""The training job notebook on a live local SageMaker: the reference, twice, and a student who used boto3 only."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest

from corelab import smoke
from corelab.checks import CheckFailed

from .conftest import ROOT

SOURCE = ROOT / "source/a1_training_job/training_job.ipynb"
RELEASE = ROOT / "release/a1_training_job/training_job.ipynb"
# Another way through: boto3, an own bucket, folders as channels, a managed policy, fewer columns.
STUDENT = {
    "open_session": """
import sagemaker_core.helper.session_helper as helper
from sagemaker_core.helper.session_helper import s3_path_join
region = boto3.session.Session().region_name
session = helper.Session()
bucket = "grace-hopper-lab"
boto3.client("s3").create_bucket(Bucket=bucket)
role = boto3.client("iam").get_role(RoleName="LabRole")["Role"]["Arn"]
""",
    "session_owns": "session_owns = 'c'",
    "names": """
student = "Grace Hopper"
import datetime
timestamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%S")
training_job_name = "grace-hopper-" + timestamp
base_path = f"s3://{bucket}/runs/{timestamp}"
""",
    "write_files": """
keep = ["tenure_months", "monthly_charge", "usage_gb", "devices", "months_to_discount_end", "support_calls",
        "late_payments", "outage_hours", "satisfaction", "age", "add_ons"]
codes = customers[["contract", "plan", "payment", "region"]].apply(lambda c: c.astype("category").cat.codes)
numbers = pd.concat([customers["churn"], customers[keep], codes], axis=1)
for name in ("train", "validation"):
    numbers[part == name].to_csv(name + ".csv", header=False, index=False, float_format="%.6g")
test_features = numbers.loc[part == "test"].iloc[:, 1:].to_numpy(dtype=float)
test_ids = list(customers.customer_id[part == "test"])
""",
    "header_line": "header_line = 'B'",
    "upload": """
s3 = boto3.client("s3")
for name in ("train", "validation"):
    s3.upload_file(name + ".csv", bucket, f"runs/{timestamp}/{name}/part-0.csv")
train_uri, validation_uri = f"{base_path}/train/part-0.csv", f"{base_path}/validation/part-0.csv"
""",
    "find_image": """
import sagemaker
image_uri = sagemaker.image_uris.retrieve("xgboost", region, "1.7-1")
""",
    "inputs": """
algorithm = {"TrainingImage": image_uri, "TrainingInputMode": "FastFile"}
channels = [{"ChannelName": name, "ContentType": "csv", "DataSource": {"S3DataSource": {
    "S3DataType": "S3Prefix", "S3Uri": f"{base_path}/{name}/"}}} for name in ("train", "validation")]
algorithm["TrainingInputMode"] = "File"
""",
    "input_mode": "input_mode = 'B'",
    "machine": """
from types import SimpleNamespace
resources = SimpleNamespace(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=5)
stopping = SimpleNamespace(max_runtime_in_seconds=1200)
""",
    "create_job": """
sm = boto3.client("sagemaker")
sm.create_training_job(
    TrainingJobName=training_job_name, RoleArn=role, AlgorithmSpecification=algorithm, InputDataConfig=channels,
    HyperParameters=hyper_parameters | {"max_depth": "4", "eta": "0.1"},
    OutputDataConfig={"S3OutputPath": base_path},
    ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
    StoppingCondition={"MaxRuntimeInSeconds": 1200})
from sagemaker_core.resources import TrainingJob
training_job = TrainingJob.get(training_job_name)
""",
    "find_in_console": "job_arn = sm.describe_training_job(TrainingJobName=training_job_name)['TrainingJobArn']",
    "worst_case": "worst_case = 1200 / 3600 * 0.23",
    "learning_curve": """
train_auc, validation_auc = [], []
for event in events:
    fields = dict(f.split(":") for f in event["message"].split("#011")[1:])
    if "validation-auc" in fields:
        train_auc.append(float(fields["train-auc"])); validation_auc.append(float(fields["validation-auc"]))
""",
    "use_model": """
import io
job = sm.describe_training_job(TrainingJobName=training_job_name)
key = job["ModelArtifacts"]["S3ModelArtifacts"].split("/", 3)[3]
archive = tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
model = xgb.Booster()
model.load_model(bytearray(archive.extractfile(archive.getmember("xgboost-model")).read()))
test_probability = [float(p) for p in model.predict(xgb.DMatrix(test_features))]
""",
    "what_is_in_it": "what_is_in_it = 'A'",
    "mend_imports": """
mended_imports = ("from sagemaker_core.main.resources import TrainingJob",
                  "from sagemaker_core.main.shapes import Channel", "from sagemaker.image_uris import retrieve")
""",
    "look_inside": """
first_lines = {}
for name in ("amber.csv", "basil.csv", "coral.csv", "denim.csv"):
    s3.download_file(lab_bucket, lab_folder + "/" + name, "from-" + name)
    first_lines[name] = open("from-" + name).readline()
""",
    "diagnose": """
mistakes = {}
for name in first_lines:
    seen = pd.read_csv("from-" + name, header=None, dtype=str)
    last, first = seen.iloc[1:, -1], pd.to_numeric(seen.iloc[1:, 0])
    mistakes[name] = ("ids" if last.str.startswith("C").all() else "words" if last.isin(["True", "False"]).all()
                      else "label last" if first.max() > 1 else "header")
""",
    "read_the_failure": """
found = sm.list_training_jobs(NameContains=debug_name("")[1:], StatusEquals="Failed")["TrainingJobSummaries"]
[failed_job] = [job["TrainingJobName"] for job in found]
why = sm.describe_training_job(TrainingJobName=failed_job)["FailureReason"]
failed_line = next(line for line in why.splitlines() if "UserError:" in line)
""",
    "mend_the_file": """
name = failed_job.split("-")[0] + ".csv"
with open("mended.csv", "w") as out:
    for line in open("from-" + name):
        *cells, label = line.strip().split(",")
        out.write(",".join([label, *cells]) + "\\n")
s3.upload_file("mended.csv", lab_bucket, lab_folder + "-again/mended.csv")
mended_job = "again-" + training_job_name[-40:].strip("-")
request = debug_job("x", f"s3://{lab_bucket}/{lab_folder}-again") | {"TrainingJobName": mended_job}
sm.create_training_job(**request)
ended(mended_job)
""",
    "moments": """
def moment(label):
    try:
        return sm.describe_training_job(TrainingJobName=debug_name(label))["TrainingJobStatus"].lower()
    except ClientError:
        return "refused"
moments = {label: moment(label) for label in requests}
""",
    "mend_the_role": """
iam.attach_role_policy(RoleName=weak_name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
TrainingJob.create(training_job_name=debug_name("permitted"), role_arn=weak_role, hyper_parameters=hyper_parameters,
    algorithm_specification={"training_image": image_uri, "training_input_mode": "File"},
    input_data_config=[{"channel_name": "train", "content_type": "csv", "data_source": {"s3_data_source": {
        "s3_data_type": "S3Prefix", "s3_uri": sound}}}], output_data_config={"s3_output_path": base_path},
    resource_config={"instance_type": "ml.m5.large", "instance_count": 1, "volume_size_in_gb": 5},
    stopping_condition={"max_runtime_in_seconds": 300}).wait()
allowed_job = debug_name("permitted")
""",
    "who_may_read": "who_may_read = 'b'",
}


def notebook(*parts):
    """One notebook of several, its cells renamed where an id comes again."""
    node = nbformat.v4.new_notebook(metadata=parts[0].metadata)
    for number, part in enumerate(parts):
        for cell in copy.deepcopy(part.cells):
            cell.id = f"again{number}-{cell.id}"[:64] if number else cell.id
            node.cells.append(cell)
    return node


@pytest.fixture(scope="module")
def executed(tmp_path_factory, kernels_use_lab):
    """The reference notebook twice in one kernel, then a student's, in one cloud."""
    root = tmp_path_factory.mktemp("course")
    reference, student = (nbformat.read(path, as_version=4) for path in (SOURCE, RELEASE))
    assert STUDENT.keys() <= {cell.id for cell in student.cells}
    for cell in student.cells:
        cell.source = STUDENT.get(cell.id, cell.source)
    for name, node in {"reference": notebook(reference, reference), "student": student}.items():
        (root / "source" / name).mkdir(parents=True)
        nbformat.write(node, root / "source" / name / "job.ipynb")
    status = smoke.run([], "local", root / "out", root=root)
    summary = json.loads((root / "out/summary.json").read_text(encoding="utf-8"))
    return status, {notebook["assignment"]: notebook for notebook in summary["notebooks"]}, root / "out"


def test_the_reference_runs_twice_in_a_row_to_a_completed_job(executed):
    status, notebooks, _ = executed
    assert notebooks["reference"]["failure"] is None
    assert status == 0


def test_a_student_who_uses_boto3_alone_passes_every_check(executed):
    _, notebooks, _ = executed
    assert notebooks["student"]["failure"] is None
    assert notebooks["student"]["checks"] * 2 == notebooks["reference"]["checks"]


def test_the_model_comes_back_as_the_container_wrote_it(executed):
    _, _, out = executed
    assert (out / "reference/xgboost-model").read_bytes().startswith(b"binf")


def test_no_check_says_anything_on_stderr(executed):
    _, _, out = executed
    for cell in nbformat.read(out / "reference/job.ipynb", as_version=4).cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert [output.name for output in cell.outputs] == ["stdout"] * len(cell.outputs)


def test_an_untouched_release_passes_no_check(run, connected, kernels_use_lab):
    outcomes = run(RELEASE)
    graded = [cell.id for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id.endswith("_check")]
    assert len(graded) > 20
    assert [check for check in graded if not isinstance(outcomes[check], NameError | CheckFailed)] == []
