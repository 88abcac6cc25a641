"""The ``corelab`` command: each verb reads its arguments, calls one function and prints.

Imports wait inside the verbs: the help and ``status`` answer at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corelab.errors import CorelabError

if TYPE_CHECKING:
    from corelab.home import Home


def _home(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Home:
    from corelab.home import Home

    return Home(value)


_home_option = click.option(
    "--home", callback=_home, help="The local cloud's folder; by default CORELAB_HOME, else ~/.corelab."
)


_target_option = click.option(
    "--target", type=click.Choice(["local", "aws"]), default="local", show_default=True, help="Which cloud."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="corelab")
def app() -> None:
    """A SageMaker course, its autograder, and the local SageMaker it runs on."""


@app.command()
@_home_option
@click.option("--port", default=0, help="Where to listen; by default where it did last, else any free port.")
def up(home: Home, port: int) -> None:
    """Start the local SageMaker, if it does not run."""
    from corelab.connection import launch

    server = launch.ensure(home, port)
    click.echo(f"The local SageMaker answers at {server.url} (process {server.pid}).")
    click.echo(f"Console: {launch.console_address(server.url)}")


@app.command()
@_home_option
def down(home: Home) -> None:
    """Stop the local SageMaker; what it stored stays."""
    from corelab.connection import launch

    server = launch.stop(home)
    click.echo(f"Stopped process {server.pid}." if server else "No local SageMaker was running.")


@app.command()
@_home_option
def status(home: Home) -> None:
    """Say what runs, and where; exit with 1 when nothing does."""
    from corelab.connection import launch

    click.echo(f"home     {home.path}")
    server = home.running()
    if server is None:
        click.echo("server   none runs: `corelab up` starts it")
        sys.exit(1)
    well = launch.healthy(server)
    minutes, seconds = divmod(int(time.time() - server.started), 60)
    click.echo(f"server   {'answers' if well else 'DOES NOT ANSWER'} at {server.url}, process {server.pid}")
    click.echo(f"up       {minutes} min {seconds} s, corelab {server.version}")
    click.echo(f"console  {launch.console_address(server.url)}")
    sys.exit(0 if well else 1)


@app.command()
@_home_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(home: Home, yes: bool) -> None:
    """Delete everything in the local cloud: jobs, models, endpoints, buckets, logs."""
    from corelab.connection import launch

    if not yes:
        click.confirm(f"Delete every job, model, endpoint, bucket and log in {home.path}?", abort=True)
    launch.stop(home)
    home.wipe()
    click.echo(f"{home.path} is empty again.")


@app.command()
@_home_option
@click.option("--region", help="An AWS region; by default the environment's, else us-east-1.")
@click.option("--shell", help="sh, fish, powershell or cmd; by default this system's.")
@click.option("--unset", is_flag=True, help="Print what takes the settings back.")
def env(home: Home, region: str | None, shell: str | None, unset: bool) -> None:
    """Print what points a shell or the AWS CLI at the local cloud: eval "$(corelab env)"."""
    from corelab.connection import environment, local_environment

    variables = environment.taken_back(home) if unset else local_environment(home, region)
    click.echo(environment.exports(variables, shell))


@app.command()
@_home_option
@_target_option
def doctor(home: Home, target: str) -> None:
    """Look over this machine or, with --target aws, your AWS account; exit with 1 when something needs a cure."""
    from corelab import doctor as machine
    from corelab.account import preflight
    from corelab.account.cloud import open_account
    from corelab.account.estimate import plan

    ill, account = False, open_account(target, home) if target == "aws" else None
    for finding in preflight.examine(account, plan()) if account else machine.examine(home):
        click.echo(f"{'ok   ' if finding.well else 'WRONG'} {finding.what}: {finding.found}")
        if not finding.well:
            ill = True
            click.echo(f"      {finding.cure}")
    sys.exit(1 if ill else 0)


@app.command()
@_home_option
@click.option("--no-browser", is_flag=True, help="Print the address only.")
def console(home: Home, no_browser: bool) -> None:
    """Open the web console of the local SageMaker: jobs, endpoints, objects, logs, calls, the bill."""
    import webbrowser

    from corelab.connection import launch

    address = launch.ensure(home).console_url
    click.echo(address)
    if not no_browser and not webbrowser.open(address):
        click.echo("No browser opened: copy the address into one on this machine.")


@app.command()
@_home_option
@_target_option
@click.option("--json", "as_json", is_flag=True, help="Print every line as JSON.")
def bill(home: Home, target: str, as_json: bool) -> None:
    """Say what the course cost, or would have cost on AWS, by resource, and what still runs."""
    from corelab.account import report
    from corelab.account.bill import aws_bill, local_bill
    from corelab.account.cloud import open_account

    charges = local_bill(home) if target == "local" else aws_bill(open_account(target, home))
    click.echo(report.bill_json(charges) if as_json else report.bill_text(charges, target))


@app.command()
@_home_option
@_target_option
@click.option("--yes", is_flag=True, help="Do it; without this nothing is changed.")
@click.option("--run", default="", help="What one run on AWS left, by the name it was given.")
def cleanup(home: Home, target: str, yes: bool, run: str) -> None:
    """Show the running jobs, endpoints and models that the course left; with --yes stop and delete them."""
    from corelab.account.cleanup import leftovers, remove
    from corelab.account.cloud import open_account

    account = open_account(target, home, run)
    found, refusals = list(leftovers(account)), 0
    for leftover in found:
        problem = remove(account, leftover) if yes else None
        refusals += problem is not None
        status = f" ({leftover.status})" if leftover.status else ""
        click.echo(f"{'' if yes else 'would '}{leftover.verb} {leftover.kind} {leftover.name}{status}")
        if problem:
            click.echo(f"      refused: {problem}")
    if not found:
        click.echo("Nothing is left.")
    elif not yes:
        click.echo("Nothing was changed. `corelab cleanup --yes` does it.")
    sys.exit(1 if refusals else 0)


@app.command()
@click.argument("name", metavar="JOB")
@_home_option
@_target_option
def explain(name: str, home: Home, target: str) -> None:
    """Say why a job or an endpoint failed: its first real error line, what that means, and the cure."""
    from corelab.account.cloud import open_account
    from corelab.account.explain import explain_by_name
    from corelab.connection import launch

    story = explain_by_name(open_account(target, home), name)
    click.echo(f"The {story.kind} {story.name} is {story.status}.")
    if target == "local":
        section = story.kind.partition(" ")[0].replace("endpoint", "endpoints")
        click.echo(f"{launch.ensure(home).console_url}{section}/{story.name}")
    if story.explanation is not None:
        click.echo(f"\n  {story.explanation.line}\n")
        click.echo(f"meaning  {story.explanation.meaning}\ncure     {story.explanation.cure}")
    elif story.status == "Failed":
        click.echo("Neither its log nor its FailureReason tells why.")


@app.command()
@_home_option
@click.option(
    "--jobs", is_flag=True, help="What jobs need of the role they act in, in place of what calls need."
)
@click.option("--journal", is_flag=True, help="Write it anew from what this home's calls needed.")
@click.option("--account", default="123456789012", show_default=True, help="The AWS account it is for.")
@click.option("--region", default="us-east-1", show_default=True)
@click.option(
    "--role", default="CoreLab", show_default=True, help="The role that calls are made and jobs run in."
)
def policy(home: Home, jobs: bool, journal: bool, account: str, region: str, role: str) -> None:
    """Print the IAM policy with which the course's notebooks run on AWS, and nothing more."""
    import json

    from corelab.account import policy as policies

    if journal:
        document = policies.from_home(home)
    else:
        name = "iam-jobs-policy" if jobs else "iam-policy"
        document = policies.shipped(name, policies.Place(account, region, role))
    click.echo(json.dumps(document, indent=1))


