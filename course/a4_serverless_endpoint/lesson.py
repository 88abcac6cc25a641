# %% [markdown] guide="G401"
# # A serverless endpoint: predictions on request, nothing to pay in between
#
# A training job ends. A service that answers questions does not: somebody may ask at any moment. An ordinary
# endpoint therefore rents machines around the clock, whether anybody asks or not. A **serverless** endpoint
# starts a process when a request comes, keeps it for a while, and ends it when nobody asks. You pay for the
# time spent on requests, and nothing at night. In return, some callers wait longer than others.
#
# You will
#
# - choose memory and concurrency, and say why,
# - deploy your own model: **model**, **endpoint configuration**, **endpoint**,
# - call it in two ways, by the runtime client and by `Predictor`,
# - break it in six ways and read what it says,
# - measure latency, **cold starts** and **throttling**,
# - compute what it costs, and from where on a rented machine is cheaper,
# - update it while it serves, and leave nothing behind.
#
# It takes about 120 minutes and is worth 100 points. On AWS it costs less than two cents a run, as long as you
# run the last section.

# %% [markdown]
# ## Connect

# %% given="connect"
import corelab

corelab.connect()

# %% given="setup"
import io
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xgboost as xgb
from botocore.config import Config
from botocore.exceptions import ClientError

# %% given="setup_sdk"
from sagemaker_core.helper.session_helper import Session, get_execution_role
from sagemaker_core.resources import TrainingJob

from corelab import checks, churn
from corelab.core import prices

session = Session()
region, bucket, role = session.boto_region_name, session.default_bucket(), get_execution_role()

# %% [markdown] guide="G402"
# ### Research first
#
# Read the page "Deploy models with Amazon SageMaker Serverless Inference" of the SageMaker developer guide and
# the serverless lines of the pricing page, and look for three answers: what exactly is billed, what a cold
# start is made of, and which kinds of traffic the page recommends it for.

# %% [markdown] quiz="chatbot" points=2 key="B" guide="G403"
# **Question.** A chatbot of customer service asks your model for the risk that a customer leaves. It is busy
# from 9 to 17, nearly silent in the evening, and dead at night. A second of waiting now and then does no harm.
# What fits?
#
# - A. One large machine around the clock: traffic may come at any time.
# - B. A serverless endpoint; perhaps with provisioned concurrency during business hours.
# - C. A batch transform job every night.

# %% [markdown]
# **In your own words (5 points).** What do you pay for with a serverless endpoint, and what with one on
# machines? What is a cold start, and for which caller does it matter? Name one kind of traffic for each of the
# two.

# %% [markdown] answer="serverless_or_not" points=5 guide="G402"
# On machines I pay for every second from InService until I delete it, whether anybody asks or not; with a
# serverless endpoint for memory times the time spent on requests, plus the data that goes in and out. A cold
# start is what a request waits for when no process is ready: one has to be started, load the model and answer a
# health check. It matters when a person waits, or a caller with a short time limit; a job that runs at night
# does not care. Rare or uneven traffic, such as a tool of a support team, suits serverless; thousands of
# requests a minute all day long suit machines that are always busy.

# %% [markdown]
# ## The model you bring
#
# The next cells look for your best training job of this course in the connected cloud, by its tags. If there is
# none, they train the job of `a1_training_job` and say so.

# %% given="train_baseline"
def train_baseline():
    from sagemaker.estimator import Estimator
    from sagemaker.image_uris import retrieve
    from sagemaker.inputs import TrainingInput

    tags = [{"Key": "course", "Value": "corelab"}, {"Key": "assignment", "Value": "a1_training_job"}]
    settings = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": 100, "max_depth": 5, "eta": 0.2}
    settings["tree_method"] = "hist"
    image, place = retrieve("xgboost", region, "1.7-1"), f"s3://{bucket}/churn/baseline/output"
    options = {"output_path": place, "hyperparameters": settings, "tags": tags, "max_run": 900}
    estimator = Estimator(image, role, 1, "ml.m5.large", base_job_name="churn-baseline", **options)
    files = {name: TrainingInput(uri, content_type="text/csv") for name, uri in baseline_files()}
    estimator.fit(files, logs=False)


# %% given="baseline_files"
def baseline_files():
    customers = churn.load()
    part = churn.split_index(customers["customer_id"])
    table = customers.drop(columns=["customer_id", "churn"])
    table["total_charge"] = table["total_charge"].fillna(0)
    table = pd.get_dummies(table, dtype=int)
    table.insert(0, "churn", customers["churn"])
    for name in ("train", "validation"):
        table[part == name].to_csv(f"{name}.csv", header=False, index=False)
        yield name, session.upload_data(f"{name}.csv", key_prefix=f"churn/baseline/{name}")


# %% given="find_jobs"
def completed_jobs():
    def equals(name, value):
        return {"Name": name, "Operator": "Equals", "Value": value}

    sagemaker_client = boto3.client("sagemaker")
    found = []
    for assignment in ("a1_training_job", "a2_hyperparameter_tuning"):
        filters = [equals("Tags.assignment", assignment), equals("TrainingJobStatus", "Completed")]
        query = {"Resource": "TrainingJob", "SearchExpression": {"Filters": filters}, "MaxResults": 100}
        found += [result["TrainingJob"] for result in sagemaker_client.search(**query)["Results"]]
    return found


# %% given="choose_job"
def validation_auc(job):
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    return metrics.get("validation:auc", 0.0)


if not completed_jobs():
    print("No job of assignment 1 or 2 in this cloud: training the baseline.")
    train_baseline()
job_name = max(completed_jobs(), key=validation_auc)["TrainingJobName"]
job = TrainingJob.get(job_name)
print(job_name, job.model_artifacts.s3_model_artifacts, sep="\n")

