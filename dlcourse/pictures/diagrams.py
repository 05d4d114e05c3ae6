"""Diagrams of the architectures that the course builds, with the shape of what leaves each box.

Every function returns the figure. They take the sizes that the classes of `dlcourse.models` take,
with the same defaults; the tests run those classes and compare every shape.
"""

from itertools import pairwise

from dlcourse.pictures.boxes import SKIP, Arrow, Box, Group, Skip, chain, column, row
from dlcourse.pictures.drawing import draw_diagram


def _shape(*sizes):
    return f"(B, {', '.join(map(str, sizes))})"


def mlp(sizes=(784, 256, 10), norm="", dropout=""):
    """A multi-layer perceptron, `dlcourse.models.mlp.MLP`: linear layers with ReLU between them.

    sizes: features of every layer, input first. norm, dropout: names of what stands before and
    after every ReLU, where something does, e.g. "batch\nnorm" and "dropout". Raises ValueError for
    fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"an MLP needs at least an input and an output size, not {tuple(sizes)}")
    boxes = [Box("x", _shape(sizes[0]), "data")]
    for index, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        boxes.append(Box(f"Linear\n{inputs} → {outputs}", _shape(outputs)))
        if index < len(sizes) - 1:  # nothing after the last layer
            names = filter(None, (norm, "ReLU", dropout))
            boxes += [Box(name, _shape(outputs), "fixed") for name in names]
    boxes.append(Box("logits", _shape(sizes[-1]), "data"))
    row(boxes, gap=0.26 if len(boxes) > 6 else 0.4)
    return draw_diagram(boxes, chain(boxes))


def inpainter(hidden=512, size=28):
    """The feed-forward network of Day 03's afternoon that fills holes, with its loss.

    hidden: units of both hidden layers. size: height and width of the images.
    """
    pixels, image = size**2, _shape(1, size, size)
    names = [f"Linear\n{2 * pixels} → {hidden}", f"Linear\n{hidden} → {hidden}"]
    boxes = [Box("image\nand hole", _shape(2, size, size), "data")]
    for name in names:
        boxes.append(Box(name, _shape(hidden)))
        boxes.append(Box("batch norm,\nReLU", kind="fixed"))
    boxes.append(Box(f"Linear\n{hidden} → {pixels}", _shape(pixels)))
    boxes.append(Box("sigmoid", kind="fixed"))
    boxes.append(Box("filled", image, "data"))
    row(boxes, gap=0.2)
    filled = boxes[-1]
    loss = Box("MAE\nin the hole", "", "loss", x=filled.x, y=-1.0)
    truth = Box("true image", image, "data", x=loss.x - 2.0, y=-1.0)
    arrows = [*chain(boxes), Arrow(filled, loss, sides=("bottom", "top")), Arrow(truth, loss)]
    return draw_diagram([*boxes, loss, truth], arrows)


def lenet(classes=10):
    """`dlcourse.models.cnn.LeNet`: two convolutions, each with ReLU and pooling, then three linear
    layers. LeCun, Bottou, Bengio & Haffner (1998), figure 2.
    """
    maps = [
        Box("Conv 5 × 5\npadding 2", _shape(6, 28, 28)),
        Box("ReLU\nmax-pool 2 × 2", _shape(6, 14, 14), "fixed"),
        Box("Conv 5 × 5", _shape(16, 10, 10)),
        Box("ReLU\nmax-pool 2 × 2", _shape(16, 5, 5), "fixed"),
    ]
    linear = [
        Box("flatten", _shape(400), "fixed"),
        Box("Linear\n400 → 120", _shape(120)),
        Box("ReLU", _shape(120), "fixed"),
        Box("Linear\n120 → 84", _shape(84)),
        Box("ReLU", _shape(84), "fixed"),
        Box(f"Linear\n84 → {classes}", _shape(classes)),
    ]
    above = row([Box("x", _shape(1, 28, 28), "data"), *maps], gap=0.4)
    below = row([*linear, Box("logits", _shape(classes), "data")], y=-1.55, gap=0.3)
    arrows = [*chain(above), *chain(below), Arrow(maps[-1], linear[0], sides=("bottom", "top"))]
    groups = [Group("maps", maps), Group("classifier", linear[1:], below=True)]
    return draw_diagram([*above, *below], arrows, groups)


def residual_block(inputs=16, outputs=16, stride=1, size=28):
    """`dlcourse.models.resnet.BasicBlock`: two convolutions whose result is added to their input.

    inputs, outputs: channels. stride: of the first convolution. size: height and width of x. Where
    the shape changes, a 1 × 1 convolution stands on the shortcut. He et al. (2016), figure 2.
    """
    small, strided = -(-size // stride), f", stride {stride}" if stride > 1 else ""
    shape = _shape(outputs, small, small)
    x = Box("x", _shape(inputs, size, size), "data")
    path = [
        Box("Conv 3 × 3" + strided.replace(", ", "\n"), shape),
        Box("batch\nnorm", kind="fixed"),
        Box("ReLU", kind="fixed"),
        Box("Conv 3 × 3", shape),
        Box("batch\nnorm", kind="fixed"),
    ]
    plus = Box("+", kind="sum")
    boxes = row([x, *path, plus, Box("ReLU", "", "fixed"), Box("output", shape, "data")], gap=0.2)
    groups, arrows = [Group("residual", path)], chain(boxes)
    if stride == 1 and inputs == outputs:
        return draw_diagram(
            boxes, [*arrows, Skip(x, plus, "shortcut: x itself", reach=0.55)], groups
        )
    way = [Box(f"Conv 1 × 1{strided}", shape), Box("batch norm", kind="fixed")]
    row(way, left=path[1].x, y=1.1)
    arrows += [Arrow(x, way[0], sides=("top", "left"), colour=SKIP, width=2.2), *chain(way)]
    arrows.append(Arrow(way[1], plus, sides=("right", "top"), colour=SKIP, width=2.2))
    return draw_diagram(
        [*boxes, *way], arrows, [*groups, Group("shortcut: the shape changes", way)]
    )


def unet(channels=1, outputs=1, width=8, levels=3, size=64):
    """`dlcourse.models.unet.UNet`: down to see what, up to say where, skips to remember the pixels.

    width: channels at full size; they double with each of the levels. size: pixels of the image, a
    multiple of 2^levels. Ronneberger et al. (2015), figure 1.
    """
    step, right = 1.22, 1.36
    shapes = [_shape(width * 2**k, size // 2**k, size // 2**k) for k in range(levels + 1)]
    x = Box("x", _shape(channels, size, size), "data", y=0.68)
    bottom = Box("DoubleConv", shapes[-1], x=1.1, y=-step * levels)
    boxes, arrows, convs, above, below = [x, bottom], [], [], x, bottom
    for k in range(levels):  # on the left, downwards
        convs.append(Box("DoubleConv", shapes[k], y=-step * k))
        pool = Box("max-pool 2 × 2", "", "fixed", y=-step * (k + 0.5))
        arrows += chain([above, convs[k], pool])
        boxes, above = [*boxes, convs[k], pool], pool
    arrows.append(Arrow(above, bottom, sides=("bottom", "left")))
    for k in reversed(range(levels)):  # on the right, upwards and outwards
        far = 0.8 + right * (levels - k)
        both = _shape(2 * width * 2**k, size // 2**k, size // 2**k)
        up = Box("ConvTranspose 2 × 2", shapes[k], x=far, y=-step * (k + 0.5))
        join = Box("concatenate", both, "fixed", x=far, y=-step * k)
        merge = Box("DoubleConv", shapes[k], x=far + right, y=-step * k)
        leaving = "right" if below is bottom else "top"
        arrows += [Arrow(below, up, sides=(leaving, "bottom")), *chain([up, join, merge])]
        arrows.append(Arrow(convs[k], join, "skip: copied", colour=SKIP, width=2.2))
        boxes, below = [*boxes, up, join, merge], merge
    head = Box("Conv 1 × 1", x=below.x, y=0.62)
    logits = Box("logits", _shape(outputs, size, size), "data", x=below.x, y=1.24)
    return draw_diagram([*boxes, head, logits], [*arrows, *chain([below, head, logits])])


def vae(latents=20, hidden=400, size=28):
    """`dlcourse.models.vae.VAE` with its two losses: down to a few latents, and up again.

    Kingma & Welling (2014).
    """
    image, code, pixels = _shape(1, size, size), _shape(latents), size**2
    encoder = [
        Box("x", image, "data"),
        Box(f"Linear {pixels} → {hidden}", _shape(hidden)),
        Box("ReLU", _shape(hidden), "fixed"),
        Box(f"Linear {hidden} → {2 * latents}", _shape(2 * latents)),
    ]
    decoder = [
        Box("logits", image, "data"),
        Box(f"Linear {hidden} → {pixels}", _shape(pixels)),
        Box("ReLU", _shape(hidden), "fixed"),
        Box(f"Linear {latents} → {hidden}", _shape(hidden)),
    ]
    column(encoder), column(decoder, x=6.0)
    low, high = encoder[-1].y, encoder[0].y
    halves = Box("μ and ln σ²", f"{code} each", "data", x=2.1, y=low)
    z = Box("z = μ + σ ε", code, "fixed", x=4.0, y=low)
    noise = Box("ε drawn from N(0, I)", code, "data", x=4.0, y=low + 0.9)
    kl = Box("KL(q(z | x) ‖ p(z))", "", "loss", x=2.1, y=low + 0.9)
    nll = Box("reconstruction: −ln p(x | z)", "", "loss", x=3.0, y=high)
    arrows = chain([*encoder, halves, z, *reversed(decoder)])
    arrows += [Arrow(noise, z), Arrow(halves, kl), Arrow(encoder[0], nll), Arrow(decoder[0], nll)]
    groups = [
        Group("encoder q(z | x)", encoder[1:], below=True),
        Group("decoder p(x | z)", decoder[1:], below=True),
    ]
    return draw_diagram([*encoder, halves, noise, z, *reversed(decoder), kl, nll], arrows, groups)


def gan(latents=64, width=32):
    """`dlcourse.models.gan`: the generator above, the discriminator below, and the two losses.

    width: channels at 14 × 14 pixels. Goodfellow et al. (2014); Radford et al. (2016).
    """
    image, half, quarter = _shape(1, 28, 28), _shape(width, 14, 14), _shape(2 * width, 7, 7)
    up = [
        Box("ConvTranspose 7 × 7\nbatch norm, ReLU", quarter),
        Box("ConvTranspose 4 × 4\nbatch norm, ReLU", half),
        Box("ConvTranspose 4 × 4\ntanh", image),
    ]
    down = [
        Box("Conv 4 × 4\nleaky ReLU", half),
        Box("Conv 4 × 4\nbatch norm, leaky ReLU", quarter),
        Box("Conv 7 × 7", "(B, 1, 1, 1)"),
    ]
    fake, real, logit = (
        Box("generated", image, "data"), Box("real", image, "data"), Box("logit", "(B,)", "data"),
    )  # fmt: skip
    above = row([Box("z from N(0, I)", _shape(latents), "data"), *up, fake])
    below = row([real, *down, logit], y=-1.75)
    losses = [
        Box("loss of D:\nreal → 1, generated → 0", "", "loss"),
        Box("loss of G:\ngenerated → 1", "", "loss"),
    ]
    column(losses, x=logit.side("right")[0] + 1.2, top=-1.24)
    arrows = [*chain(above), *chain(below), *(Arrow(logit, loss) for loss in losses)]
    arrows.append(Arrow(fake, down[0], "through D as well", sides=("bottom", "top")))
    groups = [Group("generator G", up), Group("discriminator D", down, below=True)]
    return draw_diagram([*above, *below, *losses], arrows, groups)


def transformer_block(width=64, heads=4):
    """`dlcourse.models.transformer.Block`, norm first: attention between positions, then an MLP at
    each; below, what attention does inside. Keys and values come from one layer of twice the width.

    Vaswani et al. (2017), figures 1 and 2; Xiong et al. (2020).
    """
    stream, head = _shape("T", width), _shape(heads, "T", width // heads)
    x, attend = Box("x", stream, "data"), Box("attention", stream)
    first, second = Box("+", kind="sum"), Box("+", kind="sum")
    norms = [Box("layer\nnorm", kind="fixed") for _ in range(2)]
    mlp = [Box("Linear", _shape("T", 4 * width)), Box("GELU", kind="fixed"), Box("Linear", stream)]
    boxes = [x, norms[0], attend, first, norms[1], *mlp, second, Box("output", stream, "data")]
    arrows = chain(row(boxes, gap=0.24))
    arrows += [Skip(x, first, "x is added"), Skip(first, second, "the sum is added", side="bottom")]
    parts = [Box(f"Linear: {name}", head) for name in ("queries q", "keys k", "values v")]
    column(parts, x=2.2, top=-1.35)
    inside = [
        Box("normed x", stream, "data"),
        *parts,
        Box("q kᵀ / √d, mask", _shape(heads, "T", "T"), "fixed"),
        Box("softmax", _shape(heads, "T", "T"), "fixed"),
        Box("weights · v", head, "fixed"),
        Box("Linear", stream),
    ]
    row(inside[:1], left=boxes[0].side("left")[0], y=parts[1].y)
    row(inside[4:], left=3.4, y=(parts[0].y + parts[1].y) / 2)
    arrows += [Arrow(inside[0], part) for part in parts]
    arrows += [Arrow(part, inside[4]) for part in parts[:2]]
    arrows += [*chain(inside[4:]), Arrow(parts[2], inside[6], sides=("right", "bottom"))]
    name = f"inside attention: {heads} heads of d = {width // heads} features"
    return draw_diagram([*boxes, *inside], arrows, [Group("MLP", mlp), Group(name, inside[1:])])
