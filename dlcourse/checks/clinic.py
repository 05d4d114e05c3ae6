"""The clinic of a day: training runs with one fault each, shown as curves.
Who has which, and its check."""

import os

from dlcourse.checks.core import Check, Mistake, case


def fault_of(patient, faults):
    """The fault of a patient, None for "healthy". faults: patient → fault. Raises
    KeyError for another patient."""
    if patient != "healthy" and patient not in faults:
        raise KeyError(
            f"there is no patient {patient!r}: ask for healthy or one of {', '.join(faults)}"
        )
    return faults.get(patient)


def repeats(count, least=2):
    """1, 2 … count; in a smoke run, where nobody looks at the curves, no further than `least`."""
    return range(1, (min(count, least) if os.environ.get("DLCOURSE_SMOKE") == "1" else count) + 1)


def descend(loss, optimiser):
    """One step of an optimiser down the gradient of a loss. (Checks import
    nothing that students write.)"""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def diagnosis(name, faults, signs, what="curve"):
    """A Check of a function that returns the fault of every patient.

    name: of the student's function, which takes nothing and returns a dict like
        `faults`. faults: patient → fault.
    signs: fault → what its curve must look like; the hint for whoever
        named that fault where it is not.
    what: how messages call a patient.
    """

    def verdict(function, patient):
        answers = function()
        if isinstance(answers, dict) and patient not in answers:
            return f"nothing about {patient}"
        answer = answers[patient]
        if answer not in signs:
            raise ValueError(f"{answer!r} is not on the list: write one of {', '.join(signs)}")
        return "right" if answer == faults[patient] else f"wrong: {answer}"

    wrong = [(patient, fault) for patient in faults for fault in signs if fault != faults[patient]]
    return Check(
        name,
        reference=lambda: dict(faults),
        probe=verdict,
        apart=True,
        cases=[case(f"{what} {patient}", patient) for patient in faults],
        mistakes=[
            Mistake(
                f"{what} {patient} does not show the signs of '{fault}'",
                signs[fault],
                lambda patient=patient, fault=fault: faults | {patient: fault},
            )
            for patient, fault in wrong
        ],
    )
