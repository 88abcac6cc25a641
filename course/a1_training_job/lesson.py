# %% [markdown] guide="G001"
# # A training job: the same model on a machine you rent by the second
#
# In `a0_xgboost_local` you trained XGBoost on this machine. Now you hand the same work to SageMaker: your
# data go to S3, a container image brings the algorithm, a machine is started for you, trains, writes the
# model back to S3 and is gone again. You pay for the seconds in between.
#
# You will
#
# - open a **session** and learn which **role** a job acts in,
# - put training and validation **data in S3**, in the form the container reads,
# - find the **image** of the algorithm,
# - describe and start a **training job** from its parts,
# - follow it, read its **log** and draw its learning curve,
# - fetch the **model** it wrote and use it here,
# - **break** ten small jobs on purpose, and mend two of them.
#
# It takes about two hours and is worth 100 points. On AWS itself this notebook costs less than one cent a
# run; in the local cloud it costs nothing.

# %% [markdown]
# ## Connect
#
# The next cell says which cloud this notebook talks to: the local SageMaker of the course, or AWS. It is the
# only line that knows the difference. All the rest is the public SDK, and works in both.

# %% given="connect"
import corelab

corelab.connect()

# %% given="setup"
import json
import re
import tarfile
import time
from pathlib import Path

import boto3
import matplotlib.pyplot as plt
import pandas as pd
import xgboost as xgb
from botocore.exceptions import ClientError

from corelab import checks, churn

# %% [markdown]
# ### The session and the role
#
# The SDK of this assignment is `sagemaker-core`: one class for each kind of thing SageMaker knows, one method
# for each thing you can do with it, nothing in between. Its helpers for sessions, roles and paths are in
# `sagemaker_core.helper.session_helper`.
#
# **Your task:** import `Session`, `get_execution_role` and `s3_path_join` from there and make
#
# - `session`, a session,
# - `region`, the region *the session* is in,
# - `bucket`, the name of its default bucket,
# - `role`, the execution role.
#
# *Research:* look at the attributes of a `Session` (`help(Session)`, or a dot and the Tab key). Which of them
# know the region and the bucket? Import the three by name: `import *` from several modules of this SDK
# replaces one `Session` by another.

# %% solution="open_session"
### BEGIN SOLUTION: session = Session(), then region, bucket and role from it and from get_execution_role
from sagemaker_core.helper.session_helper import Session, get_execution_role, s3_path_join

session = Session()
region = session.boto_region_name
bucket = session.default_bucket()
role = get_execution_role()
### END SOLUTION
print(region, bucket, role, sep="\n")

# %% test="region_check" points=1 guide="G101,G124"
checks.region(region)

# %% test="bucket_check" points=1 guide="G101,G107"
checks.bucket(bucket)

# %% test="role_check" points=2 guide="G102"
checks.role(role)

# %% [markdown] quiz="session_owns" points=1 key="C" hint="look for the bucket in the console's S3 pages before you upload anything" guide="G101,G107"
# **Question.** What did `session.default_bucket()` do?
#
# - A. It returned a name; the bucket appears when the first file is uploaded.
# - B. It returned a bucket that all users of the region share.
# - C. It returned the name of a bucket of your account and region, and made that bucket if it was not there.

# %% [markdown]
# **In your own words (5 points).** You are already signed in. Why does a training job need a role of its own,
# and what would go wrong with a role that may not read your bucket? Three or four sentences.

# %% [markdown] answer="why_a_role" points=5 guide="G102"
# The job does not run as me: it runs on a machine that SageMaker starts, maybe long after I have closed my
# laptop, and it cannot use my sign-in. The role is what SageMaker takes on for the job. It says what the job
# may do, and no more than that: read the training data from S3, write the model, write logs. With a role that
# may not read my bucket, the job cannot fetch its channels and fails with AccessDenied, although I can read
# the same files myself.

# %% [markdown]
# ## Names and places
#
# Everything this run makes should be easy to find and easy to throw away. So it gets one name with your name
# and a time in it, and one folder in S3.
#
# **Your task:** put your own name into `student`, then make
#
# - `timestamp`, the time of now in UTC, such as `2026-01-31T09-15-00`,
# - `training_job_name`, which holds your name and the timestamp,
# - `base_path`, an S3 address for this run below your bucket, joined by `s3_path_join`.
#
# *Research:* which characters may a training job's name have on AWS, and how many? `time.strftime` and
# `time.gmtime` make the timestamp. Print what `s3_path_join("s3://", bucket, "a", "b")` gives before you
# build on it.

# %% solution="names"
student = "your-name"
### BEGIN SOLUTION: your name in student, then timestamp, training_job_name and base_path
student = "ada-lovelace"
timestamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
training_job_name = f"churn-{student}-{timestamp}"
folder = f"churn/{training_job_name}"
base_path = s3_path_join("s3://", bucket, folder)
### END SOLUTION
print(training_job_name, base_path, sep="\n")

# %% test="job_name_check" points=2 guide="G104,G105"
checks.job_name(training_job_name, student)

