"""Submissions to a1_training_job."""

from __future__ import annotations

import copy

from .cases import Bank, Case, Notebook

BANK = Bank(
    "a1_training_job",
    quick=("reference", "header_kept", "no_content_type", "image_of_another_region", "boto3_upload_file"),
)
WRITE = 'table[part == name].to_csv(f"{name}.csv", header=False, index=False)'
LABEL = 'table.insert(0, "churn", customers["churn"])'
# What cannot be right any more when the job was refused, or failed.
NO_JOB = """ job_check channels_check completed_check arn_check worst_case_check curve_check artifact_check
    predictions_check"""
NO_MODEL = " completed_check artifact_check predictions_check"
FILES = "train_file_check validation_file_check channels_check"

# fmt: off
BANK.wrong("header_kept", FILES, "header=False", ("write_files", "header=False", "header=True"), row=1)
BANK.wrong("target_last", FILES + " completed_check artifact_check predictions_check", "label", ("write_files", 'table.insert(0, "churn", customers["churn"])', 'table["churn"] = customers["churn"]'), row=3)
BANK.wrong("bool_dummies", FILES, "dtype=int", ("write_files", "pd.get_dummies(table, dtype=int)", "pd.get_dummies(table)"), row=5)
BANK.wrong("label_inverted", FILES + " predictions_check", "label", ("write_files", 'table.insert(0, "churn", customers["churn"])', 'table.insert(0, "churn", 1 - customers["churn"])'), row=7)
BANK.wrong("label_is_a_feature", FILES + " completed_check predictions_check", "leak", ("write_files", 'table.insert(0, "churn", customers["churn"])', 'table["kept"] = customers["churn"]\ntable.insert(0, "churn", customers["churn"])'), ("write_files", 'test_features = table[part == "test"].to_numpy()', 'test_features = table.assign(kept=customers["churn"])[part == "test"].to_numpy()'), row=9)
BANK.wrong("validation_is_train", "channels_check completed_check", "customers", ("upload", 'session.upload_data("validation.csv"', 'session.upload_data("train.csv"'), row=11)
BANK.wrong("no_content_type", "channels_check" + NO_MODEL, "content_type", ("inputs", ', content_type="text/csv"', ""), row=13)
BANK.wrong("image_of_another_region", "image_check" + NO_JOB, "region", ("find_image", "region=region", 'region="eu-west-1"'), row=17)
BANK.wrong("illegal_job_name", "job_name_check" + NO_JOB, "63 characters", ("names", 'f"churn-{student}-{timestamp}"', 'f"churn_{student}_{timestamp}"'), row=23)
BANK.wrong("arn_of_nothing", "arn_check", "copy it from", ("find_in_console", "training_job.training_job_arn", '"arn:aws:sagemaker:us-east-1:123456789012:training-job/mine"'), row=25)
BANK.wrong("no_name_of_ones_own", "job_name_check", "student", ("names", 'student = "ada-lovelace"', ""))
BANK.wrong("region_as_a_literal_of_another", "region_check image_check", "session", ("open_session", "region = session.boto_region_name", 'region = "eu-west-1"'), ("find_image", "region=region", "region=session.boto_region_name"))
BANK.wrong("worst_case_of_what_was_billed", "worst_case_check", "longest run time", ("worst_case", "stopping.max_runtime_in_seconds", "training_job.billable_time_in_seconds"))
BANK.wrong("curve_of_the_wrong_channel", "curve_check", "train", ("learning_curve", 'r"validation-auc:', 'r"train-auc:'))
BANK.wrong("predictions_of_shuffled_columns", "predictions_check", "order", ("use_model", "xgb.DMatrix(test_features)", "xgb.DMatrix(test_features[:, ::-1])"))
BANK.wrong("quiz_guessed", "header_line_check", "", ("header_line", '"B"', '"A"'))
BANK.wrong("bucket_that_is_not_there", "bucket_check base_path_check", "", ("open_session", "role = get_execution_role()", 'role = get_execution_role()\nreal, bucket = bucket, "no-such-bucket-of-mine"'), ("names", "bucket, folder", "real, folder"), ("use_model", 's3://{bucket}/', 's3://{real}/'), ("use_model", "download_file(bucket", "download_file(real"))
BANK.wrong("double_slash_in_the_path", "base_path_check", "//", ("names", 's3_path_join("s3://", bucket, folder)', 'f"s3://{bucket}//{folder}"'), ("machine", 's3_path_join(base_path, "output")', 's3_path_join("s3://", bucket, folder, "output")'))

