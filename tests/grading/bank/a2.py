"""Submissions to a2_hyperparameter_tuning."""

from __future__ import annotations

from .cases import Bank

BANK = Bank("a2_hyperparameter_tuning", quick=("range_upside_down",))
# What cannot be right any more when the service refused the tuning job: all that is read from it.
NO_SEARCH = """ search_check template_check tuned_check trials_check best_check importance_check improvement_check
    beats_check cost_check point_check threshold_check metric_lab_check range_lab_check narrow_check stop_check"""

# sagemaker-core 1.0.78 cannot stop a tuning job: its stop() asks SageMakerClient for a client it has not.
STOPPED_EARLY = """
def ended():
    jobs = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)
    return sum(job["TrainingJobStatus"] == "Completed" for job in jobs["TrainingJobSummaries"])


while ended() < 3:
    time.sleep(0.05)
sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)
tuning_job.wait()"""

BANK.wrong("auc_minimized", "objective_check search_check", "larger",
           ("objective", 'type="Maximize"', 'type="Minimize"'),
           # A trial stopped early may have the smallest AUC, and no model to go on with.
           ("search_config", 'early_stopping_type="Auto"', 'early_stopping_type="Off"'), row=29)  # fmt: skip
BANK.wrong("range_upside_down", "ranges_check" + NO_SEARCH, "max_depth",
           ("ranges", 'min_value="2", max_value="8"', 'min_value="10", max_value="3"'), row=31)  # fmt: skip
BANK.wrong("ranges_of_no_width", "ranges_check" + NO_SEARCH, "width 0",
           ("ranges", 'min_value="2", max_value="8"', 'min_value="5", max_value="5"'),
           ("ranges", 'min_value="0.05", max_value="0.5"', 'min_value="0.2", max_value="0.2"'),
           ("ranges", 'min_value="0", max_value="5"', 'min_value="1", max_value="1"'),
           ("ranges", 'min_value="1", max_value="30"', 'min_value="2", max_value="2"'), row=33)  # fmt: skip
BANK.wrong("two_hundred_jobs", "limits_check search_check tuned_check", "few enough to pay for",
           ("limits", "max_number_of_training_jobs=8", "max_number_of_training_jobs=200"),
           ("create_tuning", "tuning_job.wait()", STOPPED_EARLY),
           row=35)  # fmt: skip
BANK.wrong("all_jobs_at_once", "limits_check search_check", "learn from each other",
           ("limits", "max_parallel_training_jobs=2", "max_parallel_training_jobs=8"), row=35)  # fmt: skip
BANK.wrong("name_of_53_characters", "name_check" + NO_SEARCH, "32",
           ("search_config", 'f"tune-{student}-', 'f"hyperparameter-tuning-of-{student}-'), row=37)  # fmt: skip
BANK.wrong("compared_with_the_training_auc", "improvement_check beats_check point_check", "the same metric",
           ("improvement", "improvement = best_auc - baseline_auc",
            'improvement = best_auc - final["train:auc"]'), row=39)  # fmt: skip
BANK.wrong("stopped_and_called_complete", "tuned_check", "Stopped",
           ("create_tuning", "tuning_job.wait()", STOPPED_EARLY),
           # Long enough to be stopped before they end by themselves.
           ("limits", "max_number_of_training_jobs=8", "max_number_of_training_jobs=20"),
           ("template", '"num_round": "60"', '"num_round": "600"'),
           row=41)  # fmt: skip
BANK.right("random_search", ("search_config", '"Bayesian"', '"Random"'))
BANK.right("other_limits_and_no_early_stopping",
           ("search_config", 'early_stopping_type="Auto"', 'early_stopping_type="Off"'),
           ("limits", "max_number_of_training_jobs=8, max_parallel_training_jobs=2",
            "max_number_of_training_jobs=6, max_parallel_training_jobs=3"))  # fmt: skip
BANK.right("boto3_and_a_polling_loop", ("create_tuning", "tuning_job.wait()", """
while sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)[
    "HyperParameterTuningJobStatus"
] == "InProgress":
    time.sleep(1)
tuning_job = HyperParameterTuningJob.get(tuning_job_name)"""))  # fmt: skip
