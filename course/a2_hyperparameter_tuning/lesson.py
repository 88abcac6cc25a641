# %% [markdown] guide="G201"
# # Hyperparameter tuning: let SageMaker search
#
# In `a1_training_job` you chose depth 5 and eta 0.2 because somebody said so. Were they good? In this notebook
# you let SageMaker try other values: a **tuning job** starts many training jobs, reads a metric from each log,
# and uses what it has learned to choose the next settings. In the end it names the best.
#
# You will
#
# - find your own baseline and the **metric** to improve,
# - choose **ranges** to search, after a cheap look on this machine,
# - **bound** the search, and say in advance what it can cost at most,
# - build the **template** that every training job of the search shares,
# - **run** it, draw its trials, and name the best,
# - find out which settings **mattered**, what was **gained**, and whether it was **worth** its price,
# - break tuning jobs on purpose in four ways, and mend them.
#
# It takes about 100 minutes and is worth 100 points. On AWS itself one run costs some ten cents; in the local
# cloud it costs nothing.

# %% [markdown]
# ## Connect

# %% given="connect"
import corelab

corelab.connect()

# %% given="setup"
import io
import itertools
import re
import tarfile
import time

import boto3
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xgboost as xgb
from botocore.exceptions import ClientError

from corelab import checks, churn

# %% given="session"
from sagemaker_core.helper.session_helper import Session, get_execution_role
from sagemaker_core.resources import HyperParameterTuningJob, TrainingJob

session = Session()
region = session.boto_region_name
bucket = session.default_bucket()
role = get_execution_role()
sagemaker = boto3.client("sagemaker")
s3 = boto3.client("s3")

# %% [markdown]
# ## Your baseline
#
# A search needs something to beat. The next cells look for the newest training job in this cloud that
# finished and carries the tags of assignment 1. Names may be anything: tags say what a job is for.

# %% given="find_job"
def newest_job(assignment):
    """The newest finished training job of an assignment, found by its tags."""
    wanted = {"Tags.course": "corelab", "Tags.assignment": assignment, "TrainingJobStatus": "Completed"}
    filters = [{"Name": name, "Operator": "Equals", "Value": value} for name, value in wanted.items()]
    order = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 1}
    found = sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": filters}, **order)
    return found["Results"][0]["TrainingJob"]["TrainingJobName"] if found["Results"] else None


# %% [markdown]
# Only if there is none, for instance in a fresh cloud, the two functions below repeat assignment 1 in short.

# %% given="baseline_data"
def upload_customers():
    customers = churn.load()
    part = churn.split_index(customers["customer_id"])
    features = customers.drop(columns=["customer_id", "churn"]).fillna({"total_charge": 0})
    table = pd.get_dummies(features, dtype=int)
    table.insert(0, "churn", customers["churn"])
    uris = {}
    for name in ("train", "validation"):
        table[part == name].to_csv(f"{name}.csv", header=False, index=False)
        uris[name] = session.upload_data(f"{name}.csv", key_prefix=f"churn/baseline/{name}")
    return uris


# %% given="baseline_job"
def train_baseline():
    from sagemaker import image_uris
    from sagemaker.estimator import Estimator
    from sagemaker.inputs import TrainingInput

    tags = {"course": "corelab", "assignment": "a1_training_job"}
    settings = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": 100, "max_depth": 5, "eta": 0.2}
    settings["tree_method"] = "hist"
    machine = {"instance_count": 1, "instance_type": "ml.m5.large", "volume_size": 10, "max_run": 900}
    image = image_uris.retrieve("xgboost", region, "1.7-1")
    job = Estimator(image, role, **machine, output_path=f"s3://{bucket}/churn", hyperparameters=settings, tags=tags)
    job.fit({name: TrainingInput(uri, content_type="text/csv") for name, uri in upload_customers().items()}, logs=False)
    return job.latest_training_job.name


# %% given="baseline"
baseline_name = newest_job("a1_training_job")
if baseline_name is None:
    print("No finished job of assignment 1 is in this cloud: training a baseline.")
    baseline_name = train_baseline()
baseline = TrainingJob.get(baseline_name)
print(baseline_name, baseline.training_job_status, baseline.hyper_parameters, sep="\n")

# %% [markdown]
# ### What did it measure?
#
# **Your task:**
#
# - `metric_names`, the set of names of all metrics in the baseline's log, such as `train:error`,
# - `baseline_auc`, its last validation AUC.
#
# *Research:* the log is in the group `/aws/sagemaker/TrainingJobs`, in the stream that starts with the job's
# name; `describe_log_streams` and `get_log_events` of boto3's `logs` client. The names stand right after
# `#011`. SageMaker turns the first hyphen into a colon. For the second, look at `final_metric_data_list` of the job.

# %% solution="read_baseline"
### BEGIN SOLUTION: metric_names from the log's lines by a regular expression, baseline_auc from the job
logs = boto3.client("logs")
group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
streams = logs.describe_log_streams(**group, logStreamNamePrefix=f"{baseline_name}/")["logStreams"]
events = logs.get_log_events(**group, logStreamName=streams[0]["logStreamName"], startFromHead=True)["events"]
text = "\n".join(event["message"] for event in events)
metric_names = {f"{part}:{name}" for part, name in re.findall(r"#011(train|validation)-([\w@-]+):", text)}
final = {metric.metric_name: metric.value for metric in baseline.final_metric_data_list}
baseline_auc = final["validation:auc"]
### END SOLUTION
print(metric_names, baseline_auc)

