"""Check of the path between two latents along an arc."""

import math

import torch

from dlcourse.checks.core import Check, Mistake, case


def _arc(a, b, steps):
    """From the two unit vectors: points on their circle, written as sums of the two."""
    u, v = a / a.norm(), b / b.norm()
    across = v - (u @ v) * u
    height = across.norm()
    t = torch.linspace(0, 1, steps, dtype=a.dtype)
    if height < 1e-4:
        return torch.outer(1 - t, a) + torch.outer(t, b)
    angle = t * torch.atan2(height, u @ v)
    share_b = angle.sin() / height
    share_a = angle.cos() - share_b * (u @ v)
    return torch.outer(share_a, a) + torch.outer(share_b, b)


def _slerp(a, b, steps, fault=None):
    t = torch.linspace(0, 1, steps, dtype=a.dtype)[:, None]
    t = t.flip(0) if fault == "backwards" else t
    if fault == "straight":
        return (1 - t) * a + t * b
    cosine = a @ b if fault == "lengths" else a @ b / (a.norm() * b.norm())
    omega = cosine.clamp(-1, 1).acos()
    if fault != "parallel" and omega.sin() < 1e-4:
        return (1 - t) * a + t * b
    wave = torch.cos if fault == "cosine" else torch.sin
    path = (wave((1 - t) * omega) * a + wave(t * omega) * b) / (
        1.0 if fault == "undivided" else omega.sin()
    )
    return path / path.norm(dim=1, keepdim=True) if fault == "unit" else path


def _bent(fault):
    return lambda *args: _slerp(*args, fault=fault)


def _ends(d, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(d, generator=generator, dtype=dtype) for _ in range(2)]


slerp = Check(
    "slerp",
    reference=_arc,
    rtol=1e-4,
    atol=1e-5,
    cases=[
        case("a quarter of a circle in 3 steps", torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]),
             3),
        case("60°, both of length 2", torch.tensor([2.0, 0.0]), torch.tensor([1.0, math.sqrt(3.0)]),
             4),
        case("lengths 1 and 3", torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, 3.0]), 5),
        case("64 latents in float64", *_ends(64, 0, torch.float64), 7),
        case("every second number of a row", _ends(10, 1)[0][::2], _ends(5, 2)[0], 4),
        case("twice the same direction: a straight line", torch.tensor([1.0, 2.0]),
             torch.tensor([2.0, 4.0]), 3),
        case("opposite directions: a straight line", torch.tensor([1.0, 2.0]).double(),
             torch.tensor([-2.0, -4.0]).double(), 4),
        case("twice the same point", torch.tensor([0.3, 0.1, 0.7]), torch.tensor([0.3, 0.1, 0.7]),
             3),
    ],
    mistakes=[
        Mistake("a straight line",
                "That cuts through the inside, "
                "where draws of N(0, I) in many dimensions never are.",
                _bent("straight")),
        Mistake("the angle of vectors that are not of length 1", "cos ω = a·b / (‖a‖ ‖b‖).",
                _bent("lengths")),
        Mistake("cosines for sines",
                "The shares are sin((1 − t) ω) and sin(t ω): 0 for b at the start.",
                _bent("cosine")),
        Mistake("not divided by sin ω", "At t = 0 the share of a must be 1, and it is sin ω.",
                _bent("undivided")),
        Mistake("from b to a", "t runs from 0 (all a) to 1 (all b).", _bent("backwards")),
        Mistake("everything is brought to length 1",
                "Latents have length about √d: leave it as it comes.", _bent("unit")),
        Mistake("no straight line where sin ω is about 0",
                "For equal and for opposite directions the formula divides by 0 or nearly so: "
                "where sin ω < 10⁻⁴ return (1 − t) a + t b.", _bent("parallel")),
    ],
)  # fmt: skip
