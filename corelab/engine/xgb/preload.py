"""What the worker parent loads, once, so that every container starts with it; import nothing before this.

pandas, scikit-learn and dask stay out: XGBoost imports them when they are there, needs none of them for what a
container does, and asks for pandas again with every matrix. They would triple the parent's memory.
"""

from __future__ import annotations

import os
import sys

# Read by the libraries below as they load: a parent with threads could not be forked safely.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

for _name in ("pandas", "sklearn", "dask", "distributed"):
    sys.modules[_name] = None  # type: ignore[assignment]

import xgboost  # noqa: E402, F401

import corelab.engine.xgb.train  # noqa: E402, F401
from corelab.engine.instances import instance_types  # noqa: E402
from corelab.engine.xgb.hyperparameters import hyperparameters  # noqa: E402

# Tables that every container looks things up in; they are kept once read.
instance_types()
hyperparameters()
