"""Checks of the parts of a denoising U-Net and of the whole.

Layers are given, what flows through them is judged.
"""

import torch

from dlcourse.checks.architectures.modules import filled, made
from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.image_diffusion.networks import _Attention, _Denoiser, _TimeBlock


def _draw(*shape, seed=0):
    return drawn(*shape, seed=seed + sum(shape))


def _output(make, *args):
    """The output of a filled module: made of the whole numbers among args, applied to the rest."""
    sizes = [one for one in args if isinstance(one, int)]
    inputs = args[len(sizes) :]
    module = made(make, *sizes)
    filled(module)
    # twins with other numbers each, or one block could do the work of both
    for number, block in enumerate(one for one in module.modules() if hasattr(one, "shift")):
        filled(block, seed=number)
    with torch.no_grad():
        output = module.to(inputs[0].dtype)(*inputs)
    if output is None:
        raise Untouched("forward returned None: is `return` missing?")
    return output


def _faulty(kind, fault):
    return type("Faulty", (kind,), {"fault": fault})


TimeBlock = Check(
    "TimeBlock",
    reference=_TimeBlock,
    probe=_output,
    fallback="dlcourse.models.denoiser:TimeBlock",
    rtol=1e-3,
    atol=1e-4,
    cases=[
        case("16 channels stay 16 (inputs, outputs, size, x, time)", 16, 16, 3, _draw(2, 16, 3, 4),
             _draw(2, 3)),
        case("8 become 16, other times", 8, 16, 6, _draw(3, 8, 5, 4), _draw(3, 6)),
        case("one image, one pixel wide", 16, 8, 3, _draw(1, 16, 4, 1), _draw(1, 3)),
        case("float64, a view", 16, 24, 4, _draw(3, 16, 4, 10).double()[..., ::2],
             _draw(3, 4).double()),
    ],
    mistakes=[
        Mistake("the time is not used",
                "Add self.shift(time), one number for each example and channel, "
                "to what self.first gives.", _faulty(_TimeBlock, "deaf")),
        Mistake("the time comes too late",
                "Added after the second convolution it shifts whole channels and no more: "
                "add it before self.second.", _faulty(_TimeBlock, "late")),
        Mistake("multiplied by the time", "Here the time is added: a shift, no scale.",
                _faulty(_TimeBlock, "scale")),
        Mistake("a non-linearity on the shift",
                "self.shift(time) goes in as it is; "
                "self.second begins with a norm and SiLU.", _faulty(_TimeBlock, "active")),
        Mistake("one time for the whole batch",
                "Each example has its own time: (B, C) becomes (B, C, 1, 1).",
                _faulty(_TimeBlock, "first")),
        Mistake("no way around", "A residual block adds: self.skip(x) + ….",
                _faulty(_TimeBlock, "no skip")),
        Mistake("the way round begins inside", "The skip takes x as it came in.",
                _faulty(_TimeBlock, "hidden skip")),
    ],
)  # fmt: skip


Attention = Check(
    "Attention",
    reference=_Attention,
    probe=_output,
    fallback="dlcourse.models.denoiser:Attention",
    rtol=1e-3,
    atol=1e-4,
    cases=[
        case("8 channels, 2 × 3 pixels (channels, x)", 8, _draw(2, 8, 2, 3)),
        case("16 channels, 5 × 4 pixels", 16, _draw(3, 16, 5, 4)),
        case("one image, one pixel wide", 16, _draw(1, 16, 4, 1)),
        case("float64, a view, a row", 8, _draw(3, 8, 1, 12).double()[..., ::2]),
    ],
    mistakes=[
        Mistake("not divided by √channels",
                "Scores are sums of C products, so they grow like √C: "
                "divide, or softmax saturates.", _faulty(_Attention, "scale")),
        Mistake("divided by the channels", "Their root: √C.", _faulty(_Attention, "channels")),
        Mistake("divided by the root of the pixels", "A score is a sum over channels: √C.",
                _faulty(_Attention, "pixels")),
        Mistake("softmax over the pixels that look",
                "Each pixel that looks, a row, shares out 1 among those it looks at: "
                "softmax over the last axis of q kᵀ.", _faulty(_Attention, "columns")),
        Mistake("channels and pixels are mixed up",
                "(B, H·W, C) must be transposed to (B, C, H·W) before it becomes an image: "
                "reshaping alone shuffles the numbers.", _faulty(_Attention, "shape")),
        Mistake("no way around", "The result is added to x.", _faulty(_Attention, "no skip")),
        Mistake("queries and keys are exchanged",
                "The first third of self.qkv's channels are q, then k, then v.",
                _faulty(_Attention, "roles")),
        Mistake("the input in place of v", "What is mixed are the values v.",
                _faulty(_Attention, "values")),
        Mistake("the norm is left out", "self.qkv takes self.norm(x).",
                _faulty(_Attention, "no norm")),
    ],
)  # fmt: skip