# %% test="metrics_check" points=2 guide="G211"
checks.logged_metrics(metric_names, baseline_name)

# %% test="baseline_check" points=1 guide="G211"
checks.final_metric(baseline_auc, baseline_name)

# %% [markdown]
# ## The objective
#
# A tuning job compares training jobs by one number, and has to know whether more of it is better.

# %% [markdown] quiz="better" points=2 key="AD" guide="G204"
# **Question.** SageMaker does not know what a metric means: you say `Maximize` or `Minimize`. Which pairs are
# right? Choose all.
#
# - A. `validation:auc`, Maximize
# - B. `validation:logloss`, Maximize
# - C. `validation:error`, Maximize
# - D. `validation:rmse`, Minimize

# %% [markdown]
# **Your task:** `objective`, for the validation AUC.
#
# *Research:* `HyperParameterTuningJobObjective` in `sagemaker_core.shapes`. The name must be written exactly as
# the algorithm's list of metrics writes it: look at `baseline.algorithm_specification.metric_definitions`.

# %% solution="objective"
### BEGIN SOLUTION: objective = HyperParameterTuningJobObjective(...)
from sagemaker_core.shapes import HyperParameterTuningJobObjective

objective = HyperParameterTuningJobObjective(type="Maximize", metric_name="validation:auc")
### END SOLUTION
objective

# %% test="objective_check" points=2 guide="G208"
checks.planned_objective(objective)

# %% [markdown]
# **In your own words (5 points).** Why the validation part and not train? And name one metric other than AUC
# that you might tune for churn, with a situation in which it would be the better choice.

# %% [markdown] answer="choose_metric" points=5 guide="G209"
# On the customers it trained on, a model looks better the deeper its trees are, whether it learned anything
# or not. A search that maximises train:auc would always end at the most complex model of the ranges, so it
# must look at customers the model has not seen. AUC judges the order of all customers. If the company can call
# only a few of them, what happens far down the list does not matter, and aucpr, which looks at how pure the
# top is, would be closer to the business. If somebody multiplies the probability by the customer's value,
# logloss is better, because it punishes probabilities that are wrong, not only orders that are wrong.

# %% [markdown]
# ## What to search
#
# ### What the settings do

# %% [markdown] quiz="what_they_do" points=2 key="B" guide="G212"
# **Question.** Which line describes `max_depth`, `eta` and `gamma`, in this order?
#
# - A. the number of trees; how deep each is; the share of rows each sees
# - B. how many questions deep a tree may be; how much of each new tree is believed; how much a split must gain
#   to be made
# - C. how many questions deep a tree may be; the share of columns each sees; how much of each new tree is
#   believed

# %% [markdown] quiz="kinds_of_range" points=2 key="C" guide="G214"
# **Question.** Which kinds of range fit `max_depth`, `eta` and `tree_method`?
#
# - A. continuous, continuous, integer
# - B. integer, categorical, categorical
# - C. integer, continuous, categorical

# %% [markdown]
# ### A cheap look on this machine first
#
# A few local runs cost nothing and tell where to look. The next cell fetches the very rows the baseline
# trained on, label first, whether you gave it CSV, libsvm or Parquet.

# %% given="channel_rows"
from corelab.core.channels import channel_rows

train_rows = channel_rows(baseline_name, "train").to_numpy()
validation_rows = channel_rows(baseline_name, "validation").to_numpy()
train_rows.shape, validation_rows.shape

# %% [markdown]
# **Your task:** train at least six different settings here, for 40 rounds each, and keep `local_results`: a
# DataFrame with one row a setting, a column for each thing you varied, and a column `auc` with the validation
# AUC. Measure the whole time as `local_seconds`.
#
# *Research:* your `xgb.train` of assignment 0; `itertools.product` or two loops. Give `nthread` 1.

# %% solution="local_search"
### BEGIN SOLUTION: a loop over settings with xgb.train, local_results as a DataFrame with a column auc, local_seconds
train, validation = (xgb.DMatrix(rows[:, 1:], rows[:, 0]) for rows in (train_rows, validation_rows))
started, found = time.monotonic(), []
for max_depth, eta in itertools.product((2, 4, 8), (0.1, 0.4)):
    settings = {"objective": "binary:logistic", "eval_metric": "auc", "max_depth": max_depth, "eta": eta}
    history = {}
    watched = {"evals": [(validation, "validation")], "evals_result": history, "verbose_eval": False}
    xgb.train(settings | {"nthread": 1, "tree_method": "hist"}, train, 40, **watched)
    found.append({"max_depth": max_depth, "eta": eta, "auc": history["validation"]["auc"][-1]})
local_results, local_seconds = pd.DataFrame(found), time.monotonic() - started
### END SOLUTION
print(f"{local_seconds:.1f} s")
local_results.sort_values("auc", ascending=False)

# %% test="local_check" points=2 guide="G236"
checks.local_search(local_results)

