"""Checks of modules: what is a parameter and what is a buffer."""

import copy

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.words import Remark


def _values(parameter):
    """Numbers for a parameter, the same for the same shape."""
    return torch.linspace(-1, 1, parameter.numel()).view(parameter.shape)


# at what of an Affine, if its parameters have the right shapes
LOOKED_AT = (
    "standard deviation of the first weights × √inputs",
    "two layers start with the same weights",
    "output",
    "gradients",
)


def _affine(make, inputs, outputs, x):
    """What makes a layer: its parameters, its start, its output for given weights, gradients."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module, twin = make(inputs, outputs), make(inputs, outputs)
    if not isinstance(module, nn.Module):
        raise TypeError("this is no module: write class Affine(nn.Module)")
    shapes = {name: list(parameter.shape) for name, parameter in module.named_parameters()}
    if shapes != {"weight": [outputs, inputs], "bias": [outputs]}:
        plain = [name for name in ("weight", "bias") if name not in shapes
                 and isinstance(getattr(module, name, None), torch.Tensor)]  # fmt: skip
        found = {
            "parameters": shapes | dict.fromkeys(plain, Remark("a plain tensor, not a parameter"))
        }
        return found | dict.fromkeys(LOOKED_AT, "not looked at")
    alike = torch.equal(module.weight, twin.weight) and module.weight.any()
    spread = module.weight.detach().std().item() * inputs**0.5
    if inputs * outputs < 64 or 0.3 < spread < 2:
        spread = "about 1"
    else:
        spread = "0" if spread == 0 else "more than 2" if spread > 2 else "less than 0.3"
    module = module.to(x.dtype)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(_values(parameter))
    x = x.detach().requires_grad_()
    y = module(x)
    y.square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    found = spread, bool(alike), y.detach(), gradients | {"x": x.grad}
    return {"parameters": shapes} | dict(zip(LOOKED_AT, found, strict=True))


class _Layer(nn.Module):
    """A layer by hand, with one fault."""

    fault = None

    def __init__(self, inputs, outputs):
        if self.fault != "no super":
            super().__init__()
        shape = (inputs, outputs) if self.fault == "transposed" else (outputs, inputs)
        scale = {"unscaled": 8.0, "zeros": 0.0, "outputs": outputs**-0.5}.get(
            self.fault, inputs**-0.5
        )
        kind = torch.as_tensor if self.fault == "tensors" else nn.Parameter
        self.weight = kind(scale * torch.randn(shape))
        if self.fault == "wrapped too early":
            self._parameters.pop("weight")
            self.weight = nn.Parameter(torch.randn(shape)) * scale
        if self.fault != "no bias":
            self.bias = kind(torch.zeros(outputs))

    def forward(self, x):
        if self.fault == "no bias":
            return x @ self.weight.T
        if self.fault == "data":
            return x @ self.weight.data.T + self.bias
        return x @ (self.weight if self.fault == "transposed" else self.weight.T) + self.bias


def _layer(fault):
    return type("Affine", (_Layer,), {"fault": fault})


def _batch(seed, *shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


Affine = Check(
    "Affine",
    reference=nn.Linear,
    probe=_affine,
    cases=lambda: [
        case("2 inputs, 1 output", 2, 1, torch.tensor([[1.0, 2.0]])),
        case("3 inputs, 3 outputs, 4 examples", 3, 3, _batch(0, 4, 3)),
        case("a batch of sequences (2, 5, 3)", 3, 4, _batch(1, 5, 2, 3).transpose(0, 1)),
        case("20 inputs, 30 outputs, float64", 20, 30, _batch(2, 6, 20, dtype=torch.float64)),
        case("one example (300,), 6 outputs", 300, 6, _batch(3, 300)),
    ],
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("plain tensors",
                "A module knows only what is wrapped: self.weight = nn.Parameter(…). Otherwise "
                "parameters() is empty and no optimiser will ever move it.", _layer("tensors")),
        Mistake("the weight is stored as (inputs, outputs)",
                "As in nn.Linear: weight (outputs, inputs), "
                "and x @ weight.T in forward.", _layer("transposed")),
        Mistake("super().__init__() is missing",
                "nn.Module must set up its own lists before you assign a parameter: "
                "call super().__init__() first.", _layer("no super")),
        Mistake("no bias", "An affine map is x Wᵀ + b: one number more for each output.",
                _layer("no bias")),
        Mistake("all weights start with the same value",
                "Then every output is the same and stays the same (Day 1). "
                "Draw them at random.", _layer("zeros")),
        Mistake("the start is not scaled",
                "A sum over n inputs needs weights of about 1/√n (Day 2).", _layer("unscaled")),
        Mistake("not scaled by the inputs",
                "The sum in x Wᵀ runs over the inputs, so the standard deviation must be about "
                "1/√inputs: not 1/√outputs, nor 0.29 as that of torch.rand.",
                _layer("outputs")),
        Mistake("wrapped too early",
                "nn.Parameter(…) / √inputs is a plain tensor again: divide first, wrap last.",
                _layer("wrapped too early")),
        Mistake("gradients are cut off",
                ".data and .detach() leave the graph: use self.weight itself in forward.",
                _layer("data")),
    ],
)  # fmt: skip


def _standardise(make, data, x):
    """What a module with fixed statistics must have:
    no parameters, a state, a dtype that follows."""
    module = make(data)
    state = {name: value.numel() for name, value in module.state_dict().items()}
    parameters = [name for name, _ in module.named_parameters()]
    first = module(x)
    other = make(x)  # built on other data, then given the first one's state
    other.load_state_dict(module.state_dict(), strict=False)
    return {"parameters": parameters, "numbers in the state": state, "output": first,
            "output after load_state_dict": other(x),
            "dtype after .double()": str(copy.deepcopy(module).double()(x.double()).dtype),
            "statistics follow .half()": {str(b.dtype)
                                          for b in copy.deepcopy(module).half().buffers()}
            == {"torch.float16"}}  # fmt: skip


class _Statistics(nn.Module):
    """(x − mean) / std with fixed statistics; `fault` names how they are kept."""

    fault = None

    def __init__(self, data):
        super().__init__()
        for name, value in (("mean", data.mean(0)), ("std", data.std(0))):
            if self.fault == "plain":
                setattr(self, name, value)
            elif self.fault == "parameter":
                setattr(self, name, nn.Parameter(value))
            else:
                self.register_buffer(name, value, persistent=self.fault != "forgotten")

    def forward(self, x):
        if self.fault == "own":
            return (x - x.mean(0)) / x.std(0)
        return x / self.std - self.mean if self.fault == "brackets" else (x - self.mean) / self.std


def _keeps(fault):
    return type("Standardise", (_Statistics,), {"fault": fault})


Standardise = Check(
    "Standardise",
    reference=_Statistics,
    probe=_standardise,
    cases=lambda: [
        case("one feature", torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [4.0], [8.0]])),
        case("three features of different scale",
             (_batch(0, 8, 3) + 1) * torch.tensor([0.001, 1.0, 100.0]),
             _batch(1, 4, 3) * torch.tensor([0.001, 1.0, 100.0])),
    ],
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("plain attributes",
                "A plain attribute is not in the state_dict, so it is not saved, and .to(device) "
                "and .double() leave it behind: self.register_buffer('mean', …).", _keeps("plain")),
        Mistake("parameters",
                "An optimiser would train them. "
                "What is fixed but belongs to the module is a buffer.",
                _keeps("parameter")),
        Mistake("not in the state_dict",
                "persistent=False keeps the buffer out of the file: leave it out.",
                _keeps("forgotten")),
        Mistake("statistics of the batch at hand",
                "forward uses the mean and std of the training data, kept since __init__. "
                "Otherwise an example's answer depends on its neighbours.",
                _keeps("own")),
        Mistake("divided before the mean is subtracted", "Brackets: (x − mean) / std.",
                _keeps("brackets")),
    ],
)  # fmt: skip
