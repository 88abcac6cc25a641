# %% [markdown] guide="G301"
# # Batch transform: ten thousand customers at once
#
# Marketing wants to know, for each of next month's 10,000 customers, how likely it is that they leave. Nobody
# waits for a single answer; they want a file, tomorrow. Asking an endpoint 10,000 times would be slow, and the
# endpoint would have to run all the while. A **batch transform job** starts a machine, sends a file through your
# model, writes a file of results, and is gone again.
#
# You will
#
# - choose one of your trained models and make it a **Model** resource,
# - write the batch in the **form for inference**, which is not the form for training,
# - describe and run a **transform job**,
# - find, read and **test** its results,
# - break jobs in five ways, read what AWS says, and mend them,
# - work out time and **cost** for one prediction, and for a million,
# - turn chances into a **list of customers to call**, and say how far to trust it.
#
# It takes about 100 minutes and is worth 100 points. On AWS itself one run costs a few cents; in the local cloud
# it costs nothing.

# %% [markdown]
# ## Connect

# %% given="connect"
import corelab

corelab.connect()

# %% given="setup"
import io
import tarfile
import time

import boto3
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xgboost as xgb
from botocore.exceptions import ClientError, WaiterError

from corelab import checks, churn

# %% given="session"
from sagemaker_core.helper.session_helper import Session, get_execution_role
from sagemaker_core.resources import Model, TrainingJob, TransformJob

session = Session()
region = session.boto_region_name
bucket = session.default_bucket()
role = get_execution_role()
sagemaker = boto3.client("sagemaker")
s3 = boto3.client("s3")
run = f"a3-{time.strftime('%y%m%d-%H%M%S', time.gmtime())}"

# %% [markdown]
# ## When a batch, when an endpoint?

# %% [markdown] quiz="scenarios" points=2 key="AC" guide="G303"
# **Question.** Which of these are work for batch transform? Choose all.
#
# - A. A report on churn risk that marketing gets once a month
# - B. A web page that shows an agent the risk of the customer on the phone
# - C. Scoring every night whoever signed up that day

# %% [markdown] quiz="batch_costs" points=2 key="B" guide="G302"
# **Question.** What do you pay for?
#
# - A. Batch: each row. Endpoint on an instance: each request.
# - B. Batch: the seconds its machines work. Endpoint on an instance: every second it exists, asked or not.
# - C. Batch: nothing, if the model was trained in SageMaker. Endpoint: each request.

# %% [markdown]
# **In your own words (4 points).** A batch job of a second of work takes minutes on AWS until its file is there;
# an endpoint answers within milliseconds. When is the batch still the better choice? Name two conditions, and one
# that rules it out.

# %% [markdown] answer="when_batch" points=4 guide="G302"
# When nobody waits for a single answer, and when the customers are known beforehand as a file: then minutes of
# starting a machine do not matter, and between two runs nothing is paid, while an endpoint on an instance costs
# 2.76 dollars a day whether it is asked or not. Many rows at once are also faster in sum, since thousands travel
# in one request. It is ruled out when the answer depends on something that happens now, such as the call just
# answered: a list from last night does not know it.

# %% [markdown]
# ## The customers of next month

# %% given="batch"
batch_customers = churn.batch()
batch_ids = batch_customers["customer_id"].tolist()
batch_customers.head()

# %% [markdown]
# There is no column `churn`: nobody knows yet. Everything else is as you know it.
#
# **Your task:** your `prepare` of the assignments before, exactly as it was when your model was trained, and
# `features`, what it makes of `batch_customers`.
#
# *Research:* nothing new. If your `prepare` fills gaps with averages or scales columns, use the numbers of the
# *training* customers, not of these.

# %% solution="prepare"
### BEGIN SOLUTION: a function prepare(customers) as in training, and features, what it makes of the batch
def prepare(customers):
    table = customers.drop(columns=["customer_id", "churn"], errors="ignore").fillna({"total_charge": 0})
    return pd.get_dummies(table, dtype=int)


features = prepare(batch_customers)
### END SOLUTION
features.shape

# %% test="features_check" points=1 guide="G308"
checks.features(features, rows=10_000)

# %% [markdown]
# ## Which model?
#
# The next cells look, by tags, for the best job of assignment 2 and your job of assignment 1, and keep those
# whose model knows as many columns as your `prepare` makes.

# %% given="find_jobs"
def newest(resource, assignment):
    """The name of the newest finished job of an assignment, found by its tags."""
    wanted = {"Tags.course": "corelab", "Tags.assignment": assignment, f"{resource}Status": "Completed"}
    filters = [{"Name": name, "Operator": "Equals", "Value": value} for name, value in wanted.items()]
    order = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 1}
    found = sagemaker.search(Resource=resource, SearchExpression={"Filters": filters}, **order)["Results"]
    return found[0][resource][f"{resource}Name"] if found else None