# %% [markdown]
# Two corners do badly: the deepest trees with a large `eta` learn by heart, and shallow ones with a small `eta`
# have not learned enough in 40 rounds. So the interesting region is known before a cent is spent.

# %% [markdown]
# ### The ranges
#
# **Your task:** `ranges`, a `ParameterRanges` with three to five hyperparameters of your choice.
#
# *Research:* `IntegerParameterRange`, `ContinuousParameterRange` and `CategoricalParameterRange` in
# `sagemaker_core.shapes`. (The guide's `IntegerParameter` and its kin are their names in SDK 2.) Bounds are
# *strings*. Which hyperparameters may be tuned at all, and between which values, is on the page "Tune an
# XGBoost Model" of the SageMaker guide. `scaling_type` says whether 0.01 to 0.1 deserves as many trials as 0.1
# to 1.

# %% solution="ranges"
### BEGIN SOLUTION: ranges = ParameterRanges(integer_parameter_ranges=[...], continuous_parameter_ranges=[...])
from sagemaker_core.shapes import ContinuousParameterRange, IntegerParameterRange, ParameterRanges

depth = IntegerParameterRange(name="max_depth", min_value="2", max_value="8")
others = [
    ContinuousParameterRange(name="eta", min_value="0.05", max_value="0.5", scaling_type="Logarithmic"),
    ContinuousParameterRange(name="gamma", min_value="0", max_value="5"),
    ContinuousParameterRange(name="min_child_weight", min_value="1", max_value="30"),
]
ranges = ParameterRanges(integer_parameter_ranges=[depth], continuous_parameter_ranges=others)
### END SOLUTION

# %% test="ranges_check" points=4 guide="G207,G213,G215"
checks.planned_ranges(ranges)

# %% [markdown]
# **In your own words (3 points).** Why start with three or four hyperparameters and not with ten? What does
# each further one cost?

# %% [markdown] answer="why_few" points=3 guide="G215"
# Eight trials in one dimension are a fine grid; in ten dimensions they are eight points in an empty space. With
# two levels each, ten hyperparameters already have 1,024 combinations, so with my budget most would never be
# tried near a good value, and in the end I could not say which of them caused a difference. So I start with the
# few that the local runs and the documentation name as important, and add another when these are settled.

# %% [markdown]
# ## The bounds
#
# ### How many jobs, how many at once
#
# **Your task:**
#
# - `limits`, a `ResourceLimits`: 5 to 20 training jobs, at most 4 at once and fewer than in all,
# - `stopping`, a `StoppingCondition` for each job of at most 30 minutes,
# - `budget`, in dollars, the most that the machines of the whole search could cost. The jobs will run on the
#   baseline's kind of machine, `baseline.resource_config`.
#
# *Research:* `ResourceLimits` in `sagemaker_core.shapes`; your `worst_case` of assignment 1; `load_prices`.

# %% solution="limits"
### BEGIN SOLUTION: limits = ResourceLimits(...), stopping = StoppingCondition(...), budget from both and the price
from corelab.core.prices import load_prices
from sagemaker_core.shapes import ResourceLimits, StoppingCondition

limits = ResourceLimits(max_number_of_training_jobs=8, max_parallel_training_jobs=2)
stopping = StoppingCondition(max_runtime_in_seconds=300)
resources = baseline.resource_config
price_of_an_hour = load_prices().hourly(resources.instance_type)
hours = limits.max_number_of_training_jobs * stopping.max_runtime_in_seconds / 3600
budget = hours * price_of_an_hour * resources.instance_count
### END SOLUTION
print(f"at most ${budget:.4f}")

# %% test="limits_check" points=2 guide="G216,G217"
checks.planned_limits(limits)

# %% test="budget_check" points=2 guide="G218,G219"
checks.planned_budget(budget, limits, stopping, baseline_name)

# %% [markdown]
# **In your own words (5 points).** Explain your three choices (jobs in all, jobs at once, longest run time) to a
# manager who pays for them. Does running more jobs at once make the search dearer? What else does it change?

# %% [markdown] answer="resource_choices" points=5 guide="G216,G217,G218"
# Eight jobs are twice the number of hyperparameters: enough to see a direction, and at worst they cost 7.7
# cents. Each may run five minutes, ten times what the baseline needed, so that one hanging job cannot eat the
# budget. Two at once halve the waiting. The bill stays the same, since I pay for seconds of machines and not
# for my own: two machines for an hour cost what one costs for two hours. But Bayesian search chooses the next
# settings from the results so far. With two at once each choice lacks one result; with eight at once there
# would be nothing to learn from, and it would be random search under another name.

# %% [markdown]
# ### The strategy

# %% [markdown] quiz="strategies" points=2 key="B" guide="G202"
# **Question.** Which sentence is true of SageMaker's strategies?
#
# - A. Grid tries every value of a continuous range; Random tries each setting once; Bayesian sorts them first.
# - B. Grid tries all combinations of categorical values; Random draws each setting without looking at results;
#   Bayesian models the results so far and tries what looks promising or unknown.
# - C. Bayesian runs all its jobs at once, Random one after the other.

# %% [markdown]
# **In your own words (3 points).** `training_job_early_stopping_type="Auto"` ends a training job early when its
# metric lags behind the others at the same round. Why is that useful, and when could it do harm?

