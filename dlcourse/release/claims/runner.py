"""Measuring claims, two at a time, each within its limit of seconds."""

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import wait

from dlcourse.release.claims.worker import work

LIMIT = 180  # seconds a claim, all seeds together


@dataclass
class Job:
    """A claim that is being measured."""

    claim: object
    row: object  # what is known of it already
    process: object
    connection: object
    deadline: float
    ended: bool = False  # it has said its last word


def measure_all(root, tasks, keep, limit=LIMIT, workers=2):
    """Measures what is missing of the claims in `tasks`, (Claim, Row, path of its notebook) each,
    in `workers` processes at a time.

    keep(claim) is called after each seed, when its row has grown. limit: seconds a claim, those
    of earlier runs included. Yields (Claim, problem) for each that has ended; problem is "" where
    all seeds are there. Whoever stops early ends what still runs.
    """
    tasks, jobs = list(tasks), []
    try:
        while tasks or jobs:
            while tasks and len(jobs) < workers:
                task = tasks.pop(0)
                if task[1].seconds >= limit:
                    yield task[0], _too_slow(task[0], task[1], limit)
                else:
                    jobs.append(_start(root, *task, limit))
            for job in list(jobs):
                problem = _look(job, limit, keep)
                if problem is not None:
                    jobs.remove(job)
                    _end(job)
                    yield job.claim, problem
            wait([job.connection for job in jobs], timeout=0.2)
    finally:
        for job in jobs:
            _end(job)


def _start(root, one, row, path, limit):
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    ours, theirs = context.Pipe(duplex=False)
    seeds = range(row.seeds, one.seeds)
    arguments = (str(root), one.file, one.name, path, seeds, theirs)
    process = context.Process(target=work, args=arguments, daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is seen here
    return Job(one, row, process, ours, time.monotonic() + limit - row.seconds)


def _look(job, limit, keep):
    """Takes what a job has sent; None while it goes on, else its problem, "" for none."""
    try:
        while job.connection.poll():
            kind, *rest = job.connection.recv()
            job.ended = kind in ("done", "error")
            if job.ended:
                return "".join(rest)
            job.row.add(*rest)
            keep(job.claim)
    except EOFError:
        job.process.join(1)
        return f"its process died (exit status {job.process.exitcode}): see its memory"
    except ValueError as error:
        return str(error)
    return _too_slow(job.claim, job.row, limit) if time.monotonic() > job.deadline else None


def _too_slow(one, row, limit):
    cure = "make its experiment smaller, or give --limit once"
    return f"stopped: {row.seeds} of {one.seeds} seeds within {limit} s; {cure}"


def _end(job):
    """Ends a job's process: one that has said its last word in its own way, all others at once."""
    job.process.join(timeout=5 if job.ended else 0)
    job.process.kill()
    job.process.join()
    job.connection.close()
