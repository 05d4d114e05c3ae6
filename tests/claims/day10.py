"""Day 10: the sampler's error with an exact score."""

from dlcourse.release.claims.registry import claim

MORNING = "Day10-Diffusion_models_morning"


@claim(
    MORNING,
    "Within the sampling noise: with an exact score and 250 steps **the sampler makes no visible "
    "error**.",
    by=-0.0019,  # half of the floor: what the notebook's milestone allows
)
def oracle_is_at_the_floor(nb, seed):
    perfect = nb.oracle(nb.means, nb.std, nb.cosine_abar)
    drawn = nb.sample(perfect, nb.torch.randn(10_000, 2), nb.cosine_abar, kind="score")
    return {
        "oracle": nb.against_real(drawn).mean(),
        "real points": nb.against_real(nb.islands(10_000)).mean(),
    }