# %% [markdown] answer="early_stopping" points=3 guide="G203"
# A setting that is clearly behind the median of earlier jobs at the same round will hardly win, and every
# further second of it is paid for. Ended early, it shows as Stopped in my list and frees its place for another
# trial; its last value still counts. Harm: a small eta starts slowly and may be best at the end, so a rule that
# looks at early rounds can end the later winner. With jobs of a few seconds, as here, there is little to save.

# %% [markdown]
# ## The template
#
# Every training job of the search has the same image, data, machine and limit; only the tuned hyperparameters
# differ. What they share is the `training_job_definition`.
#
# **Your task:** `definition`, a `HyperParameterTrainingJobDefinition` that reuses what the baseline has: image
# and input mode, channels, role, machine and output. New are your `stopping` and the static hyperparameters:
# `objective`, `num_round` (`"60"`) and `tree_method` (`"hist"`). What you tune must not be among them.
#
# *Research:* `HyperParameterTrainingJobDefinition` and `HyperParameterAlgorithmSpecification` in
# `sagemaker_core.shapes`. Which attributes of `baseline` have the type each argument wants?

# %% solution="template"
### BEGIN SOLUTION: definition, a HyperParameterTrainingJobDefinition of the baseline's own parts
from sagemaker_core.shapes import HyperParameterAlgorithmSpecification, HyperParameterTrainingJobDefinition

image = baseline.algorithm_specification.training_image
definition = HyperParameterTrainingJobDefinition(
    algorithm_specification=HyperParameterAlgorithmSpecification(training_image=image, training_input_mode="File"),
    static_hyper_parameters={"objective": "binary:logistic", "num_round": "60", "tree_method": "hist"},
    role_arn=role,
    input_data_config=baseline.input_data_config,
    output_data_config=baseline.output_data_config,
    resource_config=baseline.resource_config,
    stopping_condition=stopping,
)
### END SOLUTION

# %% test="definition_check" points=0 guide="G220"
checks.planned_template(definition, ranges)

# %% [markdown]
# **Your task:** `config`, a `HyperParameterTuningJobConfig` with your strategy, `objective`, `limits` and
# `ranges`, and early stopping `Auto` or `Off`; and `tuning_job_name`, with your name in it. A tuning job's name
# has at most **32** characters, half of a training job's: the timestamp of assignment 1 does not fit.
#
# *Research:* `HyperParameterTuningJobConfig`; `time.strftime` with fewer parts.

# %% solution="search_config"
student = "your-name"
### BEGIN SOLUTION: student, tuning_job_name of at most 32 characters, and config, a HyperParameterTuningJobConfig
from sagemaker_core.shapes import HyperParameterTuningJobConfig

student = "ada-lovelace"
tuning_job_name = f"tune-{student}-{time.strftime('%y%m%d%H%M%S', time.gmtime())}"
config = HyperParameterTuningJobConfig(
    strategy="Bayesian",
    hyper_parameter_tuning_job_objective=objective,
    resource_limits=limits,
    parameter_ranges=ranges,
    training_job_early_stopping_type="Auto",
)
### END SOLUTION
print(tuning_job_name, len(tuning_job_name))

# %% test="name_check" points=2 guide="G205"
checks.tuning_name(tuning_job_name, student)

# %% [markdown]
# **In your own words (3 points).** Which parts of assignment 1's request could you reuse as they were, and
# which two blocks are new or changed? Why must the channels stay the same?

# %% [markdown] answer="reuse" points=3 guide="G221"
# Image, input mode, channels, role, output and machine came from the baseline unchanged. The hyperparameters
# are split in two: what is fixed stays in the template as static hyperparameters, what is searched moves into
# ParameterRanges; and there is a new block around it all, the tuning configuration with strategy, objective and
# limits. The channels must stay the same because a difference in AUC should come from the settings and not from
# other customers.

# %% [markdown]
# ## Run it
#
# **Your task:** create the tuning job as `tuning_job`, with the tags `course` = `corelab` and `assignment` =
# `a2_hyperparameter_tuning`, and wait for it.
#
# *Research:* `HyperParameterTuningJob.create` in `sagemaker_core.resources`, and `Tag` in the shapes.

# %% solution="create_tuning"
### BEGIN SOLUTION: tuning_job from HyperParameterTuningJob.create with config, definition and tags, waited for
from sagemaker_core.shapes import Tag

tags = [Tag(key="course", value="corelab"), Tag(key="assignment", value="a2_hyperparameter_tuning")]
tuning_job = HyperParameterTuningJob.create(
    hyper_parameter_tuning_job_name=tuning_job_name,
    hyper_parameter_tuning_job_config=config,
    training_job_definition=definition,
    tags=tags,
)
tuning_job.wait()
### END SOLUTION

# %% test="search_check" points=4 guide="G205,G206,G207,G208"
checks.tuning_job(tuning_job_name)

# %% test="template_check" points=4 guide="G220"
checks.tuning_template(tuning_job_name, baseline_name)

# %% test="tuned_check" points=5 guide="G205"
checks.tuned(tuning_job_name)