# %% [markdown]
# The customers to ask about come from the validation channel of *that* job, so that their columns are those the
# model was trained on, in the same order, whether the job read CSV, libsvm or Parquet. The first column is the
# label; `rows` are the features as an endpoint takes them, a line of CSV for each customer.

# %% given="rows"
from corelab.core.channels import channel_rows

s3 = boto3.client("s3")
table = channel_rows(job_name, "validation")
labels = table[0].astype(int).to_numpy()
rows = table.drop(columns=0).to_csv(header=False, index=False, float_format="%.9g").splitlines()
print(f"{len(rows):,} customers; the first is\n{rows[0]}")

# %% [markdown]
# And the same booster on this machine, to compare with:

# %% given="local_booster"
artifact_bucket, _, artifact_key = job.model_artifacts.s3_model_artifacts.removeprefix("s3://").partition("/")
packed = s3.get_object(Bucket=artifact_bucket, Key=artifact_key)["Body"].read()
with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(archive.extractfile("xgboost-model").read()))
features = table.drop(columns=0).to_numpy()
local_probability = booster.predict(xgb.DMatrix(features))
local_probability[:3].round(4)

# %% [markdown]
# ### A name for this run
#
# Everything you make from here on gets one name, so that you can find it and throw it away together.
#
# **Your task:** put your name into `student` and make `run`: your name and the time of now in it, letters,
# digits and single hyphens, small enough that `-config-2` still fits behind it (63 characters in all).

# %% solution="run_name"
student = "your-name"
### BEGIN SOLUTION: your name in student, and run with your name and a timestamp
student = "ada-lovelace"
run = f"churn-{student}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
### END SOLUTION
print(run)

# %% test="run_name_check" points=0
checks.job_name(f"{run}-config-2", student)

# %% [markdown]
# ## Three objects
#
# | object | says | costs |
# |---|---|---|
# | model | which image, which artifact, which role | nothing |
# | endpoint configuration | which models, on what, how large | nothing |
# | endpoint | this configuration, now | from InService on |
#
# ### The model
#
# **Your task:** create a `Model` named `run` from the image and the artifact of `job`, kept as `model`.
#
# *Research:* `Model.create` in `sagemaker_core.resources` and `ContainerDefinition` in `sagemaker_core.shapes`.
# Where does `job` keep the image it trained with?

# %% solution="create_model"
### BEGIN SOLUTION: model = Model.create(...) with a ContainerDefinition of the job's image and artifact
from sagemaker_core.resources import Model
from sagemaker_core.shapes import ContainerDefinition

container = ContainerDefinition(
    image=job.algorithm_specification.training_image,
    model_data_url=job.model_artifacts.s3_model_artifacts,
)
model = Model.create(model_name=run, primary_container=container, execution_role_arn=role)
### END SOLUTION

# %% test="model_check" points=3 guide="G409"
checks.serving_model(run)

# %% [markdown] guide="G404,G405,G406"
# ### How large?
#
# Three numbers:
#
# - `memory_size_in_mb`: memory of *each* process, 1024 to 6144 in steps of 1024. Processor power grows with it.
#   A model of a hundred small trees is well below a megabyte; the container around it takes about a hundred.
# - `max_concurrency`: how many requests may be worked on at once. Each has a process of its own. One more is
#   refused.
# - `provisioned_concurrency`: how many processes stay warm when nobody asks. They are billed all the time, and
#   cannot be more than `max_concurrency`.
#
# **Your task:** `plan`, a `ProductionVariantServerlessConfig` with the smallest memory that will do and a
# `max_concurrency` of 2: small on purpose, since you want to see what happens at the limit. Nothing kept warm.

# %% solution="plan"
### BEGIN SOLUTION: plan = ProductionVariantServerlessConfig(...)
from sagemaker_core.shapes import ProductionVariantServerlessConfig

plan = ProductionVariantServerlessConfig(memory_size_in_mb=1024, max_concurrency=2)
### END SOLUTION

# %% test="plan_check" points=0 guide="G404,G405,G406"
checks.planned_serverless(plan)

# %% [markdown]
# ### The configuration
#
# **Your task:** an `EndpointConfig` named `f"{run}-config"` with one `ProductionVariant` named `AllTraffic`,
# which joins your model and your plan. Keep it as `config`, and tag it: `course` = `corelab`, `assignment` =
# `a4_serverless_endpoint`.
#
# *Research:* `EndpointConfig.create`, `ProductionVariant`. Which members must a serverless variant *not* have?

# %% solution="create_config"
### BEGIN SOLUTION: config, an EndpointConfig with one ProductionVariant that has a serverless_config
from sagemaker_core.resources import EndpointConfig
from sagemaker_core.shapes import ProductionVariant, Tag

tags = [Tag(key="course", value="corelab"), Tag(key="assignment", value="a4_serverless_endpoint")]
variant = ProductionVariant(variant_name="AllTraffic", model_name=run, serverless_config=plan)
config = EndpointConfig.create(
    endpoint_config_name=f"{run}-config", production_variants=[variant], tags=tags
)
### END SOLUTION

# %% test="config_check" points=4 guide="G404,G405,G406,G408,G409"
checks.serverless_config(f"{run}-config", run)

# %% [markdown]
# **In your own words (6 points).** Defend your three numbers: how do they balance cost against performance? What
# happens to callers if memory is too small, and what if concurrency is? When would provisioned concurrency be
# worth its price?

