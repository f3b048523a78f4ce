"""What there is to type: every command and its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from shared import names
from shared.command import COMMAND
from shared.version import VERSION

_EXAMPLES = f"""examples:
  {COMMAND} pipeline.yaml config.yaml                      follow the dataset until Ctrl+C
  {COMMAND} pipeline.yaml config.yaml --experiment-mode    replay what is recorded, end, and report
  {COMMAND} pipeline.yaml config.yaml --run-dir runs/a --resume
  {COMMAND} validate pipeline.yaml config.yaml --offline   all that is wrong with the two files
  {COMMAND} plan pipeline.yaml config.yaml                 which triggers would fire, without training
  {COMMAND} backtest pipeline.yaml config.yaml POLICIES.yaml --plot policies.svg
  {COMMAND} worker config.yaml --role train --device cuda:0
  {COMMAND} fleet config.yaml --json
  {COMMAND} flower config.yaml                             tasks and workers in a browser
  {COMMAND} sweep pipeline.yaml config.yaml --set trigger.every=2000,6000 --set strategy.name=new_data,all_data
  {COMMAND} runs config.yaml · {COMMAND} stop runs/flights/2026-01-01T00-00-00Z
  {COMMAND} trigger runs/flights/2026-01-01T00-00-00Z "labels were mended"
  {COMMAND} compare runs/a runs/b --plot scores.svg        on the rows that both of them scored