def best_of(tuning_job_name):
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)
    return found.get("BestTrainingJob", {}).get("TrainingJobName")


# %% given="load_booster"
def load_booster(job):
    """The model that a training job wrote."""
    place, _, key = job.model_artifacts.s3_model_artifacts.removeprefix("s3://").partition("/")
    packed = io.BytesIO(s3.get_object(Bucket=place, Key=key)["Body"].read())
    booster = xgb.Booster()
    with tarfile.open(fileobj=packed) as archive:
        booster.load_model(bytearray(archive.extractfile("xgboost-model").read()))
    return booster


# %% [markdown]
# If there is none, for instance in a fresh cloud, these two train a model on your `prepare`, and say so.

# %% given="baseline_data"
def upload_customers():
    customers = churn.load()
    part = churn.split_index(customers["customer_id"])
    table = prepare(customers)
    table.insert(0, "churn", customers["churn"])
    uris = {}
    for name in ("train", "validation"):
        table[part == name].to_csv(f"{name}.csv", header=False, index=False)
        uris[name] = session.upload_data(f"{name}.csv", key_prefix=f"churn/{run}/{name}")
    return uris


# %% given="baseline_job"
def train_baseline():
    from sagemaker import image_uris
    from sagemaker.estimator import Estimator
    from sagemaker.inputs import TrainingInput

    settings = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": 100, "max_depth": 5, "eta": 0.2}
    settings["tree_method"] = "hist"
    machine = {"instance_count": 1, "instance_type": "ml.m5.large", "volume_size": 10, "max_run": 900}
    image = image_uris.retrieve("xgboost", region, "1.7-1")
    job = Estimator(image, role, **machine, output_path=f"s3://{bucket}/churn/{run}", hyperparameters=settings)
    job.fit({name: TrainingInput(uri, content_type="text/csv") for name, uri in upload_customers().items()}, logs=False)
    return job.latest_training_job.name


# %% given="candidates"
tuning_job_name = newest("HyperParameterTuningJob", "a2_hyperparameter_tuning")
found = [tuning_job_name and best_of(tuning_job_name), newest("TrainingJob", "a1_training_job")]
jobs = [TrainingJob.get(name) for name in found if name]
jobs = [job for job in jobs if load_booster(job).num_features() == features.shape[1]]
if not jobs:
    print(f"No finished job here knows {features.shape[1]} columns: training one.")
    jobs = [TrainingJob.get(train_baseline())]
rows = [{m.metric_name: m.value for m in job.final_metric_data_list} for job in jobs]
candidates = pd.DataFrame(rows, index=[job.training_job_name for job in jobs])
candidates[["validation:auc"]]

# %% [markdown]
# **Your task:** choose. `source_job_name` is the training job whose model will score the batch.

# %% solution="choose_model"
### BEGIN SOLUTION: source_job_name, one of the names in candidates
source_job_name = candidates["validation:auc"].idxmax()
### END SOLUTION
source_job_name

# %% test="source_check" points=2 guide="G306"
checks.source_job(source_job_name)

# %% [markdown]
# ### What a Model is

# %% [markdown] quiz="blueprint" points=2 key="C" guide="G307"
# **Question.** A Model is a blueprint. What does it specify?
#
# - A. The instance type, the number of instances and the input file
# - B. The training data and the hyperparameters
# - C. The container image, the address of the artifact, the environment, and the role to act in

# %% [markdown]
# **Your task:** `model_name`, with your name and `run` in it, and `model`, a Model of the image and the artifact
# of `source_job_name`.
#
# *Research:* `Model.create` in `sagemaker_core.resources`, `ContainerDefinition` in the shapes. A training job
# knows its image (`algorithm_specification`) and its artifact (`model_artifacts`). Which of `model_artifacts` and
# `output_data_config` holds the right address?

# %% solution="create_model"
student = "your-name"
### BEGIN SOLUTION: student, model_name, and model = Model.create(...) with a ContainerDefinition
from sagemaker_core.shapes import ContainerDefinition

student = "ada-lovelace"
source_job = TrainingJob.get(source_job_name)
image = source_job.algorithm_specification.training_image
artifact = source_job.model_artifacts.s3_model_artifacts
model_name = f"churn-{student}-{run}"
container = ContainerDefinition(image=image, model_data_url=artifact)
model = Model.create(model_name=model_name, primary_container=container, execution_role_arn=role)
### END SOLUTION
model_name

