# %% [markdown] guide="G001,G002"
# # Who will leave? XGBoost on this machine
#
# A telephone company loses a quarter of its customers. If it knew who is about to leave, it could do
# something for them in time. In this notebook you build a model that says so, here on this machine, before
# any cloud is involved in the work.
#
# You will
#
# - **explore** a table of customers and find what is missing in it,
# - **clean** it and turn it into numbers,
# - **split** it into parts for training, validation and test,
# - **train** XGBoost and watch it learn,
# - **evaluate** it on customers it never saw,
# - **save** the model and the training file in the form that the next assignments need.
#
# It takes about 45 minutes. Cells with a stub (`raise NotImplementedError`) are yours to write; the check
# below each says what was expected, what came, and one thing to try. Run it as often as you like.

# %% [markdown] guide="G003"
# ## Connect
#
# Every notebook of this course begins with the next cell. It says which cloud the notebook talks to: the local
# SageMaker that came with the course, or AWS. In this one you need no cloud yet, but it is good to know that it is
# there. Is this your first time? The page [your first ten minutes](page:start) helps with the tools.

# %% given="connect" guide="G003"
import corelab

corelab.connect()

# %% [markdown]
# ## The customers
#
# The course brings its own data: 10,000 invented customers, drawn by a program, so that nobody's privacy is
# at stake. The next cell writes them to a file beside this notebook and reads it, as you would with any CSV
# file.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xgboost as xgb

from corelab import checks, churn

# %% given="customers"
customers_file = churn.write("data")
customers = pd.read_csv(customers_file)
customers.head()

# %% [markdown]
# One row is one customer on one day. `churn` says what happened in the month after: 1 left, 0 stayed. That is
# the **label**, what we want to predict. `customer_id` names a row and says nothing about the person. The
# other 16 columns are **features**. Two of them need a word:
#
# - `months_to_discount_end` is 0 when there is no discount,
# - `satisfaction` is the answer to a survey, from 1 to 10; not everybody answers.

# %%
print(f"{len(customers):,} customers, {customers['churn'].mean():.1%} left")
customers.describe().T[["count", "mean", "min", "50%", "max"]].round(1)

# %% [markdown]
# Look at the column `count`: four of them are below 10,000. Cells are missing.

# %% [markdown]
# ### What is missing?
#
# **Your task:** the share of missing cells of every column, as a number from 0 to 1 by column name. Keep it
# as `missing_share`.
#
# *Research:* `DataFrame.isna`, and what the mean of a column of True and False is.

# %% solution="missing_share"
### BEGIN SOLUTION: a Series from column name to share of missing cells, kept as missing_share
missing_share = customers.isna().mean()
### END SOLUTION
missing_share

# %% test="missing_share_check" points=4 guide="G002"
checks.missing_shares(missing_share)

# %% [markdown]
# More than a quarter did not answer the survey. Is silence itself a sign? Compare who left among those who
# answered and those who did not.

# %%
answered = customers["satisfaction"].notna().map({True: "answered", False: "silent"})
customers.groupby(answered)["churn"].agg(["mean", "size"]).round(3)

# %% [markdown]
# Silent customers leave more often. So a missing answer is information, and filling it with an average would
# hide it. Keep this in mind for cleaning.
#
# `total_charge` is another case. Find out who lacks it:

# %%
customers.loc[customers["total_charge"].isna(), ["tenure_months", "monthly_charge", "total_charge"]].head()

# %% [markdown]
# All of them are in their first month and have not had a bill yet. Here we *know* the value: it is 0.

# %% [markdown]
# ### What goes with leaving?
#
# One picture before any model: how many leave, by contract and by the months until a discount ends.

# %%
months = customers["months_to_discount_end"]
ends = pd.cut(months, [-1, 0, 3, 12, 24], labels=["no discount", "1-3", "4-12", "13-24"])
share = customers.pivot_table(index=ends, columns="contract", values="churn", observed=True)
figure, axis = plt.subplots(figsize=(7, 3.5))
for contract, marker in {"month-to-month": "o", "one-year": "s", "two-year": "^"}.items():
    axis.plot(share.index.astype(str), share[contract], marker=marker, color="black", label=contract)
