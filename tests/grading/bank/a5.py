"""Submissions to a5_corelab_session."""

from __future__ import annotations

from .cases import Bank

BANK = Bank("a5_corelab_session", quick=("reference",))

BANK.wrong("names_of_somebody_else", "by_hand_check", "",
           ("by_hand_names", 'f"{project}-serverless-endpoint"', 'f"{project}-endpoint"'))  # fmt: skip
BANK.wrong("two_resources_without_tags", "tagged_check", "",
           ("tag_five", "sagemaker_client.add_tags(ResourceArn=arn, Tags=late)", "pass"))  # fmt: skip
BANK.wrong("minutes_billed_as_hours", "bill_check", "", ("bill", "/ 3600", "/ 60"))
BANK.wrong("a_model_made_twice", "ensure_model_check tagged_check", "",
           ("ensure_model", "if name in [model", "if False and name in [model"))  # fmt: skip
BANK.right("another_name", ("make_session", '"ada-lovelace"', '"grace-hopper"'))