# %% test="base_path_check" points=2 guide="G103,G108"
checks.s3_path(base_path, bucket)

# %% [markdown]
# ## The data
#
# ### Two files the container can read
#
# The container sees no DataFrame. It finds files in a folder and reads them as numbers: **the label first, no
# header, every cell a number or empty**. You wrote such a file at the end of `a0_xgboost_local`.
#
# **Your task:** from the customers below, write `train.csv` and `validation.csv` with the 7,000 and 1,500
# customers of the published split. Keep the test part as `test_features` and `test_ids` for the end. Bring
# your `prepare` from `a0_xgboost_local`.

# %% given="customers"
customers = churn.load()
part = churn.split_index(customers["customer_id"])
part.value_counts()

# %% solution="write_files"
### BEGIN SOLUTION: prepare the features, write train.csv and validation.csv, keep test_features and test_ids
table = customers.drop(columns=["customer_id", "churn"])
table["total_charge"] = table["total_charge"].fillna(0)
table = pd.get_dummies(table, dtype=int)
test_features = table[part == "test"].to_numpy()
test_ids = customers["customer_id"][part == "test"].tolist()
table.insert(0, "churn", customers["churn"])
for name in ("train", "validation"):
    table[part == name].to_csv(f"{name}.csv", header=False, index=False)
### END SOLUTION

# %% test="train_file_check" points=3 guide="G109,G110,G111,G128"
checks.training_file("train.csv")

# %% test="validation_file_check" points=1 guide="G109,G110,G111"
checks.training_file("validation.csv")

# %% [markdown] quiz="header_line" points=1 key="B" hint="the container prints how many rows its matrix has; the last part of this notebook lets you see it" guide="G111"
# **Question.** You forget `header=False`. What happens to the job?
#
# - A. It fails: the first line is text.
# - B. It says Completed. The header counts as one more customer, with label 0 and missing features.
# - C. It says Completed. The container recognises a header and skips it.

# %% [markdown]
# ### Up to S3
#
# **Your task:** upload both files, *each into a folder of its own* below the folder of this run, and keep
# their addresses as `train_uri` and `validation_uri`.
#
# *Research:* `Session.upload_data(path, key_prefix=...)`. What does it return? Where does it upload to if you
# name no bucket? And why a folder each: a channel takes *every* key that starts with its address.

# %% solution="upload"
### BEGIN SOLUTION: train_uri and validation_uri from session.upload_data(path, key_prefix=...)
train_uri = session.upload_data("train.csv", key_prefix=f"{folder}/train")
validation_uri = session.upload_data("validation.csv", key_prefix=f"{folder}/validation")
### END SOLUTION
print(train_uri, validation_uri, sep="\n")

# %% test="upload_check" points=3 guide="G106,G108"
checks.uploaded(train_uri)
checks.uploaded(validation_uri)

# %% [markdown]
# ## The image
#
# The algorithm is not installed on the rented machine. It comes as a container image: XGBoost, everything it
# needs and the program that reads your channels, all in one file with a version number. Each region keeps its
# own copy.
#
# **Your task:** `image_uri`, the address of XGBoost `1.7-1` in the region of your session.
#
# *Research:* `retrieve` in `sagemaker.image_uris`. Which arguments does it need? Why should the region not be
# written out?

# %% solution="find_image"
### BEGIN SOLUTION: from sagemaker import image_uris, then image_uri = image_uris.retrieve(...)
from sagemaker import image_uris

image_uri = image_uris.retrieve(framework="xgboost", region=region, version="1.7-1")
### END SOLUTION
image_uri

# %% test="image_check" points=3 guide="G123,G124"
checks.image(image_uri, region)

# %% [markdown]
# **In your own words (6 points).** Why does SageMaker run a container image in place of installing packages
# on the machine when your job starts? Give at least two reasons, and say what the same image is good for
# after training.

# %% [markdown] answer="why_containers" points=6 guide="G125"
# An image is the same every time: the same XGBoost, the same libraries, the same reader, so a job run today
# and one run in a year differ in their data and settings only, and a result can be repeated. It also keeps
# jobs apart: whatever it needs cannot disturb another job or my laptop. And it starts quickly, because
# nothing has to be downloaded and resolved package by package while I pay for the machine. After training,
# the same image serves the model: it knows the file format it wrote, so training and prediction cannot
# disagree about versions.

# %% [markdown]
# ## The job, part by part
#
# A training job is described by shapes: small objects that only hold values. You build them one by one, look
# at them, and pay nothing until `create`.
#
# ### What runs, and what it reads
#
# **Your task:** `algorithm`, an `AlgorithmSpecification` with your image and input mode `File`, and
# `channels`, a list of two `Channel` objects named `train` and `validation`.
#
# *Research:* `AlgorithmSpecification`, `Channel`, `DataSource` and `S3DataSource` in `sagemaker_core.shapes`.
# Which content type does CSV have, and what does the container assume if you give none?

