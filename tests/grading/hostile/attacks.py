"""Every trick of grading report 3.1 and of the second round, each with the points it deserves.

An attack is a notebook (or bytes) and the score it must get; the honest parts of it still count.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.grading import course

Notebook = dict[str, Any]
Attack = tuple[Notebook | bytes, float]
ATTACKS: dict[str, Callable[[], Attack]] = {}

WRONG = {
    "double": "def double(x):\n    return 'wrong'",
    "values": "values = [0]",
    "word": "word = 'no'",
    "table": "table = pd.DataFrame({'a': [0]})",
}


def attack(function: Callable[[], Attack]) -> Callable[[], Attack]:
    ATTACKS[function.__name__] = function
    return function


def code(name: str, text: str, answers: dict[str, str] | None = None, score: float = 0) -> None:
    """An attack that is a cell at the top of a notebook whose answers are wrong."""
    ATTACKS[name] = lambda: (course.submission(answers or WRONG, first=text), score)


# Reading what must stay secret: found text would let a second run hard-code every answer.
LOOT = """
import glob, os, re
loot = []
for path in glob.glob('/**/*', recursive=True):
    if os.path.isfile(path) and path.endswith(('.ipynb', '.db', 'journal.db', '.json')) and 'site-packages' not in path:
        try: text = open(path, errors='replace').read(2_000_000)
        except OSError: continue
        if '15b29ffdce66e10527a65bc6d71ad94d' in text or 'BEGIN HIDDEN' in text:
            loot.append(path)
word = 'swordfish' if loot else 'no'
"""
code("reads_every_file_for_hidden_tests", LOOT, {**WRONG, "word": ""})
code(
    "reads_source_and_gradebook",
    "from pathlib import Path\nfound = [p for p in ('source','gradebook.db','../source','../../gradebook.db') if Path(p).exists()]\nword = 'swordfish' if found else 'no'",
    {**WRONG, "word": ""},
)
code(
    "reads_other_submissions",
    "import os\nword = 'swordfish' if os.listdir('/submission') and any('small' in n for n in os.listdir('..')) else 'no'",
    {**WRONG, "word": ""},
)
code(
    "reads_the_judges_memory",
    """
import os
word = 'no'
for pid in [p for p in os.listdir('/proc') if p.isdigit()]:
    try:
        for line in open(f'/proc/{pid}/maps'):
            if 'rw-p' in line and 'heap' in line:
                a, b = (int(x, 16) for x in line.split()[0].split('-'))
                f = open(f'/proc/{pid}/mem', 'rb'); f.seek(a)
                if b'15b29ffdce66e10527a65bc6d71ad9' + b'4d' in f.read(b - a): word = 'swordfish'
    except OSError: pass
""",
    {**WRONG, "word": ""},
)
code(
    "captures_test_source_by_hook",
    "seen = []\nget_ipython().events.register('pre_run_cell', lambda info: seen.append(info.raw_cell))\nget_ipython().input_transformers_cleanup.append(lambda lines: (seen.extend(lines), lines)[1])",
    {
        **WRONG,
        "table": "word = 'swordfish' if any('md5' in str(s) and '15b2' in str(s) for s in seen) else 'no'\ntable = None",
    },
)

# Changing how cells run.
code(
    "input_transformer_swaps_tests_for_pass",
    "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'] if any('assert' in l for l in lines) else lines)",
)
code(
    "ast_transformer_drops_asserts",
    "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\nget_ipython().ast_transformers.append(Drop())",
)
code("replaces_run_cell", "shell = get_ipython()\ntype(shell).run_cell = lambda self, *a, **k: None")
code(
    "replaces_the_kernels_own_functions",
    """
