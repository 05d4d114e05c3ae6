"""The command `dlcourse`: build, verify, run and publish the course."""

import argparse
import datetime
import re
import sys

from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError


def main(argv=None):
    """Runs one command; returns the exit status: 0, 1 for something wrong in the
    course, 2 for a wrong command line."""
    _accept_every_sign()
    args = _parser().parse_args(argv)
    try:
        course = reading.load(args.root)
        return args.command(course, args)
    except CourseError as error:
        print(f"dlcourse: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("dlcourse"):
            raise
        cure = "install the instructors' tools: pip install -e '.[instructor]'"
        print(f"dlcourse: module {error.name!r} is missing: {cure}", file=sys.stderr)
    except OSError as error:  # a full disc, a folder that cannot be written to
        cure = (
            "see to that and run the command again; files are replaced whole, so none was left "
            "half written"
        )
        print(
            f"dlcourse: {error.filename or 'writing'}: {error.strerror or error}: {cure}",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("dlcourse: stopped", file=sys.stderr)
    return 1


def _accept_every_sign():
    """A terminal that knows no ✗, as Windows' code page 1252, shows a question mark for it: a
    report must not die of a sign."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _parser():
    parser = argparse.ArgumentParser(
        prog="dlcourse", description="Builds, checks, runs and publishes the course."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    what = "write student notebooks, headers, README tables and PDFs"
    _days(_command(commands, "build", _build, what))
    what = "say what is stale, leaks a solution or does not resolve"
    _days(_command(commands, "verify", _verify, what))
    what = "execute notebooks; a table of seconds and peak memory"
    run = _days(_command(commands, "run", _run, what))
    for switch, what in (
        ("--student", "the blank student notebooks, as a smoke run"),
        ("--save", "keep the outputs in the solutions notebooks"),
        ("--record", "keep seconds and memory for the README's table"),
    ):
        run.add_argument(switch, action="store_true", help=what)
    run.add_argument("--workers", type=_positive, default=2, help="notebooks at a time (2)")
    for limit, seconds, what in (
        ("--cell-limit", 300, "for one cell (300)"),
        ("--notebook-limit", 900, "for one notebook (900)"),
    ):
        run.add_argument(limit, type=_positive, default=seconds, metavar="SECONDS", help=what)
    what = "folder for the HTML of what failed (a temporary one)"
    run.add_argument("--failures", metavar="DIR", help=what)
    _claiming(commands)
    _publishing(commands)
    return parser


def _claiming(commands):
    what = "test the course's claims on eight seeds, and keep what was seen"
    claims = _days(_command(commands, "claims", _claims, what))
    what = "list sentences that compare or explain and that nothing covers; run nothing"
    claims.add_argument("--unclaimed", action="store_true", help=what)
    what = "for one claim, all its seeds together (180)"
    claims.add_argument("--limit", type=_positive, default=180, metavar="SECONDS", help=what)
    claims.add_argument("--workers", type=_positive, default=2, help="claims at a time (2)")


def _publishing(commands):
    what = "copy the course as students may see it at a moment"
    publish = _command(commands, "publish", _publish, what)
    what = "which moment: a date means its first minute, YYYY-MM-DDTHH:MM is exact (now)"
    publish.add_argument("--as-of", metavar="YYYY-MM-DD", help=what)
    place = publish.add_mutually_exclusive_group(required=True)
    place.add_argument("--to", metavar="DIR", help="a folder that is missing or empty")
    what = "a clone of the students' repository, to be brought up to date"
    place.add_argument("--sync", metavar="DIR", help=what)


def _days(command):
    what = "Day01, day1, 1, or a notebook's file name"
    command.add_argument("days", nargs="*", metavar="DAY", help=what)
    return command


def _command(commands, name, function, text):
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--root", default=".", help="the course's folder (this one, or one above it)"
    )
    command.set_defaults(command=function)
    return command


def _positive(text):
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:20]}: give a whole number from 1 to 99999")
    return int(text)


# Each command is imported when it is asked for: together they take seconds.


def _build(course, args):
    from dlcourse.release.build import build

    build(course, args.days)
    return 0


def _verify(course, args):
    from dlcourse.release.verify.verify import verify, waiting

    sources = {}
    findings = verify(course, args.days, sources)
    for finding in findings:
        print(finding)
    left = [] if findings else list(waiting(course, sources))
    for line in left if args.days else ():
        print(f"waits for its day's edit: {line}")
    print(f"{len(findings)} findings" if findings else "everything is in order")
    if left and not args.days:
        print(f"({len(left)} points wait for their day's edit: dlcourse verify DAY lists them)")
    return 1 if findings else 0


def _run(course, args):
    from dlcourse.release.run.execute import run

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


def _claims(course, args):
    from dlcourse.release.claims.command import list_unclaimed, run

    if args.unclaimed:
        list_unclaimed(course, args.days)
        return 0
    return 0 if run(course, args.days, limit=args.limit, workers=args.workers) else 1


def _publish(course, args):
    from dlcourse.release.publish import publish, sync

    as_of = _moment(args.as_of) if args.as_of else datetime.datetime.now()
    if args.sync:
        sync(course, as_of, args.sync)
    else:
        publish(course, as_of, args.to)
    return 0


def _moment(text):
    """A date or a date and time, as its datetime; the clock is that of the machine."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo:
        cure = "write it as YYYY-MM-DD, or YYYY-MM-DDTHH:MM"
        raise CourseError(f"--as-of {text}: not a date: {cure}")
    return moment


if __name__ == "__main__":
    sys.exit(main())
