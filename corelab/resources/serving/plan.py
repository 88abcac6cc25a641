"""What an endpoint is to run, fixed when it is deployed: its configuration and models may go afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Serverless:
    """ServerlessConfig; memory in MB."""

    memory_mb: int
    max_concurrency: int
    provisioned_concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Variant:
    """One production variant. Either ``serverless`` is given, or ``instance_type`` and ``count``."""

    name: str
    model_name: str
    image: str
    role: str
    artifact: str | None  # S3 URI of model.tar.gz
    environment: Mapping[str, str]
    weight: float
    serverless: Serverless | None = None
    instance_type: str | None = None
    count: int = 0

    @property
    def described(self) -> dict[str, Any]:
        """The variant in the words of DescribeEndpoint's ProductionVariants (Service spec 8.1)."""
        common = {"VariantName": self.name, "CurrentWeight": self.weight, "DesiredWeight": self.weight}
        if self.serverless is not None:
            return {**common, "CurrentInstanceCount": 0, "CurrentServerlessConfig": _config(self.serverless)}
        return {**common, "CurrentInstanceCount": self.count, "DesiredInstanceCount": self.count}


def variant(configured: Mapping[str, Any], model: Mapping[str, Any], container: Mapping[str, Any]) -> Variant:
    """A ProductionVariant of an endpoint configuration, joined with the request that made its model."""
    serverless = configured.get("ServerlessConfig")
    return Variant(
        name=configured["VariantName"],
        model_name=configured["ModelName"],
        image=container["Image"],
        role=model["ExecutionRoleArn"],
        artifact=container.get("ModelDataUrl"),
        environment=container.get("Environment", {}),
        weight=configured["InitialVariantWeight"],
        serverless=serverless
        and Serverless(
            serverless["MemorySizeInMB"],
            serverless["MaxConcurrency"],
            serverless.get("ProvisionedConcurrency", 0),
        ),
        instance_type=configured.get("InstanceType"),
        count=configured.get("InitialInstanceCount", 0),
    )


def to_json(variants: list[Variant]) -> list[dict[str, Any]]:
    return [asdict(variant) for variant in variants]


def from_json(stored: list[dict[str, Any]]) -> list[Variant]:
    return [Variant(**{**entry, "serverless": _serverless(entry["serverless"])}) for entry in stored]


def _serverless(stored: dict[str, int] | None) -> Serverless | None:
    return None if stored is None else Serverless(**stored)


def _config(serverless: Serverless) -> dict[str, int]:
    config = {"MemorySizeInMB": serverless.memory_mb, "MaxConcurrency": serverless.max_concurrency}
    if serverless.provisioned_concurrency:
        config["ProvisionedConcurrency"] = serverless.provisioned_concurrency
    return config


def retain(variant: Variant, before: Variant | None, excluded: set[str]) -> Variant:
    """The variant with the weight and instance count it has now, unless these are excluded."""
    if before is None:
        return variant
    if "DesiredWeight" not in excluded:
        variant = replace(variant, weight=before.weight)
    if "DesiredInstanceCount" not in excluded and variant.serverless is None and before.serverless is None:
        variant = replace(variant, count=before.count)
    return variant
