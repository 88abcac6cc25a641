# %% [markdown]
# # CoreLabSession: the plumbing in one object, and a look back
#
# In every assignment you wrote the same lines: a session, a role, a timestamp, an S3 folder, names with your name
# in them, the address of an image. You know now what each of them is for. That is the moment to stop writing them.
#
# You will
#
# - make a `CoreLabSession` and compare each of its values with what you build by hand,
# - rebuild the training job of `a1_training_job` with it,
# - meet names that stay the same in every run, and code that can live with that,
# - **extend** it by a convention of your own: tags and a note for each run,
# - draw up a table of your experiments, and the bill,
# - look back at the whole course, and rate yourself.
#
# It takes about 90 minutes and is worth 75 points. On AWS it costs about one cent a run.

# %% [markdown]
# ## Connect

# %% given="connect"
import corelab

corelab.connect()

# %% given="setup"
import time

import boto3
import matplotlib.pyplot as plt
import pandas as pd
from sagemaker_core.resources import Endpoint, EndpointConfig, Model, TrainingJob, TransformJob
from sagemaker_core.shapes import Tag

from corelab import checks, churn
from corelab.core import prices
from corelab.core.session import CoreLabSession
from corelab.errors import CorelabError

sagemaker_client = boto3.client("sagemaker")

# %% [markdown] guide="G601,G602,G603,G604,G605"
# ## One object
#
# | you wrote | `CoreLabSession` has |
# |---|---|
# | `Session()`, `get_execution_role()`, `session.boto_region_name` | `core_session`, `role`, `region` |
# | `time.strftime(...)` | `timestamp`, shared by everything below |
# | `s3_path_join("s3://", bucket, ...)` | `base_s3_uri`, `jobs_output_s3_uri`, `transform_output_s3_uri` |
# | `f"churn-{student}-{timestamp}"` | `training_job_name`, `tuning_job_name` |
# | names you invented on the spot | `model_name`, `endpoint_name`, `serverless_endpoint_name` |
# | `image_uris.retrieve(framework=..., region=..., version=...)` | `retrieve_image("1.7-1")` |
# | `session.upload_data(...)` | `upload_file(path, folder)` |
#
# **Your task:** `lab_session`, a `CoreLabSession` for XGBoost. The project is your name and `-essentials`, the
# folder is `essentials`, and the folder of the run is to be visible in S3 at once.
#
# *Research:* `help(CoreLabSession)`. Four arguments; which of them makes the folder?

# %% solution="make_session"
student = "your-name"
### BEGIN SOLUTION: your name in student, then lab_session = CoreLabSession(...)
student = "ada-lovelace"
lab_session = CoreLabSession(
    framework="xgboost",
    project_name=f"{student}-essentials",
    default_folder="essentials",
    create_run_folder=True,
)
### END SOLUTION
lab_session

# %% test="session_check" points=3 guide="G601,G602,G603,G607"
checks.session_ready(lab_session, student)

# %% [markdown]
# ### What it hides
#
# An abstraction is safe to use as long as you could do without it.
#
# **Your task:** make nine of its values *by hand*, from `sagemaker_core`, `sagemaker.image_uris` and the
# `timestamp` of the session alone, as `by_hand`, a dict with the keys `region`, `role`, `base_s3_uri`,
# `jobs_output_s3_uri`, `transform_output_s3_uri`, `training_job_name`, `model_name`,
# `serverless_endpoint_name` and `image`.
#
# *Research:* print `lab_session` above and find the rule behind each name.

# %% solution="by_hand_base"
### BEGIN SOLUTION: a session, and by_hand with region, role and the three S3 addresses
from sagemaker_core.helper.session_helper import Session, get_execution_role

session = Session()
base = f"s3://{session.default_bucket()}/essentials/{lab_session.timestamp}/"
by_hand = {
    "region": session.boto_region_name,
    "role": get_execution_role(),
    "base_s3_uri": base,
    "jobs_output_s3_uri": f"{base}jobs/",
    "transform_output_s3_uri": f"{base}transform_output/",
}
### END SOLUTION

# %% test="by_hand_base_check" points=0 guide="G602,G603"
checks.value(by_hand["base_s3_uri"], lab_session.base_s3_uri, "bucket, folder, timestamp, and a slash")

# %% solution="by_hand_names"
### BEGIN SOLUTION: by_hand with the three names and the image as well
from sagemaker import image_uris