@app.command(context_settings={"ignore_unknown_options": True})
@_home_option
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="What to open; by default your copies of the notebooks, in work/.",
)
@click.argument("arguments", nargs=-1, metavar="[JUPYTER OPTION]...")
def lab(home: Home, folder: Path | None, arguments: tuple[str, ...]) -> None:
    """Open the notebooks in JupyterLab, with the local SageMaker up."""
    from corelab.lab import run

    sys.exit(run(Path.cwd(), home, folder, arguments))


@app.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--target", type=click.Choice(["local", "aws"]), default="local", show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/smoke"),
    show_default=True,
    help="Where the executed notebooks and the summary go.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Local notebooks at once; on AWS it is one.",
)
@click.option("--yes", is_flag=True, help="Do not ask before spending money on AWS.")
@click.option("--budget", default=5.0, show_default=True, help="US dollars at which a run on AWS is stopped.")
def smoke(
    assignments: tuple[str, ...], target: str, out: Path, workers: int, yes: bool, budget: float
) -> None:
    """Run the reference notebooks end to end, all or those named; exit with 1 when one fails."""
    from functools import partial

    from corelab.smoke import run

    if target == "local":
        from corelab.authoring import syllabus

        needs = {entry.name: entry.needs for entry in syllabus.read(Path()).assignments}
        sys.exit(run(list(assignments), target, out, workers=workers, needs=needs))
    from corelab.account.rehearsal import rehearse
    from corelab.home import Home

    def agree() -> None:
        if not yes:
            click.confirm("This costs money in your AWS account. Go on?", abort=True)

    notebooks = partial(run, list(assignments), target, out, Path(), None)
    sys.exit(rehearse(Home(), assignments, budget, notebooks, out=out, agree=agree, say=click.echo))