# %% solution="inputs"
### BEGIN SOLUTION: algorithm = AlgorithmSpecification(...), channels = [Channel(...), Channel(...)]
from sagemaker_core.shapes import AlgorithmSpecification, Channel, DataSource, S3DataSource

algorithm = AlgorithmSpecification(training_image=image_uri, training_input_mode="File")
channels = []
for name, uri in {"train": train_uri, "validation": validation_uri}.items():
    place = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated")
    source = DataSource(s3_data_source=place)
    channels.append(Channel(channel_name=name, data_source=source, content_type="text/csv"))
### END SOLUTION

# %% test="planned_channels_check" points=0 guide="G114,G115"
checks.planned_channels(channels)

# %% [markdown] quiz="input_mode" points=1 key="B" hint="think of water through a tube: is there a lake at its end, and can you go back?" guide="G120"
# **Question.** `File` mode copies the channel to the machine's disk before training starts. What does `Pipe`
# mode do?
#
# - A. It reads the files from S3 in parallel and keeps them in memory.
# - B. It streams the data to the algorithm, which starts at once, needs little disk, and reads from the first
#   byte to the last.
# - C. It lets the algorithm open any byte of any file, as if S3 were a disk.

# %% [markdown]
# **In your own words (5 points).** When would you leave `File` mode, and for what? There is a third mode,
# `FastFile`: say how it differs from both.

# %% [markdown] answer="input_modes" points=5 guide="G120"
# File mode is fine while copying takes short against training, as with our 7,000 rows. With hundreds of
# gigabytes I would pay for a machine that only copies, and need a disk for all of it. Pipe mode starts at
# once and streams, so it needs hardly any disk, but the algorithm must be written to read a stream in order,
# once for every pass. FastFile also starts at once, but shows the objects of S3 as files: a program that
# opens files works unchanged and bytes are fetched when they are read. It suits large files read in order,
# and is the easier way out for code that cannot read pipes.

# %% [markdown]
# ### Which machine, for how long, and where to
#
# **Your task:**
#
# - `resources`, a `ResourceConfig` with one `ml.m5.large` and 10 GB,
# - `stopping`, a `StoppingCondition` of at most 15 minutes,
# - `output`, an `OutputDataConfig` with a folder below your base path for the model,
# - `tags`, a list of two: `course` = `corelab` and `assignment` = `a1_training_job`. Tags tell later what cost
#   money, and the next assignments find this job by them.
#
# *Research:* these four in `sagemaker_core.shapes` (a tag is a `Tag`). How long may a job run if you do not say?

# %% solution="machine"
### BEGIN SOLUTION: resources = ResourceConfig(...), stopping = StoppingCondition(...), output and tags
from sagemaker_core.shapes import OutputDataConfig, ResourceConfig, StoppingCondition, Tag

resources = ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10)
stopping = StoppingCondition(max_runtime_in_seconds=900)
output = OutputDataConfig(s3_output_path=s3_path_join(base_path, "output"))
tags = [Tag(key="course", value="corelab"), Tag(key="assignment", value="a1_training_job")]
### END SOLUTION

# %% test="planned_resources_check" points=0 guide="G116"
checks.planned_resources(resources, stopping)

# %% [markdown]
# ### Create it
#
# The settings of XGBoost travel as a dictionary of **strings**: the API passes them on without knowing what
# they mean. `eval_metric` makes the container log the AUC of both channels after every round.

# %% given="hyper_parameters"
hyper_parameters = {
    "objective": "binary:logistic",
    "eval_metric": "auc",
    "num_round": "100",
    "max_depth": "5",
    "eta": "0.2",
    "tree_method": "hist",
}

# %% [markdown]
# **Your task:** create the job from all these parts, as `training_job`.
#
# *Research:* `TrainingJob.create` in `sagemaker_core.resources`.

# %% solution="create_job"
### BEGIN SOLUTION: TrainingJob.create with all the parts above, kept as training_job
from sagemaker_core.resources import TrainingJob

training_job = TrainingJob.create(
    training_job_name=training_job_name,
    role_arn=role,
    algorithm_specification=algorithm,
    hyper_parameters=hyper_parameters,
    input_data_config=channels,
    output_data_config=output,
    resource_config=resources,
    stopping_condition=stopping,
    tags=tags,
)
### END SOLUTION

# %% test="job_check" points=5 guide="G113,G114,G116"
checks.training_job(training_job_name)

# %% test="channels_check" points=5 guide="G115"
checks.channels(training_job_name, test_features)

# %% [markdown]
# **In your own words (6 points).** The container trains without a validation channel as well. Name two things
# you lose without one.

# %% [markdown] answer="why_two_channels" points=6 guide="G121"
# I could not see overfitting: the train AUC rises with every round whether the model gets better or only
# learns its customers by heart, and only customers it does not train on tell the two apart. Early stopping
# would have nothing to watch, so a job could not end at its best round. And hyperparameter tuning would have
# no honest number to compare jobs by: by the train metric the deepest trees always win.