project = f"{student}-essentials-xgboost"
by_hand["training_job_name"] = f"{project}-{lab_session.timestamp}"
by_hand["model_name"] = project
by_hand["serverless_endpoint_name"] = f"{project}-serverless-endpoint"
by_hand["image"] = image_uris.retrieve("xgboost", by_hand["region"], version="1.7-1")
### END SOLUTION
pd.Series(by_hand)

# %% test="by_hand_check" points=5 guide="G602,G603,G604,G605,G606"
checks.made_by_hand(by_hand, lab_session)

# %% [markdown] guide="G601"
# What does it do with names that cannot work? A good utility says so before AWS does:

# %% guide="G601"
for wrong in ({"project_name": "!!!"}, {"project_name": "ada", "default_folder": "a//b"}):
    try:
        CoreLabSession("xgboost", **wrong)
    except CorelabError as problem:
        print(problem)

# %% [markdown]
# ### Names have limits
#
# AWS allows 63 characters for a training job's name and only 32 for a tuning job's. A project with a long name
# must still get legal ones.
#
# **Your task:** `long_session`, a `CoreLabSession` with a project name of at least 60 characters, and
# `name_lengths`, a dict from `"training"` and `"tuning"` to the lengths of its two job names. Look at both names:
# what was kept, what was cut?

# %% solution="long_names"
### BEGIN SOLUTION: long_session with a long project_name, and name_lengths
long_session = CoreLabSession("xgboost", "the-department-of-customer-happiness-and-churn-prevention-2026")
name_lengths = {
    "training": len(long_session.training_job_name),
    "tuning": len(long_session.tuning_job_name),
}
### END SOLUTION
print(long_session.training_job_name, long_session.tuning_job_name, name_lengths, sep="\n")

# %% test="long_names_check" points=2 guide="G604"
checks.name_lengths(name_lengths, long_session, {"training": 63, "tuning": 32})

# %% [markdown] quiz="names_without_time" points=2 key="B" guide="G604,G605"
# **Question.** Job names end in a timestamp; model and endpoint names do not. Why?
#
# - A. Models and endpoints are free, so nobody has to tell them apart.
# - B. A job happens once and its name must never come again; callers of an endpoint need an address that stays
#   the same while what is behind it changes.
# - C. AWS does not allow digits in the name of an endpoint.

# %% [markdown]
# ## Assignment 1 again
#
# The files first: the same as in `a1_training_job`, from the published split.

# %% given="files"
customers = churn.load()
part = churn.split_index(customers["customer_id"])
table = customers.drop(columns=["customer_id", "churn"])
table["total_charge"] = table["total_charge"].fillna(0)
table = pd.get_dummies(table, dtype=int)
table.insert(0, "churn", customers["churn"])
for file in ("train", "validation"):
    table[part == file].to_csv(f"{file}.csv", header=False, index=False)
table[part == "validation"].iloc[:200, 1:].to_csv("unlabelled.csv", header=False, index=False)

# %% [markdown]
# **Your task:** upload both files by `lab_session`, each into a folder of its own, and make `channels` of them: a
# list of two `Channel` objects as in assignment 1.

# %% solution="channels"
from sagemaker_core.shapes import Channel, DataSource, S3DataSource

channels = []
### BEGIN SOLUTION: for train and validation: lab_session.upload_file, S3DataSource, Channel
for name in ("train", "validation"):
    uri = lab_session.upload_file(f"{name}.csv", name)
    place = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri)
    source = DataSource(s3_data_source=place)
    channels.append(Channel(channel_name=name, data_source=source, content_type="text/csv"))
### END SOLUTION

# %% test="planned_channels_check" points=0 guide="G608"
checks.planned_channels(channels)

# %% given="settings"
from sagemaker_core.shapes import AlgorithmSpecification, OutputDataConfig, ResourceConfig, StoppingCondition

resources = ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10)
stopping = StoppingCondition(max_runtime_in_seconds=900)
hyper_parameters = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": "100"}
hyper_parameters |= {"max_depth": "5", "eta": "0.2", "tree_method": "hist"}

# %% [markdown]
# **Your task:** create the training job with the session's name, role, image and output place, `resources`,
# `stopping`, `hyper_parameters`, and the tags `course` = `corelab`, `assignment` = `a1_training_job`. Keep it as
# `training_job` and wait for it.

