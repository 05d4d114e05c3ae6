"""Day 07: real images with another label."""

from dlcourse.release.claims.registry import claim

CONDITIONAL = "Day07-GANs_conditionalGAN"


@claim(
    CONDITIONAL,
    "Wrong pairs win in every seed: most samples obey",  # the distance is another claim
    better="higher",
    trivial="chance",
    every_seed=True,
)
def wrong_pairs_obey(nb, seed):
    steps = {"wrong pairs": nb.matching_step, "projection alone": nb.conditional_step}
    obeyed = {
        name: nb.report(nb.runs(nb.projected, step, seeds=[seed]))["accuracy"][0]
        for name, step in steps.items()
    }
    return obeyed | {"chance": 0.1}
