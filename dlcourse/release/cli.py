"""The command `dlcourse`: build, verify, run and publish the course."""

import argparse
import datetime
import sys

from dlcourse.release import manifest
from dlcourse.release.tables import CourseError


def main(argv=None):
    """Runs one command; returns the exit status: 0, 1 for something wrong in the course, 2 for a wrong command line."""
    args = _parser().parse_args(argv)
    try:
        course = manifest.load(args.root)
        return args.command(course, args)
    except CourseError as error:
        print(f"dlcourse: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("dlcourse"):
            raise
        cure = "install the instructors' tools: pip install -e '.[instructor]'"
        print(f"dlcourse: module {error.name!r} is missing: {cure}", file=sys.stderr)
    except OSError as error:  # a full disc, a folder that cannot be written to
        cure = "see to that and run the command again; files are replaced whole, so none was left half written"
        print(f"dlcourse: {error.filename or 'writing'}: {error.strerror or error}: {cure}", file=sys.stderr)
    except KeyboardInterrupt:
        print("dlcourse: stopped", file=sys.stderr)
    return 1


def _parser():
    parser = argparse.ArgumentParser(prog="dlcourse", description="Builds, checks, runs and publishes the course.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = _command(commands, "build", _build, "write student notebooks, headers, README tables and PDFs")
    verify = _command(commands, "verify", _verify, "say what is stale, leaks a solution or does not resolve")
    run = _command(commands, "run", _run, "execute notebooks; a table of seconds and peak memory")
    for command in (build, verify, run):
        command.add_argument("days", nargs="*", metavar="DAY", help="Day01, day1, 1, or a notebook's file name")
    run.add_argument("--student", action="store_true", help="the blank student notebooks, as a smoke run")
    run.add_argument("--save", action="store_true", help="keep the outputs in the solutions notebooks")
    run.add_argument("--record", action="store_true", help="keep seconds and memory for the README's table")
    run.add_argument("--workers", type=_positive, default=2, help="notebooks at a time (2)")
    run.add_argument("--cell-limit", type=_positive, default=300, metavar="SECONDS", help="for one cell (300)")
    run.add_argument("--notebook-limit", type=_positive, default=900, metavar="SECONDS", help="for one notebook (900)")
    run.add_argument("--failures", metavar="DIR", help="folder for the HTML of what failed (a temporary one)")
    publish = _command(commands, "publish", _publish, "copy the course as students may see it on a date")
    publish.add_argument("--as-of", required=True, metavar="YYYY-MM-DD")
    publish.add_argument("--to", required=True, metavar="DIR", help="a folder that is missing or empty")
    return parser


def _command(commands, name, function, text):
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--root", default=".", help="the course's folder (this one, or one above it)")
    command.set_defaults(command=function)
    return command


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number from 1")
    return int(text)


# Each command is imported when it is asked for: together they take seconds.


def _build(course, args):
    from dlcourse.release.build import build

    build(course, args.days)
    return 0


def _verify(course, args):
    from dlcourse.release.verify import verify

    findings = verify(course, args.days)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "everything is in order")
    return 1 if findings else 0


def _run(course, args):
    from dlcourse.release.execute import run

    done = run(
        course,
        args.days,
        student=args.student,
        save=args.save,
        record=args.record,
        workers=args.workers,
        cell_limit=args.cell_limit,
        notebook_limit=args.notebook_limit,
        failures=args.failures,
    )
    return 0 if done else 1


def _publish(course, args):
    try:
        as_of = datetime.date.fromisoformat(args.as_of)
    except ValueError:
        raise CourseError(f"--as-of {args.as_of}: not a date: write it as YYYY-MM-DD") from None
    from dlcourse.release.publish import publish

    publish(course, as_of, args.to)
    return 0
