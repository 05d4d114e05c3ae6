"""Checks of the way back through a convolution:
overlap-add, the three gradients, the size of a transposed one."""

import torch
from torch.nn import functional as F

from dlcourse.checks.cnns.windows import draw, strided_windows
from dlcourse.checks.core import Check, Mistake, case


def _overlap_add(pieces, height, width, stride=1, dilation=1):
    """The transpose of strided_windows, as autograd computes it."""
    with torch.enable_grad():
        image = pieces.new_zeros(*pieces.shape[:2], height, width).requires_grad_()
        found = strided_windows(image, pieces.shape[-2:], stride, dilation)
        return torch.autograd.grad(found, image, pieces)[0]


def _place(pieces, height, width, stride=1, dilation=1, add=torch.add):
    """Window after window is put into the image; `add` joins what is there and what comes."""
    out = pieces.new_zeros(*pieces.shape[:2], height, width)
    view = strided_windows(out, pieces.shape[-2:], stride, dilation)
    for row in range(view.shape[2]):
        for column in range(view.shape[3]):
            view[:, :, row, column] = add(view[:, :, row, column], pieces[:, :, row, column])
    return out


def _averaged(pieces, *rest):
    return _overlap_add(pieces, *rest) / _overlap_add(torch.ones_like(pieces), *rest).clamp_min(1)


def _cut(pieces, height, width, stride=1, dilation=1):
    counts = zip(pieces.shape[2:4], pieces.shape[4:], strict=True)
    reach = [stride * (n - 1) + dilation * (k - 1) + 1 for n, k in counts]
    return _overlap_add(pieces, *reach, stride, dilation)


def _flipped_windows(pieces, *rest):
    return _overlap_add(pieces.flip(4, 5), *rest)


def _overlap_cases():
    (pieces,) = draw((2, 3, 3, 4, 3, 2))
    return [
        case("one row: windows 1 2 and 3 4 that overlap by a pixel",
             torch.tensor([1.0, 2, 3, 4]).reshape(1, 1, 1, 2, 1, 2), 1, 3),
        case("2 × 2 windows of 2 × 2", torch.arange(16.0).reshape(1, 1, 2, 2, 2, 2), 3, 3),
        case("two images of three channels", pieces, 5, 5),
        case("stride 2: one column is in no window", pieces, 7, 9, 2),
        case("dilation 2", pieces, 7, 6, 1, 2),
        case("stride 3, dilation 3, float64, two rows left over", pieces.double(), 15, 14, 3, 3),
        case("pieces that are no single block of memory",
             pieces.transpose(2, 3).contiguous().transpose(2, 3), 5, 5),
        case("windows with gaps between them", pieces, 15, 19, 5),
    ]  # fmt: skip


overlap_add = Check(
    "overlap_add",
    reference=_overlap_add,
    cases=_overlap_cases,
    single=False,
    rtol=1e-5,
    atol=1e-5,
    mistakes=[
        Mistake("later windows overwrite earlier ones",
                "A pixel that lies in several windows gets the sum of "
                "their contributions: +=, not =.",
                lambda *args: _place(*args, add=lambda old, new: new)),
        Mistake("the mean over the windows",
                "A pixel gets the sum of its windows' shares, not the mean.", _averaged),
        Mistake("what no window touches is cut off",
                "The image has height × width pixels, whatever the windows reach; "
                "those beyond get 0.", _cut),
        Mistake("stride is ignored", "Window number n begins at pixel stride · n.",
                lambda pieces, height, width, stride=1, dilation=1:
                    _overlap_add(pieces, height, width, 1, dilation)),
        Mistake("dilation is ignored", "Inside a window the pixels are dilation apart.",
                lambda pieces, height, width, stride=1, dilation=1:
                    _overlap_add(pieces, height, width, stride)),
        Mistake("the windows are turned round",
                "Entry (i, j) of a window goes to where it came from, offset (i, j).",
                _flipped_windows),
        Mistake("the largest instead of the sum", "Contributions add up.",
                lambda *args: _place(*args, add=torch.maximum)),
    ],
)  # fmt: skip


def _gradients(grad, x, weight, stride=1, padding=0, dilation=1):
    with torch.enable_grad():
        x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
        bias = weight.new_zeros(len(weight), requires_grad=True)
        y = F.conv2d(x, weight, bias, stride, padding, dilation)
        return torch.autograd.grad(y, (x, weight, bias), grad)


def _uncut(grad, x, weight, stride=1, padding=0, dilation=1):
    padded = F.pad(x, (padding,) * 4)
    grad_padded = _gradients(grad, padded, weight, stride, 0, dilation)[0]
    return grad_padded, *_gradients(grad, x, weight, stride, padding, dilation)[1:]


def _unflipped(grad, x, weight, *options):
    """The input gradient as if the kernel lay the other way round."""
    return _gradients(grad, x, weight.flip(2, 3), *options)[0], *_gradients(
        grad, x, weight, *options
    )[1:]


def _change(item, how):
    def changed(grad, x, weight, *options):
        found = list(_gradients(grad, x, weight, *options))
        found[item] = how(found[item], grad)
        return tuple(found)

    return changed


