"""A clinic: the training loop with one fault,
and the check of the diagnosis made from its curve."""

import numpy as np

from dlcourse.checks.clinic import diagnosis
from dlcourse.checks.first_network.training import descend_with_fault

FAULTS = {"A": "missing 1/N", "B": "sign error", "C": "labels shuffled"}
SIGNS = {
    "missing 1/N": "With a gradient N times too long nothing is wrong but the length of the steps: "
    "the same run at 1/N of the rate must look healthy.",
    "sign error": "Steps uphill raise the loss from the first one on, "
    "at every rate, until it leaves the figure.",
    "labels shuffled": "Where image and label do not belong together there is nothing to learn: "
    "the loss falls to that of guessing, ln(classes), at best, and stays there at every rate.",
}


def broken_run(patient, x, y, parameters, rate, epochs, size, seed):
    """The losses of the loop of `fit` with the fault of patient "A", "B" or "C", one for each step.

    Arguments as for `fit`, with a seed in place of the generator.
    Raises KeyError for another patient.
    """
    if patient not in FAULTS:
        raise KeyError(f"there is no patient {patient!r}: ask for one of {', '.join(FAULTS)}")
    rng = np.random.default_rng(seed)
    return descend_with_fault(x, y, parameters, rate, epochs, size, rng, FAULTS[patient])[1]


diagnose = diagnosis("diagnose", FAULTS, SIGNS)