# %% [markdown]
# ## Follow it
#
# `wait` asks SageMaker again and again and returns when the job has ended. It raises an error if the job
# failed, with the reason in it.

# %%
training_job.wait()
for step in training_job.secondary_status_transitions:
    print(f"{step.start_time:%H:%M:%S}  {step.status:12}  {step.status_message}")

# %% [markdown]
# Starting, Downloading, Training, Uploading, Completed: for a small job most of the time goes into everything
# but training. That is why a laptop beats the cloud at this size, and why it stops doing so as data or trials
# grow.

# %% test="completed_check" points=5 guide="G131"
checks.completed(training_job_name)

# %% [markdown]
# ### In the console
#
# **Your task:** open the console (its address is printed where you connected, at the top), find your job
# among the training jobs and copy its ARN from there into `job_arn`.

# %% solution="find_in_console"
### BEGIN SOLUTION: job_arn = "..." as the console shows it
job_arn = training_job.training_job_arn
### END SOLUTION

# %% test="arn_check" points=1 guide="G130"
checks.job_arn(job_arn, training_job_name)

# %% [markdown]
# ### What did it cost, and what could it have cost?
#
# `StoppingCondition` is a seat belt: a job that hangs ends after that time. What you would then pay is the
# longest run time × the price of an hour × the number of machines.

# %% given="price"
from corelab.core.prices import load_prices

price_of_an_hour = load_prices().hourly(resources.instance_type)
billed = training_job.billable_time_in_seconds
print(f"{billed} s billed at ${price_of_an_hour} an hour: ${billed / 3600 * price_of_an_hour:.6f}")

# %% [markdown]
# **Your task:** `worst_case`, in dollars, the most this job could have cost for its machine.

# %% solution="worst_case"
### BEGIN SOLUTION: worst_case from stopping, price_of_an_hour and resources
hours = stopping.max_runtime_in_seconds / 3600
worst_case = hours * price_of_an_hour * resources.instance_count
### END SOLUTION
print(f"${worst_case:.4f}")

# %% test="worst_case_check" points=2 guide="G122"
checks.worst_case_cost(worst_case, training_job_name)

# %% [markdown]
# **In your own words (5 points).** How does a stopping condition prevent runaway costs, and what is lost when
# it strikes? Use your own two figures: what the job was billed, and what it could have cost. What limit would
# you set for a job that usually takes 20 minutes?

# %% [markdown] answer="stopping_condition" points=5 guide="G122"
# Without it a job may run for a day: with one ml.m5.large that is 2.76 dollars, with eight large GPU machines
# a great deal more, and nobody has to be watching. Mine may run 15 minutes, so at worst it costs 0.029
# dollars; it was billed a few seconds, far below a tenth of a cent. When the limit strikes, SageMaker sends
# the container a signal and stops it two minutes later: the time is paid for and the model is lost, unless
# the algorithm saves checkpoints or what it has. For a job of 20 minutes I would set about an hour, two to
# three times the usual time: long enough for a slow day, short enough that a hanging job is noticed on the
# bill as a small sum.

# %% [markdown]
# ## Read the log
#
# Whatever the container prints ends up in CloudWatch, in the log group `/aws/sagemaker/TrainingJobs`, in a
# stream whose name starts with the job's name.

# %% given="log"
logs = boto3.client("logs")
group = "/aws/sagemaker/TrainingJobs"
found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{training_job_name}/")
stream = found["logStreams"][0]["logStreamName"]
events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
print(stream, f"{len(events)} lines", *[event["message"][:110] for event in events[-4:]], sep="\n")

# %% [markdown]
# The last lines are metrics: the round in brackets, then one value for each channel. `#011` is how CloudWatch
# shows a tab. SageMaker itself finds the metrics of a job by searching these lines with a regular expression,
# and so do you now.
#
# **Your task:** `train_auc` and `validation_auc`, two lists of numbers, one for each round in order, from
# `events`.
#
# *Research:* `re.search` and groups.

# %% solution="learning_curve"
### BEGIN SOLUTION: train_auc and validation_auc, lists of floats found by a regular expression in the messages
text = "\n".join(event["message"] for event in events)
train_auc = [float(value) for value in re.findall(r"train-auc:([0-9.]+)", text)]
validation_auc = [float(value) for value in re.findall(r"validation-auc:([0-9.]+)", text)]
### END SOLUTION
print(len(train_auc), "rounds; the last:", train_auc[-1], validation_auc[-1])

# %% test="curve_check" points=3 guide="G132"
checks.curve(validation_auc, training_job_name)

# %%
figure, axis = plt.subplots(figsize=(7, 3.5))
axis.plot(train_auc, color="black", linestyle="--", label="train")
axis.plot(validation_auc, color="black", linestyle="-", label="validation")
axis.set(xlabel="round", ylabel="AUC", title=training_job_name)
axis.legend()
plt.show()

# %% [markdown] guide="G132"
# *In words:* the same picture as in `a0_xgboost_local`. The dashed line (train) keeps rising, the solid one
# (validation) is flat after some 20 rounds. The container is the same algorithm on the same rows; only the
# place is another.

