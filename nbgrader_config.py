"""nbgrader's settings for this course; every nbgrader command run from this folder reads them."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from corelab.authoring.stubs import PREPROCESSORS

c = get_config()  # noqa: F821  nbgrader defines it
root = Path(__file__).parent.resolve()

c.CourseDirectory.course_id = "sagemaker_essentials"
c.CourseDirectory.root = str(root)
# Parallel graders wait for each other's write instead of failing.
c.CourseDirectory.db_url = f"sqlite:///{root.as_posix()}/gradebook.db?timeout=60"
# On a server shared with students, name the exchange: c.Exchange.root = "/srv/nbgrader/exchange"

# nbgrader's own steps, with stubs that say what is missing.
c.GenerateAssignment.preprocessors = PREPROCESSORS

# A submission cannot switch its own checks off by tag, nor lose them by deleting the cell.
c.Execute.skip_cells_with_tag = ""
c.OverwriteCells.add_missing_cells = True

# A training job may take minutes; a graceful goodbye to the kernel would take two more seconds each time.
c.Execute.timeout = 600
c.Execute.shutdown_kernel = "immediate"
c.LimitOutput.max_lines = 1000
# Without it now and then a cell that waits for a job would seem to run until its time is up.
c.AsyncKernelManager.client_class = "corelab.smoke.client.WakingClient"

# nbgrader gives 0 to a check that printed to stderr: a library's warning is not the student's mistake.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"\w*Warning\b"

# What a student wrote is shown as text to the instructor, never run in the instructor's browser.
c.SanitizeHTML.enabled = True
c.Autograde.autograde_preprocessors.append("nbconvert.preprocessors.sanitize.SanitizeHTML")

# Hidden checks stay hidden: feedback says what they are about, not what they hold. Rubrics are the grader's.
c.GenerateFeedback.preprocessors = [
    "corelab.authoring.stubs.ClearRubrics",
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

if os.name == "posix":  # no race for ports, no unencrypted TCP; nbclient needs the absolute path
    sockets = tempfile.mkdtemp(prefix="nbgrader-")
    atexit.register(shutil.rmtree, sockets, ignore_errors=True)
    c.KernelManager.transport = "ipc"
    c.KernelManager.ip = f"{sockets}/kernel"