def _labels(*numbers):
    return torch.tensor(numbers)


Denoiser = Check(
    "Denoiser",
    reference=_Denoiser,
    probe=_output,
    fallback="dlcourse.models.denoiser:Denoiser",
    rtol=2e-3,
    atol=2e-3,
    cases=lambda: [
        case("4 × 4 pixels, one image (width, classes, channels, times, xt, t, y)", 16, 3, 1, 4,
             _draw(1, 1, 4, 4), _labels(5), _labels(2)),
        case("6 × 10 pixels, no labels", 16, 3, 1, 4, _draw(2, 1, 6, 10), _labels(0, 200), None),
        case("three channels, labels", 16, 5, 3, 6, _draw(2, 3, 8, 4), _labels(3, 50),
             _labels(4, 0)),
        case("24 channels, one image without a label among others", 24, 4, 2, 4,
             _draw(3, 2, 6, 4), _labels(90, 1, 12), _labels(3, 4, 0)),
        case("odd sizes, 7 × 5", 16, 3, 1, 4, _draw(2, 1, 7, 5), _labels(7, 1), _labels(0, 1)),
    ],
    mistakes=[
        Mistake("the time is not used",
                "told = F.silu(clock of the embedded t + label vector); every block gets it.",
                _faulty(_Denoiser, "no clock")),
        Mistake("the label is not used", "self.label(y) is added to the clock's answer.",
                _faulty(_Denoiser, "no label")),
        Mistake("no vector where there is no label",
                "y = None stands for the class self.none, which has a row "
                "of self.label like all others.", _faulty(_Denoiser, "nothing for none")),
        Mistake("no SiLU on what the blocks are told",
                "F.silu goes around the sum of clock and label.", _faulty(_Denoiser, "linear")),
        Mistake("one coarse block does the work of both",
                "self.coarse[0] stands before the attention, self.coarse[1] after it.",
                _faulty(_Denoiser, "one block")),
        Mistake("no attention", "self.attend stands between the two coarse blocks.",
                _faulty(_Denoiser, "inattentive")),
        Mistake("the skip is empty",
                "The answer of self.fine goes to self.merge beside what comes up.",
                _faulty(_Denoiser, "no skip")),
        Mistake("skip and path are exchanged", "torch.cat([skip, x], dim=1): the skip first.",
                _faulty(_Denoiser, "order")),
        Mistake("the skip leaves before the fine block", "skip is what self.fine returns.",
                _faulty(_Denoiser, "early")),
        Mistake("the padding stays on",
                "An odd size was padded by one: cut [..., :rows, :columns] at the end.",
                _faulty(_Denoiser, "large")),
        Mistake("padded with zeros",
                "0 is an edge that is not there: mode=\"replicate\" repeats the last pixels.",
                _faulty(_Denoiser, "zeros")),
        Mistake("padded at the top and left",
                "F.pad counts (left, right, top, bottom); "
                "the end is cut at the right and the bottom.", _faulty(_Denoiser, "front")),
    ],
)  # fmt: skip