# %% [markdown] answer="why_these_numbers" points=6 guide="G404,G405,G406,G407,G429"
# 1024 MB is enough, because the container with this model takes about a tenth of it; twice the memory would cost
# twice as much for every millisecond. Concurrency 2 bounds what can be spent at once, but the third caller at the
# same moment is refused; in production I would take the largest number of callers at once that I expect, and some
# more. With too little memory the process is killed in the middle of a request, the caller gets a model error and
# the next one a cold start, so it fails again and again; or the model does not even load and the endpoint fails.
# Provisioned concurrency is worth it when callers cannot wait for cold starts and the busy hours are known: say
# one warm process from 9 to 17. For traffic around the clock a machine is cheaper.

# %% [markdown]
# ### The endpoint
#
# `create` returns at once and the work begins: fetch the artifact, start the container, wait for its first
# healthy answer. On AWS this takes two to three minutes.
#
# **Your task:** create the endpoint `run` from your configuration, kept as `endpoint`, and watch it: `statuses`,
# a list of the different statuses in the order you saw them, until it is no longer `Creating`. Then
# `deployment_seconds`, how long that took by the endpoint's own two times.
#
# *Research:* `Endpoint.create`; `endpoint.refresh()` asks again and updates the object. Sleep a little between
# two questions.

# %% solution="create_endpoint"
### BEGIN SOLUTION: endpoint = Endpoint.create(...), then statuses and deployment_seconds
from sagemaker_core.resources import Endpoint

endpoint = Endpoint.create(endpoint_name=run, endpoint_config_name=f"{run}-config", tags=tags)
statuses = [endpoint.endpoint_status]
while endpoint.endpoint_status == "Creating":
    time.sleep(0.1)
    endpoint.refresh()
    if endpoint.endpoint_status != statuses[-1]:
        statuses.append(endpoint.endpoint_status)
deployment_seconds = (endpoint.last_modified_time - endpoint.creation_time).total_seconds()
### END SOLUTION
print(statuses, f"{deployment_seconds:.2f} s")

# %% test="statuses_check" points=2 guide="G412"
checks.deployed(run, statuses)

# %% test="deployment_time_check" points=2 guide="G411"
checks.deployment_time(deployment_seconds, run)

# %% [markdown]
# **In your own words (5 points).** Why are configuration and endpoint two objects? Give two things this lets you
# do. And how does deploying this endpoint differ from deploying one on machines: in what is started, in how long
# it takes, and in what you pay while nobody calls?

# %% [markdown] answer="why_two_objects" points=5 guide="G410,G413"
# The endpoint is the address that callers know; the configuration is what stands behind it at the moment. So I
# can change the model, memory or machines by pointing the endpoint to another configuration, while callers go on
# calling the same name, and go back to the old one if the new one is worse, since it still exists unchanged. One
# configuration can also be used for a test endpoint and a production one. On machines, instances are rented and
# booted first, which takes four to five minutes on AWS, and then they are billed by the second although nobody
# calls. Here only the container is proved to start once, mine took 0.4 s locally and AWS needs two to three
# minutes, and after that nothing runs and nothing is billed until somebody calls.

# %% [markdown]
# ## Call it
#
# ### Method 1: the runtime client
#
# The endpoint speaks HTTP: bytes in, bytes out, and a content type that says what they are. The model wants what
# it was trained on: CSV, no header, **no label**.
#
# **Your task:** ask for the first five customers in one request, by `invoke_endpoint` of a boto3 client for
# `sagemaker-runtime`, kept as `runtime`. Keep the answer as `runtime_probability`, a list of five floats.
#
# *Research:* `invoke_endpoint` in the boto3 documentation of `SageMakerRuntime`. What kind of object is `Body` in
# the answer, and how many times can it be read?

# %% solution="method_one"
### BEGIN SOLUTION: runtime = boto3.client(...), invoke_endpoint with five rows, floats of its Body
runtime = boto3.client("sagemaker-runtime")
answer = runtime.invoke_endpoint(EndpointName=run, ContentType="text/csv", Body="\n".join(rows[:5]))
runtime_probability = [float(line) for line in answer["Body"].read().decode().split()]
### END SOLUTION
runtime_probability

# %% test="method_one_check" points=4 guide="G415,G416,G423"
checks.same_predictions(runtime_probability, local_probability[:5])
checks.invoked(run, least=1)

# %% [markdown] guide="G423"
# The check compared the five numbers with the booster on this machine: equal to five digits. This is the first
# thing to do when somebody says that predictions are wrong: if both agree, the endpoint is fine and the *rows*
# are wrong.

# %% [markdown]
# ### When the answer is an error
#
# A caller that only knows success is not finished. Three things go wrong in practice:
#
# | what | `error.response["Error"]["Code"]` | again? |
# |---|---|---|
# | the row is not what the model reads | `ModelError`, with `error.response["OriginalStatusCode"]` 400 to 499 | no: it will fail again |
# | no such endpoint, or not in service | `ValidationError` | no |
# | too many at once, or the process died | anything else | yes, after a while |
#
# **Your task:** a function `ask(endpoint_name, body)` that never raises a `ClientError`. It returns
# `{"scores": [floats]}`, or `{"problem": "input"}`, `{"problem": "endpoint"}` or `{"problem": "busy"}`. Before
# it answers `busy`, it tries up to eight times and waits longer each time.
#
# *Research:* `botocore.exceptions.ClientError`; "exponential backoff".


# %% solution="ask"
### BEGIN SOLUTION: def ask(endpoint_name, body) with a loop of tries, an except ClientError, and a growing pause
def ask(endpoint_name, body):
    for attempt in range(8):
        try:
            answer = runtime.invoke_endpoint(EndpointName=endpoint_name, ContentType="text/csv", Body=body)
            return {"scores": [float(line) for line in answer["Body"].read().decode().split()]}
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return {"problem": "endpoint"}
            if 400 <= error.response.get("OriginalStatusCode", 0) < 500:
                return {"problem": "input"}
            time.sleep(0.1 * 2**attempt)
    return {"problem": "busy"}


