"""The checks of the notebook on Wasserstein GANs: wrong answers no table foresees,
right ones written differently."""

import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, assert_caught, assert_passes, message
from torch import nn

from dlcourse.checks.wgan import clinic as broken_critics
from dlcourse.checks.wgan import critics, gradient_penalty, lipschitz, wasserstein
from dlcourse.checks.wgan import step as wgan
from dlcourse.data import toy
from dlcourse.methods import wgan as library
from dlcourse.train import descend

pytestmark = WARNINGS_ARE_ERRORS


def by_sinkhorn(cost, p, q):
    """Entropic transport: right sums, not the cheapest."""
    kernel = (-cost / cost.max() / 0.2).exp()
    v = torch.ones_like(q)
    for _ in range(500):
        u = p / (kernel @ v)
        v = q / (kernel.T @ u)
    return u[:, None] * kernel * v


def shares_forgotten(cost, p, q):
    n, m = cost.shape
    return library.transport_plan(
        cost, torch.full((n,), 1 / n).double(), torch.full((m,), 1 / m).double()
    )


def penalty_at_random_points(critic, real, fake):
    x = torch.randn_like(real).requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def detached_norm(critic, real, fake):
    eps = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype)
    x = (eps * real + (1 - eps) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    length = slope.flatten(1).norm(dim=1)
    # the value is right, the gradient half of it
    return ((length - 1) * (length - 1).detach()).mean()


def fresh_normals(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight=10.0):
    latents = torch.Generator().manual_seed(0)
    z = torch.randn(z.shape, generator=latents, dtype=z.dtype)
    return library.wgan_step(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight)


def generator_first(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight=10.0):
    loss_g = -critic(generator(z[-1])).mean()
    descend(loss_g, optimiser_g)
    for real, latents in zip(x, z, strict=False):
        fake = generator(latents).detach()
        loss = fake_minus_real(critic, real, fake)
        descend(loss + weight * penalty(critic, real, fake), optimiser_c)
    return {"distance": -loss, "G": loss_g}


def generator_in_the_loop(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight=10.0):
    for real, latents in zip(x, z, strict=False):
        fake = generator(latents).detach()
        loss = fake_minus_real(critic, real, fake)
        descend(loss + weight * penalty(critic, real, fake), optimiser_c)
        loss_g = -critic(generator(z[-1])).mean()
        descend(loss_g, optimiser_g)
    return {"distance": -loss, "G": loss_g}


def fake_minus_real(critic, real, fake):
    return critic(fake).mean() - critic(real).mean()


def zeroed(model, limit):
    outside = [p.abs() > limit for p in model.parameters()]
    with torch.no_grad():
        for parameter, out in zip(model.parameters(), outside, strict=True):
            parameter[out] = 0.0
    return sum(out.sum().item() for out in outside) / sum(out.numel() for out in outside)


class Grouped(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = critics._Critic(width, "groups")

    def forward(self, x):
        return self.layers(x)


class Averaging(nn.Module):
    """Subtracts the mean of the batch at the end: no batch norm by name, and the same disease."""

    def __init__(self, width):
        super().__init__()
        self.layers = critics._Critic(width)

    def forward(self, x):
        value = self.layers(x)
        return value - value.mean()


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "entropic": (
        wasserstein.transport_plan,
        by_sinkhorn,
        "cheapest single way",
        "cost of the whole plan",
    ),
    "equal shares": (
        wasserstein.transport_plan,
        shares_forgotten,
        "3 places to 4",
        "leaves each place",
    ),
    "medians": (
        wasserstein.critic_loss,
        lambda real, fake: fake.median() - real.median(),
        "2 real, 3 fake",
        "got",
    ),
    "half": (
        wasserstein.critic_loss,
        lambda real, fake: (fake.mean() - real.mean()) / 2,
        "one of each",
        "0.5 times",
    ),
    "cut to 0": (lipschitz.clip_weights, zeroed, "limit ½", "weights"),
    "a random direction": (
        lipschitz.largest_singular_value,
        lambda weight, steps: weight.norm(dim=1).max(),
        "3 × 5",
        "got",
    ),
    "anywhere": (
        gradient_penalty.gradient_penalty,
        penalty_at_random_points,
        "two numbers",
        "beyond the ends: ε is not in [0, 1]",
    ),
    "half a gradient": (
        gradient_penalty.gradient_penalty,
        detached_norm,
        "two numbers",
        "another gradient",
    ),
    "not the latents given": (wgan.wgan_step, fresh_normals, "two steps of the", "returned"),
    "G before the critic": (
        wgan.wgan_step,
        generator_first,
        "two steps of the critic",
        "generator, critic, critic",
    ),
    "G in the critic's loop": (
        wgan.wgan_step,
        generator_in_the_loop,
        "two steps of the critic",
        "critic, generator, critic, generator",
    ),
    "group norm": (critics.Critic, Grouped, "width 2", "compared with what its weights give"),
    "a mean over the batch": (
        critics.Critic,
        Averaging,
        "width 2",
        "a value depends on its own example only",
    ),
    "a fault not listed": (
        broken_critics.diagnose_critics,
        lambda: dict.fromkeys("ABCD", "bad luck"),
        "patient A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    assert_caught(check, wrong, label, says)


def by_equations(cost, p, q):
    from scipy.optimize import linprog

    n, m = cost.shape
    rows = []
    for i in range(n):
        one = torch.zeros(n, m)
        one[i] = 1
        rows.append(one.flatten())
    for j in range(m):
        one = torch.zeros(n, m)
        one[:, j] = 1
        rows.append(one.flatten())
    found = linprog(
        cost.numpy().ravel(), A_eq=torch.stack(rows).numpy(), b_eq=torch.cat([p, q]).numpy()
    )
    return torch.tensor(found.x).view(n, m)


def as_array(cost, p, q):
    return library.transport_plan(cost, p, q).numpy()


def by_backward_sum(critic, real, fake):
    shape = (real.shape[0],) + (1,) * (real.ndim - 1)
    a = torch.empty(shape, dtype=real.dtype).uniform_()
    x = torch.lerp(fake, real, a.expand_as(real)).clone().requires_grad_(True)
    value = critic(x)
    slope = torch.autograd.grad(
        value, x, grad_outputs=torch.ones_like(value), create_graph=True, retain_graph=True
    )[0]
    length = (slope.reshape(len(x), -1) ** 2).sum(1).add(1e-12).sqrt()
    return torch.mean((length - 1.0) ** 2)


def from_the_fakes_end(critic, real, fake):
    eps = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype)
    return library.gradient_penalty(critic, fake, real) + 0 * eps.sum()


def step_by_hand(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight=10.0):
    for number in range(x.shape[0]):
        fake = generator(z[number]).detach()
        optimiser_c.zero_grad()
        distance = critic(x[number]).mean() - critic(fake).mean()
        (weight * penalty(critic, x[number], fake) - distance).backward()
        optimiser_c.step()
    optimiser_g.zero_grad()
    loss_g = -critic(generator(z[-1])).mean()
    loss_g.backward()
    optimiser_g.step()
    return {"G": loss_g.item(), "distance": distance.item()}


def clip_by_data(model, limit):
    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    for parameter in model.parameters():
        parameter.data = parameter.data.clamp(-limit, limit)
    return (flat.abs() > limit).double().mean().item()


def by_the_square(weight, steps=20):
    """Half a step further at the end: within the tolerance."""
    v = torch.arange(weight.shape[1], dtype=weight.dtype).cos()[:, None]
    for _ in range(steps):
        v = nn.functional.normalize(weight.mT @ (weight @ v), dim=0)
    return (weight @ v).norm()


def from_a_random_start(weight, steps=20):
    v = torch.randn(weight.shape[1], dtype=weight.dtype, generator=torch.Generator().manual_seed(3))
    for _ in range(steps):
        v = nn.functional.normalize(weight.T @ (weight @ v), dim=0)
    return (weight @ v).norm()


def one_by_one(critic, real, fake):
    squares = []
    for x, other in zip(real, fake, strict=True):
        point = torch.lerp(other, x, torch.rand((), dtype=x.dtype))[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
        squares.append((torch.linalg.vector_norm(slope) - 1) ** 2)
    return torch.stack(squares).mean()


def by_vmap(critic, real, fake):
    eps = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype)
    slope = torch.func.grad(lambda x: critic(x[None]).sum())
    slopes = torch.func.vmap(slope)(torch.lerp(fake, real, eps.expand_as(real)))
    return (slopes.flatten(1).norm(dim=1) - 1).square().mean()


def replaced(model, limit):
    """New parameters, which no optimiser knows."""
    count = sum(p.numel() for p in model.parameters())
    outside = sum((p.abs() > limit).sum().item() for p in model.parameters())
    for module in model.modules():
        for name, p in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(p.detach().clamp(-limit, limit)))
    return outside / count


class Layered(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.last = nn.Conv2d(2 * width, 1, 7, bias=False)
        self.first, self.second = nn.Conv2d(1, width, 4, 2, 1), nn.Conv2d(width, 2 * width, 4, 2, 1)

    def forward(self, x):
        for conv in (self.first, self.second):
            x = nn.functional.leaky_relu(conv(x), 0.2)
        return self.last(x)[:, 0, 0, 0]


RIGHT = {
    "equations one by one": (wasserstein.transport_plan, by_equations),
    "minus the difference": (
        wasserstein.critic_loss,
        lambda real, fake: -(real.mean() - fake.mean()),
    ),
    "through data": (lipschitz.clip_weights, clip_by_data),
    "the square's eigenvector": (lipschitz.largest_singular_value, by_the_square),
    "example by example": (gradient_penalty.gradient_penalty, one_by_one),
    "vmap": (gradient_penalty.gradient_penalty, by_vmap),
    "grad_outputs and a root": (gradient_penalty.gradient_penalty, by_backward_sum),
    "ε counts from the fakes": (gradient_penalty.gradient_penalty, from_the_fakes_end),
    "a step by hand": (wgan.wgan_step, step_by_hand),
    "layers in another order": (critics.Critic, Layered),
}


@pytest.mark.parametrize(("check", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_written_differently_passes(check, answer, capfd):
    assert_passes(check, answer, capfd)


def seeded_anew(critic, real, fake):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return library.gradient_penalty(critic, real, fake)


WRONG = {  # check, answer, what the message must say
    "an array": (wasserstein.transport_plan, as_array, "kind of the plan"),
    "another start": (lipschitz.largest_singular_value, from_a_random_start, "difference"),
    "new parameters": (lipschitz.clip_weights, replaced, "parameters replaced by others"),
    "a row of one": (
        gradient_penalty.gradient_penalty,
        lambda *args: library.gradient_penalty(*args)[None],
        "1-d tensor",
    ),
    "the same ε in each call": (
        gradient_penalty.gradient_penalty,
        seeded_anew,
        "other points at the next call",
    ),
    "no gradient": (
        wasserstein.critic_loss,
        lambda real, fake: library.critic_loss(real, fake.detach()),
        "gradient by fake",
    ),
}


@pytest.mark.parametrize(("check", "answer", "says"), WRONG.values(), ids=WRONG)
def test_wrong_kinds_are_caught(check, answer, says):
    assert says in message(check, answer)


def test_a_share_that_is_not_returned_is_no_blank():
    def silent(model, limit):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.clamp_(-limit, limit)

    assert "share returned" in message(lipschitz.clip_weights, silent)


@pytest.mark.slow
@pytest.mark.parametrize("patient", ["healthy", *"ABCD"])
def test_every_patient_shows_its_sign(patient):
    points, _ = toy.ring(2000, modes=8, radius=2.0, noise=0.1)
    run = broken_critics.broken_critic(patient, points, rounds=160)
    estimate, slope = run["estimate"][-60:], run["slope"][-60:]
    signs = {
        "healthy": 0.5 < slope.mean() < 2 and abs(estimate.mean()) < 5,
        "A": slope.max() < 0.7,
        "B": estimate.min() > 2 and run["samples"].abs().mean() > 4,
        "C": slope.mean() > 3,
        "D": estimate.max() < -2,
    }
    assert signs[patient]


def test_a_patient_is_the_same_again_and_leaves_the_global_generator_alone():
    points, _ = toy.ring(500, modes=8, radius=2.0)
    state = torch.get_rng_state()
    first, second = (broken_critics.broken_critic("A", points, rounds=4) for _ in range(2))
    assert torch.equal(first["estimate"], second["estimate"]) and torch.equal(
        state, torch.get_rng_state()
    )
    with pytest.raises(KeyError, match="no patient"):
        broken_critics.broken_critic("E", points)
