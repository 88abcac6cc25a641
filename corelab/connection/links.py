"""Ways from a notebook to the console: a resource is shown with its page, and after an error what failed is named."""

from __future__ import annotations

import html
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Page = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource of the SDKs with a page of its own in the console; ``name`` is the API's member."""

    section: str
    resource: str
    name: str
    status: str


KINDS: Final = (
    Kind("training", "TrainingJob", "TrainingJobName", "TrainingJobStatus"),
    Kind("tuning", "HyperParameterTuningJob", "HyperParameterTuningJobName", "HyperParameterTuningJobStatus"),
    Kind("transform", "TransformJob", "TransformJobName", "TransformJobStatus"),
    Kind("endpoints", "Endpoint", "EndpointName", "EndpointStatus"),
)
_DESCRIBED: Final = {f"Describe{kind.resource}": kind for kind in KINDS}
_failed: dict[tuple[Kind, str], str] = {}
_joined: Any = None


def note_failure(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    """Keep what a Describe answer says has failed, for the cell that is running."""
    kind = _DESCRIBED.get(model.name)
    if kind is not None and parsed.get(kind.status) == "Failed":
        _failed[kind, str(parsed.get(kind.name))] = str(parsed.get("FailureReason", ""))


def join_notebook(page: Page) -> None:
    """Have this process's notebook, if it is one, show the resources of sagemaker-core with a link.

    Args:
        page: the address of a section's page about a name; None where there is no console.
    """
    global _joined
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or shell is _joined or not hasattr(shell, "kernel"):
        return
    _joined = shell
    shown = shell.display_formatter.formatters["text/html"]
    for kind in KINDS:
        shown.for_type_by_name("sagemaker_core.main.resources", kind.resource, _Shown(kind, page))
    shell.events.register("pre_run_cell", lambda *_: _failed.clear())
    shell.events.register("post_run_cell", lambda result: _tell(result, page))


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a notebook draws one resource; None leaves it to the resource's own text."""

    kind: Kind
    page: Page

    def __call__(self, resource: Any) -> str | None:
        name = getattr(resource, _attribute(self.kind.name), None)
        address = self.page(self.kind.section, name) if isinstance(name, str) else None
        if address is None:
            return None
        facts = (self.kind.resource, name), ("status", getattr(resource, _attribute(self.kind.status), None))
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for label, value in facts
            if isinstance(value, str)  # what was never described has no status yet
        )
        return f"<table>{rows}</table>{_link(address, 'its page in the console')}"


def _tell(result: Any, page: Page) -> None:
    if result.success:
        return
    lines = list(_told(page))
    if lines:
        display: Any = importlib.import_module("IPython.display")
        plain, rich = zip(*lines, strict=True)
        display.publish_display_data({"text/plain": "\n".join(plain), "text/html": "<br>".join(rich)})


def _told(page: Page) -> Iterator[tuple[str, str]]:
    for (kind, name), reason in _failed.items():
        address = page(kind.section, name)
        if address is not None:
            said = f"{kind.resource} {name} failed: {' '.join(reason.split())[:200]}"
            yield (
                f"{said}\nIts page says why: {address}",
                f"{html.escape(said)} {_link(address, 'Its page says why')}",
            )


def _link(address: str, text: str) -> str:
    return f"<a href='{html.escape(address, quote=True)}' target='_blank' rel='noopener'>{text}</a>"


def _attribute(member: str) -> str:
    """``TrainingJobName`` as sagemaker-core writes it, ``training_job_name``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", member).lower()
