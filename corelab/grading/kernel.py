"""The student's kernel: runs cells as IPython does and hands out values; it is believed in nothing.

run {source}              -> {"outputs": [...], "failed": bool}
values {names}            -> {"values": {name: encoded}, "lost": {name: why}}
call, get {id, ...}       -> {"value": encoded} or {"error": class, "text": ...}
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import traceback
from typing import Any, Final

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from corelab.grading.values import Decoder, NotPlain, encode
from corelab.grading.walls.frames import Broken, Channel

MOST_OUTPUTS: Final = 200
_INLINE: Final = "module://matplotlib_inline.backend_inline"

Outputs = list[dict[str, Any]]


class Publisher(DisplayPublisher):
    """Keeps what a cell displays."""

    outputs: Outputs

    def publish(self, data: Any, metadata: Any = None, *_: Any, update: bool = False, **__: Any) -> None:
        if len(self.outputs) < MOST_OUTPUTS and not update:
            self.outputs.append(
                {"output_type": "display_data", "data": dict(data), "metadata": metadata or {}}
            )

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.clear()


class ResultHook(DisplayHook):
    """Keeps the value of a cell's last expression."""

    outputs: Outputs

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        result = {"output_type": "execute_result", "data": dict(format_dict), "metadata": md_dict or {}}
        if len(self.outputs) < MOST_OUTPUTS:
            self.outputs.append(result | {"execution_count": self.prompt_count})

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """IPython without a terminal and without a profile."""

    def init_history(self) -> None:
        parent: Any = super()
        parent.init_history()
        if self.history_manager is not None:
            self.history_manager.enabled = False

    def enable_gui(self, gui: Any = None) -> None:
        pass

    def ask_exit(self) -> None:
        pass

    def system(self, cmd: str) -> None:
        sys.stdout.flush()
        expand: Any = self.var_expand
        command = expand(cmd, depth=1)
        self.user_ns["_exit_code"] = subprocess.call(command, shell=True, stdin=subprocess.DEVNULL)  # noqa: S602

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        error = {"ename": getattr(etype, "__name__", "Error"), "evalue": str(evalue), "traceback": list(stb)}
        publisher: Any = self.display_pub
        publisher.outputs.append({"output_type": "error", **error})


def make_shell() -> Any:
    """A shell with an empty namespace whose outputs go into one list."""
    kind: Any = Shell
    kind.display_pub_class, kind.displayhook_class = Publisher, ResultHook
    shell: Any = Shell.instance()
    outputs: Outputs = []
    shell.display_pub.outputs = outputs
    shell.displayhook.outputs = outputs
    shell.colors = "nocolor"
    with contextlib.suppress(ImportError, AttributeError):
        from matplotlib_inline.backend_inline import configure_inline_support

        configure_inline_support(shell, _INLINE)
    return shell


class Kernel:
    """Answers the grader's requests, one at a time."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._shell = make_shell()
        self._kept: list[Any] = []

    def serve(self) -> int:
        while True:
            try:
                request = self._channel.receive()
            except KeyboardInterrupt:  # came after the cell it was meant for
                continue
            except Broken:
                return 0
            self._channel.send(self._answer(request))

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            if request["do"] == "run":
                return self._run(request["source"])
            if request["do"] == "values":
                return self._values(request["names"])
            return {"value": encode(self._asked(request), self._keep)}
        except BaseException as problem:  # noqa: BLE001 - whatever the student's code raises, SystemExit included
            return {"error": type(problem).__name__, "text": _words(problem)}

    def _run(self, source: str) -> dict[str, Any]:
        outputs: Outputs = self._shell.display_pub.outputs
        outputs.clear()
        try:
            result = self._shell.run_cell(source, store_history=True)
            failed = not result.success
        except BaseException as problem:  # noqa: BLE001 - IPython lets some through, such as a second interrupt
            text = traceback.format_exception_only(problem)
            outputs.append({"output_type": "error", "ename": type(problem).__name__, "evalue": _words(problem),
                            "traceback": text})  # fmt: skip
            failed = True
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # the student may have replaced them by anything
                stream.flush()
        return {"outputs": _plain(list(outputs)), "failed": failed}

    def _values(self, names: list[str]) -> dict[str, Any]:
        found, lost = {}, {}
        for name in names:
            if name not in self._shell.user_ns:
                continue
            try:
                found[name] = encode(self._shell.user_ns[name], self._keep)
            except Exception as problem:  # noqa: BLE001 - a student's own property or iterator may raise anything
                lost[name] = _words(problem)
        return {"values": found, "lost": lost}

    def _asked(self, request: dict[str, Any]) -> Any:
        target = self._kept[request["id"]]
        if request["do"] == "get":
            return getattr(target, request["name"])
        decode = Decoder(self._own).decode
        arguments = [self._resolved(decode(item)) for item in request["args"]]
        named = {name: self._resolved(decode(item)) for name, item in request["kwargs"].items()}
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return target(*arguments, **named)

    def _resolved(self, value: Any) -> Any:
        number = getattr(value, "_number", None)
        return self._kept[number] if type(value).__name__ == "Handle" and number is not None else value

    def _own(self, _request: dict[str, Any]) -> Any:
        raise NotPlain("a handle is asked for by the judge only")

    def _keep(self, value: Any) -> int:
        self._kept.append(value)
        return len(self._kept) - 1


def _words(problem: BaseException) -> str:
    try:
        return str(problem)[:2000]
    except Exception:  # noqa: BLE001 - a student's exception may have a broken __str__
        return ""


def _plain(value: Any) -> Any:
    """Outputs as JSON would have them; bytes of pictures as base64."""
    import base64

    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