### END SOLUTION

# %% test="ask_check" points=4 guide="G417,G430"
checks.handles_errors(ask, run, rows[0], "1," + rows[0])

# %%
print(ask(run, rows[0]), ask(run, "1," + rows[0]), ask("nobody-is-here", rows[0]))

# %% [markdown] quiz="what_to_retry" points=2 key="BD" guide="G417"
# **Question.** After which of these should a program simply try again, a little later? (Two are right.)
#
# - A. The model answered 400: the row has a column too many.
# - B. `ThrottlingException`: more requests at once than allowed.
# - C. The endpoint does not exist.
# - D. The process of the model ended while it worked, `OriginalStatusCode` 0, for the first time today.

# %% [markdown]
# ### Method 2: `Predictor`
#
# The SageMaker SDK has a class for this. You say once how to write requests and how to read answers; then a
# prediction is a function call with lists in and lists out.
#
# **Your task:** two `Predictor` objects for the endpoint `run`, both with a `CSVSerializer`: one that reads CSV,
# one that reads JSON. Give both the first five rows of `features` (numbers this time). Keep `csv_probability` and
# `json_probability`, five floats each.
#
# *Research:* `sagemaker.predictor.Predictor`, `sagemaker.serializers`, `sagemaker.deserializers`. Print what each
# of them returns before you take it apart. `CSVDeserializer` asks for `text/csv`, `JSONDeserializer` for
# `application/json`: who turns the model's numbers into JSON?

# %% given="before_method_two"
calls_before = checks.answered_before(run)  # so many requests the endpoint's log shows until now

# %% solution="method_two"
### BEGIN SOLUTION: two Predictors, csv_probability and json_probability
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

as_csv = Predictor(run, serializer=CSVSerializer(), deserializer=CSVDeserializer())
as_json = Predictor(run, serializer=CSVSerializer(), deserializer=JSONDeserializer())
csv_probability = [float(row[0]) for row in as_csv.predict(features[:5])]
json_probability = [entry["score"] for entry in as_json.predict(features[:5])["predictions"]]
### END SOLUTION
print(csv_probability, json_probability, sep="\n")

# %% test="method_two_check" points=4 guide="G418"
checks.same_predictions(csv_probability, local_probability[:5])
checks.same_predictions(json_probability, local_probability[:5])
checks.invoked(run, least=calls_before + 2)

# %% [markdown]
# **In your own words (5 points).** Which boilerplate of method 1 did `Predictor` take off you? Name three pieces.
# And when would you still call the runtime client yourself?

# %% [markdown] answer="boilerplate" points=5 guide="G419,G420"
# The serializer wrote my array as CSV and set the content type; the deserializer set the Accept header, read the
# body and turned it into numbers; and the endpoint's name is given once and not with each call. I would use the
# runtime client in an application that only needs predictions: boto3 is a small dependency and starts fast, for
# example in a Lambda function, while the SageMaker SDK is large. Also when I need what Predictor hides: my own
# retries and timeouts, the error's original status, which variant answered, or a format it has no class for.

# %% [markdown]
# ## When it does not work
#
# ### The wrong form, and the label in the row
#
# Two mistakes everybody makes once: JSON, because web services like JSON, and the label left in the row, because
# the training file has it.
#
# **Your task:** make both on purpose with `runtime`, catch the `ClientError`, and keep from its `response` the
# `OriginalStatusCode` as `json_status` and `label_status`, and of the second the `OriginalMessage` as
# `label_message`. For the label, put `"1,"` before `rows[0]`.

# %% solution="two_mistakes"
def refusal(body, content_type):
    ### BEGIN SOLUTION: call invoke_endpoint in a try, return the response of the ClientError; then use it twice
    try:
        runtime.invoke_endpoint(EndpointName=run, ContentType=content_type, Body=body)
    except ClientError as error:
        return error.response


json_status = refusal("[[1, 2, 3]]", "application/json")["OriginalStatusCode"]
label_refusal = refusal("1," + rows[0], "text/csv")
label_status, label_message = label_refusal["OriginalStatusCode"], label_refusal["OriginalMessage"]
### END SOLUTION
print(json_status, label_status, label_message)

# %% test="two_mistakes_check" points=4 guide="G422"
checks.value([json_status, label_status], [415, 400], "415 is for the content type, 400 for the row")
checks.invoked(run, least=1, status=415)
checks.invoked(run, least=1, status=400)

# %% [markdown]
# 415 means "I do not read this type", 400 "I read it and it makes no sense": the message counts the model's
# columns and yours. Both are the *container's* words. SageMaker wraps them in a `ModelError` and names the log to
# look at.
#
# ### The mistake that says nothing
#
# Too many columns are refused. What about a column too few, or the right ones in another order?

# %%
from sklearn.metrics import roc_auc_score

cells = [row.split(",") for row in rows]
variants = {
    "as trained": rows,
    "last column missing": [",".join(row[:-1]) for row in cells],
    "first column missing": [",".join(row[1:]) for row in cells],
    "columns reversed": [",".join(reversed(row)) for row in cells],
}
for name, body in variants.items():
    print(f"{name:22} AUC {roc_auc_score(labels, ask(run, chr(10).join(body))['scores']):.3f}")

# %% [markdown]
# Every call answered 200, with plausible numbers between 0 and 1. Only the comparison with labels shows which of
# them are worthless. XGBoost takes columns by position. What is missing at the end counts as a missing value and
# may do little harm; without the *first* column everything slides by one place, and customers are ranked worse
# than by guessing.

