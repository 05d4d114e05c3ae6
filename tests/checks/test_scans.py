"""Every check of the course against its own reference, spoilt by a machine: one argument frozen, or
the value handed back as another kind. Where that passes, a case is missing, or here is why not.
"""

import pytest
from scans import all_checks, find_convertible, find_frozen

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CHECKS = all_checks()

# check: {what may be frozen, or handed back as: why}
LOSSES = dict.fromkeys(
    ["NumPy", "float64", "cut"], "it is only reported: the text leaves open what kind of number"
)
EXCUSED = {
    "gan_step": LOSSES,
    "conditional_step": LOSSES,
    "wgan_step": LOSSES,
    "seed_worker": {"worker_id": "torch.initial_seed() of a worker holds it already"},
    "take_snapshot": {"float64": "it holds every float32 exactly, and loading it casts back"},
    "balanced_weights": dict.fromkeys(
        ["NumPy", "float64"], "WeightedRandomSampler takes any sequence of numbers"
    ),
    "image_change": dict.fromkeys(["NumPy", "float"], "the text asks for grey levels alone"),
    "next_probabilities": {
        "float64": "they only go to multinomial: the text leaves the dtype open"
    },
    "bigram": {"float64": "only single numbers of it are used: the text leaves the dtype open"},
    "adding_weights": {"float64": "load_state_dict turns the weights into the cell's own dtype"},
}


@pytest.mark.parametrize("name", CHECKS)
def test_no_argument_can_be_ignored_and_no_kind_exchanged(name):
    check = CHECKS[name]
    found = {argument for argument, _ in find_frozen(check)} | set(find_convertible(check))
    assert found == set(EXCUSED.get(check.name, {}))


def test_every_excuse_is_of_a_check_that_exists():
    assert set(EXCUSED) <= {check.name for check in CHECKS.values()}
