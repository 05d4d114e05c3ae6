import numpy as np
import pytest
import torch

from dlcourse.report import table, to_numpy


def test_table_aligns_columns_and_shows_seeds_by_mean_and_range(capsys):
    table(
        {
            "no decay": {"accuracy": torch.tensor([0.5, 0.7]), "loss": 1.23456, "steps": 12000},
            "½": {"accuracy": [0.25, 0.75], "loss": np.float32(0.5), "note": "diverged"},
        },
        digits={"accuracy": 2, "loss": ".1e"},
    )
    assert capsys.readouterr().out.splitlines() == [
        "                    accuracy     loss   steps      note",
        "no decay  0.60 (0.50 – 0.70)  1.2e+00  12,000         –",
        "½         0.50 (0.25 – 0.75)  5.0e-01       –  diverged",
    ]


def test_table_takes_one_number_of_digits_for_all_and_single_numbers_in_arrays(capsys):
    table({3: {"a": torch.tensor([2.0]), "b": 7}}, digits=1)
    assert capsys.readouterr().out == "     a  b\n3  2.0  7\n"


def test_table_refuses_nothing():
    with pytest.raises(ValueError, match="no rows"):
        table({})


def test_table_moves_each_of_several_tensors_to_the_cpu(capsys):
    class OnGpu(torch.Tensor):
        """A tensor that NumPy cannot read before `.cpu()`."""

        def __array__(self, *args, **kwargs):
            raise TypeError("can't convert cuda device type tensor to numpy")

        def cpu(self):
            return self.as_subclass(torch.Tensor)

    seeds = [torch.tensor(value).as_subclass(OnGpu) for value in (0.25, 0.75)]
    table({"a": {"b": seeds}}, digits=2)
    assert "0.50 (0.25 – 0.75)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3, 4]],
        ((1, 2), (3, 4)),
        np.array([[1, 2], [3, 4]]),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        [torch.tensor([1, 2]), np.array([3, 4])],
        [[torch.tensor(1.0, requires_grad=True), 2], (3, torch.tensor(4))],
    ],
)
def test_to_numpy_takes_numbers_arrays_tensors_and_lists_of_them(values):
    found = to_numpy(values)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, [[1, 2], [3, 4]])


@pytest.mark.parametrize("values, shape", [(3, ()), (torch.tensor(3), ()), ([], (0,))])
def test_to_numpy_takes_one_number_and_nothing(values, shape):
    assert to_numpy(values).shape == shape


def test_to_numpy_refuses_rows_of_different_lengths():
    with pytest.raises(ValueError, match="same shape"):
        to_numpy([torch.zeros(2), torch.zeros(3)])