# %% [markdown] quiz="too_few_columns" points=2 key="C" guide="G422,G423"
# **Question.** An application sends rows without the first column. How do you notice?
#
# - A. The endpoint answers 400.
# - B. CloudWatch's `Invocation4XXErrors` rises.
# - C. Neither status nor metrics show it: compare a few predictions with the local booster, and the columns with
#   those of training.

# %% [markdown] guide="G421"
# ### An endpoint that does not come up
#
# Now a model whose archive does not hold a model. Everything up to `create` is accepted, because nothing looks
# into the archive before the container does.

# %% given="broken"
def deploy(name, archive_bytes):
    key = f"churn/{run}/{name}/model.tar.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=archive_bytes)
    content = ContainerDefinition(image=container_image, model_data_url=f"s3://{bucket}/{key}")
    Model.create(model_name=name, primary_container=content, execution_role_arn=role)
    smallest = ProductionVariantServerlessConfig(memory_size_in_mb=1024, max_concurrency=1)
    only = ProductionVariant(variant_name="AllTraffic", model_name=name, serverless_config=smallest)
    EndpointConfig.create(endpoint_config_name=name, production_variants=[only])
    return Endpoint.create(endpoint_name=name, endpoint_config_name=name)


# %% given="pack"
from sagemaker_core.resources import Endpoint, EndpointConfig, Model
from sagemaker_core.shapes import ContainerDefinition, ProductionVariant, ProductionVariantServerlessConfig

container_image = job.algorithm_specification.training_image


def pack(content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


# %%
broken = deploy(f"{run}-broken", pack(b"this is no model"))
print(broken.endpoint_status)

# %% [markdown]
# **Your task:** wait until it is no longer `Creating`, then keep `failure_reason`, the reason the endpoint gives,
# and `log_text`, everything that its container wrote to CloudWatch, joined to one string. The log group is
# `/aws/sagemaker/Endpoints/` and the endpoint's name.
#
# *Research:* `wait_for_status` raises an error for a failed endpoint; a loop with `refresh()` does not.
# `filter_log_events` of the boto3 client for `logs` reads all streams of a group.

# %% solution="find_the_reason"
### BEGIN SOLUTION: a loop until broken is no longer Creating, failure_reason, and log_text from filter_log_events
while broken.refresh().endpoint_status == "Creating":
    time.sleep(0.2)
failure_reason = broken.failure_reason
group = f"/aws/sagemaker/Endpoints/{run}-broken"
events = boto3.client("logs").filter_log_events(logGroupName=group)["events"]
log_text = "\n".join(event["message"] for event in events)
### END SOLUTION
print(broken.endpoint_status, failure_reason, log_text[-400:], sep="\n\n")

# %% test="broken_check" points=3 guide="G414,G421"
checks.failed_endpoint(f"{run}-broken", failure_reason)
checks.mentions(log_text, "xgboost-model", "the log names the file that could not be loaded")

# %% [markdown] quiz="where_to_look" points=1 key="B" guide="G414,G421"
# **Question.** The failure reason speaks of a health check that was not passed in time. Where does the *cause*
# stand?
#
# - A. Nowhere; try again.
# - B. In the endpoint's log in CloudWatch: the container says that it cannot load the file.
# - C. In the endpoint configuration.

# %% [markdown]
# What does a caller get from an endpoint that is there but not in service?

# %% guide="G417,G422"
print(ask(f"{run}-broken", rows[0]))
broken.delete()

# %% [markdown] guide="G407"
# ### Too little memory
#
# `Creating`, `InService`, and it answers the first request: then memory is enough? Memory is also needed *while* a
# request is worked on. Here is a model with 1,000 outputs, as a shop has that scores 1,000 products for a
# visitor. Its file is tiny. Its answers are not.

# %% given="heavy"
outputs = 1_000
inputs = np.linspace(0, 1, outputs).reshape(-1, 1)
settings = {"objective": "multi:softprob", "num_class": outputs, "max_depth": 2, "min_child_weight": 0}
recommender = xgb.train(settings | {"nthread": 1}, xgb.DMatrix(inputs, np.arange(outputs)), 1)
heavy = deploy(f"{run}-heavy", pack(bytes(recommender.save_raw("ubj"))))
heavy.wait_for_status("InService", poll=1)

# %%
visitors = 40_000
request = "0.5\n" * visitors
print(f"request {len(request) / 1e6:.1f} MB, answer as 4-byte numbers {visitors * outputs * 4 / 1e6:.0f} MB")
try:
    runtime.invoke_endpoint(EndpointName=f"{run}-heavy", ContentType="text/csv", Body=request)
except ClientError as error:
    print(error.response["OriginalStatusCode"], error.response["Error"]["Message"][:110])

# %% [markdown]
# The request is far below the limit of 4 MB. But the container makes a Python number of each of 40 million
# predictions, and each of those takes eight times what it takes in the matrix: 1.3 GB. The process was killed at
# 1024 MB. Status 0 means that there was no answer at all.
#
# **Your task:** without more memory, get scores for 150 visitors out of it: `best_product`, a list of 150 whole
# numbers, the output with the highest score for each. Send portions of at most 50 rows of `"0.5"`.
#
# *Hint:* one line of the answer is one visitor, with commas between the outputs.

# %% solution="portions"
best_product = []
### BEGIN SOLUTION: a loop that sends 50 rows at a time and appends the argmax of each line of the answer
for _ in range(3):
    answer = runtime.invoke_endpoint(
        EndpointName=f"{run}-heavy", ContentType="text/csv", Body="0.5\n" * 50
    )
    for line in answer["Body"].read().decode().splitlines():
        best_product.append(int(np.argmax([float(score) for score in line.split(",")])))
### END SOLUTION
print(len(best_product), set(best_product))
heavy.delete()

# %% test="portions_check" points=2 guide="G407,G430"
checks.value(len(best_product), 150, "one whole number for each line of each answer")
checks.invoked(f"{run}-heavy", least=3)

# %% [markdown] quiz="memory_is_short" points=1 key="A" guide="G407,G421"
# **Question.** One kind of request kills the process of your endpoint for lack of memory; the others are fine.
# What should you *not* rely on?
#
# - A. Retries: the same request needs the same memory and kills the next process too.
# - B. Sending less at once.
# - C. A larger `memory_size_in_mb` by a new endpoint configuration.

# %% [markdown]
# ## How fast?
#
# ### Latency
#
# **Your task:** time 50 calls for one customer each, one after the other. Keep `latencies_ms`, a list of
# milliseconds in order, and its percentiles `p50_ms` and `p95_ms`.
#
# *Research:* `time.perf_counter`; `numpy.percentile`. Why not the mean?

# %% solution="latency"
### BEGIN SOLUTION: latencies_ms of 50 calls, p50_ms and p95_ms
latencies_ms = []
for row in rows[:50]:
    began = time.perf_counter()
    runtime.invoke_endpoint(EndpointName=run, ContentType="text/csv", Body=row)["Body"].read()
    latencies_ms.append((time.perf_counter() - began) * 1000)
p50_ms, p95_ms = (float(value) for value in np.percentile(latencies_ms, [50, 95]))
### END SOLUTION
print(f"p50 {p50_ms:.1f} ms, p95 {p95_ms:.1f} ms, slowest {max(latencies_ms):.1f} ms")

# %% test="latency_check" points=4 guide="G425"
checks.percentiles(latencies_ms, p50_ms, p95_ms, run)

# %%
figure, axis = plt.subplots(figsize=(7, 3))
axis.plot(latencies_ms, color="black", marker=".", linewidth=0.8)
axis.axhline(p50_ms, color="black", linestyle="-", linewidth=0.8, label="p50")
axis.axhline(p95_ms, color="black", linestyle="--", linewidth=0.8, label="p95")
axis.set(xlabel="call", ylabel="milliseconds", ylim=(0, None), title="one customer a call, warm")
axis.legend()
plt.show()

# %% [markdown] guide="G425"
# *In words:* most calls lie close together at the solid line, a few stand out up to or above the dashed one. Such
# a picture has a floor and a tail, so a mean describes nobody: say "half of all calls take less than p50, one of
# twenty takes more than p95".

# %% [markdown]
# ### Cold starts
#
# One process is warm, because you have just been calling it. If a second request comes while it works, SageMaker
# has to start another process: a cold start, even in the middle of the day. To see it, a request must take long
# enough for another to come meanwhile; so these carry all validation customers ten times over.

# %% given="rush"
large = "\n".join(rows * 10)
impatient = boto3.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))