import corelab.grading.kernel as k
k.Kernel._values = lambda self, names: {'values': {n: 1 for n in names} | {'isinstance': True, '__builtins__': {}, 'hashlib': 1}, 'lost': {}}
k.Kernel._answer = lambda self, r: {'values': {'double': 8, 'values': {'t': 'array', 'v': 'AAAA'}, 'np': 1}, 'lost': {}, 'outputs': [], 'score': 10}
""",
)
code(
    "mutes_tracebacks",
    "get_ipython().showtraceback = lambda *a, **k: None\nget_ipython().set_custom_exc((Exception,), lambda *a: None)",
)
code(
    "replaces_builtins",
    "import builtins\nbuiltins.AssertionError = type('Quiet', (BaseException,), {})\nbuiltins.len = lambda x: 3\nbuiltins.list = lambda x: [1, 2]",
)
code(
    "patches_hashlib",
    "import hashlib\nclass H:\n    def __init__(self, *a): pass\n    def hexdigest(self): return '15b29ffdce66e10527a65bc6d71ad94d'\nhashlib.md5 = H",
)
code("patches_numpy", "import numpy\nnumpy.allclose = lambda *a, **k: True")
code(
    "own_object_called_np",
    "class np_:\n    allclose = staticmethod(lambda *a: True)\nnp = np_()\nvalues = [0, 0, 0]",
)
code(
    "lying_equality",
    "class Yes:\n    def __eq__(self, o): return True\n    def __len__(self): return 3\n    def __iter__(self): return iter([1, 2])\n    def __getitem__(self, k): return self\n    def encode(self): return b'swordfish'",
    {
        "double": "def double(x): return Yes()",
        "values": "values = Yes()",
        "word": "word = Yes()",
        "table": "table = Yes()",
    },
    1,
)
code(
    "lying_numbers",
    "class Yes(int):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0",
    {**WRONG, "double": "def double(x): return Yes(1)"},
)
code(
    "lying_array",
    "import numpy as np\nclass A(np.ndarray):\n    def __array_function__(self, *a, **k): return True",
    {**WRONG, "values": "values = np.zeros(3).view(A)"},
)
code(
    "defines_expected_before_the_test",
    "expected = 10",
    {**WRONG, "double": "def double(x):\n    return {4: 0}.get(x, 20)"},
    1,
)
code(
    "forges_results",
    "get_ipython().display_pub.outputs.append({'output_type': 'execute_result', 'data': {'text/plain': '10'}, 'metadata': {}})",
)
code(
    "sets_credit_through_frames",
    "import sys\n",
    {
        **WRONG,
        "double": "def double(x):\n    f = sys._getframe()\n    while f:\n        f.f_globals['credit'] = 3\n        f.f_globals['expected'] = 0\n        f = f.f_back\n    return 20",
    },
    1,
)
code("traces_every_call", "import sys\nsys.settrace(lambda *a: None)")
code(
    "raises_what_only_the_judge_raises",
    "",
    {
        **WRONG,
        "double": "def double(x):\n    from corelab.checks import CannotTell\n    raise CannotTell('ask a person')",
    },
)
code(
    "pickle_in_the_answer",
    "import base64",
    {
        **WRONG,
        "values": "class P:\n    def __reduce__(self):\n        import os\n        return (os.system, ('touch /tmp/owned',))\nvalues = np.array([P()], dtype=object)",
    },
)
code(
    "repr_that_copies_the_expected_value",
    "",
    {**WRONG, "double": "class R:\n    def __repr__(self): return '8'\ndef double(x): return R()"},
)

# Ending things.
code("exits_in_the_tested_function", "", {**WRONG, "double": "import os\ndef double(x): os._exit(0)"})
code("exits_at_once", "import os\nos._exit(0)")
code("sys_exit", "raise SystemExit(0)")
code("asks_to_exit", "exit()")
code(
    "kills_its_parent",
    "import os, signal\ntry: os.kill(os.getppid(), signal.SIGKILL)\nexcept OSError as e: print(e)\ntry: os.kill(-1, signal.SIGTERM)\nexcept OSError as e: print(e)",
)
code("segfault", "import ctypes\nctypes.string_at(0)")
code("closes_every_descriptor", "import os\nos.closerange(0, 1000)")
code(
    "writes_garbage_to_the_channel",
    "import os\nfor fd in range(3, 60):\n    try: os.write(fd, b'\\xff' * 64)\n    except OSError: pass",
)
code(
    "announces_a_huge_message",
    "import os\nfor fd in range(3, 60):\n    try: os.write(fd, b'\\x7f\\xff\\xff\\xff')\n    except OSError: pass",
)
code(
    "deep_json",
    "import os, struct\nbody = b'[' * 200000 + b']' * 200000\nfor fd in range(3, 60):\n    try: os.write(fd, struct.pack('>I', len(body)) + body)\n    except OSError: pass",
)

# Lies in the encoding.
FORGED = "import corelab.grading.kernel as k\nk.encode = lambda value, keep=None: FORGED\nFORGED = %s"
for label, value in {
    "deep_list": "eval('[' * 80 + ']' * 80)",
    "header_of_a_huge_array": "{'t': 'array', 'v': __import__('base64').b64encode(b\"\\x93NUMPY\\x01\\x00v\\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\" + b' ' * 46 + b'\\n').decode()}",
    "object_array": "{'t': 'array', 'v': __import__('base64').b64encode(b\"\\x93NUMPY\\x01\\x00v\\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\" + b' ' * 57 + b'\\n' + b'cos\\nsystem\\n').decode()}",
    "unknown_tag": "{'t': 'eval', 'v': '1'}",
    "shape_that_is_no_shape": "{'t': 'shape', 'type': 'os', 'v': {}}",
    "shape_base_model": "{'t': 'shape', 'type': 'BaseModel', 'v': {'__class__': 1}}",
    "not_a_list": "{'t': 'tuple', 'v': 7}",
}.items():
    code(f"forged_{label}", FORGED % value)


# Metadata and structure, no code at all.
@attack
def skip_execution_tags() -> Attack:
    made = course.submission(WRONG)
    for entry in made["cells"]:
        entry["metadata"]["tags"] = ["skip-execution", "raises-exception", "nbgrader-skip"]
    return made, 0


@attack
def saved_outputs_claim_success() -> Attack:
    made = course.submission(WRONG)
    for entry in made["cells"]:
        if entry["cell_type"] == "code":
            entry["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "3"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]
    return made, 0


@attack
def points_times_a_thousand() -> Attack:
    made = course.submission({**WRONG, "double": course.SOLUTIONS["double"]})
    for entry in made["cells"]:
        if "points" in entry["metadata"].get("nbgrader", {}):
            entry["metadata"]["nbgrader"]["points"] *= 1000
    return made, 4


@attack
def tests_deleted() -> Attack:
    made = course.submission(WRONG)
    made["cells"] = [
        entry for entry in made["cells"] if entry["id"][0] != "t" or entry["id"] in ("title", "table")
    ]
    return made, 0


@attack
def tests_replaced_by_pass() -> Attack:
    made = course.submission(WRONG)
    for entry in made["cells"]:
        if entry["id"] in ("t1", "t2", "t3", "t4"):
            entry["source"] = "10"
    return made, 0


@attack
def tests_flagged_as_solutions() -> Attack:
    made = course.submission(WRONG)
    for entry in made["cells"]:
        if "nbgrader" in entry["metadata"]:
            entry["metadata"]["nbgrader"] |= {"solution": True, "grade": False, "locked": False}
    return made, 0


@attack
def grade_ids_renamed() -> Attack:
    made = course.submission(WRONG)
    for entry in made["cells"]:
        if entry["id"].startswith("t") and "nbgrader" in entry["metadata"]:
            entry["metadata"]["nbgrader"]["grade_id"] = "other"
            entry["id"] = "x" + entry["id"]
    return made, 0


@attack
def copied_cells() -> Attack:
    made = course.submission(course.honest())
    made["cells"] += copy.deepcopy(made["cells"])
    return made, 10


@attack
def wrong_schema_numbers() -> Attack:
    made = course.submission(course.honest())
    for number, entry in enumerate(made["cells"]):
        if "nbgrader" in entry["metadata"]:
            entry["metadata"]["nbgrader"]["schema_version"] = (1, 99, "x", None)[number % 4]
    return made, 10


@attack
def cell_types_changed() -> Attack:
    made = course.submission(course.honest())
    for entry in made["cells"]:
        entry["cell_type"] = "markdown" if entry["cell_type"] == "code" else "code"
    return made, 10


@attack
def another_kernel() -> Attack:
    made = course.submission(course.honest())
    made["metadata"]["kernelspec"] = {"name": "../../evil", "display_name": "Evil"}
    return made, 10


@attack
def reordered_with_own_definitions_first() -> Attack:
    made = course.submission(WRONG, first="def double(x): return 8\nvalues = [1, 2, 3]")
    made["cells"].sort(key=lambda entry: not entry["id"].startswith("t"))
    return made, 0


@attack
def metadata_of_every_wrong_kind() -> Attack:
    made = course.submission(course.honest())
    made["metadata"] = {"corelab": ["x"], "kernelspec": 7, "language_info": None}
    made["cells"][0]["metadata"] = []
    made["cells"] += [
        None,
        7,
        {"cell_type": []},
        {"cell_type": "raw", "source": {"a": 1}},
        {"metadata": {"nbgrader": 3}},
    ]
    return made, 10


@attack
def ids_twice_or_none() -> Attack:
    made = course.submission(course.honest())
    for entry in made["cells"]:
        entry["id"] = "same"
    return made, 10


@attack
def nbformat_three() -> Attack:
    made = course.submission(course.honest())
    return {"worksheets": [{"cells": made["cells"]}], "metadata": {}, "nbformat": 3}, 10


@attack
def text_as_lines_with_a_byte_order_mark() -> Attack:
    made = course.submission(course.honest())
    for entry in made["cells"]:
        entry["source"] = entry["source"].splitlines(keepends=True)
    return b"\xef\xbb\xbf" + json.dumps(made).encode(), 10


@attack
def lone_surrogates() -> Attack:
    made = course.submission(course.honest(), first="# \ud800 emoji \U0001f600")
    return json.dumps(made).encode(), 10
