"""One training job: Starting, Downloading, Training, Uploading, and how it ended.

create ─▶ Starting ─▶ Downloading ─▶ Training ─▶ Uploading ─▶ Completed
              │            │            │ stop, time up ─────▶ Stopped
              └────────────┴────────────┴────────────────────▶ Failed
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from corelab.engine.container import private_path
from corelab.engine.contract import Container, Exit, LogLine, TrainingSpec
from corelab.engine.images import resolve
from corelab.engine.instances import instance_type
from corelab.resources.cloud import Cloud
from corelab.resources.log_pump import LogPump
from corelab.resources.records import Record
from corelab.resources.states import Status
from corelab.resources.training.inputs import DownloadFailed, Feed, channel, download
from corelab.resources.training.metrics import NAMESPACE, MetricStream
from corelab.resources.training.outputs import (
    Checkpoints,
    UploadFailed,
    artifact_uri,
    upload_model,
    upload_output_data,
)
from corelab.resources.training.timeline import entered, timed
from corelab.resources.usage import UsageSampler

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
STOP_GRACE_SECONDS = 120.0
_REASON_LENGTH = 1024
_CHECKPOINT_SECONDS = 1.0
_FIRST_READING_SECONDS = 0.2
_NO_MEMORY = (
    "ClientError: Please use an instance type with more memory, or reduce the size of job data processed "
    "on an instance."
)


class Ended(Exception):
    """The job cannot go on; the text is its failure reason."""


class TrainingRun:
    """Runs one job in the calling thread.

    Args:
        heard: told of every metric value as it is printed (name, value, epoch seconds); tuning listens here.
    """

    def __init__(
        self, cloud: Cloud, record: Record, heard: Callable[[str, float, float], None] | None = None
    ) -> None:
        self._cloud, self._record, self._heard = cloud, record, heard
        self._request = record.request
        self._folder = cloud.jobs_folder / record.private["id"]
        self._containers: list[Container] = []
        self._feeds: list[Feed] = []
        self._lock = threading.Lock()
        self._stop_asked = threading.Event()
        self._time_up = threading.Event()
        self._abandoned = threading.Event()

    @property
    def arn(self) -> str:
        return self._record.arn

    def stop(self) -> None:
        self._stop_asked.set()
        self._end_containers(STOP_GRACE_SECONDS)

    def abandon(self) -> None:
        self._abandoned.set()
        self._end_containers(0)

    def run(self) -> None:
        try:
            self._live()
        except Ended as end:
            self._finish(Status.FAILED, "Failed", FailureReason=str(end)[:_REASON_LENGTH])
        except (OSError, sqlite3.Error) as error:
            log.exception("training job %s met a disk error", self._record.name)
            self._finish(
                Status.FAILED, "Failed", FailureReason=f"InternalServerError: {error}"[:_REASON_LENGTH]
            )
        finally:
            if not self._abandoned.is_set():
                shutil.rmtree(self._folder, ignore_errors=True)

    def _live(self) -> None:
        roots = self._make_roots()
        self._enter("Downloading", TrainingStartTime=self._cloud.now())
        with self._deadline():
            checkpoints = self._download(roots)
            exits = [] if self._ending() else self._train(roots, checkpoints)
        if self._abandoned.is_set():
            return
        if not self._ending():
            self._check(exits)
        self._enter("Uploading")
        facts = self._upload(roots, checkpoints)
        if self._stop_asked.is_set():
            self._finish(Status.STOPPED, "Stopped", **facts)
        elif self._time_up.is_set():
            self._finish(Status.STOPPED, "MaxRuntimeExceeded", **facts)
        else:
            self._finish(Status.COMPLETED, "Completed", **facts)

    def _ending(self) -> bool:
        return self._stop_asked.is_set() or self._time_up.is_set() or self._abandoned.is_set()

    def _make_roots(self) -> list[Path]:
        count = self._request["ResourceConfig"].get("InstanceCount", 1)
        roots = [self._folder / f"algo-{n}" for n in range(1, count + 1)]
        for root in roots:
            root.mkdir(parents=True)
        return roots

    def _deadline(self) -> ExitStack:
        seconds = self._request["StoppingCondition"]["MaxRuntimeInSeconds"]
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._expire)
        timer.daemon = True
        timer.start()
        stack = ExitStack()
        stack.callback(timer.cancel)
        return stack

    def _expire(self) -> None:
        self._time_up.set()
        self._end_containers(STOP_GRACE_SECONDS)

    def _download(self, roots: list[Path]) -> Checkpoints | None:
        mode = self._request["AlgorithmSpecification"]["TrainingInputMode"]
        checkpoints = self._checkpoints(roots)
        try:
            for described in self._request.get("InputDataConfig", ()):
                self._feeds += download(self._cloud, self._request["RoleArn"], described, roots, mode)
            if checkpoints is not None:
                checkpoints.restore()
        except (DownloadFailed, UploadFailed) as error:
            raise Ended(f"ClientError: {error}") from error
        return checkpoints

    def _checkpoints(self, roots: list[Path]) -> Checkpoints | None:
        config = self._request.get("CheckpointConfig")
        if not config:
            return None
        folders = [private_path(root, config["LocalPath"]) for root in roots]
        return Checkpoints(self._cloud, self._request["RoleArn"], config["S3Uri"], folders)

    def _train(self, roots: list[Path], checkpoints: Checkpoints | None) -> list[Exit]:
        metrics = MetricStream(
            self._request["AlgorithmSpecification"].get("MetricDefinitions", ()),
            self._cloud.metrics,
            self._record.region,
            self._record.name,
            self._heard,
        )
        self._enter("Training")
        self._start_containers(roots)
        pumps = [self._pump(index, container, metrics) for index, container in enumerate(self._containers, 1)]
        try:
            exits = self._wait(checkpoints)
        finally:
            for feed in self._feeds:
                feed.end()
            for pump in pumps:
                pump.join()
        self._note(FinalMetricDataList=metrics.final())
        for pump in pumps:
            if pump.failure is not None:
                raise Ended(f"InternalServerError: the job's log could not be kept: {pump.failure}")
        return exits

    def _start_containers(self, roots: list[Path]) -> None:
        for feed in self._feeds:
            feed.start()
        with self._lock:
            for index in range(len(roots)):
                self._containers.append(self._cloud.engine.train(self._spec(roots, index)))
        if self._ending():  # asked for while they started
            self._end_containers(STOP_GRACE_SECONDS)

    def _pump(self, number: int, container: Container, metrics: MetricStream) -> LogPump:
        def heard(lines: Sequence[LogLine]) -> None:
            metrics.feed(lines)

        stream = f"{self._record.name}/algo-{number}-{int(self._cloud.now())}"
        pump = LogPump(container, self._cloud.logs, self._record.region, LOG_GROUP, stream, heard)
        pump.start()
        return pump

    def _wait(self, checkpoints: Checkpoints | None) -> list[Exit]:
        """Wait for every host; one that fails takes the others with it."""
        samplers = [
            UsageSampler(
                container,
                self._cloud.metrics,
                self._record.region,
                NAMESPACE,
                {"Host": f"{self._record.name}/algo-{number}"},
                instance_type(self._request["ResourceConfig"]["InstanceType"]).memory_bytes,
            )
            for number, container in enumerate(self._containers, 1)
        ]
        exits: dict[int, Exit] = {}
        pause = _FIRST_READING_SECONDS
        while len(exits) < len(self._containers):
            for index, container in enumerate(self._containers):
                if index in exits:
                    continue
                outcome = container.wait(timeout=pause / len(self._containers))
                if outcome is not None:
                    exits[index] = outcome
                    if outcome.code != 0:
                        self._end_containers(STOP_GRACE_SECONDS)
            for sampler in samplers:
                sampler.sample()
            self._store_checkpoints(checkpoints)
            pause = _CHECKPOINT_SECONDS
        return [exits[index] for index in sorted(exits)]

    def _check(self, exits: list[Exit]) -> None:
        failed = next((e for e in exits if e.failure), None) or next((e for e in exits if e.code != 0), None)
        if failed is None:
            return
        if failed.out_of_memory:
            raise Ended(_NO_MEMORY)
        raise Ended(f"AlgorithmError: {failed.failure or ''}, exit code: {failed.shown_code}")

    def _upload(self, roots: list[Path], checkpoints: Checkpoints | None) -> dict[str, Any]:
        output, role = self._request["OutputDataConfig"], self._request["RoleArn"]
        uri = artifact_uri(output["S3OutputPath"], self._record.name, output["CompressionType"] == "GZIP")
        for root in roots:
            (root / "model").mkdir(parents=True, exist_ok=True)
        try:
            self._store_checkpoints(checkpoints)
            upload_model(self._cloud, role, roots, uri)
            upload_output_data(self._cloud, role, roots, output["S3OutputPath"], self._record.name)
        except UploadFailed as error:
            raise Ended(f"ClientError: {error}") from error
        return {"ModelArtifacts": {"S3ModelArtifacts": uri}}

    def _store_checkpoints(self, checkpoints: Checkpoints | None) -> None:
        try:
            if checkpoints is not None:
                checkpoints.store()
        except UploadFailed as error:
            self._end_containers(STOP_GRACE_SECONDS)
            raise Ended(f"ClientError: {error}") from error

    def _spec(self, roots: list[Path], index: int) -> TrainingSpec:
        algorithm, resources = self._request["AlgorithmSpecification"], self._request["ResourceConfig"]
        image = resolve(algorithm["TrainingImage"])
        checkpoints = self._request.get("CheckpointConfig")
        return TrainingSpec(
            root=roots[index],
            job_name=self._record.name,
            job_arn=self._record.arn,
            hyperparameters=self._request.get("HyperParameters", {}),
            channels=tuple(
                channel(c, algorithm["TrainingInputMode"]) for c in self._request.get("InputDataConfig", ())
            ),
            hosts=tuple(root.name for root in roots),
            current_host=roots[index].name,
            instance_type=resources["InstanceType"],
            environment=self._request.get("Environment", {}),
            memory_bytes=instance_type(resources["InstanceType"]).memory_bytes,
            checkpoint_path=checkpoints["LocalPath"] if checkpoints else None,
            image_version=image.version,
            notes=image.notes,
        )

    def _end_containers(self, grace: float) -> None:
        with self._lock:
            containers = list(self._containers)
        for container in containers:
            container.stop(grace)

    def _enter(self, secondary: str, **facts: Any) -> None:
        at = self._cloud.now()
        if not self._abandoned.is_set():
            self._change(lambda r: r.note(at, {**entered(r.facts, secondary, at), **facts}))

    def _note(self, **facts: Any) -> None:
        self._change(lambda r: r.note(self._cloud.now(), facts))

    def _finish(self, status: Status, secondary: str, **facts: Any) -> None:
        if self._abandoned.is_set():
            return
        at = self._cloud.now()
        self._change(
            lambda r: r.advance(status, at, **timed(r.facts, at), **entered(r.facts, secondary, at), **facts)
        )

    def _change(self, edit: Callable[[Record], Record]) -> None:
        self._record = self._cloud.registry.change(self._record, edit)