axis.set(xlabel="months until the discount ends", ylabel="share that left", ylim=(0, 0.7))
axis.legend(title="contract", ncol=3)
plt.show()

# %% [markdown]
# *In words:* the line of month-to-month customers lies at about .4 and jumps to more than one half where the
# discount ends within three months. The two other lines stay between .06 and .18, nearly flat: those
# customers cannot leave so soon. What one column means depends on another. Such an **interaction** is what
# trees find by themselves, and what a weighted sum of columns cannot express.

# %% [markdown]
# ## Clean and encode
#
# XGBoost reads numbers. It handles missing cells well by itself: at each split it learns which way they
# should go. So:
#
# - fill `total_charge` with 0, because we know it,
# - leave the other gaps alone, because they carry information,
# - drop what is no feature,
# - turn the four text columns into columns of 0 and 1, one for each level ("one-hot" or "dummy" columns).
#
# **Your task:** write `prepare(customers)`, which returns the table of features, one row a customer, and use
# it.
#
# *Research:* `pandas.get_dummies`. What does its argument `dtype` do, and what is the default since pandas 2?
# Write a few rows of both with `to_csv` and compare. You will need `prepare` again in the next assignment.


# %% solution="prepare"
### BEGIN SOLUTION: a function prepare(customers) that returns numbers only, and features = prepare(customers)
def prepare(customers):
    table = customers.drop(columns=["customer_id", "churn"], errors="ignore")
    table["total_charge"] = table["total_charge"].fillna(0)
    return pd.get_dummies(table, dtype=int)


features = prepare(customers)
### END SOLUTION
features.head()

# %% test="prepare_check" points=8 guide="G002"
checks.features(features, rows=10_000)

# %% [markdown] quiz="bool_columns" points=2 key="B" hint="write two rows of each kind with to_csv and print the files"
# **Question.** Without `dtype=int`, pandas makes dummy columns of type bool. What would a file written from
# them hold?
#
# - A. 1 and 0, since True and False are numbers in Python.
# - B. The words True and False, which a reader of numbers takes for missing or refuses.
# - C. Nothing: such columns are left out.

# %% [markdown]
# ## Split
#
# A model is judged on customers it never saw. We cut the table into three parts:
#
# | part | for |
# |---|---|
# | train | what the model learns from |
# | validation | what we look at while we choose settings |
# | test | looked at once, at the end |
#
# So that figures can be compared, the course publishes who belongs where: `churn.split_index` takes the ids
# and answers `"train"`, `"validation"` or `"test"` for each (70, 15 and 15 of a hundred). It ranks customers
# by a digest of their id, so nobody changes sides when rows are sorted or added to the file twice.
#
# **Your task:** `part`, that answer for `customers["customer_id"]`, and with it `train_ids`, `validation_ids`
# and `test_ids`, the ids of each part.

# %% solution="split"
### BEGIN SOLUTION: part from churn.split_index, then train_ids, validation_ids and test_ids
part = churn.split_index(customers["customer_id"])
train_ids = customers["customer_id"][part == "train"].tolist()
validation_ids = customers["customer_id"][part == "validation"].tolist()
test_ids = customers["customer_id"][part == "test"].tolist()
### END SOLUTION
print(len(train_ids), len(validation_ids), len(test_ids))

# %% test="split_check" points=5 guide="G002"
checks.parts(10_000, train=train_ids, validation=validation_ids, test=test_ids)

# %% [markdown]
# Do the parts look alike? If the share of leavers differed much, we would compare apples with pears.

# %%
customers.groupby(part)["churn"].agg(["mean", "size"]).round(3)

# %% [markdown]
# About 26 of a hundred leave in each part. Good.