@app.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 when source/ or release/ is not up to date."
)
def build(assignments: tuple[str, ...], check: bool) -> None:
    """Write the instructor notebooks in source/ from the lessons in course/."""
    from corelab.authoring.build import build
    from corelab.authoring.drift import stale

    if check:
        lines = stale(Path.cwd())
        click.echo("\n".join(lines) or "source/ and release/ are what course/ says.")
        sys.exit(1 if lines else 0)
    for path in build(Path.cwd(), assignments):
        click.echo(path)


@app.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
def release(assignments: tuple[str, ...]) -> None:
    """Write the student notebooks in release/ from source/."""
    from corelab.authoring.release import release

    for path in release(Path.cwd(), assignments):
        click.echo(path)


@app.command()
@click.option("--assignment", "assignments", multiple=True, help="An assignment's name; by default all.")
@click.option("--student", "students", multiple=True, help="A student's id; by default everybody.")
@click.option("--workers", type=int, help="Submissions at once; by default three a processor.")
@click.option("--scheduler", help="Address of a Dask scheduler to grade on, such as tcp://10.0.0.5:8786.")
@click.option("--again", is_flag=True, help="Grade even what was graded before and has not changed.")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@click.option("--unsafe-no-sandbox", is_flag=True, help="Run students' code without walls, with your rights.")
@click.option("--verify", is_flag=True, help="Grade the course's own notebooks: all points, and none.")
@click.option("--container", is_flag=True, help="Grade in a Linux container, by Docker or Podman.")
def grade(root: Path, container: bool, verify: bool, **options: Any) -> None:
    """Autograde submitted/ into autograded/ and the gradebook; exit with 1 when something needs a person."""
    from corelab.grading import command

    if container:
        sys.exit(command.in_container(root, sys.argv[1:]))
    sys.exit(command.verify(root, options["assignments"]) if verify else command.grade(root, **options))


@app.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
def feedback(assignments: tuple[str, ...], root: Path) -> None:
    """Write what students read into feedback/: every check, manual scores and comments included."""
    from corelab.grading import command

    click.echo(f"{len(command.feedback(root, assignments))} files written.")


@app.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@click.option(
    "--formgrader",
    default="http://localhost:8888/formgrader",
    show_default=True,
    help="Where the pages' links lead.",
)
def report(assignments: tuple[str, ...], root: Path, formgrader: str) -> None:
    """Write how the class did: who submitted what, every check, the usual mistakes, answers that are alike."""
    from corelab.grading import command

    for path in command.report(root, assignments, formgrader):
        click.echo(path)


def main() -> None:
    """The command's entry; a mistake a person can mend is one message, not a traceback."""
    try:
        app()
    except CorelabError as problem:
        click.echo(f"corelab: {problem}", err=True)
        sys.exit(1)
