"""Keeps the variants that have a scaling policy at their target: invocations per instance and minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from corelab.resources.records import Record, TransitionRefused
from corelab.resources.registry import NotThere, Registry
from corelab.resources.states import Kind, Status

WINDOW_SECONDS = 60.0
_COOLDOWN_SECONDS = 300
_SCALE_IN_AT = 0.9  # AWS scales in only well below the target

Invocations = Callable[[str, str, str, float], float]
"""(region, endpoint, variant, seconds) -> how many invocations there were in the last seconds."""
Resize = Callable[[Record, list[dict[str, Any]]], None]


class Autoscaler:
    """Looks at every policy when told to; changes an endpoint as UpdateEndpointWeightsAndCapacities would."""

    def __init__(self, registry: Registry, invocations: Invocations, resize: Resize) -> None:
        self._registry, self._invocations, self._resize = registry, invocations, resize
        self._changed: dict[str, float] = {}

    def look(self) -> None:
        """Compare each variant's load with its target, and resize where they differ."""
        for policy in self._registry.find(Kind.SCALING_POLICY):
            resource = policy.request["ResourceId"]
            target = self._registry.get(Kind.SCALABLE_TARGET, policy.region, resource)
            endpoint = self._registry.get(Kind.ENDPOINT, policy.region, resource.split("/")[1])
            if target is not None and endpoint is not None and endpoint.status is Status.IN_SERVICE:
                self._judge(policy, target, endpoint, resource.split("/")[3])

    def _judge(self, policy: Record, target: Record, endpoint: Record, variant: str) -> None:
        config = policy.facts["configuration"]
        now = next((v["count"] for v in endpoint.private["variants"] if v["name"] == variant), 0)
        load = self._invocations(endpoint.region, endpoint.name, variant, WINDOW_SECONDS)
        wanted = desired(
            now, load, config["TargetValue"], (target.facts["MinCapacity"], target.facts["MaxCapacity"])
        )
        if wanted < now and config.get("DisableScaleIn"):
            return
        side = "ScaleOutCooldown" if wanted > now else "ScaleInCooldown"
        quiet = time.monotonic() - self._changed.get(policy.arn, -math.inf)
        if wanted == now or quiet < config.get(side, _COOLDOWN_SECONDS):
            return
        self._changed[policy.arn] = time.monotonic()
        try:
            record = self._registry.change(endpoint, lambda r: r.advance(Status.UPDATING, time.time()))
        except (TransitionRefused, NotThere):  # somebody else was quicker
            return
        self._resize(record, [{"VariantName": variant, "DesiredInstanceCount": wanted}])


def desired(now: int, per_minute: float, target: float, bounds: tuple[int, int]) -> int:
    """How many instances bring ``per_minute`` invocations to the target for each; scales in one at a time.

    Args:
        bounds: the scalable target's smallest and largest capacity.
    """
    needed = math.ceil(per_minute / target) if target > 0 else now
    if needed < now:
        needed = now - 1 if now > 1 and per_minute / (now - 1) < _SCALE_IN_AT * target else now
    return min(max(needed, bounds[0]), bounds[1])