# %% solution="train_again"
tags = [Tag(key="course", value="corelab"), Tag(key="assignment", value="a1_training_job")]
### BEGIN SOLUTION: TrainingJob.create with what lab_session offers, then wait()
image = lab_session.retrieve_image("1.7-1")
algorithm = AlgorithmSpecification(training_image=image, training_input_mode="File")
training_job = TrainingJob.create(
    training_job_name=lab_session.training_job_name,
    role_arn=lab_session.role,
    algorithm_specification=algorithm,
    input_data_config=channels, hyper_parameters=hyper_parameters, tags=tags,
    output_data_config=OutputDataConfig(s3_output_path=lab_session.jobs_output_s3_uri),
    resource_config=resources, stopping_condition=stopping,
)
training_job.wait()
### END SOLUTION

# %% test="job_check" points=3 guide="G608"
checks.training_job(lab_session.training_job_name)

# %% test="channels_check" points=2 guide="G608"
checks.channels(lab_session.training_job_name)

# %% test="completed_check" points=3 guide="G608"
checks.completed(lab_session.training_job_name)

# %% [markdown] guide="G608"
# The same resources, fewer lines, and no line in which a bucket, a timestamp or a role could be mistyped.
#
# ## Names that stay
#
# Run this notebook twice, and the second run finds a model of the same name. `create` refuses that. The pattern
# that helps is **describe, then reuse**: look whether it is there; if it is there and is what you want, take it;
# if it is something else, replace it; if it is not there, create it.
#
# **Your task:** `ensure_model(name, artifact)`, which returns the ARN of a model of that name with that artifact,
# whatever was there before. Call it twice for `lab_session.model_name` and the artifact of `training_job`, and
# keep both answers as `first_arn` and `second_arn`.
#
# *Research:* `describe_model` of a boto3 client raises a `ClientError` for a model that is not there;
# `list_models(NameContains=...)` gives an empty list. `ModelDataUrl` stands in `PrimaryContainer`.

# %% solution="ensure_model"
### BEGIN SOLUTION: a function ensure_model that describes, reuses or replaces, or creates; then call it twice
def ensure_model(name, artifact):
    found = sagemaker_client.list_models(NameContains=name)["Models"]
    if name in [model["ModelName"] for model in found]:
        model = sagemaker_client.describe_model(ModelName=name)
        if model["PrimaryContainer"]["ModelDataUrl"] == artifact:
            return model["ModelArn"]
        sagemaker_client.delete_model(ModelName=name)
    container = {"Image": lab_session.retrieve_image("1.7-1"), "ModelDataUrl": artifact}
    options = {"PrimaryContainer": container, "ExecutionRoleArn": lab_session.role}
    return sagemaker_client.create_model(ModelName=name, **options)["ModelArn"]


artifact = training_job.model_artifacts.s3_model_artifacts
first_arn, second_arn = (ensure_model(lab_session.model_name, artifact) for _ in range(2))
### END SOLUTION

# %% test="ensure_model_check" points=4 guide="G605"
checks.reused(first_arn, second_arn, lab_session.model_name)
checks.serving_model(lab_session.model_name)

# %% [markdown]
# ## A convention of your own
#
# The class has no opinion about tags. Your team has: everything a run makes must say which **project** and which
# **run** it belongs to, so that the bill can be split; and every run leaves a **note** about why it was made.
#
# **Your task:** `TeamSession`, a subclass of `CoreLabSession` with
#
# - `tags`, a property: a list of `Tag` with `course` = `corelab`, `project` = the project's name and `run` = the
#   timestamp,
# - `note(text)`, which writes the text to `note.md` in the folder of the run and returns its S3 address.
#
# *Research:* `property`; `put_object` of a boto3 client for S3. The checks below are its unit tests.

# %% solution="team_session"
### BEGIN SOLUTION: class TeamSession(CoreLabSession) with the property tags and the method note(text)
class TeamSession(CoreLabSession):
    @property
    def tags(self):
        facts = {"course": "corelab", "project": self.project_name, "run": self.timestamp}
        return [Tag(key=key, value=value) for key, value in facts.items()]

    def note(self, text):
        uri = f"{self.base_s3_uri}note.md"
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
        return uri


### END SOLUTION
team = TeamSession("xgboost", f"{student}-essentials", "essentials", create_run_folder=True)
note_uri = team.note("Rebuilt the job of assignment 1 with CoreLabSession, to compare both ways of working.")

# %% test="team_tags_check" points=5 guide="G506,G610"
checks.run_tags(team.tags, team)

