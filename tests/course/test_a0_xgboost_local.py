"""The local notebook: its own solution and another one earn every check, an empty one earns none."""

from __future__ import annotations

import nbformat
import pytest

from corelab.checks import CheckFailed

from .conftest import ROOT

SOURCE = ROOT / "source/a0_xgboost_local/xgboost_local.ipynb"
RELEASE = ROOT / "release/a0_xgboost_local/xgboost_local.ipynb"
CHECKS = [cell.id for cell in nbformat.read(SOURCE, as_version=4).cells if cell.id.endswith("_check")]
# Ordinal codes, filled gaps, another reader's habits: nothing of it is in the lesson.
STUDENT = {
    "missing_share": "missing_share = {name: float(customers[name].isnull().sum()) / 10_000 for name in customers}",
    "prepare": """
levels = {c: sorted(customers[c].unique()) for c in ("contract", "plan", "payment", "region")}
def prepare(people):
    out = people.drop(["customer_id", "churn"], axis=1, errors="ignore").copy()
    for column, names in levels.items():
        out[column] = [names.index(value) for value in out[column]]
    return out.fillna({"total_charge": 0.0, "usage_gb": 55.0})
features = prepare(customers)
""",
    "bool_columns": "bool_columns = 'b'",
    "split": """
import numpy
order = numpy.random.default_rng(3).permutation(10_000)
part = pd.Series("train", index=customers.index)
part.iloc[order[:1000]] = "validation"
part.iloc[order[1000:2000]] = "test"
ids = customers.customer_id
train_ids, validation_ids, test_ids = [list(ids[part == p]) for p in ("train", "validation", "test")]
""",
    "train": """
model = xgb.XGBClassifier(n_estimators=60, max_depth=4, learning_rate=0.15, n_jobs=1, eval_metric="auc")
rows = {p: (features[part == p].to_numpy(), customers.churn[part == p].to_numpy()) for p in set(part)}
model.fit(*rows["train"], eval_set=[rows["train"], rows["validation"]], verbose=False)
result = model.evals_result()
history = {"train": result["validation_0"], "validation": result["validation_1"]}
booster = model.get_booster()
""",
    "more_rounds": "more_rounds = ['C']",
    "evaluate": """
test_probability = list(map(float, model.predict_proba(rows["test"][0])[:, 1]))
hits = [(a > b) + (a == b) / 2 for a, y in zip(test_probability, rows["test"][1]) if y
        for b, z in zip(test_probability, rows["test"][1]) if not z]
test_auc = sum(hits) / len(hits)
""",
    "save_model": """
model_file = "mine.json"
model.save_model(model_file)
again = xgb.XGBClassifier()
again.load_model(model_file)
reloaded_probability = again.predict_proba(rows["test"][0])[:, 1]
""",
    "training_file": """
training_file = "train.csv"
import numpy
numpy.savetxt(training_file, numpy.column_stack([rows["train"][1], rows["train"][0]]), delimiter=",")
""",
}


pytestmark = pytest.mark.usefixtures("connected", "kernels_use_lab")


def test_the_first_code_cell_connects():
    first = next(cell for cell in nbformat.read(RELEASE, as_version=4).cells if cell.cell_type == "code")
    assert first.source.splitlines() == ["import corelab", "", "corelab.connect()"]


def test_the_reference_solution_passes_every_check(run):
    outcomes = run(SOURCE, until="doctor")
    assert {cell: problem for cell, problem in outcomes.items() if problem} == {}
    assert set(CHECKS) <= outcomes.keys()


def test_another_sound_solution_passes_every_check(run):
    outcomes = run(RELEASE, STUDENT, until="doctor")
    assert {cell: outcomes[cell] for cell in CHECKS if outcomes[cell]} == {}


def test_an_untouched_release_passes_no_check(run):
    outcomes = run(RELEASE, until="doctor")
    assert all(isinstance(outcomes[check], NameError | CheckFailed) for check in CHECKS)
    assert isinstance(outcomes["train"], NotImplementedError)


@pytest.mark.parametrize(
    ("cell", "wrong", "check", "words"),
    [
        ("missing_share", "missing_share = customers.isna().sum()", "missing_share_check", "mean of isna"),
        ("prepare", "features = pd.get_dummies(customers.drop(columns=['customer_id', 'churn']))", "prepare_check",
         "give get_dummies dtype=int"),
        ("prepare", "features = pd.get_dummies(customers.drop(columns=['customer_id']), dtype=int)", "prepare_check",
         "drop 'churn'"),
        ("prepare", "features = pd.get_dummies(customers.drop(columns=['customer_id', 'churn']).dropna(), dtype=int)",
         "prepare_check", "10000 rows"),
        ("split", "part = customers.customer_id.map(lambda i: 'train')\n"
         "train_ids = list(customers.customer_id)\nvalidation_ids = test_ids = train_ids[:2000]", "split_check",
         "2000 customers in both"),
        ("bool_columns", "bool_columns = 'Z'", "bool_columns_check", "letters A, B, C"),
    ],
)  # fmt: skip
def test_a_wrong_answer_hears_what_is_wrong(run, cell, wrong, check, words):
    after = CHECKS[CHECKS.index(check) + 1]
    problem = run(RELEASE, STUDENT | {cell: wrong}, until=after)[check]
    assert isinstance(problem, CheckFailed)
    assert words in str(problem)
