"""The learner's side is tried against a live cloud: ours, and an AWS of somebody else."""

from __future__ import annotations

from tests.aws_cloud import aws_account, aws_endpoint

__all__ = ["aws_account", "aws_endpoint"]