BANK.right("boto3_upload_file", ("upload", 'train_uri = session.upload_data("train.csv", key_prefix=f"{folder}/train")', 'boto3.client("s3").upload_file("train.csv", bucket, f"{folder}/train/t.csv")\ntrain_uri = f"s3://{bucket}/{folder}/train/t.csv"'))
BANK.right("put_object_and_a_prefix_as_channel", ("upload", 'validation_uri = session.upload_data("validation.csv", key_prefix=f"{folder}/validation")', 'boto3.client("s3").put_object(Bucket=bucket, Key=f"{folder}/validation/v.csv", Body=open("validation.csv", "rb").read())\nvalidation_uri = f"s3://{bucket}/{folder}/validation/v.csv"'))
BANK.right("content_type_csv", ("inputs", '"text/csv"', '"csv"'))
BANK.right("fast_file_mode", ("inputs", 'training_input_mode="File"', 'training_input_mode="FastFile"'))
BANK.right("another_machine", ("machine", "ml.m5.large", "ml.c5.xlarge"))
BANK.right("another_name_and_other_variables", ("names", 'student = "ada-lovelace"', 'student = "Grace Hopper"'), ("names", 'f"churn-{student}-{timestamp}"', 'f"grace-hopper-{timestamp}"'), ("write_files", "table", "my_features"))
BANK.right("missing_values_filled_with_the_median", ("write_files", 'table["total_charge"] = table["total_charge"].fillna(0)', "table = table.fillna(table.median(numeric_only=True))"))
BANK.right("ordinal_codes", ("write_files", "table = pd.get_dummies(table, dtype=int)", 'for column in table.select_dtypes("object"):\n    table[column] = table[column].astype("category").cat.codes'))
BANK.right("numpy_savetxt", ("write_files", WRITE, 'import numpy as np\n    np.savetxt(f"{name}.csv", table[part == name].to_numpy(float), delimiter=",")'))
BANK.right("warnings_on_stderr", ("write_files", "table = pd.get_dummies", 'import warnings, sys\nwarnings.warn("deprecated")\nprint("noise", file=sys.stderr)\ntable = pd.get_dummies'))
BANK.wrong("no_validation_channel", "channels_check completed_check", "validation", ("inputs", '{"train": train_uri, "validation": validation_uri}', '{"train": train_uri}'), row=15)
BANK.wrong("whole_numbers_as_hyperparameters", NO_JOB, "raised an error", ("create_job", "hyper_parameters=hyper_parameters", 'hyper_parameters=hyper_parameters | {"num_round": 100}'), row=19)
BANK.wrong("no_objective", "job_check" + NO_MODEL, "objective", ("create_job", "hyper_parameters=hyper_parameters", 'hyper_parameters={k: v for k, v in hyper_parameters.items() if k != "objective"}'), row=21)
BANK.wrong("trained_on_the_test_customers", "channels_check predictions_check", "test customers", ("write_files", 'table[part == name].to_csv(', 'table[(part == name) | ((name == "train") & (part == "test"))].to_csv('), row=27)
BANK.right("split_of_ones_own", ("write_files", 'table[part == name]', 'table[(part == name) & (customers.index % 20 > 0)]'))
BANK.right("weak_columns_dropped", ("write_files", 'table = customers.drop(columns=["customer_id", "churn"])', 'table = customers.drop(columns=["customer_id", "churn", "region"])'))
BANK.right("a_polling_loop", ("create_job", "    tags=tags,\n)", '    tags=tags,\n)\nwhile training_job.refresh().training_job_status == "InProgress":\n    time.sleep(0.5)'))
# fmt: on

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
    answers = BANK.reference()
    text = answers["create_job"].replace("training_job = TrainingJob.create(", "training_job = make_it(")
    answers["create_job"] = text.replace("training_job = make_it(", BOTO_JOB + "\ntraining_job = make_it(")
    return BANK.filled(answers)


def _one_big_cell() -> Notebook:
    """Everything in the last code answer's place would be too late for the checks between: it stands first."""
    made = BANK.filled(BANK.reference())
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
    made = BANK.filled(BANK.reference())
    for cell in made["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {"nbgrader": {"grade_id": cell["metadata"].get("nbgrader", {}).get("grade_id")}}
    return made


def _twice() -> Notebook:
    """The whole notebook run twice: every cell once more at the end."""
    made = BANK.filled(BANK.reference())
    made["cells"] += copy.deepcopy([cell for cell in made["cells"] if cell["cell_type"] == "code"])
    return made


BANK.add(Case("boto3_job_and_waiter", _with_boto_job))
BANK.add(Case("extra_cells", _one_big_cell))
BANK.add(Case("metadata_stripped", _nothing_of_the_metadata_left))
BANK.add(Case("every_cell_copied_once_more", _twice))
