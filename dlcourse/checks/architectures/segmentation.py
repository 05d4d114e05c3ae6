"""Checks of Dice, IoU and the soft Dice loss, empty masks included."""

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import with_gradient


def _score(logits, mask, overlap, empty=1.0, threshold=0.0, together=False):
    """Mean over the images of overlap(hits, false alarms, misses), one image after the other."""
    pairs = [(logits, mask)] if together else list(zip(logits, mask, strict=True))
    values = []
    for one, truth in pairs:
        found, truth = one > threshold, truth.bool()
        hits, alarms, misses = (
            int(part.sum()) for part in (found & truth, found & ~truth, truth & ~found)
        )
        if hits + alarms + misses:
            values.append(overlap(hits, alarms, misses))
        elif empty is not None:
            values.append(empty)
    return torch.tensor(values, dtype=logits.dtype).mean()


def _dice(hits, alarms, misses):
    return 2 * hits / (2 * hits + alarms + misses)


def _iou(hits, alarms, misses):
    return hits / (hits + alarms + misses)


def _faulty(overlap, **options):
    return lambda logits, mask: _score(logits, mask, overlap, **options)


def _raw_dice(logits, mask):
    """Dice of the logits themselves, no threshold."""
    mask = mask.float()
    both = (logits * mask).flatten(1).sum(1)
    return (2 * both / (logits.flatten(1).sum(1) + mask.flatten(1).sum(1))).mean()


def _raw_iou(logits, mask):
    mask = mask.float()
    both = (logits * mask).flatten(1).sum(1)
    return (both / (logits.flatten(1).sum(1) + mask.flatten(1).sum(1) - both)).mean()


def _of_rows(overlap):
    return lambda logits, mask: _score(logits.flatten(0, 2), mask.flatten(0, 2), overlap)


def _picture(*rows):
    return torch.tensor([[[[4.0 if mark == "x" else -4.0 for mark in row] for row in rows]]])


def _random(batch, size, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, 1, *size, generator=generator, dtype=dtype)
    mask = logits + torch.randn(logits.shape, generator=generator, dtype=dtype) > 0.2
    return logits, mask


def _cases():
    logits, mask = _random(4, (6, 10), seed=3, dtype=torch.float64)
    some = torch.cat(
        [
            _picture("xx.", "..."),
            _picture("...", "..."),
            _picture("...", "x.."),
            _picture("xxx", "xxx"),
        ]
    )
    truth = torch.cat([_picture("x..", "x.."), _picture("...", "..."), _picture("...", "..."),
                       _picture("...", "...")]) > 0  # fmt: skip
    return [
        case("two pixels found, two true, one in common", some[:1], truth[:1]),
        case("nothing there, nothing found: all right", some[1:2], truth[1:2]),
        case("nothing there, one pixel found", some[2:3], truth[2:3]),
        case("these three and one more in a batch", some, truth),
        case("logits between 0 and ½ mean salt too", 0.05 * some, truth),
        case("logits of exactly 0 mean none", some.clamp(min=0), truth),
        case("the mask as whole numbers", some, truth.to(torch.uint8)),
        case(
            "noise, the mask as floats",
            *(lambda pair: (pair[0], pair[1].float()))(_random(3, (5, 7), seed=1)),
        ),
        case("huge logits", 1e30 * some, truth),
        case("every second column of an array, float64", logits[..., ::2], mask[..., ::2]),
    ]


def _shared(overlap, raw):
    """What can go wrong with either of the two scores."""
    return [
        Mistake("0/0 for an empty mask",
                "No salt there, none found: that is a perfect answer. "
                "Where both are empty the score is 1.", _faulty(overlap, empty=float("nan"))),
        Mistake("an empty mask counts 0",
                "Saying 'nothing' where there is nothing is right: 1, not 0.",
                _faulty(overlap, empty=0.0)),
        Mistake("images with empty masks are left out",
                "Then nobody is rewarded for leaving salt-free ground alone: count them as 1.",
                lambda logits, mask: _score(logits, mask, overlap, empty=None).nan_to_num(0.0)),
        Mistake("all images counted as one",
                "Large bodies would outvote small ones: a score for each image, "
                "then the mean over the batch.", _faulty(overlap, together=True)),
        Mistake("computed on the logits",
                "Logits are any real numbers: found is where logits > 0, p > ½.", raw),
        Mistake("logits are cut at ½", "A probability of ½ is a logit of 0: logits > 0.",
                _faulty(overlap, threshold=0.5)),
        Mistake("a score for each row",
                "Flatten the image first: flatten(1) leaves the batch alone.", _of_rows(overlap)),
    ]  # fmt: skip


dice = Check(
    "dice",
    reference=lambda logits, mask: _score(logits, mask, _dice),
    cases=_cases,
    fallback="dlcourse.metrics:dice",
    mistakes=[
        *_shared(_dice, _raw_dice),
        Mistake("that is IoU",
                "Dice is 2|A∩B| / (|A| + |B|): the intersection counts twice, above and below.",
                _faulty(_iou)),
        Mistake("the factor 2 is missing", "A perfect answer must give 1: 2|A∩B| / (|A| + |B|).",
                _faulty(lambda hits, alarms, misses: _dice(hits, alarms, misses) / 2)),
        Mistake("1 is added above and below",
                "That smooths the loss, and falsifies the score: only 0/0 is special.",
                _faulty(lambda hits, alarms, misses:
                            (2 * hits + 1) / (2 * hits + alarms + misses + 1))),
    ],
)  # fmt: skip