# %% [markdown]
# ## Fetch the model
#
# The job packed everything in its model folder into `model.tar.gz`, at the address the job itself knows.

# %% test="artifact_check" points=3 guide="G133"
checks.artifact(training_job_name)

# %% [markdown]
# **Your task:** download the archive, take `xgboost-model` out of it, load it into an `xgb.Booster`, and keep
# its predictions for the test part as `test_probability`.
#
# *Research:* `training_job.model_artifacts`; `download_file` of a boto3 S3 client, which wants bucket and key
# apart; `tarfile.open` and `extractfile`. The image brought XGBoost 1.7, and so does this course: later
# releases refuse the file.

# %% solution="use_model"
### BEGIN SOLUTION: download model.tar.gz, load xgboost-model from it, predict test_features as test_probability
address = training_job.model_artifacts.s3_model_artifacts
key = address.removeprefix(f"s3://{bucket}/")
boto3.client("s3").download_file(bucket, key, "model.tar.gz")
with tarfile.open("model.tar.gz") as archive:
    Path("xgboost-model").write_bytes(archive.extractfile("xgboost-model").read())
booster = xgb.Booster()
booster.load_model("xgboost-model")
test_probability = booster.predict(xgb.DMatrix(test_features))
### END SOLUTION
test_probability[:5]

# %% test="predictions_check" points=3 guide="G133"
checks.ranking(test_probability, test_ids)

# %% [markdown] quiz="what_is_in_it" points=1 key="A" hint="list the archive: tar -tf model.tar.gz" guide="G133"
# **Question.** What is in `model.tar.gz`?
#
# - A. The trained model only. Your `prepare`, the column names and the data are not in it.
# - B. The model and the training data it came from.
# - C. The model and the container image, so that it runs anywhere.

# %% [markdown]
# Think about that answer for a moment. Whoever uses this model must prepare customers exactly as you did,
# column by column in the same order. Assignment 3 returns to it.

# %% [markdown]
# ## Break it on purpose
#
# Jobs fail. Whoever has seen how, finds the cause in a minute. Here you run requests that are meant to go wrong,
# read what the cloud says about them, and mend them. They are small and stop within seconds; on AWS all of them
# together cost a few cents, and each takes two or three minutes.
#
# ### No module named ...
#
# Most examples on the web are written for another release of the SDK. Three lines of that kind:

# %% given="broken_imports"
for line in (
    "from sagemaker.core.resources import TrainingJob",
    "from sagemaker_core.resources import Channel",
    "from sagemaker_core.image_uris import retrieve",
):
    try:
        exec(line)
    except ImportError as problem:
        print(line, f"{type(problem).__name__}: {str(problem).split(' (')[0]}", sep="\n    ")

# %% [markdown]
# `No module named` means that the *path* is wrong: in release 3 the SDK's parts moved. `cannot import name` means
# that the module is there and the name is not in it.
#
# **Your task:** `mended_imports`, a list of three lines that import the same three names, in the same order, in
# the releases of this course. The next cell runs them.
#
# *Research:* where did *you* import them from above? `sagemaker_core.resources` holds what exists in the cloud,
# `sagemaker_core.shapes` the values it is described by.

# %% solution="mend_imports"
### BEGIN SOLUTION: mended_imports = [...], three texts such as "from a.b import C"
mended_imports = [
    "from sagemaker_core.resources import TrainingJob",
    "from sagemaker_core.shapes import Channel",
    "from sagemaker.image_uris import retrieve",
]
### END SOLUTION
for line in mended_imports:
    exec(line)

# %% test="imports_check" points=2 guide="G126"
checks.imports(mended_imports)

# %% [markdown]
# Another import does its harm without a word. Which `Session` is left after the second line?

# %%
scratch = {}
for line in ("from sagemaker_core.helper.session_helper import Session", "from sagemaker_core.resources import *"):
    exec(line, scratch)
    print(line, scratch["Session"], sep="\n    ")

# %% [markdown]
# boto3's, which has no `upload_data` and no `default_bucket`. A star brings whatever a module happens to have
# imported itself. Import by name.

# %% [markdown] guide="G127"
# ### Four files from colleagues
#
# Four colleagues sent you training files of 400 customers each: the label and four features. Each file has *one*
# mistake. First a workbench: a name for every job that belongs to this part, a request for a small job on one
# file, and two functions that start it and wait for its end.

# %% given="bench"
sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
lab_bucket, lab_folder = f"{base_path.rstrip('/')}/colleagues".removeprefix("s3://").split("/", 1)
files_path = f"s3://{lab_bucket}/{lab_folder}"
debug_tags = [{"Key": "course", "Value": "corelab"}, {"Key": "assignment", "Value": "a1_debug"}]


def debug_name(label):
    """Legal on AWS, and new whenever your own job has a new name."""
    return f"{label}-{re.sub('[^a-zA-Z0-9]+', '-', training_job_name)[-50:].strip('-')}"


