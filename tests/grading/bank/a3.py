"""Submissions to a3_batch_transform."""

from __future__ import annotations

from .cases import Bank

BANK = Bank("a3_batch_transform", quick=("columns_sorted",))
# What cannot be right any more without a model, or without a job that ended well.
NO_OUTPUT = " transformed_check output_check scores_check cost_check call_list_check by_hand_check"
NO_JOB = NO_OUTPUT + " log_check seconds_check label_lab_check place_lab_check"

BANK.wrong("model_data_is_a_folder", "model_check job_check input_check" + NO_JOB, "",
           ("create_model", "model_data_url=artifact", 'model_data_url=artifact.rsplit("/", 1)[0] + "/"'),
           row=43)  # fmt: skip
BANK.wrong("label_left_in", "input_check" + NO_OUTPUT, "",
           ("write_batch", "features.to_csv(", 'features.assign(churn=0)[["churn", *features]].to_csv('),
           row=45)  # fmt: skip
BANK.wrong("columns_sorted", "input_check scores_check by_hand_check", "",
           ("write_batch", "features.to_csv(", "features[sorted(features)].to_csv("), row=47)  # fmt: skip
BANK.wrong("scaled_otherwise_than_in_training", "input_check scores_check by_hand_check", "",
           ("write_batch", "features.to_csv(", "((features - features.mean()) / features.std()).to_csv("),
           row=49)  # fmt: skip
BANK.wrong("output_of_another_job", "output_check", "",
           ("find_output", "listed = ", 's3.put_object(Bucket=bucket, Key="old/batch.csv.out", '
            'Body=s3.get_object(Bucket=bucket, Key=s3.list_objects_v2(Bucket=bucket, '
            'Prefix=f"churn/{run}/output/")["Contents"][0]["Key"])["Body"].read())\nlisted = '),
           ("find_output", """f"s3://{bucket}/{listed['Contents'][0]['Key']}\"""",
            'f"s3://{bucket}/old/batch.csv.out"'), row=51)  # fmt: skip
BANK.wrong("a_row_lost_in_the_join", "scores_check", "",
           ("read_scores", "index=batch_ids)", "index=batch_ids).iloc[:-1]"), row=53)  # fmt: skip
BANK.wrong("scores_in_another_order", "scores_check by_hand_check", "",
           ("read_scores", "index=batch_ids)", "index=batch_ids[::-1])"), row=53)  # fmt: skip
BANK.right("another_prefix_and_machine",
           ("write_batch", 'key_prefix=f"churn/{run}/input"', 'key_prefix=f"mine/{run}"'),
           ("transform_parts", "ml.m5.large", "ml.m5.xlarge"))  # fmt: skip
BANK.right("boto3_upload",
           ("write_batch", 'input_uri = session.upload_data("batch.csv", key_prefix=f"churn/{run}/input")',
            's3.upload_file("batch.csv", bucket, f"own/{run}/b.csv")\n'
            'input_uri = f"s3://{bucket}/own/{run}/b.csv"'))  # fmt: skip
BANK.right("a_polling_loop", ("create_transform", "transform_job.wait()",
           'while transform_job.refresh().transform_job_status == "InProgress":\n    time.sleep(0.5)'))  # fmt: skip