# %% test="note_check" points=2 guide="G506,G610"
checks.run_note(note_uri, team)

# %% [markdown]
# ### Five kinds of resource, one tag
#
# Now use it. The training job and the model exist already, so their tags come afterwards; a transform job, an
# endpoint configuration and an endpoint get theirs when they are made.
#
# The next cell removes an endpoint of this name that an interrupted run may have left.

# %% given="remove_endpoint"
def remove_endpoint():
    for left in list(Endpoint.get_all(name_contains=team.serverless_endpoint_name)):
        left.delete()
        left.wait_for_delete(poll=1)
    for left in list(EndpointConfig.get_all(name_contains=team.serverless_endpoint_config_name)):
        left.delete()


remove_endpoint()

# %% given="transform_parts"
from sagemaker_core.shapes import TransformDataSource, TransformInput, TransformOutput, TransformResources
from sagemaker_core.shapes import TransformS3DataSource

unlabelled_uri = team.upload_file("unlabelled.csv", "unlabelled")
whence = TransformDataSource(s3_data_source=TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=unlabelled_uri))
transform_parts = {
    "transform_input": TransformInput(data_source=whence, content_type="text/csv", split_type="Line"),
    "transform_output": TransformOutput(s3_output_path=team.transform_output_s3_uri, assemble_with="Line"),
    "transform_resources": TransformResources(instance_type="ml.m5.large", instance_count=1),
}

# %% given="serverless_parts"
from sagemaker_core.shapes import ProductionVariant, ProductionVariantServerlessConfig

small = ProductionVariantServerlessConfig(memory_size_in_mb=1024, max_concurrency=1)
model_name = team.model_name
variant = ProductionVariant(variant_name="AllTraffic", model_name=model_name, serverless_config=small)

# %% [markdown]
# **Your task:** with `team.tags` on each of them, create the `TransformJob` (its name is in the session, its parts
# in `transform_parts`), the `EndpointConfig` and the `Endpoint` (both names are in the session); put the tags on
# the training job and the model too. Keep `arns`, a list of the five ARNs.
#
# *Research:* `add_tags` of the boto3 client takes dicts with `Key` and `Value`.

# %% solution="tag_five"
### BEGIN SOLUTION: TransformJob.create, EndpointConfig.create, Endpoint.create with tags=, add_tags for two, arns
transform = TransformJob.create(
    transform_job_name=team.transform_job_name, model_name=model_name, tags=team.tags, **transform_parts
)
config_name, endpoint_name = team.serverless_endpoint_config_name, team.serverless_endpoint_name
config = EndpointConfig.create(endpoint_config_name=config_name, production_variants=[variant], tags=team.tags)
endpoint = Endpoint.create(endpoint_name=endpoint_name, endpoint_config_name=config_name, tags=team.tags)
late = [{"Key": tag.key, "Value": tag.value} for tag in team.tags]
for arn in (training_job.training_job_arn, first_arn):
    sagemaker_client.add_tags(ResourceArn=arn, Tags=late)
made = [transform.transform_job_arn, config.endpoint_config_arn, endpoint.endpoint_arn]
arns = [training_job.training_job_arn, first_arn, *made]
### END SOLUTION

# %% test="tagged_check" points=4 guide="G506"
checks.tagged(arns, team.timestamp)

# %% [markdown] guide="G610"
# Four steps made this utility, and they make any other: notice what you repeat, move it into one place, choose
# defaults that are right most of the time, and leave a way around them. `TeamSession` hides none of what
# `CoreLabSession` shows.
#
# ## The experiments, and the bill
#
# "Which settings did we try in March?" A laptop forgets; the cloud keeps every job with its settings, metrics and
# times.
#
# **Your task:** `experiments`, a `DataFrame` of all Completed training jobs with the tags `course` = `corelab` and
# `assignment` = `a1_training_job`, one row each: `name`, `auc` (`validation:auc`) and `seconds` (billable).
#
# *Research:* `search` of the boto3 client with `Resource="TrainingJob"`, and its paginator. A filter on a tag is
# named `Tags.` and the key.

# %% solution="experiment_table"
### BEGIN SOLUTION: search with three filters, one row for each result, all pages
wanted = {"Tags.course": "corelab", "Tags.assignment": "a1_training_job", "TrainingJobStatus": "Completed"}
filters = [{"Name": key, "Operator": "Equals", "Value": value} for key, value in wanted.items()]
query = {"Resource": "TrainingJob", "SearchExpression": {"Filters": filters}}
found = []
for page in sagemaker_client.get_paginator("search").paginate(**query):
    found += [result["TrainingJob"] for result in page["Results"]]