# %% [markdown]
# ### The trials
#
# **Your task:** `trials`, a DataFrame with one row for each training job that has a score, in the order they
# were started: a column for each tuned hyperparameter, *as numbers*, and `auc`. And `best_job_name`, the name
# of the best training job.
#
# *Research:* `tuning_job.get_all_training_jobs()`, and of each summary `tuned_hyper_parameters` and
# `final_hyper_parameter_tuning_job_objective_metric`; `tuning_job.best_training_job`.

# %% solution="trials"
### BEGIN SOLUTION: trials from tuning_job.get_all_training_jobs(), best_job_name from tuning_job.best_training_job
rows = []
for summary in sorted(tuning_job.get_all_training_jobs(), key=lambda summary: summary.training_job_name):
    metric = summary.final_hyper_parameter_tuning_job_objective_metric
    if type(metric).__name__ != "Unassigned" and metric is not None:
        settings = {name: float(value) for name, value in summary.tuned_hyper_parameters.items()}
        rows.append(settings | {"auc": metric.value})
trials = pd.DataFrame(rows)
best_job_name = tuning_job.best_training_job.training_job_name
### END SOLUTION
trials.round(4)

# %% test="trials_check" points=3 guide="G205,G206"
checks.trial_table(trials, tuning_job_name)

# %% test="best_check" points=3 guide="G229"
checks.best_job(best_job_name, tuning_job_name)

# %%
figure, axis = plt.subplots(figsize=(7, 3.5))
number = np.arange(1, len(trials) + 1)
axis.plot(number, trials["auc"], "o", color="black", markerfacecolor="white", label="a trial")
axis.step(number, trials["auc"].cummax(), where="post", color="black", label="best so far")
axis.axhline(baseline_auc, color="black", linestyle=":", label="baseline")
axis.set(xlabel="trial, in the order they were started", ylabel="validation AUC", xticks=number)
axis.legend()
plt.show()

# %% [markdown] guide="G203"
# *In words:* circles are trials, the stepped line is the best so far, the dotted line your baseline. The first
# trials are scattered, because nothing is known yet; the later ones should lie higher on average. If the steps
# were still rising at the right edge, more trials might help; if they have long been flat, fewer would have
# done. A trial that early stopping ended shows as Stopped:

# %%
pd.Series([summary.training_job_status for summary in tuning_job.get_all_training_jobs()]).value_counts()

# %% [markdown]
# ## What mattered?
#
# First the picture: one panel for each hyperparameter, one dot for each trial.

# %%
tuned = [column for column in trials.columns if column != "auc"]
figure, axes = plt.subplots(1, len(tuned), figsize=(3 * len(tuned), 3), sharey=True, squeeze=False)
for axis, name in zip(axes[0], tuned, strict=True):
    axis.plot(trials[name], trials["auc"], "o", color="black", markerfacecolor="white")
    axis.set_xlabel(name)
axes[0, 0].set_ylabel("validation AUC")
figure.tight_layout()
plt.show()

# %% [markdown] guide="G212"
# *In words:* a panel whose dots rise, fall or bend shows a setting that matters; a shapeless cloud shows one
# that does not, or one hidden behind the others. Look at `max_depth` if you tuned it: a few levels help, since
# churn depends on combinations of columns, and many levels hurt.
#
# **Your task:** `importance`, a dict or Series from each tuned hyperparameter to its share, a number from 0 up;
# shares add up to 1. Any sound method will do.
#
# *Research:* a simple one is the size of the rank correlation of each column with `auc`
# (`Series.rank().corr`); the importance of a small random forest on `trials` sees bends as well.

# %% solution="importance"
### BEGIN SOLUTION: importance, shares that add up to 1, from the columns of trials and auc
strength = {name: abs(trials[name].rank().corr(trials["auc"].rank())) for name in tuned}
importance = pd.Series(strength).fillna(0)
importance = importance / importance.sum()
### END SOLUTION
importance.sort_values(ascending=False)

# %% test="importance_check" points=3 guide="G226,G232"
checks.importance(importance, tuning_job_name)

# %%
shares = pd.Series(importance).sort_values()
figure, axis = plt.subplots(figsize=(7, 2.5))
axis.barh(shares.index, shares, color="white", edgecolor="black", hatch="//")
axis.set(xlabel="share of the importance", ylabel="hyperparameter")
plt.show()

# %% [markdown] guide="G226,G232"
# *In words:* the longest bar is the setting that went with the AUC most closely in *these* trials. With eight of
# them such figures are shaky: run the search again, and the bars change. They say where to look next, not what
# is true.

# %% [markdown]
# ## What was gained, and what did it cost?
#
# **Your task:**
#
# - `improvement`, the best validation AUC minus `baseline_auc`,
# - `beats_baseline`, True or False. Both are honest: on some runs the baseline stands.
#
# Compare the same metric on the same customers, or the difference means nothing.

# %% solution="improvement"
### BEGIN SOLUTION: improvement = best AUC minus baseline_auc, and beats_baseline, True or False
best_auc = tuning_job.best_training_job.final_hyper_parameter_tuning_job_objective_metric.value
improvement = best_auc - baseline_auc
beats_baseline = improvement > 0
### END SOLUTION
print(f"{improvement:+.4f}", beats_baseline)