iou = Check(
    "iou",
    reference=lambda logits, mask: _score(logits, mask, _iou),
    cases=_cases,
    fallback="dlcourse.metrics:iou",
    mistakes=[
        *_shared(_iou, _raw_iou),
        Mistake("that is Dice", "IoU is |A∩B| / |A∪B|, without the factor 2.", _faulty(_dice)),
        Mistake("the intersection is counted twice in the union", "|A∪B| = |A| + |B| − |A∩B|.",
                _faulty(lambda hits, alarms, misses: hits / (2 * hits + alarms + misses))),
        Mistake("1 is added above and below",
                "That smooths a loss, and falsifies the score: only 0/0 is special.",
                _faulty(lambda hits, alarms, misses: (hits + 1) / (hits + alarms + misses + 1))),
    ],
)  # fmt: skip


def _soft(logits, mask, smooth=1.0, fault=None):
    """The loss, image by image, with one fault."""
    losses = []
    p, mask = logits if fault == "logits" else logits.sigmoid(), mask.to(logits.dtype)
    p = (logits > 0).to(logits.dtype) if fault == "hard" else p
    pairs = [(p, mask)] if fault == "together" else zip(p, mask, strict=True)
    for one, truth in pairs:
        both = (one * truth).sum()
        total = (
            one.square().sum() + truth.square().sum()
            if fault == "squares"
            else one.sum() + truth.sum()
        )
        if fault == "IoU":
            both, total = both / 2, total - both
        above = {"below only": 0.0, "never": 0.0}.get(fault, smooth)
        below = 0.0 if fault == "never" else smooth
        losses.append((above + (1 if fault == "no 2" else 2) * both) / (below + total))
    score = torch.stack(losses)
    score = score.sum() / len(score) if fault != "sum" else score.sum()
    return score if fault == "score" else 1 - score


def _broken(fault):
    return lambda logits, mask, smooth=1.0: _soft(logits, mask, smooth, fault)


def _soft_cases():
    logits, mask = _random(4, (6, 10), seed=5, dtype=torch.float64)
    nothing = torch.zeros(2, 1, 2, 3, dtype=torch.bool)
    return [
        case("one image, half of it salt", torch.tensor([[[[2.0, -1.0]]]]),
             torch.tensor([[[[True, False]]]])),
        case("empty masks", torch.linspace(-3, 1, 12).reshape(2, 1, 2, 3), nothing, 1.0),
        case("full masks, as whole numbers", torch.linspace(-3, 1, 12).reshape(2, 1, 2, 3),
             (~nothing).to(torch.uint8), 1.0),
        case("three images, the mask as floats",
             *(lambda pair: (pair[0], pair[1].float()))(_random(3, (4, 5), 2)), 1.0),
        case("two images, smooth 4", *_random(2, (3, 5), 6), 4.0),
        case("large logits, smooth ½", 100 * _random(2, (3, 4), 4)[0],
             _random(2, (3, 4), 4)[1], 0.5),
        case("every second column of an array, float64", logits[..., ::2], mask[..., ::2], 2.0),
    ]  # fmt: skip


soft_dice_loss = Check(
    "soft_dice_loss",
    reference=_soft,
    probe=with_gradient(0),
    cases=_soft_cases,
    mistakes=[
        Mistake("computed on the logits",
                "p = logits.sigmoid() first: with raw logits the loss is not "
                "between 0 and 1, and may divide by 0.", _broken("logits")),
        Mistake("smooth below only",
                "An empty mask then has loss 1 whatever the net says: "
                "no gradient, nothing to learn. Add it above too.",
                _broken("below only")),
        Mistake("smooth is missing",
                "Add it above and below; without it an empty mask teaches nothing.",
                _broken("never")),
        Mistake("smooth is taken for 1", "1 is its default only: use the argument.",
                lambda logits, mask, smooth=1.0: _soft(logits, mask)),
        Mistake("a threshold inside the loss",
                "A step has slope 0: use the probabilities themselves.", _broken("hard")),
        Mistake("all images counted as one", "A loss for each image, then the mean.",
                _broken("together")),
        Mistake("squares below",
                "That is the variant of Milletari and colleagues (2016); here plain sums.",
                _broken("squares")),
        Mistake("the score, not the loss", "The better, the smaller: 1 − score.", _broken("score")),
        Mistake("a sum over the batch", "The mean over the images.", _broken("sum")),
        Mistake("the factor 2 is missing", "2Σpm above: a perfect answer has loss 0.",
                _broken("no 2")),
        Mistake("that is soft IoU", "Below stands Σp + Σm, without the intersection taken away.",
                _broken("IoU")),
    ],
)  # fmt: skip
