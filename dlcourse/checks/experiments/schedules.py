"""Check of a rule over time: the learning rate of a step."""

import math

from dlcourse.checks.core import Check, Mistake, case


def _cosine(step, steps, warmup, peak, floor=0.0):
    if step < warmup:
        return peak * (step + 1) / warmup
    half = 0.5 * math.pi * (step - warmup) / (steps - warmup)
    return floor + (peak - floor) * math.cos(half) ** 2


def _wrong(
    rise=lambda step, warmup: (step + 1) / warmup,
    done=lambda step, steps, warmup: (step - warmup) / (steps - warmup),
    fall=lambda p: 0.5 * (1 + math.cos(math.pi * p)),
    low=lambda floor: floor,
):
    def schedule(step, steps, warmup, peak, floor=0.0):
        if step < warmup:
            return peak * rise(step, warmup)
        return low(floor) + (peak - low(floor)) * fall(done(step, steps, warmup))

    return schedule


def _floor_added(step, steps, warmup, peak, floor=0.0):
    return _cosine(step, steps, warmup, peak) + (floor if step >= warmup else 0)


cosine_with_warmup = Check(
    "cosine_with_warmup",
    reference=_cosine,
    cases=[
        case("the first of 10 steps of warm-up", 0, 100, 10, 1.0),
        case("the last step of warm-up", 9, 100, 10, 1.0),
        case("in the middle of warm-up, with a floor", 3, 40, 8, 0.6, 0.2),
        case("right after warm-up", 10, 100, 10, 1.0),
        case("half-way down", 55, 100, 10, 1.0),
        case("the end", 100, 100, 10, 1.0),
        case("the end, with a floor", 100, 100, 10, 0.5, 0.1),
        case("a quarter of the way, with a floor", 25, 100, 0, 0.5, 0.1),
        case("60 steps, 10 of warm-up, floor 0.05", 20, 60, 10, 0.8, 0.05),
        case("warm-up of one step: its first is at the peak", 0, 30, 1, 0.2),
        case("no warm-up, the first step", 0, 100, 0, 0.3),
    ],
    mistakes=[
        Mistake("the first step has rate 0",
                "(step + 1)/warm-up, or the first step of all is wasted.",
                _wrong(rise=lambda step, warmup: step / warmup)),
        Mistake("the cosine does not wait for the end of warm-up",
                "The cosine's clock starts at warm-up: (step − warmup)/(steps − warmup).",
                _wrong(done=lambda step, steps, warmup: step / steps)),
        Mistake("the cosine has the length of the whole run",
                "After warm-up only steps − warmup are left: divide by that.",
                _wrong(done=lambda step, steps, warmup: (step - warmup) / steps)),
        Mistake("the cosine ends one step early",
                "p reaches 1 at step `steps`: divide by steps − warmup, without − 1.",
                _wrong(done=lambda step, steps, warmup: (step - warmup) / (steps - 1 - warmup))),
        Mistake("only a quarter of the wave",
                "cos goes from 1 to −1 over half a wave, π: "
                "½ (1 + cos πp) falls flat at both ends.",
                _wrong(fall=lambda p: math.cos(0.5 * math.pi * p))),
        Mistake("the ½ is missing", "1 + cos πp goes from 2 to 0: halve it.",
                _wrong(fall=lambda p: 1 + math.cos(math.pi * p))),
        Mistake("the floor is ignored", "At the end the rate is floor, not 0.",
                _wrong(low=lambda floor: 0)),
        Mistake("the floor is added on top",
                "It has to come down from peak to floor: "
                "floor + (peak − floor) · ½(1 + cos πp).", _floor_added),
        Mistake("a straight line", "½ (1 + cos πp): slow at the top, slow at the bottom.",
                _wrong(fall=lambda p: 1 - p)),
    ],
)  # fmt: skip