# %% test="improvement_check" points=3 guide="G227"
checks.improvement(improvement, tuning_job_name, baseline_name)

# %% test="beats_check" points=1 guide="G231"
checks.beats_baseline(beats_baseline, tuning_job_name, baseline_name)

# %% [markdown]
# A caution: the best of eight is partly the luckiest of eight. On 1,500 customers an AUC moves by about .01 by
# chance alone. Only the test part, which nobody has looked at, could tell.
#
# **Your task:**
#
# - `tuning_cost`, in dollars, what the machines of *all* training jobs of the search were billed,
# - `cost_of_a_point`, the price of each gained hundredth of AUC; `None` if nothing was gained.
#
# *Research:* `TrainingJob.get(name).billable_time_in_seconds` for each training job of the search.

# %% solution="cost"
### BEGIN SOLUTION: tuning_cost over all training jobs of tuning_job, and cost_of_a_point from it and improvement
names = [summary.training_job_name for summary in tuning_job.get_all_training_jobs()]
seconds = sum(TrainingJob.get(name).billable_time_in_seconds for name in names)
tuning_cost = seconds / 3600 * price_of_an_hour * resources.instance_count
cost_of_a_point = tuning_cost / (improvement / 0.01) if improvement > 0 else None
### END SOLUTION
print(f"${tuning_cost:.6f} of at most ${budget:.4f}; for +.01 AUC: {cost_of_a_point}")

# %% test="cost_check" points=3 guide="G219,G233"
checks.tuning_cost(tuning_cost, tuning_job_name)

# %% test="point_check" points=2 guide="G228"
checks.price_of_gain(cost_of_a_point, tuning_job_name, baseline_name)

# %% [markdown]
# ## Precision or recall?
#
# AUC chose a model. To *act*, the company also needs a threshold: above it, call the customer. Suppose a
# customer who leaves without a call costs 90 dollars, a call with an offer costs 20, and whoever is called
# stays. **Recall** is the share of leavers who are called, **precision** the share of calls that reach a leaver.

# %% given="load_best"
def load_booster(job):
    """The model that a training job wrote."""
    place, _, key = job.model_artifacts.s3_model_artifacts.removeprefix("s3://").partition("/")
    packed = io.BytesIO(s3.get_object(Bucket=place, Key=key)["Body"].read())
    booster = xgb.Booster()
    with tarfile.open(fileobj=packed) as archive:
        booster.load_model(bytearray(archive.extractfile("xgboost-model").read()))
    return booster


missed_leaver, call = 90, 20

# %% [markdown]
# **Your task:** `probability`, the best model's predictions for `validation_rows` in their order, and
# `best_threshold`, from 0 to 1, at which missed leavers and calls cost the least together.
#
# *Research:* `TrainingJob.get(best_job_name)` and `load_booster`; `np.linspace` for thresholds to try.

# %% solution="threshold"
### BEGIN SOLUTION: probability from load_booster(...).predict, and best_threshold, the cheapest of many tried
left = validation_rows[:, 0] == 1
booster = load_booster(TrainingJob.get(best_job_name))
probability = booster.predict(xgb.DMatrix(validation_rows[:, 1:]))
tried = np.linspace(0, 1, 101)
costs = [missed_leaver * (left & (probability < at)).sum() + call * (probability >= at).sum() for at in tried]
best_threshold = float(tried[int(np.argmin(costs))])
### END SOLUTION
best_threshold

# %% test="threshold_check" points=3 guide="G210"
checks.cheapest_threshold(best_threshold, probability, tuning_job_name, missed=90, called=20)

# %%
at = np.linspace(0.02, 0.9, 45)
truth, scores = validation_rows[:, 0] == 1, np.asarray(probability)
recall = [(truth & (scores >= t)).sum() / truth.sum() for t in at]
precision = [(truth & (scores >= t)).sum() / max((scores >= t).sum(), 1) for t in at]
figure, axis = plt.subplots(figsize=(7, 3.5))
axis.plot(at, recall, color="black", linestyle="-", label="recall")
axis.plot(at, precision, color="black", linestyle="--", label="precision")
axis.axvline(best_threshold, color="black", linestyle=":", label="cheapest threshold")
axis.set(xlabel="threshold", ylabel="share", ylim=(0, 1))
axis.legend()
plt.show()

# %% [markdown]
# *In words:* the solid line (recall) falls as the threshold rises, the dashed one (precision) climbs. The dotted
# line, the cheapest threshold, lies far left of .5: a missed leaver costs more than four calls, so it pays to
# call many who would have stayed.
#
# **In your own words (5 points).** Which matters more to this company, precision or recall? Answer with your
# own figures at the cheapest threshold, and say at which prices you would turn it round.

# %% [markdown] answer="precision_or_recall" points=5 guide="G210"
# Recall. At my cheapest threshold, about .23, some 82 of 100 leavers are called, and only half of the calls reach
# one: precision is low and still it is cheapest, because each missed leaver costs 90 and each call 20. A call pays as soon as the chance of leaving is above 20/90 = .22, which is what the search over
# thresholds found. If an offer cost 60 dollars, or a leaver only 25, calls would have to be well aimed; then I
# would raise the threshold and give up recall for precision.

