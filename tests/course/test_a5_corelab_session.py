"""The closing notebook on a live local SageMaker: the reference, twice, and a student who wrote it differently."""

from __future__ import annotations

import json

import nbformat
import pytest

from corelab import smoke
from corelab.checks import CheckFailed

from .conftest import ROOT
from .test_a1_training_job import notebook

SOURCE = ROOT / "source/a5_corelab_session/corelab_session.ipynb"
RELEASE = ROOT / "release/a5_corelab_session/corelab_session.ipynb"
STUDENT = {
    "make_session": """
student = "Grace Hopper"
lab_session = CoreLabSession("xgboost", "Grace Hopper essentials", "essentials", True)
""",
    "by_hand_base": """
bucket = f"sagemaker-{boto3.Session().region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
root = "s3://" + "/".join([bucket, "essentials", lab_session.timestamp, ""])
by_hand = dict(region=boto3.Session().region_name, base_s3_uri=root, jobs_output_s3_uri=root + "jobs/",
               transform_output_s3_uri=root + "transform_output/")
by_hand["role"] = boto3.client("iam").get_role(RoleName="LabRole")["Role"]["Arn"]
""",
    "by_hand_names": """
import sagemaker
by_hand |= {
    "training_job_name": "grace-hopper-essentials-xgboost-" + lab_session.timestamp,
    "model_name": "grace-hopper-essentials-xgboost",
    "serverless_endpoint_name": "grace-hopper-essentials-xgboost-serverless-endpoint",
    "image": sagemaker.image_uris.retrieve("xgboost", by_hand["region"], "1.7-1")}
""",
    "long_names": """
long_session = CoreLabSession(framework="xgboost", project_name="churn " * 20)
name_lengths = {kind: len(getattr(long_session, kind + "_job_name")) for kind in ("training", "tuning")}
""",
    "names_without_time": "names_without_time = 'B'",
    "channels": """
s3, base = boto3.client("s3"), lab_session.base_s3_uri
for name in ("train", "validation"):
    s3.upload_file(name + ".csv", lab_session.bucket, base.split("/", 3)[3] + name + "/data.csv")
channels = [{"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": {
    "S3DataType": "S3Prefix", "S3Uri": f"{base}{name}/"}}} for name in ("train", "validation")]
""",
    "train_again": """
sagemaker_client.create_training_job(
    TrainingJobName=lab_session.training_job_name, RoleArn=lab_session.role, InputDataConfig=channels,
    AlgorithmSpecification={"TrainingImage": lab_session.retrieve_image("1.7-1"), "TrainingInputMode": "File"},
    HyperParameters=hyper_parameters, OutputDataConfig={"S3OutputPath": lab_session.jobs_output_s3_uri},
    ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
    StoppingCondition={"MaxRuntimeInSeconds": 600},
    Tags=[{"Key": "course", "Value": "corelab"}, {"Key": "assignment", "Value": "a1_training_job"}])
training_job = TrainingJob.get(lab_session.training_job_name)
training_job.wait()
""",
    "ensure_model": """
def ensure_model(name, artifact):
    try:
        there = Model.get(name)
        if there.primary_container.model_data_url == artifact:
            return there.model_arn
        there.delete()
    except sagemaker_client.exceptions.ClientError:
        pass
    return sagemaker_client.create_model(ModelName=name, ExecutionRoleArn=lab_session.role, PrimaryContainer={
        "Image": lab_session.retrieve_image("1.7-1"), "ModelDataUrl": artifact})["ModelArn"]
first_arn = ensure_model(lab_session.model_name, training_job.model_artifacts.s3_model_artifacts)
second_arn = ensure_model(lab_session.model_name, training_job.model_artifacts.s3_model_artifacts)
""",
    "team_session": """
class TeamSession(CoreLabSession):
    owner = "grace"
    @property
    def tags(self):
        return [Tag(key="course", value="corelab"), Tag(key="owner", value=self.owner),
                Tag(key="project", value=self.project_name), Tag(key="run", value=self.timestamp)]
    def note(self, text):
        open("note.md", "w").write(text)
        return self.upload_file("note.md")
team = TeamSession("xgboost", "Grace Hopper essentials", "essentials")
note_uri = team.note("The same job once more, now on a larger machine than before.")
""",
    "tag_five": """
pairs = [{"Key": tag.key, "Value": tag.value} for tag in team.tags]
TransformJob.create(transform_job_name=team.transform_job_name, model_name=model_name, **transform_parts)
transform = TransformJob.get(team.transform_job_name)
config_arn = sagemaker_client.create_endpoint_config(
    EndpointConfigName=team.serverless_endpoint_config_name, Tags=pairs,
    ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": model_name,
                         "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}])["EndpointConfigArn"]
endpoint_arn = sagemaker_client.create_endpoint(
    EndpointName=team.serverless_endpoint_name, Tags=pairs,
    EndpointConfigName=team.serverless_endpoint_config_name)["EndpointArn"]
arns = (endpoint_arn, config_arn, first_arn, training_job.training_job_arn, transform.transform_job_arn)
for arn in arns:
    sagemaker_client.add_tags(ResourceArn=arn, Tags=pairs)
""",
    "experiment_table": """
found = []
for summary in sagemaker_client.get_paginator("list_training_jobs").paginate(StatusEquals="Completed").build_full_result(
        )["TrainingJobSummaries"]:
    tags = {t["Key"]: t["Value"] for t in sagemaker_client.list_tags(ResourceArn=summary["TrainingJobArn"])["Tags"]}
    if tags.get("course") == "corelab" and tags.get("assignment") == "a1_training_job":
        found.append(sagemaker_client.describe_training_job(TrainingJobName=summary["TrainingJobName"]))
experiments = pd.DataFrame({
    "name": [job["TrainingJobName"] for job in found],
    "auc": [{m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}["validation:auc"] for job in found],
    "seconds": [job["BillableTimeInSeconds"] for job in found]})
""",
    "bill": """
training_bill = sum(
    prices.training_cost(job["ResourceConfig"]["InstanceType"], job["BillableTimeInSeconds"]) for job in found)
""",
    "which_file": "which_file = 'A, D'",
    "clean_up": """
sagemaker_client.get_waiter("endpoint_in_service").wait(EndpointName=team.serverless_endpoint_name,
                                                        WaiterConfig={"Delay": 1})
sagemaker_client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=team.transform_job_name,
                                                                       WaiterConfig={"Delay": 1})
remove_endpoint()
sagemaker_client.delete_model(ModelName=model_name)
""",
    "learned_training": "learned_training = 'C'",
    "learned_tuning": "learned_tuning = 'A'",
    "learned_inference": "learned_inference = 'B'",
    "learned_serverless": "learned_serverless = 'C'",
}


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
        nbformat.write(node, root / "source" / name / "session.ipynb")
    smoke.run([], "local", root / "out", root=root)
    summary = json.loads((root / "out/summary.json").read_text(encoding="utf-8"))
    return {notebook["assignment"]: notebook for notebook in summary["notebooks"]}, root / "out"


def test_the_reference_runs_twice_in_a_row(executed):
    notebooks, _ = executed
    assert notebooks["reference"]["failure"] is None


def test_a_student_who_wrote_it_differently_passes_every_check(executed):
    notebooks, _ = executed
    assert notebooks["student"]["failure"] is None
    assert notebooks["student"]["checks"] * 2 == notebooks["reference"]["checks"]


def test_no_check_says_anything_on_stderr(executed):
    _, out = executed
    for cell in nbformat.read(out / "reference/session.ipynb", as_version=4).cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert [output.name for output in cell.outputs] == ["stdout"] * len(cell.outputs)


def test_an_untouched_release_passes_no_check(run, connected, kernels_use_lab):
    outcomes = run(RELEASE)
    graded = [cell.id for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id.endswith("_check")]
    assert len(graded) > 18
    assert [check for check in graded if not isinstance(outcomes[check], NameError | CheckFailed)] == []