# %% given="debug_request"
from sagemaker import image_uris

here = boto3.session.Session().region_name
sound_image = image_uris.retrieve("xgboost", here, "1.7-1")


# %% given="debug_job"
def debug_job(label, uri, **changes):
    place = {"S3DataType": "S3Prefix", "S3Uri": uri}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": place}}
    request = {"TrainingJobName": debug_name(label), "RoleArn": role, "InputDataConfig": [channel]}
    request["AlgorithmSpecification"] = {"TrainingImage": sound_image, "TrainingInputMode": "File"}
    request["OutputDataConfig"] = {"S3OutputPath": f"{files_path}-models"}
    request["ResourceConfig"] = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    request["StoppingCondition"] = {"MaxRuntimeInSeconds": 600}
    request["HyperParameters"] = hyper_parameters | {"num_round": "10"}
    return request | {"Tags": debug_tags} | changes


# %% given="start_and_wait"
def start(request):
    """Whether there is such a job now; a refusal is printed."""
    try:
        sagemaker.create_training_job(**request)
    except sagemaker.exceptions.ResourceInUse:
        pass  # this cell ran before
    except ClientError as refusal:
        print(f"{request['TrainingJobName']}: {refusal}\n")
        return False
    return True


# %% given="wait_for_end"
def ended(name):
    """What Describe says of a job when it has ended."""
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            return job
        time.sleep(0.5)


def log_of(name):
    """The lines of its log; on AWS the last ones may come a few seconds late."""
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    pages = (logs.get_log_events(logGroupName=group, logStreamName=s["logStreamName"], startFromHead=True) for s in streams)
    return [event["message"] for page in pages for event in page["events"]]


# %% given="colleagues_files"
for name, text in churn.spoilt(student).items():
    s3.put_object(Bucket=lab_bucket, Key=f"{lab_folder}/{name}", Body=text.encode())
print(*sorted(churn.spoilt(student)), f"are in {files_path}")

# %% [markdown]
# What the container reads is what lies in S3, not what your notebook remembers. So look there.
#
# **Your task:** `first_lines`, a dictionary from the name of each file to its first line. The files are in the bucket
# `lab_bucket`, their keys begin with `lab_folder`.
#
# *Research:* `list_objects_v2` and `get_object` of the S3 client. The `Body` of an answer is a stream of bytes.

# %% solution="look_inside"
### BEGIN SOLUTION: first_lines = {"amber.csv": "...", ...}, read from S3 with get_object
first_lines = {}
for item in s3.list_objects_v2(Bucket=lab_bucket, Prefix=f"{lab_folder}/")["Contents"]:
    body = s3.get_object(Bucket=lab_bucket, Key=item["Key"])["Body"].read()
    first_lines[item["Key"].rsplit("/", 1)[-1]] = body.decode().splitlines()[0]
### END SOLUTION
for name, line in first_lines.items():
    print(f"{name:10} {line}")

# %% test="first_lines_check" points=1 guide="G127"
checks.first_lines(first_lines, files_path)

# %% [markdown]
# **Your task:** `mistakes`, a dictionary from each name to what is wrong: `"header"`, `"label last"`, `"words"`
# (True and False in place of 1 and 0) or `"ids"`.

# %% solution="diagnose"
### BEGIN SOLUTION: mistakes = {"amber.csv": "...", ...} with one of the four words each
mistakes = {}
for name, first in first_lines.items():
    cells = first.split(",")
    signs = {"header": cells[0] == "churn", "words": cells[-1] in ("True", "False"), "ids": cells[-1][0] == "C"}
    mistakes[name] = next((mistake for mistake, found in signs.items() if found), "label last")
### END SOLUTION
mistakes

# %% test="diagnosis_check" points=4 guide="G109,G110,G111,G128"
checks.diagnosis(mistakes, files_path)

# %% [markdown]
# Now guess: which of the four will the container refuse? Then see.

# %% given="run_files"
labels = {name: name.removesuffix(".csv") for name in sorted(churn.spoilt(student))}
for name, label in labels.items():
    start(debug_job(label, f"{files_path}/{name}"))
for name, label in labels.items():
    job = ended(debug_name(label))
    seen = [line.split("INFO] ")[-1] for line in log_of(debug_name(label)) if "Train matrix" in line]
    print(f"{name:10} {job['TrainingJobStatus']:10}", *seen)

# %% [markdown]
# Only one of the four Failed. The header went in as customer number 401. In the file with words, True was taken for
# a missing value and False for 0. The ids became a column without a single value, which the log does not even count.
# And all three jobs say **Completed**.
#
# **Your task:** `failed_job`, the name of the job that Failed, and `failed_line`, the line of its log that says
# why. You will see more than one kind of line: the stack around the error tells where the program was, one line
# tells what it did not like.
#
# *Research:* print `log_of(...)` of that job. Describe's `FailureReason` is made from the same lines.