def call(body):
    began = time.perf_counter()
    try:
        impatient.invoke_endpoint(EndpointName=run, ContentType="text/csv", Body=body)["Body"].read()
        return "answered", (time.perf_counter() - began) * 1000
    except ClientError as error:
        return error.response["Error"]["Code"], (time.perf_counter() - began) * 1000


# %% given="metric"
def metric(name, *statistics, endpoint_name=None):
    end = datetime.now(UTC) + timedelta(minutes=1)
    names = {"EndpointName": endpoint_name or run, "VariantName": "AllTraffic"}
    return boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in names.items()],
        StartTime=end - timedelta(hours=1),
        EndTime=end,
        Period=3600,
        Statistics=list(statistics),
    )["Datapoints"]


# %%
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(call, [large, large])))
for _ in range(60):
    if metric("ModelSetupTime", "SampleCount"):
        break
    time.sleep(0.2)
metric("ModelSetupTime", "SampleCount", "Maximum")

# %% [markdown]
# CloudWatch keeps `ModelSetupTime`, in **microseconds**, for requests that had to wait for a start, and only for
# those. (On AWS metrics appear a minute or two late: run the next cell again then.)
#
# **Your task:** `cold_start_count` and `longest_cold_start_ms` from that metric, by the function `metric` above.

# %% solution="cold_starts"
### BEGIN SOLUTION: add up SampleCount, take the largest Maximum, and turn microseconds into milliseconds
points = metric("ModelSetupTime", "SampleCount", "Maximum")
cold_start_count = int(sum(point["SampleCount"] for point in points))
longest_cold_start_ms = max(point["Maximum"] for point in points) / 1000
### END SOLUTION
print(f"{cold_start_count} cold start, {longest_cold_start_ms:.1f} ms, against {p50_ms:.1f} ms for a warm call")

# %% test="cold_starts_check" points=3 guide="G424"
checks.cold_starts(cold_start_count, longest_cold_start_ms, run)

# %%
figure, axis = plt.subplots(figsize=(6, 2.5))
bars = {"warm call, p50": p50_ms, "warm call, p95": p95_ms, "cold start alone": longest_cold_start_ms}
axis.barh(list(bars), list(bars.values()), color=["white", "lightgray", "black"], edgecolor="black")
axis.set(xlabel="milliseconds")
axis.invert_yaxis()
plt.show()

# %% [markdown] guide="G424"
# *In words:* the black bar, the start of a process with its model, takes longer than a whole warm call.
# Here the process comes from a pool that has XGBoost loaded already; on AWS a container has to be brought up, and
# the black bar is one to several *seconds* against ten to fifty milliseconds.
#
# A process that nobody asks ends: here after 20 seconds, on AWS after some minutes that are not published. To see
# it, put 25 into `pause` and run the next cell; it stays 0 so that the notebook runs quickly.

# %%
pause = 0
time.sleep(pause)
print([f"{call(rows[0])[1]:.1f} ms" for _ in range(3)])

