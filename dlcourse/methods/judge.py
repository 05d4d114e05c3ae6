"""A judge of generated images: a small classifier of the real ones.
Its answers and its features are the ruler.

    judge = train_judge(CNN((1, 8, 16, 32)).to(device), images.mnist(), keep=cached)
    judge.distance(samples), judge.floor(), class_histogram(judge.classes(samples))

The Fréchet distance in these features is no FID,
which means the features of one particular Inception network, trained on photographs:
figures of two judges, or of two data sets, cannot be compared.
"""

import copy
import hashlib
import inspect

import torch
from torch.nn import functional as F

from dlcourse.metrics import accuracy, frechet_from_features, noise_floor
from dlcourse.train import descend, evaluating, smoke, train


class Judge:
    """A trained classifier that only looks, and the features of real images to compare with.

    network: `network(x)` → logits (N, C), `network.features(x)` → what they are computed from,
    of any shape. It is put into eval mode and stays there.
    reference: real images (N, 1, H, W), uint8 or float32 in [0, 1].
    """

    def __init__(self, network, reference):
        self.network = network.eval()
        self.reference = self.features(reference)

    def classes(self, x):
        """The class that each image seems to show:
        x (N, 1, H, W), uint8 or in [0, 1] → (N,) class numbers."""
        return self._look(self.network, x).argmax(dim=1)

    def features(self, x):
        """What the judge sees in each image: x (N, 1, H, W), uint8 or in [0, 1] → (N, D)."""
        return self._look(self.network.features, x)

    def distance(self, x):
        """Squared Fréchet distance of images x to the reference, in the judge's features.
        A 0-d float64 tensor on the CPU. Raises ValueError where x has NaN, or fewer than 2 images.
        """
        return frechet_from_features(self.features(x), self.reference)

    def floor(self, seed=0):
        """Squared Fréchet distance of two halves of the reference:
        what the best of samplers would get, about."""
        return noise_floor(self.reference, torch.Generator().manual_seed(seed))

    def _look(self, function, x):
        where = next(self.network.parameters()).device
        with evaluating(self.network):  # batch norm must not learn from what it judges
            return torch.cat([function(_ready(part.to(where))).flatten(1) for part in x.split(500)])


def train_judge(network, images, keep=None, n=20_000, epochs=2, seed=0):
    """A Judge: network trained on the first n real images,
    with the test images for its reference. Prints its accuracy.

    network: as in Judge; its weights are drawn anew from `seed`,
    so the judge is the same in every notebook.
    images: x, y, x_test, y_test and name, as dlcourse.data.images.mnist() gives them. keep:
    dlcourse.data.cache.cached, or None to train each time; what is kept is found again only by the
    same network, images and training. The global random state is left alone.
    Some 10 s on one core for CNN((1, 8, 16, 32)).
    """
    mode = "-smoke" if smoke() else ""
    digest = _identity(network, images.x[:n], images.y[:n])
    name = f"judge-{images.name.replace(' ', '-')}-{n}-{epochs}-{seed}{mode}-{digest}"

    def make():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            _fit(network, images.x[:n], images.y[:n], epochs)
        return {key: value.cpu() for key, value in network.state_dict().items()}

    network.load_state_dict(keep(name, make) if keep else make())
    judge = Judge(network, images.x_test)
    logits = judge._look(network, images.x_test)
    share = accuracy(logits, images.y_test.to(logits.device))
    print(f"judge: {100 * share:.1f} % of {len(logits):,} test images of {images.name} right")
    return judge


def _identity(network, x, y):
    """What the trained weights depend on besides numbers that the name shows, as 12 digits: layers,
    the code of classes that are not torch's, their settings, which weights learn, what the network
    makes of some images with weights of a known kind, the data, the training below."""
    described = hashlib.sha256(f"{network}{_source(_fit)}".encode())
    for module in network.modules():
        described.update(str(_settings(module)).encode())
        for kind in type(module).__mro__[:-1]:  # the last is object
            if not kind.__module__.startswith("torch."):
                methods = [one for one in vars(kind).values() if inspect.isfunction(one)]
                described.update(str([_source(one) for one in methods]).encode())
    described.update(str([p.requires_grad for p in network.parameters()]).encode())
    described.update(_answers(network, x[:2]).encode())
    for tensor in (x, y):
        described.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        described.update(tensor.cpu().numpy().tobytes())
    return described.hexdigest()[:12]


def _answers(network, x):
    """What a copy of the network makes of images x, to two digits: closures, constants and hooks
    show here and nowhere else. Its weights are a wave, which no machine draws differently."""
    probe = copy.deepcopy(network).cpu().eval()
    with torch.no_grad():
        for p in probe.parameters():
            if p.requires_grad:
                p.copy_(torch.arange(p.numel()).sin().view_as(p))
        shown = [probe(_ready(x.cpu())), probe.features(_ready(x.cpu())).flatten(1)]
    return " ".join(f"{value:.2g}" for one in shown for value in one.double().flatten().tolist())


def _source(function):
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # made by exec, say: then what Python made of it
        return f"{function.__code__.co_code}{function.__code__.co_names}"


def _settings(module):
    """Attributes that are neither layers nor tensors, e.g. an activation: name → what it is."""
    return {
        key: getattr(value, "__qualname__", value)
        for key, value in vars(module).items()
        if not key.startswith("_")
        and key != "training"
        and (callable(value) or isinstance(value, (bool, int, float, str, tuple)))
    }


def _fit(network, x, y, epochs):
    where = next(network.parameters()).device
    network.cpu().train()
    for module in network.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()  # drawn on the CPU: the same numbers on every device
    network.to(where)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)

    def step(rows):
        loss = F.cross_entropy(network(_ready(x[rows].to(where))), y[rows].to(where))
        descend(loss, optimiser)
        return {"loss": loss}

    for _ in range(epochs):
        list(train(step, torch.randperm(len(x)).split(128), progress=False))


def soften(x, sigma=1.0):
    """Images blurred by a Gaussian of `sigma` pixels: a mediocre sampler to compare with.

    x: (N, 1, H, W), uint8 or in [0, 1] → float32 in [0, 1]; the border counts as repeated.
    """
    reach = int(3 * sigma + 0.5)
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=x.device) / sigma) ** 2)
    bell = bell / bell.sum()
    x = F.pad(_ready(x), (reach, reach, reach, reach), mode="replicate")
    # Rows, then columns
    return F.conv2d(F.conv2d(x, bell[None, None, :, None]), bell[None, None, None, :])


def _ready(x):
    return x.float() / 255 if x.dtype == torch.uint8 else x