def _backward_cases():
    def one(label, x, w, *options, seed=0, dtype=torch.float32):
        x, w = draw(x, w, seed=seed, dtype=dtype)
        (grad,) = draw(F.conv2d(x, w, None, *options).shape, seed=seed + 1, dtype=dtype)
        return case(label, grad, x, w, *options)

    return [
        one("one channel, 2 × 3 pixels, kernel 1 × 2", (1, 1, 2, 3), (1, 1, 1, 2)),
        one("two images, three channels to four", (2, 3, 5, 6), (4, 3, 3, 2)),
        one("padding 1", (2, 3, 5, 6), (4, 3, 3, 2), 1, 1, 1),
        one("stride 2: one row is in no window", (2, 3, 8, 7), (4, 3, 3, 3), 2, 0),
        one("dilation 2, padding 2", (2, 2, 6, 8), (3, 2, 2, 3), 1, 2, 2),
        one("stride 2, padding 1, float64", (3, 4, 6, 5), (6, 4, 3, 3), 2, 1, dtype=torch.float64),
        one("stride 3, padding 2, dilation 2", (2, 3, 11, 12), (4, 3, 3, 2), 3, 2, 2),
    ]  # fmt: skip


conv2d_backward = Check(
    "conv2d_backward",
    reference=_gradients,
    cases=_backward_cases,
    single=False,
    rtol=1e-4,
    atol=1e-4,
    mistakes=[
        Mistake("the rim of zeros is still on",
                "The gradient of the padded image has its size. x itself is its middle: cut "
                "padding pixels from every side.",
                _uncut),
        Mistake("the kernel lies the wrong way round",
                "Share the gradient out with the same weight[o, c, i, j] that "
                "met pixel (h + i, w + j) on the way forward.",
                _unflipped),
        Mistake("the weight gradient is a mean over the batch",
                "Whatever 1/N there is came with the loss and is in grad already. "
                "Here it is a sum over images.",
                _change(1, lambda found, grad: found / len(grad))),
        Mistake("the bias gradient is a mean",
                "One number is added to every pixel of every image: sum over all.",
                _change(2, lambda found, grad: grad.mean((0, 2, 3)))),
        Mistake("the bias gradient still has pixels",
                "Sum over the batch, the rows and the columns: sum((0, 2, 3)).",
                _change(2, lambda found, grad: grad.sum(0))),
        Mistake("the gradients are in another order",
                "Return those of x, weight and bias, in that order.",
                lambda *args: (_gradients(*args)[1], _gradients(*args)[0], _gradients(*args)[2])),
        Mistake("the weight gradient is turned round",
                "weight[o, c, i, j] met the pixels windows[..., i, j]: "
                "multiply those with grad, without a flip.",
                _change(1, lambda found, grad: found.flip(2, 3))),
    ],
)  # fmt: skip


def _size_by_torch(n, kernel, stride=1, padding=0, dilation=1, output_padding=0):
    x, w = torch.empty(1, 1, n), torch.empty(1, 1, kernel)
    return F.conv_transpose1d(x, w, None, stride, padding, output_padding, 1, dilation).shape[-1]


def _forward_size(n, kernel, stride=1, padding=0, dilation=1, output_padding=0):
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


transposed_size = Check(
    "transposed_size",
    reference=_size_by_torch,
    cases=[
        case("one pixel, kernel 3", 1, 3),
        case("three pixels, kernel 3", 3, 3),
        case("stride 2", 4, 3, 2),
        case("stride 2, padding 1", 7, 3, 2, 1),
        case("stride 2, padding 1, output padding 1: twice the size", 7, 3, 2, 1, 1, 1),
        case("dilation 2", 5, 4, 3, 1, 2),
        case("all at once", 6, 5, 4, 2, 3, 3),
    ],
    mistakes=[
        Mistake("output padding is left out",
                "Several input sizes have the same output size; "
                "output_padding says which of them: add it.",
                lambda n, k, s=1, p=0, d=1, o=0: _size_by_torch(n, k, s, p, d)),
        Mistake("padding is added",
                "What was padded on the way forward is cut off on the way back: − 2·padding.",
                lambda n, k, s=1, p=0, d=1, o=0: _size_by_torch(n, k, s, p, d, o) + 4 * p),
        Mistake("the size of an ordinary convolution",
                "Turn the formula round: (n − 1)·stride is how far the last "
                "window begins from the first.",
                _forward_size),
        Mistake("stride times n",
                "Between n windows there are n − 1 steps; "
                "the last one reaches a whole span further.",
                lambda n, k, s=1, p=0, d=1, o=0: n * s - 2 * p + o),
        Mistake("dilation is ignored", "A kernel spans dilation·(kernel − 1) + 1 pixels.",
                lambda n, k, s=1, p=0, d=1, o=0: (n - 1) * s - 2 * p + k + o),
        Mistake("one pixel too few",
                "A span is dilation·(kernel − 1) + 1 pixels: the + 1 belongs to it.",
                lambda n, k, s=1, p=0, d=1, o=0: _size_by_torch(n, k, s, p, d, o) - 1),
        Mistake("one padding only", "It was padded on two sides: − 2·padding.",
                lambda n, k, s=1, p=0, d=1, o=0: _size_by_torch(n, k, s, p, d, o) + p),
    ],
)  # fmt: skip