# %% [markdown] quiz="why_cold" points=2 key="C" guide="G424"
# **Question.** At 9 o'clock the first caller waits 3 s, all others 20 ms. At 12 o'clock, with traffic all the
# time, some wait 3 s again. Why?
#
# - A. The endpoint was updated.
# - B. The process had been idle.
# - C. More requests came at once than there were processes, so new ones had to start.

# %% [markdown]
# ### More at once than allowed
#
# Your plan allows two at a time. Send eight.
#
# **Your task:** send `large` eight times at once by `call`, as above, and count: `answered` and `refused`, two
# whole numbers.

# %% solution="too_many"
### BEGIN SOLUTION: a pool of eight threads, pool.map(call, ...), and two counts
with ThreadPoolExecutor(8) as pool:
    outcomes = [outcome for outcome, _ in pool.map(call, [large] * 8)]
answered = outcomes.count("answered")
refused = outcomes.count("ThrottlingException")
### END SOLUTION
print(f"{answered} answered, {refused} refused")

# %% test="too_many_check" points=3 guide="G426,G430"
checks.throttled(answered, refused, 8, run)

# %% [markdown]
# The refused ones came back quickly and cost nothing. `ThrottlingException` is no failure of the model; it says
# "later". Your `ask` knows that word.
#
# **Your task:** the same eight by `ask`, kept as `patient`, a list of what it returned.

# %% solution="patience"
### BEGIN SOLUTION: the same pool, with ask in place of call
with ThreadPoolExecutor(8) as pool:
    patient = list(pool.map(lambda body: ask(run, body), [large] * 8))
### END SOLUTION
print([len(answer.get("scores", [])) for answer in patient])

# %% test="patience_check" points=2 guide="G417,G426,G430"
checks.all_answered([answer.get("scores") for answer in patient], 8)

# %% [markdown] quiz="who_is_throttled" points=2 key="B" guide="G426"
# **Question.** Callers report `ThrottlingException` every day at 12 o'clock. What do you change?
#
# - A. `memory_size_in_mb`.
# - B. `max_concurrency`, and retries with growing pauses in the callers.
# - C. The model: it is too large.

# %% [markdown] guide="G430"
# What CloudWatch knows after all this, and what a team would put on its screen:

# %% guide="G430"
for name, statistic in {
    "Invocations": "Sum",
    "Invocation4XXErrors": "Sum",
    "Invocation5XXErrors": "Sum",
    "ModelLatency": "Average",
    "OverheadLatency": "Average",
    "ModelSetupTime": "Maximum",
}.items():
    print(f"{name:22}{statistic:10}", *[f"{point[statistic]:12,.0f}" for point in metric(name, statistic)])

# %% [markdown]
# ## What does it cost?
#
# The prices come from the course's dated price file, which you can replace by your own. Memory comes from the
# endpoint itself.

# %% given="rates"
served = boto3.client("sagemaker").describe_endpoint(EndpointName=run)["ProductionVariants"][0]
memory_mb = served["CurrentServerlessConfig"]["MemorySizeInMB"]
rates = prices.load_prices()
gb_second = rates.serverless_gb_second
machine = "ml.m5.large"
machine_hour = rates.hourly(machine, hosting=True)
print(f"{memory_mb} MB, ${gb_second} a GB-second, {machine} ${machine_hour} an hour, prices of {rates.as_of}")

# %% [markdown]
# **Your task:** `cost_of_thousand`, in dollars: 1,000 predictions of the mean duration of your `latencies_ms`
# (take it for the time that is billed), with this memory. Leave data transfer out.

# %% solution="cost_of_thousand"
### BEGIN SOLUTION: gigabytes x seconds x price x 1,000
mean_seconds = float(np.mean(latencies_ms)) / 1000
cost_of_thousand = 1000 * mean_seconds * memory_mb / 1024 * gb_second
### END SOLUTION
print(f"${cost_of_thousand:.6f} for 1,000 predictions")

# %% test="cost_of_thousand_check" points=2 guide="G427"
checks.cost_of_thousand(cost_of_thousand, memory_mb, latencies_ms)

# %% [markdown]
# **Your task:** `break_even_a_day`, the number of requests a day from which one `machine`, rented all day, is
# cheaper.

# %% solution="break_even"
### BEGIN SOLUTION: the machine's price of a day by the price of one serverless request
break_even_a_day = 24 * machine_hour / (cost_of_thousand / 1000)
### END SOLUTION
print(f"{break_even_a_day:,.0f} requests a day, {break_even_a_day / 86_400:.1f} a second")

# %% test="break_even_check" points=2 guide="G427"
checks.break_even(break_even_a_day, memory_mb, latencies_ms, machine)

# %%
a_day = np.logspace(2, np.log10(break_even_a_day * 10), 60)
figure, axis = plt.subplots(figsize=(7, 3.5))
axis.loglog(a_day, a_day * cost_of_thousand / 1000, color="black", linestyle="-", label="serverless")
axis.loglog(a_day, np.full(60, 24 * machine_hour), color="black", linestyle="--", label=f"one {machine}")
axis.axvline(break_even_a_day, color="gray", linestyle=":", label="break-even")
axis.set(xlabel="requests a day", ylabel="dollars a day")
axis.legend()
plt.show()

# %% [markdown] guide="G427"
# *In words:* the solid line rises with the number of requests and starts at fractions of a cent; the dashed one is
# flat at 24 times the price of an hour. They meet at the dotted line, at millions of requests a day for a model
# as small as ours. Left of it serverless is cheaper, right of it a machine, if one machine can carry that much.

