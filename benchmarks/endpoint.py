"""One row through an endpoint against gunicorn and Flask with the same booster.

load process ══HTTP══▶ our server ──frames──▶ model process          ours, signed-looking requests
load process ══HTTP══▶ gunicorn, two sync workers ──▶ Flask          what AWS's container runs
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

from benchmarks import load, ports, serving
from benchmarks.figures import Figure, ratio_at_least, ratio_at_most
from benchmarks.lab import Lab, running

_FLASK = """
    import flask, numpy, xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model("xgboost-model")
    app = flask.Flask(__name__)

    @app.post("/invocations")
    def invocations():
        lines = flask.request.get_data().decode().strip().split("\\n")
        rows = numpy.array([[float(cell) for cell in line.split(",")] for line in lines])
        values = booster.predict(xgboost.DMatrix(rows), validate_features=False).tolist()
        return flask.Response("".join(f"{value}\\n" for value in values), mimetype="text/csv")
"""
_CONNECTIONS = (1, 16)


def measure(quick: bool) -> list[Figure]:
    seconds, repeats = (1.0, 2) if quick else (3.0, 5)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name, running() as lab:
        folder = Path(name)
        serving.train(folder)
        model = serving.create_model(lab, folder)
        with _gunicorn(folder) as port:
            provisioned = serving.create_endpoint(lab, model)
            for connections in _CONNECTIONS:
                figures += _compared(lab, provisioned, "provisioned", port, connections, seconds, repeats)
            serverless = serving.create_endpoint(lab, model, **serving.serverless(16))
            for connections in _CONNECTIONS:
                figures += _compared(lab, serverless, "serverless", port, connections, seconds, repeats)
    return figures


def spec(lab: Lab, endpoint: str, connections: int, seconds: float, expected: str) -> load.Spec:
    """A run against one of our endpoints, every answer compared."""
    path = f"/endpoints/{endpoint}/invocations"
    return load.Spec(lab.server.port, path, serving.ROW, connections, seconds, load.SIGNED, expected=expected)


def _compared(
    lab: Lab, endpoint: str, kind: str, port: int, connections: int, seconds: float, repeats: int
) -> list[Figure]:
    expected = serving.predicted(lab, endpoint)
    ours = spec(lab, endpoint, connections, seconds, expected)
    floor = load.Spec(port, "/invocations", serving.ROW, connections, seconds, {}, expected=expected)
    runs: dict[str, list[load.Result]] = {"ours": [], "floor": []}
    for warming in (True, *[False] * repeats):  # in turns, so that a busy moment of the machine meets both
        for who, wanted in (("ours", ours), ("floor", floor)):
            result = load.run(wanted)
            assert not result.wrong and not result.silent and not result.errors, result
            if not warming:
                runs[who].append(result)
    label = f"{kind}, {connections} connection{'s' if connections > 1 else ''}"
    bars = {"p50": ratio_at_most(0.5), "rate": ratio_at_least(2)} if kind == "provisioned" else {}
    return [
        Figure(
            f"{label}: {text}",
            unit,
            [getattr(result, member) for result in runs["ours"]],
            [getattr(result, member) for result in runs["floor"]],
            better="more" if member == "rate" else "less",
            typical="median",
            bar=bars.get(member),
        )
        for member, text, unit in (
            ("p50", "p50", "ms"),
            ("p99", "p99", "ms"),
            ("rate", "throughput", "req/s"),
        )
    ]


@contextlib.contextmanager
def _gunicorn(folder: Path) -> Iterator[int]:
    port = ports.free()
    (folder / "floor.py").write_text(textwrap.dedent(_FLASK))
    command = [sys.executable, "-m", "gunicorn", "--workers=2", f"--bind=127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--log-level=error", "floor:app"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        ports.wait(port, process)
        load.run(load.Spec(port, "/invocations", serving.ROW, 4, 0.0, {}, requests=200))  # both workers load
        yield port
    finally:
        process.terminate()
        process.wait()