# %% solution="read_the_failure"
### BEGIN SOLUTION: failed_job = debug_name(...) of the one that Failed, failed_line = "..." from its log
[failed_file] = [name for name, mistake in mistakes.items() if mistake == "label last"]
failed_job = debug_name(labels[failed_file])
text = "\n".join(log_of(failed_job))
failed_line = re.search(r"label must be in .* regression", text)[0]
### END SOLUTION
print(failed_job, failed_line, sep="\n")

# %% test="failed_job_check" points=2 guide="G112,G117"
checks.failed_training(failed_job, failed_line)

# %% [markdown]
# **Your task:** mend that file. Read it from S3, put the label first, upload it *into another folder* of that
# bucket, and train on it with `debug_job("mended", ...)`. Keep the job's name as `mended_job` and wait for it.
#
# *Research:* `pandas.read_csv` with `header=None` reads the `Body` of `get_object`; a table is put in another
# order by a list of columns.

# %% solution="mend_the_file"
### BEGIN SOLUTION: upload the file with the label first, start(debug_job("mended", its address)), mended_job
body = s3.get_object(Bucket=lab_bucket, Key=f"{lab_folder}/{failed_file}")["Body"]
sent = pd.read_csv(body, header=None)
sent = sent[[sent.columns[-1], *sent.columns[:-1]]]
key = f"{lab_folder}-mended/{failed_file}"
s3.put_object(Bucket=lab_bucket, Key=key, Body=sent.to_csv(header=False, index=False).encode())
start(debug_job("mended", f"s3://{lab_bucket}/{key}"))
mended_job = debug_name("mended")
### END SOLUTION
print(ended(mended_job)["TrainingJobStatus"])

# %% test="mended_check" points=4 guide="G112,G117"
checks.mended_training(mended_job, failed_job)

# %% [markdown]
# **In your own words (5 points).** Three files were wrong and their jobs Completed. Which is worse, a job that
# fails or one that does not, and why? Name one thing for each of the three files by which you would have noticed:
# in the file, in the log, or later.

# %% [markdown] answer="silent_failures" points=5 guide="G109,G127"
# The one that does not fail: a failed job costs a minute, a silent one becomes a model that somebody uses. The
# header shows in the log, which says that the train matrix has 401 rows where I sent 400 customers. The words do
# not show in training at all; I would have noticed by reading the file back and looking for cells that are no
# numbers, and at the latest when the endpoint refuses True and False. The ids show in the file, which has six
# cells a line where label and features are five; the log counts four columns where I sent five. That is why I look
# at the uploaded file, compare rows and columns in the log, and never trust Completed alone.

# %% [markdown]
# ### Four requests that go wrong
#
# Some mistakes are found *before* a job exists: the request is refused, nothing starts and nothing is billed.
# Others are found only on the machine: there is a job, with a status and a log. For the last of the four we need
# a role that may do too little. (Making a role needs a right of its own. Most AWS accounts for courses do not give
# it: do this part in the local cloud then.)

# %% given="role_tools"
iam, weak_name = boto3.client("iam"), "corelab-debug-role"


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def take_all_rights():
    for name in iam.list_role_policies(RoleName=weak_name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=weak_name, PolicyName=name)


# %% given="weak_role"
service = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
rights = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:PutObject", "logs:*"], "Resource": "*"}
try:
    iam.create_role(RoleName=weak_name, AssumeRolePolicyDocument=policy(service))
except iam.exceptions.EntityAlreadyExistsException:
    take_all_rights()  # this cell ran before
iam.put_role_policy(RoleName=weak_name, PolicyName="weak", PolicyDocument=policy(rights))
weak_role = iam.get_role(RoleName=weak_name)["Role"]["Arn"]

# %% [markdown]
# | request | mistake |
# |---|---|
# | `prefix` | the channel's address has a typing error: there is nothing below it |
# | `image` | the image of another region |
# | `format` | the channel has no content type |
# | `role` | the role may list the bucket and write to it, but not read its objects |

# %% given="four_requests"
s3.put_object(Bucket=lab_bucket, Key=f"{lab_folder}-sound/data.csv", Body=b"1,2.5\n0,1.5\n" * 50)
sound = f"{files_path}-sound/"
elsewhere = image_uris.retrieve("xgboost", "us-east-1" if here == "eu-west-1" else "eu-west-1", "1.7-1")
foreign = {"TrainingImage": elsewhere, "TrainingInputMode": "File"}
untyped = debug_job("", sound)["InputDataConfig"]
untyped[0].pop("ContentType")
requests = {
    "prefix": debug_job("prefix", f"{files_path}-suond/"),
    "image": debug_job("image", sound, AlgorithmSpecification=foreign),
    "format": debug_job("format", sound, InputDataConfig=untyped),
    "role": debug_job("role", sound, RoleArn=weak_role),
}

# %% given="run_requests"
started = [label for label, request in requests.items() if start(request)]
for label in started:
    job = ended(debug_name(label))
    print(f"{job['TrainingJobName']}: {job['TrainingJobStatus']} ...{job.get('FailureReason', '')[-200:]}\n")