lines = []
for job in found:
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    lines.append((job["TrainingJobName"], metrics["validation:auc"], job["BillableTimeInSeconds"]))
experiments = pd.DataFrame(lines, columns=["name", "auc", "seconds"])
### END SOLUTION
experiments.tail()

# %% test="experiments_check" points=4 guide="G502"
checks.experiments(experiments)

# %%
figure, axis = plt.subplots(figsize=(7, 3))
axis.scatter(experiments["seconds"], experiments["auc"], color="black", marker="x")
axis.set(xlabel="billable seconds", ylabel="validation AUC", title="Completed jobs of assignment 1")
axis.margins(0.2)
plt.show()

# %% [markdown] guide="G502"
# *In words:* each cross is a job. Crosses at one height are the same model again: seeds and data are fixed, so
# the AUC repeats to the last digit, while the seconds do not. That is what *reproducible* means, and the table is
# what *tracked* means.
#
# | before this course | now |
# |---|---|
# | a notebook with the last run in it | every run tracked: settings, data, metrics, note |
# | one machine | the size that a job needs, for as long as it needs it |
# | a file with predictions | batch jobs and an endpoint that others can call |
# | "it worked last week" | logs, metrics and a bill |

# %% [markdown]
# **Your task:** `training_bill`, in dollars: what the machines of these jobs cost together.
#
# *Research:* `prices.load_prices().hourly(...)`, as in assignment 1. Do not assume one machine type: some job may
# have used another.

# %% solution="bill"
### BEGIN SOLUTION: for each job, billable hours x hourly price x instances; then the sum
rates = prices.load_prices()
training_bill = 0.0
for job in found:
    machine = job["ResourceConfig"]
    hours = job["BillableTimeInSeconds"] / 3600
    training_bill += hours * rates.hourly(machine["InstanceType"]) * machine["InstanceCount"]
### END SOLUTION
print(f"{len(experiments)} jobs, ${training_bill:.6f}")

# %% test="bill_check" points=3 guide="G504"
checks.training_bill(training_bill)

# %% [markdown] guide="G504,G505,G506"
# ### Traps you now know
#
# | trap | what you did about it |
# |---|---|
# | an endpoint around the clock for work that a nightly batch could do | computed the break-even in `a4` |
# | a machine larger than needed | one `ml.m5.large`, and memory measured in `a4` |
# | tuning without limits | 5 to 20 jobs, a run time for each in `a2` |
# | forgotten endpoints | clean-up with a check in `a4` and below |
# | another file format here and there | header, bools and content type in `a1` |
# | the label in the inference data | refused in `a3` and `a4` |
# | other preparation in training and inference | columns in another order in `a3` and `a4` |
# | a model that nobody judged before it was deployed | AUC on data it never saw, every time |
# | no local test before a dear job | `a0` first, a local search in `a2` |
# | no tags, no notes | `TeamSession` |
# | no monitoring | logs in `a1`, metrics and alarms in `a4` |

# %% [markdown] quiz="which_file" points=2 key="AD" guide="G505"
# **Question.** First lines of four files for the model of assignment 1 (label first in training). Which two will
# do harm *without any error*? (Two are right.)
#
# - A. training: `churn,tenure_months,monthly_charge`, then numbers
# - B. inference, on an endpoint: `1,83,59,45.48`, one value more than the model has features
# - C. training: `83,59,45.48,1`, with the label at the end
# - D. inference: the right columns in alphabetical order

# %% [markdown]
# ## Clean up
#
# **Your task:** wait until the endpoint is no longer `Creating` and the transform job has ended, then remove the
# endpoint and its configuration (there is a function above) and the model.

# %% solution="clean_up"
### BEGIN SOLUTION: wait for both, remove_endpoint(), delete the model
endpoint.wait_for_status("InService", poll=1)
transform.wait(poll=1)
remove_endpoint()
Model.get(model_name).delete()
### END SOLUTION

# %% test="clean_up_check" points=2 guide="G504"
checks.no_endpoint(team)

# %% [markdown]
# ## What you should have learned
#
# Four questions, one for each part of the course.