# %% [markdown]
# ## Debug lab: four ways to spoil a search
#
# `start` takes your own tuning job as the cloud describes it, makes it small and random, changes what you give it,
# and starts it under its name with one letter in front. Each cell below changes the wrong thing. Run it, read what
# comes back, say what it was, and mend it.

# %% given="lab"
def start(kind, rounds="20", **changes):
    made = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)
    few = {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2}
    small = {"Strategy": "Random", "TrainingJobEarlyStoppingType": "Off", "ResourceLimits": few}
    config = made["HyperParameterTuningJobConfig"] | small | changes
    template = made["TrainingJobDefinition"]
    template["AlgorithmSpecification"].pop("MetricDefinitions", None)
    template["StaticHyperParameters"] = {"objective": "binary:logistic", "num_round": rounds}
    request = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": template}
    name = f"{kind}-{tuning_job_name[-30:]}"
    sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **request)
    return name


# %% [markdown]
# ### It fails at once

# %%
wrong = {"Type": "Maximize", "MetricName": "validation:roc_auc"}
try:
    start("m", HyperParameterTuningJobObjective=wrong)
except ClientError as refused:
    print(refused)

# %% [markdown]
# **Your task:** `metric_refusal`, the sentence of this answer that names the reason, word for word; then `start`
# the search `"m"` again with an objective that the algorithm has. You need not wait for it.

# %% solution="metric_refusal"
### BEGIN SOLUTION: metric_refusal = "..." with the service's own sentence, then start("m", ...) with a right objective
metric_refusal = "A metric is required for this hyperparameter tuning job objective."
start("m", HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "validation:auc"})
### END SOLUTION

# %% [markdown]
# The check repeats the wrong request and compares your sentence with the answer.

# %% test="metric_lab_check" points=1 guide="G222"
wrong_objective = {"Type": "Maximize", "MetricName": "validation:roc_auc"}
mended = f"m-{tuning_job_name[-30:]}"
checks.refused_search(metric_refusal, mended, HyperParameterTuningJobObjective=wrong_objective)

# %% [markdown]
# The sentence does not say "unknown name", though that is what happened: the algorithm has `validation:auc`, and
# no `validation:roc_auc`. A request that is refused starts nothing, so nothing is billed.

# %%
upside_down = {"Name": "max_depth", "MinValue": "10", "MaxValue": "3"}
try:
    start("r", ParameterRanges={"IntegerParameterRanges": [upside_down]})
except ClientError as refused:
    print(refused)

# %% [markdown]
# **Your task:** `range_refusal`, the sentence that names the reason, word for word; then `start` the search `"r"`
# again with the range mended.

# %% solution="range_refusal"
### BEGIN SOLUTION: range_refusal = "..." with the service's own sentence, then start("r", ...) with the range mended
range_refusal = "The MinValue of the hyperparameter max_depth is 10, greater than its MaxValue 3."
upright = {"Name": "max_depth", "MinValue": "3", "MaxValue": "10"}
start("r", ParameterRanges={"IntegerParameterRanges": [upright]})
### END SOLUTION

# %% test="range_lab_check" points=1 guide="G223"
backwards = {"Name": "max_depth", "MinValue": "10", "MaxValue": "3"}
mended = f"r-{tuning_job_name[-30:]}"
checks.refused_search(range_refusal, mended, ParameterRanges={"IntegerParameterRanges": [backwards]})

# %% [markdown]
# ### All jobs score the same
#
# This one is accepted, runs to its end and costs money:

# %%
narrow = [
    {"Name": "gamma", "MinValue": "0", "MaxValue": "0.0001"},
    {"Name": "min_child_weight", "MinValue": "1", "MaxValue": "1.001"},
]
narrow_name = start("n", ParameterRanges={"ContinuousParameterRanges": narrow})
HyperParameterTuningJob.get(narrow_name).wait()

# %% [markdown]
# **Your task:** `narrow_spread`, the standard deviation of the objective over the trials of `narrow_name`.

# %% solution="narrow_spread"
### BEGIN SOLUTION: narrow_spread, np.std of the objective values of the training jobs of narrow_name
summaries = HyperParameterTuningJob.get(narrow_name).get_all_training_jobs()
scored = [summary.final_hyper_parameter_tuning_job_objective_metric.value for summary in summaries]
narrow_spread = float(np.std(scored))
### END SOLUTION
print(f"narrow {narrow_spread:.5f}, your search {trials['auc'].std(ddof=0):.5f}")

# %% test="narrow_check" points=2 guide="G224"
checks.spread(narrow_spread, f"n-{tuning_job_name[-30:]}")

# %%
narrow_jobs = HyperParameterTuningJob.get(narrow_name).get_all_training_jobs()
narrow_scores = [job.final_hyper_parameter_tuning_job_objective_metric.value for job in narrow_jobs]
figure, axis = plt.subplots(figsize=(7, 2))
axis.plot(trials["auc"], [1] * len(trials), "o", color="black", markerfacecolor="white")
axis.plot(narrow_scores, [0] * len(narrow_scores), "x", color="black")
axis.set(xlabel="validation AUC", yticks=[0, 1], yticklabels=["narrow", "yours"], ylim=(-0.5, 1.5))
plt.show()