# %% [markdown]
# **Your task:** `moments`, a dictionary from each of the four words to `"refused"` or `"failed"`.

# %% solution="moments"
### BEGIN SOLUTION: moments = {"prefix": "...", "image": "...", "format": "...", "role": "..."}
moments = {"prefix": "refused", "image": "refused", "format": "failed", "role": "failed"}
### END SOLUTION

# %% test="moments_check" points=2 guide="G118"
checks.moments(moments, {label: debug_name(label) for label in ("prefix", "image", "format", "role")})

# %% [markdown]
# Read the refusal of `prefix` again: it gives three possible causes in one sentence, because from outside an
# empty folder, a bucket in another region and a role that may not look all look the same. And `format`: without
# a content type the container takes the file for libsvm, another text format.
#
# ### Give the role the right it lacks
#
# | who | is allowed by | looks like |
# |---|---|---|
# | you | your own user or role | `get_object` in this notebook works |
# | the job | the policies of *its* role, the `RoleArn` | `403 Forbidden` or `AccessDenied` in the FailureReason |
# | anybody | the bucket's own policy, which can forbid what a role allows | the same, although the role looks right |
#
# **Your task:** add to the role `weak_name` what it lacks, and nothing more: the right to read the objects of
# `lab_bucket`. Then start `debug_job("allowed", sound, RoleArn=weak_role)`, keep its name as `allowed_job` and wait.
#
# *Research:* `put_role_policy`; which action of S3 reads an object? The resource of an *object* is
# `arn:aws:s3:::bucket/*`, that of the bucket is without the `/*`.

# %% solution="mend_the_role"
### BEGIN SOLUTION: iam.put_role_policy(...) with the missing right, then allowed_job, the name of the job that may
reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{lab_bucket}/*"}
iam.put_role_policy(RoleName=weak_name, PolicyName="read", PolicyDocument=policy(reading))
start(debug_job("allowed", sound, RoleArn=weak_role))
allowed_job = debug_name("allowed")
### END SOLUTION
print(ended(allowed_job)["TrainingJobStatus"])

# %% test="allowed_check" points=3 guide="G119"
checks.allowed_training(allowed_job, debug_name("role"))

# %% [markdown] quiz="who_may_read" points=1 key="B" guide="G129" hint="who reads the file: the one who asked for the job, or the one it runs as?"
# **Question.** You can read `train.csv` in this notebook. The job on the same file Failed with AccessDenied. What
# do you look at first?
#
# - A. The rights of your own user: the job was started by you.
# - B. The policies of the role that the job names, and after them the policy of the bucket.
# - C. The content type of the channel.

# %% [markdown]
# The role was for this lab only. Roles cost nothing, but a role that nobody remembers is a door that nobody
# watches:

# %% given="remove_role"
take_all_rights()
for attached in iam.list_attached_role_policies(RoleName=weak_name)["AttachedPolicies"]:
    iam.detach_role_policy(RoleName=weak_name, PolicyArn=attached["PolicyArn"])
iam.delete_role(RoleName=weak_name)
print(weak_name, "is gone")

# %% [markdown] guide="G117,G118,G119,G126,G127,G128,G129"
# ### When it does not work
#
# | you see | look at |
# |---|---|
# | `No module named ...`, or an object without the method you read about | imports by name; the release: `sagemaker` 3 moved every module of 2 |
# | `ValidationException` from `create` | the message names the member; names, ARNs and S3 addresses have patterns |
# | "No S3 objects found" | the channel's address, the bucket's region, what the role may list |
# | Failed, "label must be in [0,1]" | the label is not the first column |
# | Failed, "not 'LIBSVM' format" | the channel has no content type |
# | Failed, `403` or `AccessDenied` | what the *role* may read, not what you may |
# | Completed, one row too many in "Train matrix has" | a header line |
# | Completed, AUC about .5 or 1 | the file: order of columns, label among the features |
#
# In a terminal, `corelab explain` and a job's name finds the first real error line in its log and says what it
# means. More such traps are on the page [common pitfalls](page:pitfalls).

# %% [markdown] guide="G134"
# ## To read further
#
# - [XGBoost with SageMaker](link:sagemaker_xgboost): formats, hyperparameters, metrics, instance types
# - [sagemaker-core](link:sagemaker_core): `TrainingJob` and every shape, with their members
# - [CreateTrainingJob](link:create_training_job): what the service itself takes and refuses
# - [roles for SageMaker](link:sagemaker_roles): which rights a job needs, and for which call
# - [access to training data](link:access_training_data): File, Pipe and FastFile

# %% [markdown]
# ## You now have
#
# - a Completed training job that you can find by name and tags,
# - its data, log and model in one folder of S3,
# - a learning curve read from the log, and a model that works on this machine,
# - its price, and the most it could have cost,
# - a file and a role that you mended after reading why their jobs failed.
#
# Nothing keeps running: a training job's machine is gone when it ends. What remains are a few megabytes in
# S3. Next, `a2_hyperparameter_tuning` asks whether depth 5 and eta 0.2 were a good guess.