# %% test="model_check" points=5 guide="G305"
checks.model(model_name)

# %% [markdown]
# **In your own words (4 points).** A training job already wrote a model. What does a Model resource add, and why
# does it need an image *and* an artifact? And which artifact did you take, and why?

# %% [markdown] answer="artifact_and_model" points=4 guide="G304,G305,G306"
# The training job left a file. A file cannot answer: somebody must read it, take rows in and give predictions
# out, and that program is in the image. The Model joins both under one name, with the role that may fetch the
# artifact, and transform jobs and endpoints refer to it; it costs nothing and runs nothing by itself. The image
# must be the one that trained, since it knows the file format. I took the best job of assignment 2: it has the
# higher validation AUC on the same customers. The lead is small and partly luck, so had it needed other columns
# or a slower machine, I would have kept assignment 1's.

# %% [markdown]
# ### When a Model cannot be made

# %%
source = TrainingJob.get(source_job_name)
folder = source.model_artifacts.s3_model_artifacts.rsplit("/", 1)[0]
wrong = {"Image": source.algorithm_specification.training_image, "ModelDataUrl": f"{folder}/"}
mended_name = f"mended-{model_name}"[:63]
try:
    sagemaker.create_model(ModelName=mended_name, PrimaryContainer=wrong, ExecutionRoleArn=role)
except ClientError as refused:
    print(refused)

# %% [markdown]
# **Your task:** `model_refusal`, the words that say what could not be read, as they stand there; then create the
# Model `mended_name` after all.

# %% solution="model_refusal"
### BEGIN SOLUTION: model_refusal = "..." with the service's own words, then create_model(ModelName=mended_name, ...)
model_refusal = f"Could not access model data at {folder}/"
right = wrong | {"ModelDataUrl": source.model_artifacts.s3_model_artifacts}
sagemaker.create_model(ModelName=mended_name, PrimaryContainer=right, ExecutionRoleArn=role)
### END SOLUTION

# %% test="model_lab_check" points=2 guide="G322"
checks.refused_model(model_refusal, f"mended-{model_name}"[:63])

# %% [markdown] guide="G322,G323"
# A folder is no artifact. The long rest of the sentence names the other reasons for the same error: the role, its
# trust, the region. If the *image* does not fit the artifact, making the Model works, because nothing is opened
# yet; the container then fails when a job starts it. So take both from one training job, and check that this job
# is Completed.

# %% [markdown]
# ## The file for inference

# %% [markdown] quiz="inference_form" points=2 key="BD" guide="G309,G310"
# **Question.** How does the file for inference differ from the one for training? Choose all.
#
# - A. It has a header, so that columns are found by name.
# - B. It has no label: the first column is the first feature.
# - C. Missing cells must be filled, even where training left them empty.
# - D. A cell that is no number makes the whole request fail, where training silently read a missing value.

# %% [markdown]
# **Your task:** write `features` as `batch.csv` in this form, upload it into a folder of its own whose name holds
# `run`, and keep its address as `input_uri`.
#
# *Research:* `to_csv`; `session.upload_data` as in assignment 1.

# %% solution="write_batch"
### BEGIN SOLUTION: batch.csv from features without header and index, and input_uri from session.upload_data
features.to_csv("batch.csv", header=False, index=False)
input_uri = session.upload_data("batch.csv", key_prefix=f"churn/{run}/input")
### END SOLUTION
input_uri

# %% test="input_check" points=6 guide="G308,G309,G328"
checks.inference_file(input_uri, model_name, rows=10_000)

# %% [markdown]
# The check compared every column with the training file: its number, its mean, its gaps. The container does none
# of that. Too few columns, or columns in another order, and it answers all the same, wrongly.

# %% [markdown]
# ## The transform job
#
# **Your task:**
#
# - `transform_input`, a `TransformInput`: your file, `text/csv`, split by line,
# - `transform_output`, a `TransformOutput` with a folder below `churn/<run>/`, results assembled by line,
# - `transform_resources`, a `TransformResources` with one `ml.m5.large`.
#
# *Research:* these three in `sagemaker_core.shapes`, and `TransformDataSource` and `TransformS3DataSource`. What
# do `split_type` and `assemble_with` do, and what happens without them?

# %% solution="transform_parts"
### BEGIN SOLUTION: transform_input, transform_output and transform_resources from their shapes
from sagemaker_core.shapes import TransformDataSource, TransformInput, TransformOutput
from sagemaker_core.shapes import TransformResources, TransformS3DataSource

place = TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=input_uri)
data_source = TransformDataSource(s3_data_source=place)
transform_input = TransformInput(data_source=data_source, content_type="text/csv", split_type="Line")
output_path = f"s3://{bucket}/churn/{run}/output"
transform_output = TransformOutput(s3_output_path=output_path, assemble_with="Line", accept="text/csv")
transform_resources = TransformResources(instance_type="ml.m5.large", instance_count=1)
### END SOLUTION

# %% test="parts_check" points=1 guide="G313,G314,G315"
checks.planned_transform(transform_input, transform_output, transform_resources)

# %% [markdown]
# **Your task:** `transform_job_name`, with `run` in it, and `transform_job`, created from these parts with the
# tags `course` = `corelab` and `assignment` = `a3_batch_transform`; then wait for it.
#
# *Research:* `TransformJob.create` and `wait`.

# %% solution="create_transform"
### BEGIN SOLUTION: transform_job_name, and transform_job from TransformJob.create with all the parts, waited for
from sagemaker_core.shapes import Tag

transform_job_name = f"churn-{student}-{run}"
transform_job = TransformJob.create(
    transform_job_name=transform_job_name,
    model_name=model_name,
    transform_input=transform_input,
    transform_output=transform_output,
    transform_resources=transform_resources,
    tags=[Tag(key="course", value="corelab"), Tag(key="assignment", value="a3_batch_transform")],
)
transform_job.wait()
### END SOLUTION

# %% test="job_check" points=4 guide="G312,G313,G315"
checks.transform_job(transform_job_name, model_name)

# %% test="transformed_check" points=4 guide="G312"
checks.transformed(transform_job_name)

# %% [markdown]
# **In your own words (5 points).** How would you choose the instance type for a batch job? And when do several
# instances help: for one file of 50 GB, or for 500 files of 100 MB? Why?

# %% [markdown] answer="machines" points=5 guide="G316,G317"
# I start with the smallest that holds the model and a few requests in memory, here ml.m5.large, run a sample, and
# look at the time and the load. XGBoost predicts on processors, so a GPU would be paid for nothing; a larger type
# costs twice as much an hour and pays only if it is at least twice as fast. Several instances share the work file
# by file: each object goes to one instance as a whole. So 500 files spread evenly over ten instances and finish
# in about a tenth of the time for the same money, while one file of 50 GB keeps one instance busy and nine idle,
# all paid for. I would cut it into pieces first.

# %% [markdown]
# ## The results
#
# ### Where are they?

# %% [markdown] quiz="output_name" points=2 key="B" guide="G321"
# **Question.** The input was `.../input/batch.csv`. What is the result called?
#
# - A. `predictions.csv`
# - B. `batch.csv.out`
# - C. `part-00000.csv`

# %% [markdown]
# **Your task:** `output_uri`, the address of the file of results. Find it by *listing* what is below the output
# path.
#
# *Research:* `list_objects_v2` of boto3's `s3` client; bucket and prefix apart.

# %% solution="find_output"
### BEGIN SOLUTION: output_uri, s3://bucket/key of the one object below the output path of the job
listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"churn/{run}/output/")
output_uri = f"s3://{bucket}/{listed['Contents'][0]['Key']}"
### END SOLUTION
output_uri

# %% test="output_check" points=3 guide="G319,G321"
checks.transform_output(output_uri, transform_job_name)

# %% [markdown]
# ### What do they say?
#
# **Your task:** `scores`, a Series of the chances of leaving, as numbers, indexed by `customer_id`. The file has
# no ids. What tells you which line belongs to whom?
#
# *Research:* `get_object`; the order of `batch_ids`. (With `join_source="Input"` in `DataProcessing`, each line
# would also hold its input.)

# %% solution="read_scores"
### BEGIN SOLUTION: scores, a Series of floats from output_uri, indexed by batch_ids
key = output_uri.removeprefix(f"s3://{bucket}/")
lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
scores = pd.Series([float(line) for line in lines], index=batch_ids)
### END SOLUTION
scores.describe().round(3)

# %% test="scores_check" points=4 guide="G320,G329"
checks.batch_scores(scores, transform_job_name)
### BEGIN HIDDEN TESTS
checks.batch_ranking(scores, label_key=637_607_547_504_368_923)
### END HIDDEN TESTS

# %%
figure, axis = plt.subplots(figsize=(7, 3.5))
axis.hist(scores, bins=np.linspace(0, 1, 26), color="white", edgecolor="black", hatch="//")
axis.axvline(scores.mean(), color="black", linestyle="--", label=f"mean {scores.mean():.2f}")
axis.set(xlabel="predicted chance of leaving", ylabel="customers")
axis.legend()
plt.show()

