"""Check of single steps with momentum, run over whole trajectories; the judge is torch.optim.

Every step is a function of weights w, gradient g, its own state and the rate; it returns the new
weights and state.
"""

import torch

from dlcourse.checks.core import Check, Mistake, case


def rosenbrock(w):
    """Rosenbrock's curved valley (1960):
    (1 − w₀)² + 100 (w₁ − w₀²)², a 0-d tensor; minimum 0 at (1, 1)."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def _slope(w):
    w = w.detach().clone().requires_grad_()
    return torch.autograd.grad(rosenbrock(w), w)[0]


def _follow(states, counted=False):
    """A probe: runs function(w, g, *states, [t,] rate, …) step by step;
    the path, and the last states.

    gradients: (T, *shape), one for each step, or a number of steps on Rosenbrock's valley.
    """

    def probe(function, w, gradients, rate, settings):
        state, path = [torch.zeros_like(w) for _ in range(states)], []
        steps = gradients if isinstance(gradients, int) else len(gradients)
        for t in range(1, steps + 1):
            g = _slope(w) if isinstance(gradients, int) else gradients[t - 1].clone()
            handed = [w, g, *state]
            kept = [one.clone() for one in handed]
            got = function(*handed, *([t] if counted else []), rate, **settings)
            if got is None:
                raise TypeError("None came back: is `return` missing?")
            if not isinstance(got, (tuple, list)) or len(got) != 1 + states:
                many = {1: "two tensors, new w and v (or s)", 2: "three tensors, new w, m and s"}
                raise TypeError(f"return {many[states]}")
            if not all(torch.equal(one, was) for one, was in zip(handed, kept, strict=True)):
                raise ValueError(
                    "the step changed w, g or its state in place: make new tensors, w = w - …"
                )
            w, *state = got
            path.append(w)
        return {"path": torch.stack(path), "last state": state}

    return probe


def one_step(make, w, g, t, **state):
    """Weights and state after step t of torch.optim; make([weight]) → optimiser."""
    weight = torch.nn.Parameter(w.detach().clone())
    weight.grad = g.clone()
    optimiser = make([weight])
    optimiser.state[weight] = {"step": torch.tensor(float(t - 1))} | {
        name: one.clone() for name, one in state.items()
    }
    optimiser.step()
    return weight.detach(), *(optimiser.state[weight][name] for name in state)


def _random(seed, steps, *shape):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(steps + 1, *shape, generator=generator, dtype=torch.float64)
    return draw[0], draw[1:]


def _cases(rate, *settings):
    """settings: dicts of keyword arguments; the first one serves several cases, each other one a
    case of its own."""
    one, two = torch.tensor([1.0], dtype=torch.float64), torch.tensor([[2.0]], dtype=torch.float64)
    pair = torch.tensor([[2.0], [-1.0]], dtype=torch.float64)
    first, valley = settings[0], torch.tensor([-1.2, 1.0], dtype=torch.float64)
    others = [
        case("four steps with " + ", ".join(f"{name} = {value}" for name, value in one_set.items()),
             *_random(seed, 4, 2, 3), 0.03, one_set)
        for seed, one_set in enumerate(settings[1:], start=2)
    ]  # fmt: skip
    return [
        case("one step: weight 1, gradient 2", one, two, 0.1, first),
        case("two steps: gradients 2 and −1", one, pair, 0.1, first),
        case("five steps of a 3×2 matrix, defaults", *_random(0, 5, 3, 2), 0.05, {}),
        *others,
        case("gradients of 1e-8", one, 1e-8 * _random(1, 4, 1)[1], 0.1, first),
        case("50 steps in Rosenbrock's valley", valley, 50, rate, first),
    ]


def _sgd(w, g, v, rate, momentum=0.9):
    return one_step(
        lambda weights: torch.optim.SGD(weights, rate, momentum=momentum),
        w,
        g,
        1,
        momentum_buffer=v,
    )


def _momentum(velocity, position):
    def step(w, g, v, rate, momentum=0.9):
        v = velocity(v, g, rate, momentum)
        return position(w, g, v, rate, momentum), v

    return step


def _downhill(w, g, v, rate, momentum):
    return w - rate * v


EMA = Mistake(
    "the velocity is an average",
    "Here, and in torch.optim.SGD, v ← μ v + g: the gradient is added whole, "
    "without the factor 1 − μ.",
    _momentum(lambda v, g, rate, m: m * v + (1 - m) * g, _downhill),
)
REVERSED = Mistake(
    "momentum convention reversed",
    "μ is the share of the old velocity that stays: v ← μ v + g, μ = 0.9 keeps nine tenths.",
    _momentum(lambda v, g, rate, m: (1 - m) * v + m * g, _downhill),
)
RATE_INSIDE = Mistake(
    "the rate is inside the velocity",
    "v ← μ v + g holds gradients only, and the rate comes with the step w − η v: "
    "so a change of the rate acts at once.",
    _momentum(lambda v, g, rate, m: m * v + rate * g, lambda w, g, v, rate, m: w - v),
)

momentum_step = Check(
    "momentum_step",
    reference=_sgd,
    probe=_follow(1),
    cases=lambda: _cases(2e-4, {"momentum": 0.8}, {"momentum": 0.6}),
    rtol=1e-6,
    mistakes=[
        EMA,
        REVERSED,
        RATE_INSIDE,
        Mistake("the new gradient fades as well",
                "The newest gradient counts whole, μ⁰ = 1: only the old velocity is multiplied by "
                "μ.",
                _momentum(lambda v, g, rate, m: m * (v + g), _downhill)),
        Mistake("uphill", "The velocity is made of gradients, and they point uphill: subtract.",
                _momentum(lambda v, g, rate, m: m * v + g, lambda w, g, v, rate, m: w + rate * v)),
        Mistake("the old velocity moves the weights", "First v, then w with the new v.",
                lambda w, g, v, rate, momentum=0.9: (w - rate * v, momentum * v + g)),
        Mistake("there is no momentum", "Without the term μ v this is plain gradient descent.",
                _momentum(lambda v, g, rate, m: g, _downhill)),
    ],
)  # fmt: skip
