"""Checkpoints: a run that was interrupted goes on as if nothing had happened, bit for bit.

save_checkpoint(path, model=model, optimiser=optimiser, generator=generator, epoch=3)
epoch = resume(path, model=model, optimiser=optimiser, generator=generator)["epoch"]
"""

import contextlib
import io
import os
import pickle
import secrets
import zipfile
from pathlib import Path

import torch

from dlcourse.device import get_rng_state, set_rng_state

FORMAT, VERSION = "dlcourse checkpoint", 1  # raise the version with any change of what a file holds


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be written or used. Its message says
    what is wrong and what to do."""


def save_checkpoint(path, **parts):
    """Writes all that a run needs in order to go on, between two epochs.

    parts: name=thing. Whatever has a state_dict (model, optimiser, scheduler, GradScaler, averaged
        weights) and every torch.Generator is stored by its state; numbers, strings, tensors and
        lists or dicts of them as they are. The global generators of Python, NumPy and PyTorch are
        always stored. The file is written aside and renamed when it is whole: an older one of that
        name is never lost. Raises TypeError for a part that could not be read back, CheckpointError
        where the file cannot be written.
    """
    if not parts:
        raise ValueError(
            "name what is to be saved, e.g. save_checkpoint(path, model=model, optimiser=optimiser)"
        )
    stateful = {name: part for name, part in parts.items() if _has_state(part)}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "rng": get_rng_state(),
        "kinds": {name: type(part).__name__ for name, part in stateful.items()},
        "states": {name: _get_state(part) for name, part in stateful.items()},
        "values": {name: part for name, part in parts.items() if name not in stateful},
    }
    _write(Path(path), _pack(content))


def resume(path, **parts):
    """Puts every part back into the state in which `save_checkpoint` found it,
    and the global generators as well.

    parts: name=thing with a state, under the names they were saved with, each built as in the first
    run. Returns a dict of the plain values that were saved, e.g. {"epoch": 3}. Everything is
    checked before anything is changed. Exact on the same machine and versions, for a file written
    between two epochs. Raises FileNotFoundError, or CheckpointError for a file that is damaged, of
    another version, of another model, or that holds other parts than those asked for.
    """
    for name, part in parts.items():
        if not _has_state(part):
            raise TypeError(
                f"{name} has no state to put back: plain values are what resume returns"
            )
    path = Path(path)
    content = _read(path)
    _check_names(path, content["states"], parts)
    for name, part in parts.items():
        _check_fit(path, name, part, content["kinds"][name], content["states"][name])
    for name, part in parts.items():
        state = content["states"][name]
        part.set_state(state) if isinstance(part, torch.Generator) else part.load_state_dict(state)
    set_rng_state(content["rng"])
    return content["values"]


def _has_state(part):
    return isinstance(part, torch.Generator) or (
        hasattr(part, "state_dict") and hasattr(part, "load_state_dict")
    )


def _get_state(part):
    return part.get_state() if isinstance(part, torch.Generator) else part.state_dict()


def _pack(content):
    """The file's bytes, read back once: what can't be read must not replace a file that can."""
    packed = _try_to_pack(content)
    if packed is None:
        entries = {**content["states"], **content["values"]}
        culprit = next(
            (name for name, entry in entries.items() if _try_to_pack(entry) is None), "a part"
        )
        raise TypeError(
            f"{culprit} holds something that could not be read back. Numbers, strings, tensors and "
            "lists or dicts of them are stored; turn NumPy's numbers into Python's with float(…) "
            "or .item()"
        )
    return packed


def _try_to_pack(content):
    buffer = io.BytesIO()
    try:
        torch.save(content, buffer)
        buffer.seek(0)
        torch.load(buffer, map_location="cpu", weights_only=True)
    except (pickle.PickleError, AttributeError, TypeError):
        return None
    return buffer.getvalue()


def _write(path, packed):
    # A name that nobody can foresee, and mode "x": no link that somebody has put there is followed.
    aside = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
    try:
        with open(aside, "xb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())  # on the disk before the old one goes
        os.replace(aside, path)
    except OSError as error:
        kept = ". The checkpoint that was there is untouched" if path.is_file() else ""
        raise CheckpointError(f"cannot write {path} ({error.strerror or error}){kept}") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _read(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no checkpoint {path}: start from the beginning, or look for it elsewhere"
        )
    packed = path.read_bytes()
    # as every file of torch.save does, and the first part of one as well
    if not packed.startswith(b"PK"):
        what = "empty: its writing was cut short" if not packed else "no file of torch.save"
        raise CheckpointError(f"{path} is {what}. It was left as it is; take an older checkpoint")
    try:
        content = _unpack(packed)
    except Exception as error:  # what a damaged archive raises depends on where it is damaged
        raise CheckpointError(
            f"{path} is truncated or damaged ({len(packed):,} bytes). It was left as it is; take "
            "an older checkpoint"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} was not written by save_checkpoint. If it holds the weights of a model alone, "
            "use model.load_state_dict(torch.load(path))"
        )
    if content["version"] != VERSION:
        raise CheckpointError(
            f"{path} was written in version {content['version']} of the format, this dlcourse "
            f"reads version {VERSION}: "
            "resume with the dlcourse that wrote it"
        )
    return content


def _unpack(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        broken = archive.testzip()  # torch.load itself does not look at the check sums
    if broken:
        raise zipfile.BadZipFile(f"{broken} has another check sum")
    return torch.load(io.BytesIO(packed), map_location="cpu", weights_only=True)


def _check_names(path, states, parts):
    unknown, unused = sorted(parts.keys() - states.keys()), sorted(states.keys() - parts.keys())
    if unknown:
        raise CheckpointError(
            f"{path} holds no {' and no '.join(unknown)}: it holds {', '.join(sorted(states))}"
        )
    if unused:
        raise CheckpointError(
            f"{path} also holds the state of {', '.join(unused)}, without which the run would go "
            "on otherwise: pass "
            f"{unused[0]}=… too. For one part alone take torch.load(path)['states'][name] and "
            "load_state_dict"
        )


def _check_fit(path, name, part, kind, state):
    if isinstance(part, torch.nn.Module):
        problem = _misfit(part.state_dict(), state)
    elif type(part).__name__ != kind:
        problem = f"it was of type {kind}, here it is {type(part).__name__}"
    elif isinstance(part, torch.optim.Optimizer):
        here, there = (
            [len(g["params"]) for g in one["param_groups"]] for one in (part.state_dict(), state)
        )
        problem = (
            "" if here == there else f"it had {there} parameters in its groups, here it has {here}"
        )
    else:
        problem = ""
    if problem:
        raise CheckpointError(f"{path} is of another {name}: {problem}. Nothing was changed")


def _misfit(here, there):
    """What keeps the stored state `there` from fitting a module with the
    state `here`; "" where it fits."""
    for what, keys in (
        ("lacks", here.keys() - there.keys()),
        ("has besides", there.keys() - here.keys()),
    ):
        if keys:
            return f"the file {what} {', '.join(sorted(keys)[:3])}{' …' if len(keys) > 3 else ''}"
    for key, value in here.items():
        if isinstance(value, torch.Tensor) and value.shape != there[key].shape:
            return (
                f"{key} has shape {tuple(there[key].shape)} in the file and {tuple(value.shape)} "
                "here"
            )
    return ""
