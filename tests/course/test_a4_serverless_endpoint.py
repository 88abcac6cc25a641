"""The endpoint notebook on a live local SageMaker: the reference, twice, and a student who used boto3 and SDK 2 only."""

from __future__ import annotations

import json

import nbformat
import pytest

from corelab import smoke
from corelab.checks import CheckFailed

from .conftest import ROOT
from .test_a1_training_job import notebook

SOURCE = ROOT / "source/a4_serverless_endpoint/serverless_endpoint.ipynb"
RELEASE = ROOT / "release/a4_serverless_endpoint/serverless_endpoint.ipynb"
GRADED = [cell.id for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id.endswith("_check")]
# Another way through: boto3 for every object, more memory, a waiter, the SDK's own Predictor settings.
STUDENT = {
    "chatbot": "chatbot = 'b'",
    "run_name": """
import uuid
student = "Grace Hopper"
run = "grace-hopper-" + uuid.uuid4().hex[:12]
""",
    "create_model": """
sm = boto3.client("sagemaker")
made = sm.describe_training_job(TrainingJobName=job_name)
model = sm.create_model(ModelName=run, ExecutionRoleArn=role, PrimaryContainer={
    "Image": made["AlgorithmSpecification"]["TrainingImage"],
    "ModelDataUrl": made["ModelArtifacts"]["S3ModelArtifacts"]})
""",
    "plan": 'plan = {"MemorySizeInMB": 2048, "MaxConcurrency": 3}',
    "create_config": """
sm.create_endpoint_config(EndpointConfigName=run + "-config", ProductionVariants=[
    {"VariantName": "AllTraffic", "ModelName": run, "ServerlessConfig": plan}])
""",
    "create_endpoint": """
sm.create_endpoint(EndpointName=run, EndpointConfigName=run + "-config")
statuses = [sm.describe_endpoint(EndpointName=run)["EndpointStatus"]]
sm.get_waiter("endpoint_in_service").wait(EndpointName=run, WaiterConfig={"Delay": 1})
seen = sm.describe_endpoint(EndpointName=run)
statuses.append(seen["EndpointStatus"])
deployment_seconds = seen["LastModifiedTime"].timestamp() - seen["CreationTime"].timestamp()
from sagemaker_core.resources import Endpoint
endpoint = Endpoint.get(run)
""",
    "method_one": """
runtime = boto3.client("sagemaker-runtime")
runtime_probability = []
for row in rows[:5]:
    body = runtime.invoke_endpoint(EndpointName=run, ContentType="csv", Accept="application/json", Body=row + "\\n")
    import json
    runtime_probability.append(json.loads(body["Body"].read())["predictions"][0]["score"])
""",
    "ask": """
def ask(endpoint_name, body):
    for pause in (0.2, 0.5, 1, 2, 4, 8, 8, 8):
        try:
            got = runtime.invoke_endpoint(EndpointName=endpoint_name, ContentType="text/csv", Body=body)
        except runtime.exceptions.ModelError as refused:
            if str(refused.response["OriginalStatusCode"]).startswith("4"):
                return {"problem": "input"}
        except ClientError as other:
            if other.response["Error"]["Code"] == "ValidationError":
                return {"problem": "endpoint"}
        else:
            return {"scores": list(map(float, got["Body"].read().split()))}
        time.sleep(pause)
    return {"problem": "busy"}
""",
    "what_to_retry": "what_to_retry = ['D', 'B']",
    "method_two": """
import sagemaker
one = sagemaker.Predictor(run, serializer=sagemaker.serializers.CSVSerializer())
one.deserializer = sagemaker.deserializers.CSVDeserializer()
csv_probability = [float(one.predict(list(row))[0][0]) for row in features[:5]]
one.deserializer = sagemaker.deserializers.JSONDeserializer()
json_probability = [p["score"] for p in one.predict(features[:5])["predictions"]]
""",
    "two_mistakes": """
with_label = "0," + rows[0]
found = {}
for kind, body in {"application/json": "{}", "text/csv": with_label}.items():
    try:
        runtime.invoke_endpoint(EndpointName=run, ContentType=kind, Body=body)
    except ClientError as problem:
        found[kind] = problem.response
json_status = found["application/json"]["OriginalStatusCode"]
label_status, label_message = found["text/csv"]["OriginalStatusCode"], found["text/csv"]["OriginalMessage"]
""",
    "too_few_columns": "too_few_columns = 'C'",
    "find_the_reason": """
sm = boto3.client("sagemaker")
while sm.describe_endpoint(EndpointName=run + "-broken")["EndpointStatus"] == "Creating":
    time.sleep(0.3)
failure_reason = sm.describe_endpoint(EndpointName=run + "-broken")["FailureReason"]
logs, group = boto3.client("logs"), f"/aws/sagemaker/Endpoints/{run}-broken"
log_text = ""
for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
    for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]:
        log_text += event["message"]
""",
    "where_to_look": "where_to_look = 'B'",
    "portions": """
best_product = []
while len(best_product) < 150:
    text = runtime.invoke_endpoint(EndpointName=run + "-heavy", ContentType="text/csv", Body="0.5\\n" * 25)["Body"].read()
    best_product += [int(np.argmax(np.array(line.split(","), float))) for line in text.decode().split()]
""",
    "memory_is_short": "memory_is_short = 'A'",
    "latency": """
latencies_ms = []
for i in range(30):
    before = time.time_ns()
    ask(run, rows[i])
    latencies_ms.append((time.time_ns() - before) / 1e6)
ordered = sorted(latencies_ms)
p50_ms, p95_ms = ordered[15], ordered[28]
""",
    "cold_starts": """
[point] = metric("ModelSetupTime", "SampleCount", "Maximum")
cold_start_count, longest_cold_start_ms = point["SampleCount"], point["Maximum"] * 1e-3
""",
    "why_cold": "why_cold = 'C'",
    "too_many": """
from concurrent.futures import as_completed
with ThreadPoolExecutor(max_workers=8) as executor:
    futures = [executor.submit(call, large) for _ in range(8)]
    words = [future.result()[0] for future in as_completed(futures)]
answered = sum(word == "answered" for word in words)
refused = 8 - answered
""",
    "patience": """
with ThreadPoolExecutor(8) as executor:
    patient = [future.result() for future in [executor.submit(ask, run, large) for _ in range(8)]]
""",
    "who_is_throttled": "who_is_throttled = 'B'",
    "cost_of_thousand": "cost_of_thousand = prices.serverless_cost(memory_mb, sum(latencies_ms) / len(latencies_ms))",
    "break_even": """
break_even_a_day = prices.break_even_seconds(machine, memory_mb) / (sum(latencies_ms) / len(latencies_ms) / 1000)
""",
    "update": """
sm.create_endpoint_config(EndpointConfigName=run + "-v2", ProductionVariants=[
    {"VariantName": "AllTraffic", "ModelName": run, "ServerlessConfig": plan | {"MaxConcurrency": 4}}])
sm.update_endpoint(EndpointName=run, EndpointConfigName=run + "-v2")
during = [ask(run, rows[0]) for _ in range(3)]
sm.get_waiter("endpoint_in_service").wait(EndpointName=run, WaiterConfig={"Delay": 1})
""",
    "clean_up": """
for summary in sm.list_endpoints(NameContains=run)["Endpoints"]:
    if summary["EndpointStatus"] != "Deleting":
        sm.delete_endpoint(EndpointName=summary["EndpointName"])
    sm.get_waiter("endpoint_deleted").wait(EndpointName=summary["EndpointName"], WaiterConfig={"Delay": 1})
for summary in sm.list_endpoint_configs(NameContains=run)["EndpointConfigs"]:
    sm.delete_endpoint_config(EndpointConfigName=summary["EndpointConfigName"])
for summary in sm.list_models(NameContains=run)["Models"]:
    sm.delete_model(ModelName=summary["ModelName"])
""",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory, kernels_use_lab):
    """The reference notebook twice in one kernel."""
    root = tmp_path_factory.mktemp("course")
    reference = nbformat.read(SOURCE, as_version=4)
    (root / "source/reference").mkdir(parents=True)
    nbformat.write(notebook(reference, reference), root / "source/reference/endpoint.ipynb")
    smoke.run([], "local", root / "out", root=root)
    [result] = json.loads((root / "out/summary.json").read_text(encoding="utf-8"))["notebooks"]
    return result, root / "out"


def test_the_reference_runs_twice_in_a_row(executed):
    result, _ = executed
    assert result["failure"] is None
    assert result["checks"] == 2 * len(GRADED)


def test_a_student_who_uses_boto3_passes_every_check(run, connected, kernels_use_lab):
    outcomes = run(RELEASE, STUDENT)
    assert {cell: problem for cell, problem in outcomes.items() if problem} == {}
    assert set(STUDENT) <= outcomes.keys()


def test_no_check_says_anything_on_stderr(executed):
    _, out = executed
    for cell in nbformat.read(out / "reference/endpoint.ipynb", as_version=4).cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert [output.name for output in cell.outputs] == ["stdout"] * len(cell.outputs)


def test_no_endpoint_stays_behind(executed, connected):
    left = [entry["EndpointName"] for entry in connected.client("sagemaker").list_endpoints()["Endpoints"]]
    assert [name for name in left if name.startswith(("churn-", "grace-"))] == []


def test_an_untouched_release_passes_no_check(run, connected, kernels_use_lab):
    outcomes = run(RELEASE)
    assert len(GRADED) > 20
    assert [check for check in GRADED if not isinstance(outcomes[check], NameError | CheckFailed)] == []