# %% [markdown] quiz="learned_training" points=1 key="C" guide="G501"
# **Training jobs.** When does moving from your laptop to a training job make sense?
#
# - A. Always: the cloud is faster.
# - B. Never for tabular data.
# - C. When data, number of runs, or the need to repeat and share them outgrow the minutes that starting a machine
#   costs each time.

# %% [markdown] quiz="learned_tuning" points=1 key="A" guide="G501"
# **Tuning.** Twenty trials, all of them started at once, by the Bayesian strategy. What do you get?
#
# - A. Hardly more than random search: there is nothing to learn from while all of them run.
# - B. The best result, because the search is parallel.
# - C. An error.

# %% [markdown] quiz="learned_inference" points=1 key="B" guide="G501"
# **Batch or real time.** Marketing wants a list of the thousand customers most at risk on every first of the
# month. What do you offer?
#
# - A. A serverless endpoint.
# - B. A batch transform job, started once a month.
# - C. An endpoint on one machine, so that the list is ready at any time.

# %% [markdown] quiz="learned_serverless" points=1 key="C" guide="G501"
# **Serverless.** Which of these does *not* help against cold starts?
#
# - A. Provisioned concurrency.
# - B. A smaller model and image.
# - C. A larger `max_concurrency`.

# %% [markdown]
# ### Four questions you will be asked
#
# **The finance director (4 points).** "Why should we pay for machine learning in the cloud?" Answer in four
# sentences with figures from this notebook and the others.

# %% [markdown] answer="finance" points=4 guide="G503"
# All training jobs in my table together cost a fraction of a cent, because we pay by the second and nothing in
# between; a workstation for the same work costs thousands before the first run. A prediction costs less than a
# thousandth of a cent, and calling the tenth of customers with the highest score reaches three times as many
# leavers as calling at random. If one kept customer is worth 200 dollars a year, a single one pays for all of it.
# The risk is not the price of a job but things that run on unnoticed, and against that we have limits, tags and
# a clean-up that is checked.

# %% [markdown]
# **The new colleague (4 points).** "Why XGBoost and not a neural network?" When would you choose which?

# %% [markdown] answer="technique" points=4 guide="G503"
# Our data are ten thousand rows of mixed numbers and categories with gaps. There boosted trees are hard to beat:
# they need no scaling, take missing values as they are, find interactions, train in seconds on a cheap machine
# and show which columns mattered. A neural network pays when the input has structure that features cannot easily
# express, such as images, sound, text or long sequences, and when there are very many examples or a pretrained
# model to start from. I would also try one if several such inputs have to be combined, and I would still keep the
# trees as the baseline to beat.

# %% [markdown]
# **The operator (4 points).** "Your model goes live on Monday. What do you watch, and what wakes you at night?"

# %% [markdown] answer="operation" points=4 guide="G503"
# Four layers. The service: 5XX and 4XX as shares of invocations, p95 of latency, throttled calls. The input: share
# of missing values, ranges and category levels for each column against training. The output: the mean score and
# its distribution day by day. The outcome: AUC and lift as soon as labels are known, a month later. What wakes me
# is only what hurts customers now: errors above one percent for five minutes, or latency beyond the callers' time
# limit. Drift makes a ticket for the morning. And a budget alarm on the costs.

# %% [markdown]
# **The auditor (4 points).** "The model is two years old. How do you know that it still works, and what if it
# does not?"

# %% [markdown] answer="risk" points=4 guide="G503"
# Every month I score the previous month's customers with labels that are known by then and compare AUC and
# calibration with the values at release; before labels are there, the drift of inputs and scores is the early
# sign. The limits are written down in advance: say, AUC more than .03 below release, or the mean score 20 percent
# off the actual rate. Then first the data are checked, since a changed column is more frequent than changed
# customers; then I train on newer data, compare old and new on the same recent customers and release by updating
# the endpoint, with the old configuration kept to go back. If nothing helps, a simple rule takes over and
# marketing is told.

# %% [markdown] guide="G609"
# ### Build it, or use what is there?
#
# Build your own while you learn how the thing below works, when you need what no utility offers, or when your
# team will use it every day. Use what is there when the pattern is established, time is short, and the problem is
# the model and not the plumbing.
#
# **In your own words (6 points).** One or two sentences each. How much boilerplate did `CoreLabSession` take away?
# Which mistakes does it prevent? What do common names do for a team? When would its conventions not fit?