# %% [markdown]
# ## Train
#
# XGBoost adds up many small trees. Each new one corrects what the sum so far gets wrong. Five settings to
# begin with:
#
# | setting | means |
# |---|---|
# | `objective="binary:logistic"` | predict the chance of label 1 |
# | `max_depth` | how many questions deep a tree may be |
# | `eta` | how much of each new tree is believed |
# | `tree_method="hist"` | sort each column into bins first: as good, and several times sooner (XGBoost 2 does so by itself) |
# | `num_boost_round` | how many trees |
#
# `nthread=1` keeps it to one processor core. On a busy machine more threads make small jobs *slower*: they
# wait for each other.
#
# **Your task:** train for 100 rounds with depth 5, eta 0.2 and `hist`, watching the AUC of both parts. Keep the model
# as `booster` and what was measured as `history`.
#
# *Research:* `xgboost.DMatrix`, and `xgboost.train` with `evals` and `evals_result`. Name the parts `"train"`
# and `"validation"`. Give `DMatrix` the values (`features[part == "train"].to_numpy()`) and the labels.

# %% solution="train"
### BEGIN SOLUTION: booster = xgb.train(...) with evals named train and validation, and history from evals_result
matrices = {
    name: xgb.DMatrix(features[part == name].to_numpy(), customers["churn"][part == name].to_numpy())
    for name in ("train", "validation", "test")
}
settings = {"objective": "binary:logistic", "eval_metric": "auc", "max_depth": 5, "eta": 0.2}
settings |= {"tree_method": "hist", "nthread": 1}
watched = [(matrices[name], name) for name in ("train", "validation")]
history = {}
booster = xgb.train(settings, matrices["train"], 100, evals=watched, evals_result=history, verbose_eval=25)
### END SOLUTION

# %% test="train_check" points=8 guide="G002"
checks.learning_curve(history)

# %% [markdown]
# **AUC** is the chance that a customer who left got a higher score than one who stayed: .5 is guessing, 1 is
# perfect. Draw how it moved while trees were added.

# %%
figure, axis = plt.subplots(figsize=(7, 3.5))
axis.plot(history["train"]["auc"], color="black", linestyle="--", label="train")
axis.plot(history["validation"]["auc"], color="black", linestyle="-", label="validation")
axis.set(xlabel="round", ylabel="AUC")
axis.legend()
plt.show()
best = int(np.argmax(history["validation"]["auc"]))
print(f"best validation AUC {history['validation']['auc'][best]:.4f} in round {best}")

# %% [markdown]
# *In words:* the dashed line (train) keeps rising, to .97. The solid one (validation) rises quickly, is flat
# after some 20 rounds and then sinks a little. From there on the model learns the training customers by
# heart, which helps with nobody else. That is **overfitting**, and the reason for watching two parts.

# %% [markdown] quiz="more_rounds" points=2 key="C" hint="look at the last 50 rounds of the picture above, one line at a time"
# **Question.** You train for 1,000 rounds in place of 100, everything else unchanged. What do you expect?
#
# - A. Both AUCs get better: more trees know more.
# - B. Both AUCs get worse.
# - C. The train AUC goes towards 1, the validation AUC does not get better.

# %% [markdown]
# ## Evaluate
#
# Now, once, the test part.
#
# **Your task:** `test_probability`, the predicted chance of leaving for every test customer in the order of
# `test_ids`, and `test_auc`, its AUC.
#
# *Research:* `Booster.predict`; `sklearn.metrics.roc_auc_score`.

# %% solution="evaluate"
### BEGIN SOLUTION: test_probability = booster.predict(...) of the test part, and test_auc
from sklearn.metrics import roc_auc_score

test_probability = booster.predict(matrices["test"])
test_auc = float(roc_auc_score(customers["churn"][part == "test"], test_probability))
### END SOLUTION
print(f"test AUC {test_auc:.4f}")

# %% test="probability_check" points=3 guide="G002"
checks.probabilities(test_probability, rows=len(test_ids))

# %% test="auc_check" points=8 guide="G002"
checks.ranking(test_probability, test_ids, claimed=test_auc)

# %% [markdown]
# Is about .83 good? A guess gives .5. A logistic regression on the same columns reaches about .785. Whoever
# drew these customers, with the true chances in hand, gets .87: the rest is luck, and no model can learn it.
# So there is a little room, and assignment 2 goes after it.
#
# What does the company get from it? Suppose it can call one customer in ten.

