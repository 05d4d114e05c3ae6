"""The earth mover's distance W,
and a generative adversarial network (GAN) whose critic estimates it.

W by linear programming; what a critic minimises, and three ways to bound its slope: clipped weights
(Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN"), a gradient penalty (Gulrajani et al. 2017,
"Improved training of Wasserstein GANs"), spectral norm (Miyato et al. 2018). A critic gives each
example one number, in the units of the distance: no logit.
"""

import torch

from dlcourse.train import descend


def transport_plan(cost, p, q):
    """The cheapest way to carry p to q, by linear programming;
    (plan * cost).sum() is the earth mover's distance.

    cost: (N, M) of carrying one unit from i to j. p: (N,), q: (M,) shares, both sum to 1; float64.
    Returns the plan (N, M), how much goes from i to j.
    Kantorovich (1942); solver: HiGHS through SciPy.
    """
    from scipy.optimize import linprog

    n, m = cost.shape
    leaves = torch.eye(n, dtype=cost.dtype).repeat_interleave(m, dim=1)  # (N, N·M): what leaves i
    arrives = torch.eye(m, dtype=cost.dtype).repeat(1, n)  # (M, N·M): what arrives at j
    equations, sums = torch.cat([leaves, arrives]).numpy(), torch.cat([p, q]).numpy()
    solution = linprog(cost.flatten().numpy(), A_eq=equations, b_eq=sums, bounds=(0, None))
    return torch.from_numpy(solution.x).reshape(n, m)


def critic_loss(real, fake):
    """What the critic minimises: mean f(fake) − mean f(real).
    Arjovsky et al. (2017), equation 2, negated.

    real, fake: its values for real and for generated examples, any shapes. Returns a 0-d tensor;
    its negative estimates the earth mover's distance as far as the slope of f is at most 1.
    """
    return fake.mean() - real.mean()


def clip_weights(model, limit):
    """Brings every parameter of the model into [−limit, limit], in place.
    Arjovsky et al. (2017), algorithm 1.

    Returns the share of the parameters that were outside, a float.
    """
    outside, count = 0, 0
    with torch.no_grad():
        for parameter in model.parameters():
            outside += (parameter.abs() > limit).sum().item()
            count += parameter.numel()
            parameter.clamp_(-limit, limit)
    return outside / count


def gradient_penalty(critic, real, fake):
    """Mean of (‖∇f‖ − 1)² at random points between real and fake.
    Gulrajani et al. (2017), equation 3, without λ.

    critic: (B, …) → B values, each of its own example only (no batch norm). real, fake: (B, …), the
    same shape. Returns a 0-d tensor with a gradient by the critic's weights.
    """
    # (B, 1, …)
    eps = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype, device=real.device)
    between = (eps * real + (1 - eps) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def wgan_step(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight=10.0):
    """A step of the critic for each batch in x, then one of the generator.
    Gulrajani et al. (2017), algorithm 1.

    x: (n_critic, B, …) real examples.
    z: (n_critic + 1, B, latents), the last for the generator's step.
    penalty: penalty(critic, real, fake) → 0-d tensor, e.g. gradient_penalty; weight: λ.
    Returns {"distance": the critic's last estimate, "G": the generator's loss}.
    """
    for real, latents in zip(x, z, strict=False):
        with torch.no_grad():
            fake = generator(latents)
        loss = critic_loss(critic(real), critic(fake))
        descend(loss + weight * penalty(critic, real, fake), optimiser_c)
    loss_g = -critic(generator(z[-1])).mean()
    descend(loss_g, optimiser_g)
    return {"distance": -loss, "G": loss_g}


def largest_singular_value(weight, steps=20):
    """Largest singular value of a matrix (N, M) by power iteration. Miyato et al. (2018).

    The start (1, cos 1, cos 2, …) is orthogonal to no row of whole numbers but 0; a vector of ones
    is to each row of a Sobel kernel. Two products with the matrix a step, nothing is decomposed.
    Returns a 0-d tensor, 0 for a matrix of zeros.
    """
    v = torch.arange(weight.shape[1], dtype=weight.dtype, device=weight.device).cos()
    for _ in range(steps):
        u = weight @ v
        u = u / u.norm().clamp(min=1e-12)
        v = weight.T @ u
        v = v / v.norm().clamp(min=1e-12)
    return u @ weight @ v