# %% [markdown] guide="G329"
# *In words:* all values lie between 0 and 1. Most customers stand at the left with a small chance; a long tail
# reaches to the right. The dashed line, the mean, is near the quarter that left last month. A histogram with all
# its weight at one place, or a mean of .6, would be reason to stop here.

# %% [markdown]
# ### Five by hand
#
# **Your task:** `by_hand`, a Series of the predictions for the first five customers, indexed by id, that the model
# itself gives on this machine.
#
# *Research:* `load_booster` above; `xgb.DMatrix` of the values of `features`.

# %% solution="by_hand"
### BEGIN SOLUTION: by_hand, predictions of load_booster(...) for the first five rows of features, indexed by id
booster = load_booster(TrainingJob.get(source_job_name))
first_five = features.head(5).to_numpy(dtype=float)
by_hand = pd.Series(booster.predict(xgb.DMatrix(first_five)), index=batch_ids[:5])
### END SOLUTION
pd.DataFrame({"by hand": by_hand, "batch": scores[by_hand.index]})

# %% test="by_hand_check" points=3 guide="G327"
checks.spot_checks(by_hand, scores)

# %% [markdown]
# ### The log
#
# **Your task:** `payload_line`, the line of this job's log that says how much the service packed into one request
# (`MaxPayloadInMB`).
#
# *Research:* the group `/aws/sagemaker/TransformJobs` has two streams for each instance of your job: what the
# container printed, and what the service noted about the data. Which has this line?

# %% solution="read_log"
### BEGIN SOLUTION: payload_line, the message with MaxPayloadInMB in the streams of transform_job_name
logs = boto3.client("logs")
group = {"logGroupName": "/aws/sagemaker/TransformJobs"}
streams = logs.describe_log_streams(**group, logStreamNamePrefix=f"{transform_job_name}/")["logStreams"]
messages = []
for stream in streams:
    page = logs.get_log_events(**group, logStreamName=stream["logStreamName"], startFromHead=True)
    messages += [event["message"] for event in page["events"]]
payload_line = next(message for message in messages if "MaxPayloadInMB" in message)
### END SOLUTION
payload_line

# %% test="log_check" points=2 guide="G326"
checks.transform_log(payload_line, transform_job_name)

# %% [markdown]
# ## Debug lab: three ways to spoil a batch
#
# `send` uploads a table and starts a transform job on it, with the parts of your own job, and returns its name.

# %% given="send"
def send(kind, table, prefix=None):
    body = table.to_csv(header=False, index=False).encode()
    key = f"churn/{run}/{kind}/input/batch.csv"
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    made = sagemaker.describe_transform_job(TransformJobName=transform_job_name)
    request = {name: made[name] for name in ("ModelName", "TransformInput", "TransformOutput", "TransformResources")}
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/{prefix or key}"
    request["TransformOutput"]["S3OutputPath"] = f"s3://{bucket}/churn/{run}/{kind}/output"
    name = f"{kind}-{transform_job_name}"[:63]
    sagemaker.create_transform_job(TransformJobName=name, **request)
    return name


# %% [markdown]
# ### The label left in

# %%
ended = sagemaker.get_waiter("transform_job_completed_or_stopped")
often = {"Delay": 1, "MaxAttempts": 900}
with_label = features.head(1000).copy()
with_label.insert(0, "churn", 0)
label_job_name = send("label", with_label)
try:
    ended.wait(TransformJobName=label_job_name, WaiterConfig=often)
except WaiterError as failed:
    print(failed)
print(sagemaker.describe_transform_job(TransformJobName=label_job_name).get("FailureReason"))

# %% [markdown]
# The `FailureReason` only sends you to the log.
#
# **Your task:** read the streams of `label_job_name` as you read those of your own job, and keep as `label_reason`
# the line that says why.

# %% solution="label_reason"
### BEGIN SOLUTION: label_reason, the line in the streams of label_job_name that names the status or the columns
streams = logs.describe_log_streams(**group, logStreamNamePrefix=f"{label_job_name}/")["logStreams"]
said = []
for stream in streams:
    page = logs.get_log_events(**group, logStreamName=stream["logStreamName"], startFromHead=True)
    said += [event["message"] for event in page["events"]]
label_reason = next(message for message in said if " 400" in message)
### END SOLUTION
label_reason

# %% test="label_lab_check" points=2 guide="G311"
checks.failed_transform(label_reason, f"label-{transform_job_name}"[:63])

# %% [markdown] guide="G311,G308"
# One column more than the model knows, and it refuses. It is the lucky case, because it is loud. And the label
# makes no sense here anyway: it is what we ask for. If ids or labels must travel along, `input_filter="$[1:]"` in
# `DataProcessing` hides the first column from the model.

