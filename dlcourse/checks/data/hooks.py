"""Check of recording activations by forward hooks."""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _record(
    model, names, x, clone=True, detach=True, remove=True, safely=True, inputs=False, last=False
):
    kept, modules = {}, dict(model.named_modules())

    def hook(name):
        def keep(module, given, output):
            value = given[0] if inputs else output
            value = value.detach() if detach else value
            kept[names[-1] if last else name] = value.clone() if clone else value

        return keep

    handles = [modules[name].register_forward_hook(hook(name)) for name in names]
    try:
        model(x)
    except RuntimeError:
        remove = remove and safely
        raise
    finally:
        for handle in handles if remove else []:
            handle.remove()
    return kept


def _network(kind, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inner = nn.Sequential(nn.Linear(5, 4), nn.Tanh())
        layers = [nn.Linear(3, 5), nn.ReLU(inplace=kind == "in place"), inner, nn.Linear(4, 2)]
        return nn.Sequential(*layers).double()


def _watch(function, kind, names, rows):
    """What was recorded, and in which state the model was left;
    kind "fails": its input has the wrong width."""
    model = _network(kind, seed=rows)
    x, runs = torch.linspace(-1, 1, rows * 3, dtype=torch.float64).reshape(rows, 3), []
    model.train(kind != "evaluation")
    model[0].register_forward_hook(lambda *given: runs.append(1))  # someone else's
    before = [module.training for module in model.modules()]
    kept = "an error of the model itself"
    try:
        kept = function(model, list(names), x[:, :2] if kind == "fails" else x)
        if kept is None:
            raise Untouched("None: is `return` missing?")
    except RuntimeError as error:
        if kind != "fails" or isinstance(error, NotImplementedError):
            raise
    hooks = [hook for module in model.modules() for hook in module._forward_hooks.values()]
    report = {
        "hooks on the model (one was there before)": len(hooks),
        "times the model ran": len(runs),
        "mode": before == [one.training for one in model.modules()],
    }
    outputs = kept.values() if isinstance(kept, dict) else ()
    graph = any(getattr(one, "requires_grad", False) for one in outputs)
    return {"activations": kept, "keeps a graph": graph} | report


def _option(**options):
    return lambda model, names, x: _record(model, names, x, **options)


def _everything(model, names, x):
    return _record(model, [name for name, _ in model.named_modules()], x)


record_activations = Check(
    "record_activations",
    reference=_record,
    probe=_watch,
    cases=[
        case("the first layer (kind of model, names, rows)", "plain", ("0",), 2),
        case("two layers, one of them inside a block", "plain", ("3", "2.0"), 4),
        case("a ReLU that works in place behind the first layer", "in place", ("0", "1"), 5),
        case("evaluation mode", "evaluation", ("2", "2.1"), 3),
        case("the model raises an error", "fails", ("0", "1"), 3),
    ],
    mistakes=[
        Mistake("the hooks stay on the model",
                "They would run, and keep memory, at every later step: "
                "call handle.remove() for each.",
                _option(remove=False)),
        Mistake("the hooks stay when something goes wrong",
                "If the model raises, the lines below are skipped: "
                "put the removal into a finally block.",
                lambda model, names, x: _leaves_them_on_error(model, names, x)),
        Mistake("the graph is kept",
                "Every recorded tensor would keep its whole past alive: output.detach().",
                _option(detach=False)),
        Mistake("a view of memory that changes",
                "A ReLU that works in place overwrites the tensor you kept: "
                "output.detach().clone().",
                _option(clone=False)),
        Mistake("the input is kept",
                "A hook is called as hook(module, inputs, output): the third one was asked for.",
                _option(inputs=True)),
        Mistake("every hook writes under the last name",
                "A function made in a loop looks the name up when it runs, and by then the loop is "
                "over. Make it in a function of its own that takes the name as argument.",
                _option(last=True)),
        Mistake("all modules are recorded", "Only those in names: model.get_submodule(name).",
                _everything),
    ],
)  # fmt: skip


def _leaves_them_on_error(model, names, x):
    kept = {}
    modules = dict(model.named_modules())
    handles = [
        modules[name].register_forward_hook(
            lambda m, i, o, name=name: kept.update({name: o.detach().clone()})
        )
        for name in names
    ]
    model(x)
    for handle in handles:
        handle.remove()
    return kept
