"""Day 04's morning: what a convolution learns from few data, and what its two assumptions, locality
and weight sharing, are worth where they hold and where they do not."""

from sklearn.svm import SVC

from dlcourse.release.claims.registry import claim

MORNING = "Day04-CNNs_part1_morning"
RATES = (1e-3, 3e-3, 1e-2)


def learnt_template(nb, seed):
    """Weights of a convolution that was trained on 51,200 traces."""
    nb.torch.manual_seed(seed)
    layer = nb.nn.Conv1d(1, 1, 97, bias=False)
    nb.train_on_echoes(layer, nb.wavelet, seed, steps=400)
    return layer


def cosine_with(nb, template, frequency):
    """Cosine of a template of 97 weights with a wavelet, both in the middle of 201 samples."""
    pair = (template, nb.ricker(frequency, nb.dt))
    a, b = (nb.F.pad(one, [100 - len(one) // 2] * 2) for one in pair)
    return nb.F.cosine_similarity(a, b, dim=0).item()


@claim(
    MORNING,
    "The weights have taken the shape of the wavelet, which the layer never saw without noise.",
    better="higher",
    trivial="before training",
)
def the_wavelet_is_learnt(nb, seed):
    template = learnt_template(nb, seed).weight.detach()[0, 0]
    nb.torch.manual_seed(seed)
    start = nb.nn.Conv1d(1, 1, 97, bias=False).weight.detach()[0, 0]
    return {
        "25 Hz": cosine_with(nb, template, 25),
        "20 Hz": cosine_with(nb, template, 20),
        "30 Hz": cosine_with(nb, template, 30),
        "before training": cosine_with(nb, start, 25),
    }


@claim(
    MORNING,
    "for 800 steps are not quite enough: with 4,000 (not shown) the two almost coincide.",
)
def more_steps_close_the_gap(nb, seed):
    """Mean distance from w/σ² within 30 ms of the peak."""
    gaps = {}
    for steps in (4000, 800):
        nb.torch.manual_seed(seed)
        layer = nb.nn.Conv1d(1, 1, 97, bias=False)
        nb.train_on_echoes(layer, nb.ricker(25, nb.dt), seed, steps)
        learnt = layer.weight.detach()[0, 0]
        gap = (learnt - nb.ricker(25, nb.dt) / 0.7**2)[18:79]
        gaps[steps] = gap.mean().abs().item()
    return {"4,000 steps": gaps[4000], "a fifth of that after 800": gaps[800] / 5}


@claim(
    MORNING,
    "Trained on the same 51,200 traces, the dense layer has a higher test loss than the "
    "convolution, whichever of three learning rates it is given.",
    trivial="guessing",
)
def sharing_needs_fewer_traces(nb, seed):
    shots = nb.echoes(2000, 256, nb.wavelet, noise=0.7, seed=10**6 + seed)

    def score(layer):
        return nb.F.cross_entropy(layer(shots.trace[:, None])[:, 0], shots.start).item()

    losses = {"convolution": score(learnt_template(nb, seed))}
    for rate in (0.05, 0.01, 0.002):
        nb.torch.manual_seed(seed)
        layer = nb.nn.Linear(256, 160, bias=False)
        nb.train_on_echoes(layer, nb.wavelet, seed, steps=400, rate=rate)
        losses[f"dense, rate {rate:g}"] = score(layer)
    return losses | {"guessing": nb.math.log(160)}


def mlp(nb, width):
    return lambda: nb.MLP((784, width, 10))


def commonest(nb):
    return nb.y_test[:5000].bincount().max() / 5000


@claim(
    MORNING,
    "With the pixels as they are, LeNet is clearly better than both MLPs, although the wider one "
    "has four times as many parameters.",
    better="higher",
    by=0.01,  # clearly: by more than a point
    trivial="commonest class",
)
def lenet_wins(nb, seed):
    """The MLPs at three rates each; and a rival that is no network, trained on the same images."""
    scores = {"LeNet": nb.compare(nb.cnn.LeNet, 3e-3, seed)}
    for rate in RATES:
        scores[f"MLP of its size, rate {rate:g}"] = nb.compare(mlp(nb, 78), rate, seed)
        scores[f"wide MLP, rate {rate:g}"] = nb.compare(mlp(nb, 312), rate, seed)
    generator = nb.torch.Generator().manual_seed(seed)
    rows = nb.torch.randperm(60_000, generator=generator)[:2000]
    machine = SVC(C=3).fit(nb.x_train[rows].flatten(1), nb.y_train[rows])
    test = nb.x_test[:5000].flatten(1)
    scores["support vector machine"] = machine.score(test, nb.y_test[:5000])
    return scores | {"commonest class": commonest(nb)}


@claim(
    MORNING,
    "With permuted pixels the advantage is gone: LeNet is now worse than the MLP of its own size.",
    better="higher",
    trivial="commonest class",
)
def permuted_pixels(nb, seed):
    """LeNet at two rates; at the third, 0.01, some of its runs do not learn at all."""
    return {
        "MLP of its size": nb.compare(mlp(nb, 78), 1e-2, seed, nb.order),
        "LeNet": nb.compare(nb.cnn.LeNet, 3e-3, seed, nb.order),
        "LeNet, rate 0.001": nb.compare(nb.cnn.LeNet, 1e-3, seed, nb.order),
        "commonest class": commonest(nb),
    }


@claim(
    MORNING,
    "After training, filters resemble their favourites more, on average.",
    better="higher",
    trivial="two random filters",
)
def trained_filters_resemble_their_favourites(nb, seed):
    """Before and after, of the same network; trained on 10,000 images instead of 60,000."""
    nb.torch.manual_seed(seed)
    model = nb.cnn.LeNet()
    filters, other = model.features[0].weight.detach(), nb.torch.randn(2, 6, 25)
    x = nb.x_test[:1000]
    before = nb.favourites(filters.clone(), x)[1].mean().item()
    nb.fit(model, nb.x_train[:10_000], nb.y_train[:10_000], 2, size=128, rate=3e-3, seed=seed)
    return {
        "trained": nb.favourites(filters, x)[1].mean().item(),
        "untrained": before,
        "two random filters": nb.F.cosine_similarity(*other).mean().item(),
    }