# %% [markdown]
# ### The wrong place

# %%
try:
    send("place", features.head(10), prefix=f"churn/{run}/inputs/")
except ClientError as refused:
    print(refused)
empty = s3.list_objects_v2(Bucket=bucket, Prefix=f"churn/{run}/results/")
print("results there:", empty["KeyCount"])

# %% [markdown]
# **Your task:** `place_refusal`, the words with which the service refuses the wrong input place; then `send` the ten
# customers again from the right one and wait; and `place_output_uri`, the address of their results, which nobody
# tells you: `describe_transform_job` of the job knows the folder.

# %% solution="place_refusal"
### BEGIN SOLUTION: place_refusal = "...", send("place", ...) without the wrong prefix, wait, place_output_uri
place_refusal = "No S3 objects found under S3 URL"
place_job_name = send("place", features.head(10))
ended.wait(TransformJobName=place_job_name, WaiterConfig=often)
where = sagemaker.describe_transform_job(TransformJobName=place_job_name)["TransformOutput"]["S3OutputPath"]
place_output_uri = f"{where}/batch.csv.out"
### END SOLUTION

# %% test="place_lab_check" points=2 guide="G324,G325"
checks.refused_transform(place_refusal, f"place-{transform_job_name}"[:63])
checks.transform_output(place_output_uri, f"place-{transform_job_name}"[:63])

# %% [markdown] guide="G324,G325"
# A wrong *input* place is refused at once. A wrong place when you *look for results* is not: S3 answers with an
# empty list, for an address that never existed as for one where a job failed. So no results has three reasons, to
# be asked in this order: is the job Completed, is this its `s3_output_path`, and does the name end in `.out`?

# %% [markdown]
# ### Columns in another order

# %%
sorted_columns = features[sorted(features.columns)]
ended.wait(TransformJobName=send("shuffled", sorted_columns), WaiterConfig=often)
body = s3.get_object(Bucket=bucket, Key=f"churn/{run}/shuffled/output/batch.csv.out")["Body"].read()
shuffled = pd.Series([float(line) for line in body.decode().split()], index=batch_ids)
figure, axis = plt.subplots(figsize=(7, 3.5))
axis.hist(scores, bins=np.linspace(0, 1, 26), histtype="step", color="black", label="right order")
axis.hist(shuffled, bins=np.linspace(0, 1, 26), color="white", edgecolor="black", hatch="//", label="sorted")
axis.set(xlabel="predicted chance of leaving", ylabel="customers")
axis.legend()
plt.show()

# %% [markdown]
# *In words:* the outline is the right batch, the hatched bars the same customers with their columns sorted by
# name. The job is Completed, every value lies between 0 and 1, and the shape is another. Would you have noticed
# without the outline?

# %% [markdown] quiz="silent_order" points=2 key="A" guide="G328"
# **Question.** Why did the container not complain?
#
# - A. A CSV file without header has positions only: it took each column for the one that stood there in training.
# - B. It sorted the columns back by name.
# - C. It complained in the log, which nobody read.

# %% [markdown] guide="G328"
# The cure is one `prepare` for training and inference, kept with the model, and a comparison of every column with
# its training mean, as the check of your file made it.
#
# **In your own words (4 points).** Your monthly job of 500 files fails after 300. What is in S3 now, what would
# you do, and what would you do differently next month?

# %% [markdown] answer="midway" points=4 guide="G318"
# A file's result is written only when all of its records went well. So for the files that were finished there is
# a complete .out, for the failing one and for those not begun there is none, and the job says Failed. I would
# list input and output, take the names without an .out, read the data log for the failing one, mend or set aside
# that file, and start a job on a manifest of the missing files only, so that nothing is paid for twice. Next month
# I would check each file before (columns, numbers, gaps), keep files small, and alert on Failed.

# %% [markdown]
# ## Time and cost
#
# **Your task:** from the transform job itself
#
# - `seconds`, how long its machine worked,
# - `cost_of_one`, in dollars, of one prediction.
#
# *Research:* `transform_start_time` and `transform_end_time` (refresh the job first); `load_prices().hourly(...)`.

# %% solution="cost"
### BEGIN SOLUTION: seconds from the job's start and end times, cost_of_one from them, the price and 10,000 rows
from corelab.core.prices import load_prices

transform_job.refresh()
seconds = (transform_job.transform_end_time - transform_job.transform_start_time).total_seconds()
price_of_an_hour = load_prices().hourly(transform_resources.instance_type)
cost_of_one = seconds / 3600 * price_of_an_hour * transform_resources.instance_count / len(scores)
### END SOLUTION
print(f"{seconds:.2f} s, ${cost_of_one:.3g} a prediction, {len(scores) / seconds:,.0f} rows a second")