# %% [markdown] guide="G224"
# *In words:* the circles of your search lie spread out, the crosses of the narrow one on top of each other. A
# spread near 0 has two usual reasons: ranges so narrow that every trial is the same model, or a metric that does
# not move. Cure: widen the ranges until trials differ, and look at the metric in the log.

# %% [markdown]
# ### It takes too long

# %%
long_name = start("l", rounds="4000")
time.sleep(1)
print(long_name, HyperParameterTuningJob.get(long_name).hyper_parameter_tuning_job_status)

# %% [markdown]
# Four thousand rounds where sixty would do: nobody wants to pay for that.
#
# **Your task:** stop the tuning job `long_name`.
#
# *Research:* sagemaker-core has `HyperParameterTuningJob.stop`, but in this release it ends in an
# `AttributeError`. boto3's `sagemaker` client can do it: which method?

# %% solution="stop_search"
### BEGIN SOLUTION: stop the tuning job long_name through boto3's sagemaker client
sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=long_name)
### END SOLUTION

# %% test="stop_check" points=2 guide="G225"
checks.stopped_tuning(f"l-{tuning_job_name[-30:]}")

# %%
HyperParameterTuningJob.get(long_name).wait()
for summary in HyperParameterTuningJob.get(long_name).get_all_training_jobs():
    print(summary.training_job_name, summary.training_job_status)

# %% [markdown] guide="G225"
# Stopping reaches the training jobs too, and what they had learned so far is kept. Prevention costs less: a
# short `max_runtime_in_seconds` and a modest `num_round`.

# %% [markdown]
# ## Was it worth it?
#
# **In your own words (5 points).** Your manager asks whether the search was worth its money, and what you would
# tell stakeholders who must approve a larger one. Use your own figures: the gain, what it cost, what it could
# have cost. Say also what would make you *not* ask for it.

# %% [markdown] answer="worth_it" points=5 guide="G228,G234"
# The search raised the validation AUC by about .006 and was billed about a tenth of a cent; at worst it could
# have cost 7.7 cents. So a gained hundredth cost a fraction of a cent, and in the top tenth of a list of 10,000
# customers even a few more leavers at 90 dollars each pay for it a thousand times over. But .006 is less than
# what chance does on 1,500 customers, so I would first confirm it on the test part. For a larger search I would
# promise a bound (jobs times longest time times price), show the value of one more leaver reached, and stop when
# the best has not improved for several trials. If jobs took hours on GPUs, or if the curve were already flat, I
# would rather ask for better data than for more trials.

# %% [markdown]
# **In your own words (3 points).** How would you balance thoroughness and budget in a real project? Say what you
# would do on your own machine, what in the cloud, and in which order. Use your `local_seconds`.

# %% [markdown] answer="search_strategy" points=3 guide="G235,G236"
# First on my machine, with few rounds and perhaps a sample: my six local settings took a few seconds and cost
# nothing, and they ruled out deep trees with a large eta. Then a small search in the cloud with the ranges that
# are left, early stopping and two jobs at once. Only if its best values lie at the edge of a range or the best
# is still rising, a second search around them, warm-started from the first. The cloud is for what my machine
# cannot do: many jobs, large data, overnight.

# %% [markdown]
# **In your own words (3 points).** "Bayesian search is better than random search." Defend this sentence, and
# then limit it.

# %% [markdown] answer="bayesian_or_random" points=3 guide="G230"
# Bayesian search uses what earlier trials showed: it tries more where results were good and where nothing is
# known, so it usually needs fewer trials for the same quality, which counts when each is expensive. But not
# always. The first trials are random in both; with eight trials, with many at once, or with a noisy metric there
# is little to learn from, and random search is as good, can run all at once and is easy to repeat. In my run the
# difference between trials was hardly larger than chance, so I could not tell the two apart.

# %% [markdown] guide="G230"
# *If you want to know:* run the same search with `strategy="Random"` and another name, and draw both into one
# figure of the best so far. One run of each proves little; the course measured ten.

# %% [markdown] guide="G231,G232,G233"
# ## Test yourself
#
# | can you ... | shown by |
# |---|---|
# | explain when Bayesian search is better than random | your answer above |
# | say whether your best model beats the baseline | `beats_check` |
# | name the hyperparameters that mattered | `importance_check` |
# | say what your choices cost, and could have cost | `cost_check`, `budget_check` |

# %% [markdown]
# ## Clean up
#
# A finished search costs nothing more. Only one that still runs does, so look:

# %% given="clean_up"
running = sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="InProgress")
print("still running:", [job["HyperParameterTuningJobName"] for job in running["HyperParameterTuningJobSummaries"]])

# %% [markdown] guide="G237"
# ## Read on
#
# - "Automatic model tuning" in the Amazon SageMaker guide: strategies, early stopping, warm start
# - "Tune an XGBoost Model" in the same guide: metrics and ranges of this algorithm
# - "XGBoost Parameters" in XGBoost's own documentation: what each setting does
#
# ## You now have
#
# - a Completed tuning job with your tags, and a table of its trials,
# - its best training job, whose model assignment 3 will use,
# - a figure for the gain and one for the price, and a threshold that follows from costs,
# - four errors you will recognise.
#
# Next, `a3_batch_transform` asks your best model about 10,000 customers at once.