# %% [markdown] answer="build_or_use" points=6 guide="G609"
# In assignment 1 about fifteen lines built session, role, region, bucket, timestamp, paths and names; here it is
# one call of six lines. It prevents two timestamps in one run, a job name with an underscore or of 70 characters,
# a double slash in a path, two channels below one prefix, and an image of the wrong region. With common names
# everybody finds a colleague's job, the bill can be split and clean-up scripts can go by name. It would not fit
# when several models are served in one project, because model and endpoint names are the same in every run; when
# the company prescribes buckets or name schemes; or in an account without permission to create the default
# bucket.

# %% [markdown]
# ## How far are you?
#
# Rate yourself: 1 heard of it, 2 could do it with the notebook open, 3 could do it alone, 4 could teach it. The
# right column is your evidence: a check that passed is worth more than a feeling.
#
# ### Technique

# %% [markdown] guide="G507"
# | I can | evidence |
# |---|---|
# | tell sagemaker-core and the SageMaker SDK apart | `open_session` and `find_image` in `a1`, both methods in `a4` |
# | choose resources for a training job | `job_check`, `worst_case_check` in `a1` |
# | set up tuning with sensible ranges and a budget | the checks of ranges and limits in `a2` |
# | choose between batch and real time | the scenarios in `a3`, `chatbot` in `a4`, `learned_inference` here |
# | deploy a serverless endpoint with memory and concurrency that fit | `config_check`, `too_many_check` in `a4` |

# %% [markdown] guide="G508"
# ### Business
#
# | I can | evidence |
# |---|---|
# | estimate what a decision about machines costs | `worst_case_check` in `a1`, `bill_check` here |
# | explain what tuning brings for its price | cost against gain in `a2` |
# | recommend a deployment for a traffic pattern | `break_even_check` and the business case in `a4` |
# | say when to move from the laptop to the cloud | `learned_training` here |

# %% [markdown] guide="G509"
# ### Operation
#
# | I can | evidence |
# |---|---|
# | find out why a job or an endpoint failed | the debug labs in `a1` to `a4` |
# | say what to monitor and where to set alarms | the metrics in `a4`, "The operator" here |
# | bring out a new version and go back | `update_check` in `a4` |
# | say who may call, read and run what | roles in `a1`, production in `a4` |

# %% [markdown] guide="G510"
# ## Where next
#
# | next | begin with |
# |---|---|
# | bring your own library | the same job with an own `train.py` that reads `/opt/ml/input/data/train` and writes to `/opt/ml/model`, in script mode or in an image of yours |
# | compare frameworks | the same two files for the built-in Linear Learner, and the same test part |
# | production | the alarms of `a4` as code, a pipeline that retrains and compares before it updates |
# | save money | `enable_managed_spot_training` with checkpoints; automatic scaling of machines |
# | SageMaker Pipelines | your four notebooks as four steps |
# | Feature Store | `prepare` once, for training and inference |
# | Model Registry | an approval between training and `update` |
# | multi-model endpoints | one endpoint for the models of many regions |
# | edge | the booster of `a1` on a small machine without a network |
#
# For a project of your own: choose a business question, draw the parts, estimate costs and gain, build the
# smallest version that says something true. Books and communities are in the course's reading list.
#
# A starting point for your own library, a training script as a container runs it:
#
# ```python
# import joblib, os, pandas as pd
# from sklearn.ensemble import HistGradientBoostingClassifier
#
# folder = os.environ["SM_CHANNEL_TRAIN"]
# table = pd.concat(pd.read_csv(f"{folder}/{name}", header=None) for name in os.listdir(folder))
# model = HistGradientBoostingClassifier().fit(table.iloc[:, 1:], table[0])
# joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
# ```

# %% [markdown]
# ## The last word is yours
#
# **In your own words (3 points).** What do you do differently now than before this course: in technique, in
# judgment about tools, and in thinking about production? One honest sentence each.

# %% [markdown] answer="last_word" points=3 guide="G611"
# Technique: I read what the cloud recorded, the job, its log, its metrics, in place of trusting what my notebook
# printed. Tools: I first do a thing by hand once, and then let a utility do it, because I know then what it hides
# and can go around it. Production: I ask for each thing that I start who pays for it, who notices when it breaks,
# and who ends it.

# %% [markdown]
# ## You now have
#
# - an object that replaces the plumbing, and the knowledge of what it does,
# - a subclass with your team's convention, tested,
# - a table of your experiments and their bill,
# - an account in which nothing of yours is running.
