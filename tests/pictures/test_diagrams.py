"""The diagrams of architectures: nothing overlaps, and every shape is what the classes compute."""

import inspect
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
import torch
from layout import faults, parts, words

from dlcourse.models import cnn, gan, mlp, resnet, transformer, unet, vae
from dlcourse.pictures import diagrams
from dlcourse.plot import set_style

DRAWN = {
    "mlp": diagrams.mlp,
    "a deeper mlp": lambda: diagrams.mlp((64, 128, 128, 10)),
    "mlp with norm and dropout": lambda: diagrams.mlp((64, 32, 10), "batch\nnorm", "dropout"),
    "in-painter": diagrams.inpainter,
    "in-painter, small": lambda: diagrams.inpainter(32, 8),
    "lenet": diagrams.lenet,
    "lenet of four classes": lambda: diagrams.lenet(4),
    "residual block": diagrams.residual_block,
    "residual block with stride": lambda: diagrams.residual_block(16, 32, 2),
    "residual block with more channels": lambda: diagrams.residual_block(4, 8, 1, 5),
    "unet": diagrams.unet,
    "a small unet": lambda: diagrams.unet(3, 2, 16, 1, 32),
    "a deep unet": lambda: diagrams.unet(levels=4),
    "vae": diagrams.vae,
    "vae of two latents": lambda: diagrams.vae(2, 128, 14),
    "gan": diagrams.gan,
    "gan, narrow": lambda: diagrams.gan(100, 8),
    "transformer block": diagrams.transformer_block,
    "transformer block, wide": lambda: diagrams.transformer_block(128, 8),
}


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        set_style()
        yield
    plt.close("all")


def shapes(figure):
    return words(figure, "shape")


def said(x, length=None):
    """(3, 8, 4) → "(B, 8, 4)"; where `length` is given, that number is the length T."""
    sizes = ["T" if size == length else str(size) for size in x.shape[1:]]
    return f"(B, {', '.join(sizes)})" if sizes else "(B,)"


def outputs(model, modules, *inputs, **options):
    """What each of the modules returns when the model runs, as `said`; then what the model does."""
    seen = []
    hooks = [m.register_forward_hook(lambda _, __, out: seen.append(out)) for m in modules]
    result = model(*inputs, **options)
    [hook.remove() for hook in hooks]
    return [said(one) for one in seen], result


@pytest.mark.parametrize("name", DRAWN)
def test_a_diagram_has_no_fault(name):
    assert list(faults(DRAWN[name]())) == []


@pytest.mark.parametrize("name", DRAWN)
def test_a_diagram_explains_the_colours_that_it_uses(name):
    figure = DRAWN[name]()
    used = {
        patch.get_edgecolor() for patch in parts(figure, "box") if hasattr(patch, "get_boxstyle")
    }
    explained = {patch.get_edgecolor() for patch in parts(figure, "legend")}
    assert used == explained and {"learned layer", "data, input or output"} <= set(
        words(figure, "words")
    )


def test_the_sizes_are_those_that_the_classes_have_by_default():
    pairs = {
        diagrams.unet: unet.UNet, diagrams.vae: vae.VAE,
        diagrams.gan: gan.Generator,
    }  # fmt: skip
    for draw, model in pairs.items():
        ours, theirs = inspect.signature(draw).parameters, inspect.signature(model).parameters
        shared = set(ours) & set(theirs)
        assert len(shared) >= 2
        assert all(ours[name].default == theirs[name].default for name in shared)


@pytest.mark.parametrize("sizes", [(784, 256, 10), (64, 32), (8, 6, 5, 3)])
def test_the_shapes_of_an_mlp(sizes):
    x, model = torch.zeros(3, sizes[0]), mlp.MLP(sizes)
    layers, logits = outputs(model, model.layers, x)
    assert shapes(diagrams.mlp(sizes)) == [said(x), *layers, said(logits)]


def test_the_shapes_of_an_mlp_with_norm_and_dropout():
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(), torch.nn.Dropout(0.5),
        torch.nn.Linear(32, 10))  # fmt: skip
    x = torch.zeros(3, 64)
    layers, logits = outputs(model, model, x)
    figure = diagrams.mlp((64, 32, 10), "batch\nnorm", "dropout")
    assert shapes(figure) == [said(x), *layers, said(logits)]


def test_the_shapes_of_the_inpainter():
    layers = [torch.nn.Flatten(), torch.nn.Linear(128, 32), torch.nn.Linear(32, 32)]
    layers += [torch.nn.Linear(32, 64), torch.nn.Unflatten(1, (1, 8, 8))]
    x, model = torch.zeros(3, 2, 8, 8), torch.nn.Sequential(*layers)
    seen, filled = outputs(model, layers[1:4], x)
    assert shapes(diagrams.inpainter(32, 8)) == [said(x), *seen, *[said(filled)] * 2]