"""

AT_MOST = 8  # trainings of the best schedules that a back-test tells, if nobody says how many


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog=COMMAND,
        usage=f"{COMMAND} PIPELINE CONFIG [options]  |  {COMMAND} COMMAND …",
        description="Decide when to retrain a model and on what, have a fleet do it, and deploy what is good enough.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"modyn-supervisor {VERSION}")
    of_all = argparse.ArgumentParser(add_help=False)
    of_all.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", prog=COMMAND)
    for name, (told, add) in COMMANDS.items():
        add(commands.add_parser(name, parents=[of_all], help=told))
    return top


def _add_worker(worker: argparse.ArgumentParser) -> None:
    _add_config(worker)
    worker.add_argument("--role", choices=names.ROLES, required=True)
    worker.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    worker.add_argument("--quiet", action="store_true", help="say only what goes wrong, not what it does")


def _add_listing(listing: argparse.ArgumentParser) -> None:
    """Of `fleet` and `runs`."""
    _add_config(listing)
    listing.add_argument("--json", action="store_true", help="one JSON list instead of a table")


def _add_flower(flower: argparse.ArgumentParser) -> None:
    _add_config(flower)
    flower.add_argument("--listen", default="127.0.0.1:5555", metavar="HOST:PORT", help="where; port 0 is any free one")


def _add_healthy(healthy: argparse.ArgumentParser) -> None:
    _add_config(healthy)
    of = healthy.add_mutually_exclusive_group(required=True)
    of.add_argument("--role", choices=names.ROLES, help="a worker of this role on this machine")
    of.add_argument("--run-dir", type=Path, metavar="DIR", help="the supervisor of this run, on this machine")


def _add_stop(stop: argparse.ArgumentParser) -> None:
    stop.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    stop.add_argument("--wait", action="store_true", help="until it has ended, and say how it did")


def _add_trigger(trigger: argparse.ArgumentParser) -> None:
    trigger.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    trigger.add_argument("why", metavar="WHY", help="the reason, for who reads the journal")
    trigger.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", type=Path, metavar="CONFIG")


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument("pipeline", type=Path, metavar="PIPELINE", help="what to learn")
    command.add_argument("config", type=Path, metavar="CONFIG", help="on what system")


def _add_setting(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of PIPELINE for this run, such as trigger.every=2000 (YAML); may be given several times",
    )


def _add_validate(validate: argparse.ArgumentParser) -> None:
    _add_files(validate)
    _add_setting(validate)
    validate.add_argument("--experiment-mode", action="store_true", help="whether a run in experiment mode can begin")
    validate.add_argument(
        "--offline", action="store_true", help="no broker and no workers; the dataset if it is on this machine"
    )
    validate.add_argument("--json", action="store_true", help="one JSON object instead of lines and a table")


def _add_run(run: argparse.ArgumentParser) -> None:
    _add_files(run)
    _add_setting(run)
    run.add_argument("--experiment-mode", action="store_true", help="replay what is recorded, end, and report")
    run.add_argument("--run-dir", type=Path, metavar="DIR", help="the run directory itself; absent or empty")
    run.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    _add_scope(run)
    run.add_argument("--deploy", action="store_true", help="with --experiment-mode: deploy to the targets themselves")
    run.add_argument(
        "--no-fleet", action="store_true", help="start no workers, whatever CONFIG says: others are there, or will be"
    )
    run.add_argument("--log-format", choices=("human", "json"), default="human")
    run.add_argument("--json", action="store_true", help="print summary.json at the end instead of the table")
    run.add_argument("--quiet", action="store_true", help="no log lines on the terminal")


def _add_scope(command: argparse.ArgumentParser) -> None:
    _add_stretch(command)
    command.add_argument("--maximum-triggers", type=int, metavar="N", help="fire at most N triggers")


def _add_stretch(command: argparse.ArgumentParser) -> None:
    command.add_argument("--start-replay-at", metavar="T", help="first event time replayed, ISO 8601")
    command.add_argument("--stop-replay-at", metavar="T", help="first event time not replayed any more")


def _add_plan(plan: argparse.ArgumentParser) -> None:
    _add_files(plan)
    _add_setting(plan)
    _add_scope(plan)
    plan.add_argument(
        "--seconds-per-sample",
        type=float,
        metavar="S",
        help="what all workers together train for each selected row, for the cost; else what the policy says of it",
    )
    plan.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    plan.set_defaults(experiment_mode=True, deploy=False)


def _add_sweep(sweep: argparse.ArgumentParser) -> None:
    _add_files(sweep)
    sweep.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=A,B…",
        help="values of a setting of PIPELINE (YAML), split at commas outside of brackets and quotes; may be given "
        "several times, for each combination",
    )
    sweep.add_argument("--run-dir", type=Path, metavar="DIR", help="the folder of the sweep; absent or empty")
    sweep.add_argument("--resume", action="store_true", help="take up what is unfinished of the sweep in --run-dir")
    sweep.add_argument(
        "--parallel", type=int, metavar="N", help="runs at a time; without it twice as many as there are train workers"
    )
    _add_scope(sweep)
    sweep.add_argument("--sort", metavar="METRIC", help="what the comparison is sorted by, the best first")
    sweep.add_argument("--json", action="store_true", help="one JSON object at the end instead of the table")
    sweep.add_argument("--plot", type=Path, metavar="FILE", help="scores over time, as .svg or .png")
    sweep.add_argument("--quiet", action="store_true", help="no log lines on the terminal")
    sweep.set_defaults(experiment_mode=True, deploy=False)


def _add_backtest(backtest: argparse.ArgumentParser) -> None:
    _add_files(backtest)
    backtest.add_argument("policies", type=Path, metavar="POLICIES", help="the grid, prices, and what is tried")
    _add_setting(backtest)
    backtest.add_argument("--run-dir", type=Path, metavar="DIR", help="the folder of the back-test; absent or empty")
    backtest.add_argument(
        "--resume",
        action="store_true",
        help="go on with the back-test in --run-dir; of one that has its models, POLICIES may name other policies",
    )
    backtest.add_argument(
        "--parallel",
        type=int,
        metavar="N",
        help="runs of the grid at a time; without it twice as many as there are train workers",
    )
    backtest.add_argument(
        "--runs", type=Path, metavar="SWEEP_DIR", help="train nothing: take the models of the runs in this folder"
    )
    _add_stretch(backtest)
    backtest.add_argument(
        "--metric", metavar="LABEL", help="what counts errors, of evaluation.metrics; default: the first that can"
    )
    backtest.add_argument(
        "--at-most",
        type=int,
        default=AT_MOST,
        metavar="K",
        help=f"tell the best schedules with up to K trainings; default: {AT_MOST}",
    )
    backtest.add_argument(
        "--tune", action="store_true", help="fit each policy's parameters on the first rows, and judge it on the rest"
    )
    backtest.add_argument(
        "--tune-until", metavar="T", help="event time up to which they are fitted; default: after 40 %% of the rows"
    )
    backtest.add_argument(
        "--write", type=Path, metavar="FILE", help="write the least costly policy as `trigger:` there"
    )
    backtest.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    backtest.add_argument("--plot", type=Path, metavar="FILE", help="scores over trainings, as .svg or .png")
    backtest.add_argument("--quiet", action="store_true", help="no log lines on the terminal")
    backtest.set_defaults(experiment_mode=True, deploy=False, maximum_triggers=None)


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument(
        "run_dirs", type=Path, nargs="+", metavar="RUN_DIR", help="a run, or a folder of runs for all that lie in it"
    )
    compare.add_argument("--sort", metavar="METRIC", help="by which the best run comes first; default: the first one")
    printed = compare.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    printed.add_argument("--csv", action="store_true", help="a line a run instead of a table")
    compare.add_argument("--windows", action="store_true", help="with --csv: a line for each window of each run")
    compare.add_argument("--plot", type=Path, metavar="FILE", help="draw the scores over time: an .svg or a .png")


# command → what it does, and what adds its options; `supervisor.cli.<command>` carries it out, by run(arguments)
COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "run": ("run a pipeline (the word itself may be left out)", _add_run),
    "validate": ("say all that is wrong, without running", _add_validate),
    "plan": ("which triggers would fire, and what they would cost, without training", _add_plan),
    "backtest": ("what policies are worth: all of them on one grid of trainings", _add_backtest),
    "sweep": ("run every combination of settings, and compare", _add_sweep),
    "worker": ("start one worker by hand", _add_worker),
    "fleet": ("list the workers that are alive", _add_listing),
    "flower": ("show tasks and workers in a browser", _add_flower),
    "runs": ("list the runs of an artifacts folder, wherever they are", _add_listing),
    "healthy": ("say whether a worker or a supervisor here is alive", _add_healthy),
    "stop": ("stop a run cleanly from another shell", _add_stop),
    "trigger": ("have a run trigger now, from another shell", _add_trigger),
    "compare": ("runs side by side on the rows all of them scored", _add_compare),
}