# %% test="seconds_check" points=2 guide="G330"
checks.transform_seconds(seconds, transform_job_name)

# %% test="cost_check" points=3 guide="G331"
checks.cost_per_prediction(cost_of_one, transform_job_name, rows=10_000)

# %% [markdown]
# An endpoint for the same: one `ml.m5.large` that stands ready for a month, and is asked for one batch.

# %% guide="G331"
from corelab.core.prices import endpoint_cost

month = endpoint_cost("ml.m5.large", 30 * 24 * 3600)
print(f"endpoint: ${month:.2f} a month, ${month / len(scores):.4f} a prediction")
print(f"batch:    ${cost_of_one * len(scores):.6f} a month, ${cost_of_one:.3g} a prediction")

# %% [markdown]
# The local cloud has no machine to fetch; on AWS some minutes of starting come before the seconds of work. The
# bill counts from the start of the transform to its end.
#
# **In your own words (4 points).** How long would a million customers take, and what would they cost, on one
# machine and on four? Use your own rows a second, say what you assume, and how you would lay out the files.

# %% [markdown] answer="million" points=4 guide="G330,G332"
# My job did 10,000 rows in about a third of a second, so at the same speed a million take half a minute of work on
# one machine and cost about a tenth of a cent; the minutes until the machine is there are longer than the work. On
# four machines the work is done in a quarter of the time for the same money, but only if there are at least four
# files of similar size, since a file goes to one machine. I would write some 20 files of 50,000 rows, a few
# megabytes each and below the payload limit when split by line. I assume that time grows with rows and that
# reading from S3 is not the bottleneck, which a run with 100,000 rows would show.

# %% [markdown] guide="G332"
# *If you want to know:* `churn.batch(customers=1_000_000)` draws them; give it a minute.

# %% [markdown]
# ## Every month, without you
#
# If the job runs by night, somebody must hear when it fails. SageMaker sends an event to Amazon EventBridge each
# time a transform job changes its status; a rule with a **pattern** picks those that matter.
#
# **Your task:** `pattern`, a dict or JSON text: events from SageMaker, about the status of transform jobs, where
# the status is `Failed`.
#
# *Research:* "Events that Amazon SageMaker sends to EventBridge" in the SageMaker guide, and "event patterns" in
# EventBridge's. Every value in a pattern is a *list*.

# %% solution="alert"
### BEGIN SOLUTION: pattern with source, detail-type and detail, each value a list
pattern = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Transform Job State Change"],
    "detail": {"TransformJobStatus": ["Failed", "Stopped"]},
}
### END SOLUTION

# %% test="alert_check" points=2 guide="G333"
checks.alert_pattern(pattern)

# %% [markdown]
# **In your own words (4 points).** Sketch the monthly run: what starts it, which steps it has, what is checked
# before and after the job, and who hears of what.

# %% [markdown] answer="monthly" points=4 guide="G333,G334"
# A schedule in EventBridge starts a pipeline on the first of the month. Step one exports the customers and runs
# the same prepare as in training; step two compares columns, gaps and means with the training file, and stops
# when they moved too far. Step three is the transform job, with the month in its name, so that a second run
# cannot overwrite the first; step four checks the result: as many lines as customers, values from 0 to 1, a mean
# near that of last month. Then the list goes to marketing. The rule above sends Failed to me by SNS, a missing
# success by noon as well, because a job that never started sends no event.

# %% [markdown]
# ## What marketing gets
#
# ### Can a chance of .7 be taken at its word?
#
# The batch has no labels yet. The test part has, and your model has never seen it.
#
# **Your task:** `test_probability`, your model's predictions for the test customers, a Series indexed by
# `customer_id`; and `test_lift`: the share of leavers in the tenth with the highest scores, divided by the share
# among all test customers.
#
# *Research:* your `prepare` and `booster`; `Series.nlargest`.

# %% given="test_part"
known = churn.load()
test_customers = known[churn.split_index(known["customer_id"]) == "test"]
left = test_customers.set_index("customer_id")["churn"]