@pytest.mark.parametrize("classes", [10, 4])
def test_the_shapes_of_lenet(classes):
    x, model = torch.zeros(3, 1, 28, 28), cnn.LeNet(classes)
    maps, features = outputs(model.features, [model.features[k] for k in (0, 2, 3, 5)], x)
    linear, logits = outputs(model.classifier, model.classifier, features.flatten(1))
    expected = [said(x), *maps, said(features.flatten(1)), *linear, said(logits)]
    assert shapes(diagrams.lenet(classes)) == expected
    assert said(model(x)) == said(logits)


def test_an_mlp_needs_two_sizes():
    with pytest.raises(ValueError, match="at least an input and an output"):
        diagrams.mlp((3,))


@pytest.mark.parametrize("sizes", [(16, 16, 1, 28), (16, 32, 2, 28), (4, 8, 1, 5), (4, 4, 2, 7)])
def test_the_shapes_of_a_residual_block(sizes):
    inputs, channels, stride, size = sizes
    block, x = resnet.BasicBlock(inputs, channels, stride), torch.zeros(3, inputs, size, size)
    convs = [m for m in (*block.shortcut.modules(), block.conv1, block.conv2)
             if isinstance(m, torch.nn.Conv2d)]  # fmt: skip
    layers, result = outputs(block, convs, x)
    figure = diagrams.residual_block(*sizes)
    assert sorted(shapes(figure)) == sorted([said(x), *layers, said(result)])
    assert shapes(figure)[0] == said(x)
    assert any(word.startswith("Conv 1 × 1") for word in words(figure, "name")) == (len(convs) == 3)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_shapes_of_a_unet(levels):
    model, x = unet.UNet(2, 3, 4, levels).eval(), torch.zeros(3, 2, 32, 32)
    joined = []
    for block in model.merge:
        block.register_forward_pre_hook(lambda _, args: joined.append(said(args[0])))
    down, logits = outputs(model, model.down, x)
    up, _ = outputs(model, [m for k in range(levels) for m in (model.up[k], model.merge[k])], x)
    rising = [shape for k in range(levels) for shape in (up[2 * k], joined[k], up[2 * k + 1])]
    expected = [said(x), down[-1], *down[:-1], *rising, said(logits)]
    assert shapes(diagrams.unet(2, 3, 4, levels, 32)) == expected
    skips = [word for word in words(diagrams.unet(levels=levels), "words") if "skip" in word]
    assert len(skips) == levels


def test_the_shapes_of_a_vae():
    model, x = vae.VAE(), torch.zeros(3, 1, 28, 28)
    encoded, (mu, log_var) = outputs(model.encode, list(model.encoder)[1:], x)
    assert mu.shape == log_var.shape
    decoded, logits = outputs(model.decode, model.decoder, mu)
    latent = said(mu)
    expected = [said(x), *encoded, f"{latent} each", latent, latent, *decoded, said(logits)]
    assert shapes(diagrams.vae()) == expected


def test_the_shapes_of_a_gan():
    generator, discriminator = gan.Generator(16, 4), gan.Discriminator(4)
    z, real = torch.zeros(3, 16), torch.zeros(3, 1, 28, 28)
    up, fake = outputs(generator, [generator.layers[k] for k in (2, 3, 5)], z)
    down, logits = outputs(discriminator, [discriminator.layers[k] for k in (1, 2, 3)], real)
    assert shapes(diagrams.gan(16, 4)) == [
        said(z),
        *up,
        said(fake),
        said(real),
        *down,
        said(logits),
    ]


def test_the_shapes_of_a_transformer_block():
    block, x = transformer.Block(64, 4), torch.zeros(3, 7, 64)
    block.attend.watch = True
    layers, result = outputs(block, [block.attend, block.mlp[0], block.mlp[2]], x)
    query = block.attend.query(x).unflatten(2, (4, -1)).transpose(1, 2)
    figure, T = diagrams.transformer_block(), 7
    stream, wide, scores = said(x, T), said(block.mlp[0](x), T), said(block.attend.weights, T)
    assert [layers[0], layers[2]] == [said(result)] * 2 and stream == said(result, T)
    outside = [stream, stream, wide, stream, stream]
    inside = [stream, *[said(query, T)] * 3, scores, scores, said(query, T), stream]
    assert shapes(figure) == outside + inside


def test_what_is_called_learned_has_weights_and_what_is_not_has_none_to_speak_of():
    blue = parts(diagrams.vae(), "legend")[0].get_edgecolor()
    figure = diagrams.vae()
    names = zip(words(figure, "name"), parts(figure, "box"), strict=True)
    learned = [name for name, box in names if box.get_edgecolor() == blue]
    layers = [m for m in vae.VAE().modules() if isinstance(m, torch.nn.Linear)]
    assert learned == [f"Linear {m.in_features} → {m.out_features}" for m in layers]


def test_the_diagram_that_contributing_draws():
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(def autoencoder.*?)```", text, re.DOTALL).group(1)
    names = dict(vars(diagrams))
    exec(code, names)
    figure = names["autoencoder"]()
    assert list(faults(figure)) == []
    assert shapes(figure) == ["(B, 784)", "(B, 2)", "(B, 784)", "(B, 784)"]
