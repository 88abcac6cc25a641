"""What the course's notebooks will run and cost, from the jobs that a run of them counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from corelab.core.prices import endpoint_cost, training_cost
from corelab.errors import BadArgument

# AWS bills a job's machine from the download of its data and image on; small jobs take about this long there.
SECONDS = {"training-job": 180, "transform-job": 300, "endpoint": 900}
_USAGE = {
    "training-job": "training job usage",
    "transform-job": "transform job usage",
    "endpoint": "endpoint usage",
}


@dataclass(frozen=True, slots=True)
class Instances:
    """How many machines of a type a notebook starts as one kind of thing, and how many of them at once."""

    assignment: str
    kind: str
    type: str
    count: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What some assignments start; serverless endpoints cost only while they answer and are left out."""

    instances: tuple[Instances, ...]

    def quotas(self) -> Iterator[tuple[str, int]]:
        """The Service Quotas that are drawn on, by AWS's names, and how much of each is used at once."""
        most: dict[str, int] = {}
        for each in self.instances:
            name = f"{each.type} for {_USAGE[each.kind]}"
            most[name] = max(most.get(name, 0), each.at_once)
        yield from sorted(most.items())

    def usd(self) -> float:
        """Dollars, at ``SECONDS`` a machine.

        Raises:
            BadArgument: a type has no price.
        """
        return sum(_usd(each) for each in self.instances)


def plan(assignments: Sequence[str] = ()) -> Plan:
    """What the named assignments (all by default) start, by the run that ``course_run.json`` holds.

    Raises:
        BadArgument: an assignment is not in it.
    """
    counted = json.loads(resources.files("corelab.account").joinpath("course_run.json").read_text("utf-8"))
    for name in assignments:
        if name not in counted:
            raise BadArgument(f"there is no assignment {name!r}; counted are {', '.join(sorted(counted))}")
    return Plan(
        tuple(
            Instances(name, **line)
            for name in counted
            if not assignments or name in assignments
            for line in counted[name]
        )
    )


def counted(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a local bill (``/_corelab/bill``) as ``course_run.json`` keeps them for one assignment."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        number, cross, kind = line["what"].partition(" \N{MULTIPLICATION SIGN} ")
        if cross and number.isdigit():
            found.setdefault((line["kind"], kind), []).append({**line, "number": int(number)})
    return [
        {
            "kind": kind,
            "type": name,
            "count": sum(line["number"] for line in group),
            "at_once": _at_once(group),
        }
        for (kind, name), group in sorted(found.items())
    ]


def _at_once(lines: Sequence[Mapping[str, Any]]) -> int:
    """The most machines that ran together; a new one may begin in the moment another ends."""
    changes = [(line["began"], line["number"]) for line in lines]
    changes += [(line["ended"], -line["number"]) for line in lines if line["ended"] is not None]
    running, most = 0, 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most


def _usd(each: Instances) -> float:
    cost = endpoint_cost if each.kind == "endpoint" else training_cost
    return cost(each.type, SECONDS[each.kind], each.count)