# %% [markdown]
# **In your own words (7 points).** Make the case to whoever pays. Choose a request pattern for the chatbot (how
# many an hour, by day and by night) and answer: what does a month cost serverless and on one machine, by your own
# figures? Which latency is acceptable, and what do cold starts do to the customer's experience? Which settings do
# you recommend, and what would make you change your mind?

# %% [markdown] answer="business_case" points=7 guide="G428,G429"
# Pattern: 600 requests an hour for nine hours on 22 days, 10 an hour otherwise: about 125,000 a month. My mean was
# 3 ms at 1 GB, so 1,000 predictions cost about $0.00006 and the month less than one cent; on AWS, with 30 ms and
# some cold starts, still a few cents. One ml.m5.large costs 0.115 x 730 = $84 a month, whatever happens. The
# break-even lies at tens of millions of requests a day, four orders of magnitude away. An agent reads the risk
# while talking, so half a second is fine and even three seconds once in the morning do no harm; at 600 an hour
# one request comes every six seconds, so cold starts occur at the start of the day and rarely later. I recommend
# 1024 MB, a concurrency of 5 and retries, no provisioned concurrency. I would change my mind if the score were
# shown to customers on a web page at every click, if p95 had to be below 100 ms always, or if traffic reached a
# few hundred requests a second.

# %% [markdown]
# ## Update without a break
#
# A configuration never changes. To serve from other settings, or another model, make a new configuration and
# point the endpoint to it: SageMaker starts the new processes next to the old ones, moves the traffic, then ends
# the old ones.
#
# **Your task:** a second configuration `f"{run}-config-2"` with the same model and a `max_concurrency` of 4, and
# the endpoint updated to it. *While* it is `Updating`, keep asking for `rows[0]` by `ask`, and collect the answers
# in `during`. Then wait until it is `InService` again.
#
# *Research:* `Endpoint.update`. It takes no name of a configuration: which attribute of `endpoint` does it send?

# %% solution="update"
during = []
### BEGIN SOLUTION: a second EndpointConfig, endpoint.update(...), ask() in a loop while it is Updating
larger = ProductionVariantServerlessConfig(memory_size_in_mb=memory_mb, max_concurrency=4)
variant = ProductionVariant(variant_name="AllTraffic", model_name=run, serverless_config=larger)
config_2 = EndpointConfig.create(endpoint_config_name=f"{run}-config-2", production_variants=[variant])
endpoint.endpoint_config_name = f"{run}-config-2"
endpoint.update()
while True:
    during.append(ask(run, rows[0]))
    if endpoint.refresh().endpoint_status != "Updating":
        break
### END SOLUTION
print(endpoint.endpoint_status, endpoint.endpoint_config_name, f"{len(during)} answers meanwhile")

# %% test="update_check" points=3 guide="G410"
checks.updated(run, f"{run}-config")
checks.all_answered([answer.get("scores") for answer in during], max(len(during), 1))

# %% [markdown]
# **In your own words (6 points).** This endpoint is to go into production. One or two sentences each: how do you
# control who may call it; which alarms do you set, on which metrics; how do you bring out a new model version and
# get back; what if traffic becomes ten times as much?

# %% [markdown] answer="production" points=6 guide="G431"
# Access: only roles whose policy allows sagemaker:InvokeEndpoint on exactly this endpoint's ARN may call it, the
# application has such a role of its own, and nobody holds keys; what comes from outside goes through an API with
# its own sign-in. Alarms: on Invocation5XXErrors and Invocation4XXErrors as a share of Invocations, on the p95 of
# ModelLatency plus OverheadLatency, on throttled calls counted by the callers, and on the drift of the scores'
# distribution. Versions: every model has its own name and configuration with a version in it; I update the
# endpoint to the new configuration, watch, and go back by updating to the old one; on machines also with a canary
# share and automatic rollback. Ten times the traffic: raise max_concurrency first and check the account's limit,
# then compare with the break-even, and move to machines with automatic scaling when it is passed.

# %% [markdown]
# ## Clean up
#
# An endpoint that is forgotten is the classic of cloud bills. A serverless one costs nothing while nobody calls,
# but it can be called, and it counts against your limits.
#
# **Your task:** delete everything whose name starts with `run`: all endpoints, then configurations, then models.
# Do it by listing, not from memory.
#
# *Research:* `Endpoint.get_all(name_contains=...)` and its kin; `delete()`; `wait_for_delete()`.

# %% solution="clean_up"
### BEGIN SOLUTION: get_all(name_contains=run) of Endpoint, EndpointConfig and Model, and delete() each
for left in list(Endpoint.get_all(name_contains=run)):
    if left.endpoint_status != "Deleting":
        left.delete()
    left.wait_for_delete(poll=1)
for kind in (EndpointConfig, Model):
    for left in list(kind.get_all(name_contains=run)):
        left.delete()
### END SOLUTION

# %% test="clean_up_check" points=3 guide="G432"
checks.nothing_left(run)

# %% [markdown] guide="G429"
# ## Could you do it again?
#
# | you should be able to | you showed it in |
# |---|---|
# | say why these settings for memory and concurrency | `plan_check`, `config_check`, "Defend your three numbers" |
# | say what they cost | `cost_of_thousand_check`, `break_even_check` |
# | get predictions in both ways | `method_one_check`, `method_two_check` |
# | find out why an endpoint fails | `two_mistakes_check`, `broken_check`, `portions_check` |

# %% [markdown]
# ## You now have
#
# - a model that answered in two ways, and the same as on this machine,
# - a function that survives bad rows, missing endpoints and throttling,
# - latency, cold starts and throttling in your own numbers,
# - a price of 1,000 predictions and a break-even point,
# - an endpoint that changed its settings while it served, and is gone.
#
# Next, `a5_corelab_session`: all the names, paths and roles that you have been writing by hand, in one object.
