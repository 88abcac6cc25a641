"""Which hyperparameter mattered: each one's share in the objective's ups and downs.

As a program it reads the arguments of ``importance`` as one JSON object and prints its answer as another.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from corelab.errors import BadArgument, CorelabError
from corelab.tuning.sampling import add_trial, new_study
from corelab.tuning.space import SearchSpace

Result = tuple[Mapping[str, str], float]

_EVALUATORS = {
    "fanova": "FanovaImportanceEvaluator",
    "impurity": "MeanDecreaseImpurityImportanceEvaluator",
    "ped-anova": "PedAnovaImportanceEvaluator",
}
_TIMEOUT = 120


def importance(
    ranges: Mapping[str, Any], results: Sequence[Result], maximize: bool, method: str = "fanova"
) -> dict[str, float]:
    """Hyperparameters with their shares, which sum to 1, the most important first.

    Loads scikit-learn, which takes seconds and some 150 MB; a server uses ``importance_apart``.

    Args:
        ranges: the tuning job's ParameterRanges.
        results: of each child its TunedHyperParameters and final objective value; points outside the ranges
            are left out.
        method: ``fanova`` or ``impurity`` fit a forest to the results, and name the right leader of 20 results
            nine times in ten; ``ped-anova`` compares the best with the rest, and wants more results.

    Returns an empty dict when there are no two different results: there is nothing to explain then.

    Raises:
        AWSError: ranges that cannot be read.
        BadArgument: an unknown method.
    """
    if method not in _EVALUATORS:
        raise BadArgument(f"method must be one of {', '.join(_EVALUATORS)}; got {method!r}")
    space, study = SearchSpace.parse(ranges), new_study(maximize)
    for tuned, value in results:
        point = space.read(tuned)
        if point is not None:
            add_trial(study, space, point, value)
    if len({trial.value for trial in study.get_trials(deepcopy=False)}) < 2:
        return {}
    import optuna

    evaluators: Any = optuna.importance
    seeded = {} if method == "ped-anova" else {"seed": 0}
    evaluator = getattr(evaluators, _EVALUATORS[method])(**seeded)
    shares = evaluators.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in shares.items()}


def importance_apart(
    ranges: Mapping[str, Any], results: Sequence[Result], maximize: bool, method: str = "fanova"
) -> dict[str, float]:
    """``importance`` in a process of its own, so that this one stays small; takes some seconds.

    Raises:
        CorelabError: the process failed or took longer than two minutes.
    """
    question = {
        "ranges": dict(ranges),
        "results": [(dict(tuned), value) for tuned, value in results],
        "maximize": maximize,
        "method": method,
    }
    # -P: a file of somebody's own in the working directory must not be imported.
    command = [sys.executable, "-P", "-m", __spec__.name]
    try:
        answer = subprocess.run(
            command, input=json.dumps(question), capture_output=True, text=True, check=True, timeout=_TIMEOUT
        )
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().rpartition("\n")[2]
        raise CorelabError(f"importance could not be computed: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise CorelabError(f"importance was not computed within {_TIMEOUT} seconds") from error
    shares: dict[str, float] = json.loads(answer.stdout)
    return shares


if __name__ == "__main__":
    sys.stdout.write(json.dumps(importance(**json.load(sys.stdin))))