# %%
ranked = pd.Series(test_probability, index=test_ids).sort_values(ascending=False)
truth = customers.set_index("customer_id")["churn"]
top = ranked.index[: len(ranked) // 10]
print(f"of all test customers          {truth[test_ids].mean():.0%} left")
print(f"of the tenth with the top score {truth[top].mean():.0%} left")

# %% [markdown]
# Calling by score reaches about three times as many leavers as calling at random. This factor is called
# **lift**; you will meet it again.

# %% [markdown]
# ### In your own words (4 points)
#
# A colleague in marketing asks: "Your model has an AUC of .83. So 83 % of what it says is right?" Answer in
# three or four sentences, without formulas, and say which of the figures above you would show instead.

# %% [markdown] answer="auc_in_words" points=4
# No. AUC is about order, not about single statements: if we take one customer who left and one who stayed,
# the model gives the one who left the higher score in 83 of 100 such pairs. It says nothing about how often a
# single prediction is right, which depends on the score above which we call somebody a leaver. For marketing
# I would show the top tenth: about three quarters of them left, against 27 % of all customers, so calls made
# by score reach almost three times as many leavers.

# %% [markdown]
# ## Save
#
# ### The model
#
# **Your task:** save `booster` as `churn-model.json`, load that file into a new `xgb.Booster` and keep *its*
# predictions for the test part as `reloaded_probability`. A model that was never loaded again is not saved
# yet.

# %% solution="save_model"
model_file = "churn-model.json"
### BEGIN SOLUTION: booster.save_model(model_file), then predictions of a Booster that loaded it
booster.save_model(model_file)
reloaded = xgb.Booster()
reloaded.load_model(model_file)
reloaded_probability = reloaded.predict(matrices["test"])
### END SOLUTION

# %% test="save_model_check" points=4 guide="G002"
checks.file_written(model_file)
checks.same_predictions(test_probability, reloaded_probability)

# %% [markdown]
# ### The training file
#
# In the next assignment XGBoost runs in a container on another machine. It gets no DataFrame, only a file,
# and it has rules about it: **the label is the first column, there is no header line, everything is a
# number** (a missing value is an empty cell). The container checks hardly any of this. A header line, for
# one, becomes a customer with label 0.
#
# **Your task:** write the training part in this form as `train.csv`.
#
# *Research:* `DataFrame.insert`, and the arguments `header` and `index` of `to_csv`.

# %% solution="training_file"
training_file = "train.csv"
### BEGIN SOLUTION: the train part with the label as first column, written without header and index
table = features[part == "train"].copy()
table.insert(0, "churn", customers["churn"][part == "train"])
table.to_csv(training_file, header=False, index=False)
### END SOLUTION

# %% test="training_file_check" points=8 guide="G002,G109"
checks.training_file(training_file, rows=len(train_ids))

# %% [markdown]
# The proof: XGBoost's own reader takes the file as the container will, and learns the same.

# %%
from_file = xgb.DMatrix(f"{training_file}?format=csv&label_column=0")
print(f"{from_file.num_row()} rows, {from_file.num_col()} features")
print(f"mean label {from_file.get_label().mean():.4f}")

# %% [markdown]
# As many rows as there are training customers, one column fewer than the file has, and a mean label near .26:
# the reader took the first column for the label, and nothing else.

# %% [markdown] guide="G003"
# ## Ready for the cloud?
#
# The other assignments train in the cloud that you connected to at the top. The next cell asks whether this machine
# has everything they need.

# %% given="doctor" guide="G003"
# !corelab doctor

# %% [markdown]
# ## You now have
#
# - a function `prepare` that turns customers into numbers and says why each gap was filled or left,
# - a split that anybody can repeat,
# - a model with a test AUC of about .83, saved and loaded again,
# - a training file in the container's format,
# - an idea of overfitting, AUC and lift on your own figures.
#
# Next, `a1_training_job`: the same training, in a container, on a machine you rent by the second.
