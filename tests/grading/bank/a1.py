"""Submissions to a1_training_job as changes of the reference answers, each with the checks it must lose.

Numbers are rows of grading report, part B. A wrong submission loses the checks that its mistake spoils and no
other; a right one, however different, loses none.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "source/a1_training_job/training_job.ipynb"
RELEASE = ROOT / "release/a1_training_job/training_job.ipynb"

Notebook = dict[str, Any]
Answers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One submission: what is changed, and the names of the checks that must be lost."""

    name: str
    make: Callable[[], Notebook]
    loses: frozenset[str] = frozenset()
    hint: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)


def reference() -> Answers:
    """The instructor's answers by cell name."""
    cells = json.loads(SOURCE.read_text())["cells"]
    marks = [(cell["metadata"].get("nbgrader", {}), cell) for cell in cells]
    return {mark["grade_id"]: "".join(cell["source"]) for mark, cell in marks if mark.get("solution")}


def notebook(answers: Answers) -> Notebook:
    """The release with these answers in it."""
    made: Notebook = json.loads(RELEASE.read_text())
    for cell in made["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers and cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = answers[name]
    return made


def changed(*changes: tuple[str, str, str]) -> Callable[[], Notebook]:
    """The reference with texts replaced: (cell, old, new); old must be there."""

    def make() -> Notebook:
        answers = reference()
        for name, old, new in changes:
            assert old in answers[name], f"{name} no longer holds {old!r}"
            answers[name] = answers[name].replace(old, new)
        return notebook(answers)

    return make


def wrong(name: str, loses: str, hint: str, *changes: tuple[str, str, str]) -> Case:
    return Case(name, changed(*changes), frozenset(loses.split()), hint)


def right(name: str, *changes: tuple[str, str, str]) -> Case:
    return Case(name, changed(*changes))


WRITE = 'table[part == name].to_csv(f"{name}.csv", header=False, index=False)'
# What cannot be right any more when the job was refused, or failed.
NO_JOB = " job_check channels_check completed_check arn_check worst_case_check curve_check artifact_check predictions_check"
NO_MODEL = " completed_check artifact_check predictions_check"

WRONG = [
    wrong("1_header_kept", "train_file_check validation_file_check channels_check", "header=False", ("write_files", "header=False", "header=True")),
    wrong("3_target_last", "train_file_check validation_file_check channels_check completed_check artifact_check predictions_check", "label", ("write_files", 'table.insert(0, "churn", customers["churn"])', 'table["churn"] = customers["churn"]')),
    wrong("5_bool_dummies", "train_file_check validation_file_check channels_check predictions_check", "dtype=int", ("write_files", "pd.get_dummies(table, dtype=int)", "pd.get_dummies(table)")),
    wrong("7_label_inverted", "train_file_check validation_file_check channels_check predictions_check", "label", ("write_files", 'table.insert(0, "churn", customers["churn"])', 'table.insert(0, "churn", 1 - customers["churn"])')),
    wrong("9_label_is_a_feature", "train_file_check validation_file_check channels_check completed_check predictions_check", "leak", ("write_files", 'table.insert(0, "churn", customers["churn"])', 'table["kept"] = customers["churn"]\ntable.insert(0, "churn", customers["churn"])'), ("write_files", 'test_features = table[part == "test"].to_numpy()', 'test_features = table.assign(kept=customers["churn"])[part == "test"].to_numpy()')),
    wrong("11_validation_is_train", "channels_check completed_check", "customers", ("upload", 'session.upload_data("validation.csv"', 'session.upload_data("train.csv"')),
    wrong("13_no_content_type", "channels_check" + NO_MODEL, "content_type", ("inputs", ', content_type="text/csv"', "")),
    wrong("17_image_of_another_region", "image_check" + NO_JOB, "region", ("find_image", "region=region", 'region="eu-west-1"')),
    wrong("23_illegal_job_name", "job_name_check" + NO_JOB, "", ("names", 'f"churn-{student}-{timestamp}"', 'f"churn_{student}_{timestamp}"')),
    wrong("25_arn_of_nothing", "arn_check", "", ("find_in_console", "training_job.training_job_arn", '"arn:aws:sagemaker:us-east-1:123456789012:training-job/mine"')),
    wrong("no_name_of_ones_own", "job_name_check", "student", ("names", 'student = "ada-lovelace"', "")),
    wrong("region_as_a_literal_of_another", "region_check image_check", "session", ("open_session", "region = session.boto_region_name", 'region = "eu-west-1"'), ("find_image", "region=region", "region=session.boto_region_name")),
    wrong("worst_case_of_what_was_billed", "worst_case_check", "longest run time", ("worst_case", "stopping.max_runtime_in_seconds", "training_job.billable_time_in_seconds")),
    wrong("curve_of_the_wrong_channel", "curve_check", "train", ("learning_curve", 'r"validation-auc:', 'r"train-auc:')),
    wrong("predictions_of_shuffled_columns", "predictions_check", "order", ("use_model", "xgb.DMatrix(test_features)", "xgb.DMatrix(test_features[:, ::-1])")),
    wrong("quiz_guessed", "header_line_check", "", ("header_line", '"B"', '"A"')),
    wrong("bucket_that_is_not_there", "bucket_check base_path_check", "", ("open_session", "role = get_execution_role()", 'role = get_execution_role()\nreal, bucket = bucket, "no-such-bucket-of-mine"'), ("names", "bucket, folder", "real, folder"), ("use_model", 's3://{bucket}/', 's3://{real}/'), ("use_model", "download_file(bucket", "download_file(real")),
    wrong("double_slash_in_the_path", "base_path_check", "//", ("names", 's3_path_join("s3://", bucket, folder)', 'f"s3://{bucket}//{folder}"'), ("machine", 's3_path_join(base_path, "output")', 's3_path_join("s3://", bucket, folder, "output")')),
]  # fmt: skip

RIGHT = [
    right("reference"),
    right("boto3_upload_file", ("upload", 'train_uri = session.upload_data("train.csv", key_prefix=f"{folder}/train")', 'boto3.client("s3").upload_file("train.csv", bucket, f"{folder}/train/t.csv")\ntrain_uri = f"s3://{bucket}/{folder}/train/t.csv"')),
    right("put_object_and_a_prefix_as_channel", ("upload", 'validation_uri = session.upload_data("validation.csv", key_prefix=f"{folder}/validation")', 'boto3.client("s3").put_object(Bucket=bucket, Key=f"{folder}/validation/v.csv", Body=open("validation.csv", "rb").read())\nvalidation_uri = f"s3://{bucket}/{folder}/validation/v.csv"')),
    right("content_type_csv", ("inputs", '"text/csv"', '"csv"')),
    right("fast_file_mode", ("inputs", 'training_input_mode="File"', 'training_input_mode="FastFile"')),
    right("another_machine", ("machine", "ml.m5.large", "ml.c5.xlarge")),
    right("another_name_and_other_variables", ("names", 'student = "ada-lovelace"', 'student = "Grace Hopper"'), ("names", 'f"churn-{student}-{timestamp}"', 'f"grace-hopper-{timestamp}"'), ("write_files", "table", "my_features")),
    right("missing_values_filled_with_the_median", ("write_files", 'table["total_charge"] = table["total_charge"].fillna(0)', "table = table.fillna(table.median(numeric_only=True))")),
    right("ordinal_codes", ("write_files", "table = pd.get_dummies(table, dtype=int)", 'for column in table.select_dtypes("object"):\n    table[column] = table[column].astype("category").cat.codes')),
    right("numpy_savetxt", ("write_files", WRITE, 'import numpy as np\n    np.savetxt(f"{name}.csv", table[part == name].to_numpy(float), delimiter=",")')),
    right("warnings_on_stderr", ("write_files", "table = pd.get_dummies", 'import warnings, sys\nwarnings.warn("deprecated")\nprint("noise", file=sys.stderr)\ntable = pd.get_dummies')),
    right("boto3_job_and_waiter", ("create_job", "training_job = TrainingJob.create(", 'training_job = make_it(')),
]  # fmt: skip

BOTO_JOB = """
def make_it(**parts):
    client = boto3.client("sagemaker")
    channel = lambda name, uri: {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
    client.create_training_job(
        TrainingJobName=training_job_name, RoleArn=role, HyperParameters=hyper_parameters,
        AlgorithmSpecification={"TrainingImage": image_uri, "TrainingInputMode": "File"},
        InputDataConfig=[channel("train", train_uri), channel("validation", validation_uri)],
        OutputDataConfig={"S3OutputPath": output.s3_output_path},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 900}, Tags=[{"Key": tag.key, "Value": tag.value} for tag in tags],
    )
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=training_job_name, WaiterConfig={"Delay": 1})
    return TrainingJob.get(training_job_name)
"""


def _with_boto_job() -> Notebook:
    answers = reference()
    text = answers["create_job"].replace("training_job = TrainingJob.create(", "training_job = make_it(")
    answers["create_job"] = text.replace("training_job = make_it(", BOTO_JOB + "\ntraining_job = make_it(")
    return notebook(answers)


def _one_big_cell() -> Notebook:
    """Everything in the last code answer's place would be too late for the checks between: it stands first."""
    made = notebook(reference())
    extra = {
        "cell_type": "code",
        "metadata": {},
        "source": "",
        "outputs": [],
        "execution_count": None,
        "id": "own",
    }
    helper = {**extra, "source": "def show(thing):\n    return thing\nshow(1)"}
    made["cells"].insert(5, helper)
    made["cells"].append({**extra, "id": "own2", "source": "1 / 0"})
    return made


def _nothing_of_the_metadata_left() -> Notebook:
    made = notebook(reference())
    for cell in made["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {"nbgrader": {"grade_id": cell["metadata"].get("nbgrader", {}).get("grade_id")}}
    return made


def _twice() -> Notebook:
    """The whole notebook run twice: every cell once more at the end."""
    made = notebook(reference())
    made["cells"] += copy.deepcopy([cell for cell in made["cells"] if cell["cell_type"] == "code"])
    return made


RIGHT[-1] = Case("boto3_job_and_waiter", _with_boto_job)
RIGHT += [
    Case("extra_cells", _one_big_cell),
    Case("metadata_stripped", _nothing_of_the_metadata_left),
    Case("every_cell_copied_once_more", _twice),
    Case("untouched_release", lambda: json.loads(RELEASE.read_text()), frozenset({"*"})),
]

CASES = {case.name: case for case in [*WRONG, *RIGHT]}
# What the normal test run grades; `make grade-bank` grades all.
QUICK = ["reference", "1_header_kept", "13_no_content_type", "17_image_of_another_region", "worst_case_of_what_was_billed", "boto3_upload_file"]  # fmt: skip