# %% solution="test_scores"
### BEGIN SOLUTION: test_probability of test_customers, indexed by id, and test_lift of its top tenth
# Dummies of all customers, then the test rows: a part alone may lack a level.
test_rows = prepare(known).loc[test_customers.index].to_numpy(dtype=float)
test_probability = pd.Series(booster.predict(xgb.DMatrix(test_rows)), index=left.index)
top_tenth = test_probability.nlargest(len(test_probability) // 10).index
test_lift = left[top_tenth].mean() / left.mean()
### END SOLUTION
print(f"lift {test_lift:.2f}")

# %% test="lift_check" points=3 guide="G337"
checks.lift(test_lift, test_probability)

# %%
tenth = pd.qcut(test_probability, 10, labels=False)
said, came = test_probability.groupby(tenth).mean(), left.groupby(tenth).mean()
figure, (one, two) = plt.subplots(1, 2, figsize=(9, 3.5))
one.plot([0, 1], [0, 1], color="black", linestyle=":", label="as predicted")
one.plot(said, came, "o-", color="black", markerfacecolor="white", label="your model")
one.set(xlabel="predicted chance, mean of a tenth", ylabel="share that left")
one.legend()
two.bar(range(1, 11), came[::-1] / left.mean(), color="white", edgecolor="black", hatch="//")
two.axhline(1, color="black", linestyle=":")
two.set(xlabel="tenth, by falling score", ylabel="lift", xticks=range(1, 11))
plt.show()

# %% [markdown] guide="G336"
# *In words:* left, **calibration**. Each circle is a tenth of the test customers: how many were predicted to leave,
# and how many did. On the dotted diagonal a chance of .7 means seven of ten; circles below it mean that the model
# promises too much there. Right, **lift**: the first bar says how many times more leavers the top tenth holds than
# a tenth drawn at random; the dotted line at 1 is drawing at random.
#
# **In your own words (4 points).** Explain to marketing what a score of .7 tells them, and what it does not.
# Use what your calibration shows.

# %% [markdown] answer="confidence" points=4 guide="G336"
# Of ten customers with a score near .7, about seven leave within the month; my circles lie close to the diagonal,
# in the highest tenth a little below or above it by a few hundredths. It is a statement about a group. It does
# not say that this customer will leave, nor why, nor whether a call would change it: for that one would have to
# call some, not call others, and compare. And it holds as long as next month's customers resemble those the model
# learned from; after a price rise I would test it again.

# %% [markdown]
# ### Whom to call
#
# **Your task:** `call_customers`, the ids of the tenth of the batch with the highest scores.

# %% solution="call_list"
### BEGIN SOLUTION: call_customers, a list of the 1,000 ids with the highest scores
call_customers = scores.nlargest(len(scores) // 10).index.tolist()
### END SOLUTION
batch_customers.set_index("customer_id").loc[call_customers[:5], ["tenure_months", "contract", "monthly_charge"]]

# %% test="call_list_check" points=2 guide="G337"
checks.call_list(call_customers, scores)

# %% [markdown]
# **In your own words (6 points).** What should marketing do with this list, and with the customers in the middle?
# How many leavers do you expect among the thousand, by your own lift or scores? And how often should the batch
# run again, and the model be trained again?

# %% [markdown] answer="actions" points=6 guide="G337,G338"
# The thousand have a mean score of about .7, so some 700 of them should leave; my lift of about 2.7 on the test
# part says the same. They get a personal call with an offer, starting with those whose bill is high, because a
# call costs time and pays most there. The middle, from about .2 to .5, gets something cheap: a mail, or a better
# contract proposed in the app. Below that, nothing: offers to people who would stay cost money and may wake them.
# A random hundred of the list should not be called, to see what calls achieve. The batch should run monthly, since
# contracts end and bills come by the month, and again after a price change or an outage. The model is trained
# again when calibration or lift of last month's scores, compared with who did leave, has worsened, at least
# twice a year.

# %% [markdown] guide="G335"
# ## Test yourself
#
# | can you ... | shown by |
# |---|---|
# | explain when a batch is better than an endpoint | `scenarios`, your first answer |
# | say whether the predictions make sense | `scores_check`, `by_hand_check` |
# | find and read the output files | `output_check` |
# | explain time and cost | `seconds_check`, `cost_check` |

# %% [markdown]
# ## Clean up
#
# The machine is gone since the job ended. A Model costs nothing, but hundreds of them are a mess.

# %% given="clean_up"
for name in (model_name, mended_name):
    sagemaker.delete_model(ModelName=name)
left_over = sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"]
print("still running:", [job["TransformJobName"] for job in left_over])

# %% [markdown]
# ## You now have
#
# - a Completed transform job with your tags, and a chance of leaving for each of 10,000 customers,
# - proof that they are your model's own, and rank customers as the data allow,
# - the price of one prediction, and of a million,
# - a thousand customers to call, and words for what the number beside each means,
# - a rule that tells you when the monthly job fails.
#
# Next, `a4_serverless_endpoint`: the same model for somebody who cannot wait until tomorrow.
