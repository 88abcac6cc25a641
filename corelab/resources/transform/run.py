"""One transform job: the model comes up on every instance, the objects go through, results are stored whole.

objects under the prefix ─▶ shared out by key ─▶ instance: Transformer ─▶ <output path>/<relative key>.out
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from corelab.engine.batch.failures import ObjectFailed, TransformStopped
from corelab.engine.batch.transform import BatchSettings, Transformer
from corelab.engine.images import resolve
from corelab.engine.instances import instance_type
from corelab.engine.serving_contract import ServingSpec
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record, TransitionRefused
from corelab.resources.registry import NotThere
from corelab.resources.s3_data import BadSource, Item, S3Uri, items, shard
from corelab.resources.serving.artifact import ArtifactUnusable, unpack
from corelab.resources.states import Status
from corelab.resources.transform.model import LOG_GROUP, BatchModel, ModelDown
from corelab.store.contract import LogEvent, ObjectNotFound

log = logging.getLogger(__name__)

_SEE_LOGS = "See job logs for more information"
_USAGE_SECONDS = 1.0


class Ended(Exception):
    """The job cannot go on; the text is its failure reason."""


class TransformRun:
    """Runs one job in the calling thread; ``record.private`` holds its id and the model's container."""

    def __init__(self, cloud: Cloud, record: Record) -> None:
        self._cloud, self._record = cloud, record
        self._folder = cloud.jobs_folder / record.private["id"]
        self._stopping = threading.Event()
        self._abandoned = False
        self._faults: list[ObjectFailed] = []

    @property
    def arn(self) -> str:
        return self._record.arn

    def stop(self) -> None:
        self._stopping.set()

    def abandon(self) -> None:
        self._abandoned = True
        self._stopping.set()

    def run(self) -> None:
        try:
            self._note(TransformStartTime=self._cloud.now())
            self._transform()
            self._end()
        except Ended as end:
            self._finish(Status.FAILED, FailureReason=str(end))
        except (OSError, sqlite3.Error) as error:
            log.exception("transform job %s met a disk error", self._record.name)
            self._finish(Status.FAILED, FailureReason=f"InternalServerError: {error}")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        if self._stopping.is_set():
            self._finish(Status.STOPPED)
        elif self._faults:
            fault = "ClientError" if all(f.client_fault for f in self._faults) else "AlgorithmError"
            self._finish(Status.FAILED, FailureReason=f"{fault}: {_SEE_LOGS}")
        else:
            self._finish(Status.COMPLETED)

    def _transform(self) -> None:
        container = self._record.private["container"]
        model_folder = self._folder / "model"
        try:
            if container.get("ModelDataUrl"):
                role = self._record.private["role"]
                unpack(
                    self._cloud.objects, self._cloud.identity, role, container["ModelDataUrl"], model_folder
                )
            else:
                model_folder.mkdir(parents=True)
        except ArtifactUnusable as error:
            raise Ended(f"ClientError: {error}") from error
        found = self._inputs()
        count = self._record.request["TransformResources"]["InstanceCount"]
        shares = [shard(found, count, index) for index in range(count)]
        with ThreadPoolExecutor(count, "transform-instance") as pool:
            for result in [pool.submit(self._instance, share) for share in shares if share]:
                result.result()

    def _inputs(self) -> list[Item]:
        source, role = (
            self._record.request["TransformInput"]["DataSource"]["S3DataSource"],
            self._record.private["role"],
        )
        try:
            found = list(items(self._cloud.objects, source["S3Uri"], source["S3DataType"]))
        except (BadSource, ObjectNotFound) as error:
            raise Ended(f"ClientError: The input {source['S3Uri']} cannot be read: {error}") from error
        for item in found:
            if not self._cloud.identity.allows(
                role, "s3:GetObject", f"arn:aws:s3:::{item.bucket}/{item.key}"
            ):
                raise Ended(
                    f"ClientError: The role {role} may not read s3://{item.bucket}/{item.key} (s3:GetObject)."
                )
        return found

    def _instance(self, share: list[Item]) -> None:
        """One instance's life: its container, its share of the objects, its data log."""
        identity = f"i-{uuid.uuid4().hex[:17]}"
        stream = f"{self._record.name}/{identity}-{int(self._cloud.now())}"
        try:
            model = BatchModel(
                self._cloud.models,
                self._spec(),
                self._cloud.logs,
                self._cloud.metrics,
                self._record.region,
                stream,
            )
        except ModelDown as error:
            raise Ended(f"AlgorithmError: {_SEE_LOGS}") from error
        over = threading.Event()
        sampler = model.sampler(f"{self._record.name}/{identity}")

        def sample() -> None:
            while not over.wait(_USAGE_SECONDS):
                sampler.sample()

        threading.Thread(target=sample, name=f"{identity}-usage", daemon=True).start()
        sampler.sample()
        try:
            settings = self._settings(model)
            model.grow(settings.concurrency)
            self._data_log(stream, _announcement(settings))
            with Transformer(settings, model.invoke, self._stopping) as transformer:
                for number, item in enumerate(share):
                    self._object(transformer, item, self._folder / f"{identity}-{number}", stream)
        except ModelDown as error:
            raise Ended(f"AlgorithmError: {_SEE_LOGS}") from error
        except TransformStopped:
            return
        finally:
            over.set()
            model.close()

    def _object(self, transformer: Transformer, item: Item, draft: Path, stream: str) -> None:
        """One object; its result is stored only when all of it succeeded (Service spec 7)."""
        try:
            with self._cloud.objects.open(item.bucket, item.key) as source, draft.open("wb") as sink:
                transformer.transform(source, sink)
        except ObjectFailed as failure:
            self._faults.append(failure)
            self._data_log(stream, *(f"{item.bucket}/{item.key}: {line}" for line in failure.lines))
        except ObjectNotFound as error:
            raise Ended(f"ClientError: s3://{item.bucket}/{item.key} is gone.") from error
        else:
            self._store(draft, item)
        finally:
            draft.unlink(missing_ok=True)

    def _store(self, draft: Path, item: Item) -> None:
        output = S3Uri.parse(self._record.request["TransformOutput"]["S3OutputPath"])
        target, role = output.joined(f"{item.relative}.out"), self._record.private["role"]
        if not self._cloud.identity.allows(
            role, "s3:PutObject", f"arn:aws:s3:::{target.bucket}/{target.key}"
        ):
            raise Ended(f"ClientError: The role {role} may not write {target} (s3:PutObject).")
        try:
            self._cloud.objects.put_file(target.bucket, target.key, draft, "text/csv", move=True)
        except ObjectNotFound as error:
            raise Ended(f"ClientError: There is no bucket {target.bucket}.") from error

    def _spec(self) -> ServingSpec:
        request, container = self._record.request, self._record.private["container"]
        kind = instance_type(request["TransformResources"]["InstanceType"])
        said = {
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
            "SAGEMAKER_BATCH_STRATEGY": {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}.get(
                request.get("BatchStrategy", "")
            ),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
        }
        environment = {k: str(v) for k, v in said.items() if v is not None}
        return ServingSpec(
            root=self._folder,
            environment={**environment, **container.get("Environment", {}), **request.get("Environment", {})},
            memory_bytes=kind.memory_bytes,
            cpu_count=kind.vcpus,
            batch=True,
            notes=resolve(container["Image"]).notes,
        )

    def _settings(self, model: BatchModel) -> BatchSettings:
        """The request's word, else the container's, else the service's default (Service spec 7)."""
        request = self._record.request
        source, output = request["TransformInput"], request["TransformOutput"]
        processing, client = request.get("DataProcessing", {}), request.get("ModelClientConfig", {})
        suggested = model.execution_parameters()
        payload = request.get("MaxPayloadInMB", suggested.get("MaxPayloadInMB", 6))
        return BatchSettings(
            content_type=source.get("ContentType"),
            accept=output.get("Accept"),
            compression=source["CompressionType"],
            split=source["SplitType"],
            strategy=request.get("BatchStrategy", "MultiRecord"),
            assemble=output["AssembleWith"],
            max_payload_bytes=payload << 20,
            concurrency=request.get("MaxConcurrentTransforms")
            or int(str(suggested["MaxConcurrentTransforms"])),
            input_filter=processing.get("InputFilter", "$"),
            join_input=processing.get("JoinSource") == "Input",
            output_filter=processing.get("OutputFilter", "$"),
            timeout_seconds=client.get("InvocationsTimeoutInSeconds", 600),
            max_retries=client.get("InvocationsMaxRetries", 3),
        )

    def _data_log(self, stream: str, *lines: str) -> None:
        at = int(self._cloud.now() * 1000)
        stamp = f"{self._cloud.now():.3f}:[sagemaker logs]: "
        events = [LogEvent(at, stamp + line) for line in lines]
        self._cloud.logs.append(self._record.region, LOG_GROUP, f"{stream}/data-log", events)

    def _note(self, **facts: Any) -> None:
        self._change(lambda r: r.note(self._cloud.now(), facts))

    def _finish(self, status: Status, **facts: Any) -> None:
        if not self._abandoned:
            at = self._cloud.now()
            self._change(lambda r: r.advance(status, at, TransformEndTime=at, **facts))

    def _change(self, edit: Callable[[Record], Record]) -> None:
        try:
            self._record = self._cloud.registry.change(self._record, edit)
        except (TransitionRefused, NotThere):
            log.info("transform job %s has ended already", self._record.name)


def _announcement(settings: BatchSettings) -> str:
    strategy = "MULTI_RECORD" if settings.strategy == "MultiRecord" else "SINGLE_RECORD"
    return (
        f"MaxConcurrentTransforms={settings.concurrency}, "
        f"MaxPayloadInMB={settings.max_payload_bytes >> 20}, BatchStrategy={strategy}"
    )
