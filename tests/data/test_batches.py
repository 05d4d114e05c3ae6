import numpy as np
import pytest
import torch

from dlcourse.data.batches import Batches

X = torch.arange(40.0).view(10, 4)
Y = torch.arange(10)


def test_batches_hold_every_row_once_in_order():
    batches = Batches(X, Y, size=4)
    walked = list(batches)
    assert len(batches) == len(walked) == 3
    assert [len(y) for _, y in walked] == [4, 4, 2]
    assert torch.equal(torch.cat([x for x, _ in walked]), X)
    assert torch.equal(torch.cat([y for _, y in walked]), Y)


def test_drop_last_leaves_out_the_short_batch():
    batches = Batches(X, size=4, drop_last=True)
    assert len(batches) == len(list(batches)) == 2
    assert all(len(x) == 4 for (x,) in batches)


@pytest.mark.parametrize(
    ("rows", "size", "drop_last"), [(10, 5, False), (10, 5, True), (10, 10, True), (1, 128, False)]
)
def test_len_is_what_the_walk_yields(rows, size, drop_last):
    batches = Batches(torch.zeros(rows, 2), size=size, drop_last=drop_last)
    assert len(batches) == len(list(batches)) > 0


def test_shuffling_keeps_rows_together_and_changes_each_epoch():
    batches = Batches(X, Y, size=4, shuffle=True, generator=torch.Generator().manual_seed(0))
    first, second = (list(batches) for _ in range(2))
    for epoch in (first, second):
        labels = torch.cat([y for _, y in epoch])
        assert sorted(labels.tolist()) == list(range(10))
        assert torch.equal(torch.cat([x for x, _ in epoch]), X[labels])
    assert not torch.equal(torch.cat([y for _, y in first]), torch.cat([y for _, y in second]))


def test_a_seeded_generator_repeats_and_leaves_the_global_one_alone():
    def order():
        generator = torch.Generator().manual_seed(3)
        return [
            y.tolist()
            for _ in range(2)
            for (y,) in Batches(Y, size=4, shuffle=True, generator=generator)
        ]

    before = torch.get_rng_state()
    assert order() == order()
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_generator_the_global_seed_decides():
    def order():
        torch.manual_seed(1)
        return [y.tolist() for (y,) in Batches(Y, size=4, shuffle=True)]

    assert order() == order()


def test_two_walks_at_once_do_not_disturb_each_other():
    batches = Batches(Y, size=2)
    assert [(a.tolist(), b.tolist()) for (a,), (b,) in zip(batches, batches, strict=True)][1] == (
        [2, 3],
        [2, 3],
    )


@pytest.mark.parametrize("shuffle", [False, True])
def test_uint8_images_come_out_between_0_and_1_and_labels_untouched(shuffle):
    # not contiguous
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 2, 2)
    x, y = next(iter(Batches(images, torch.tensor([0, 51, 255]), shuffle=shuffle)))
    assert x.dtype == torch.float32 and y.dtype == torch.int64
    torch.testing.assert_close(x[:, 0, 0, 0], y / 255)
    assert images.dtype == torch.uint8


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_step_that_works_in_place_does_not_change_the_data(shuffle):
    x = X.clone()
    for (batch,) in Batches(x, shuffle=shuffle):
        batch.zero_()
    assert torch.equal(x, X)


def test_transform_sees_normalised_batches_and_may_change_their_number():
    images = torch.full((4, 1, 2, 2), 255, dtype=torch.uint8)
    x, y, extra = next(
        iter(Batches(images, torch.arange(4), transform=lambda x, y: (x * 2, y, x.mean())))
    )
    assert x.max() == 2.0 and extra == 1.0 and y.tolist() == [0, 1, 2, 3]


def test_transform_may_return_a_bare_tensor_or_a_list():
    assert len(next(iter(Batches(X, Y, transform=lambda x, y: x)))) == 1
    assert isinstance(next(iter(Batches(X, Y, transform=lambda x, y: [x, y]))), tuple)


def test_tensors_land_on_the_device_asked_for():
    (x,) = next(iter(Batches(X, shuffle=True, device="meta")))
    assert x.device.type == "meta"
    (x,) = next(iter(Batches(X)))
    assert x.device == X.device


@pytest.mark.parametrize(
    ("tensors", "options", "error", "message"),
    [
        ((), {}, ValueError, "at least one tensor"),
        ((X, Y[:9]), {}, ValueError, "argument 2 of Batches has 9 rows, argument 1 has 10"),
        ((X, Y, Y[:3]), {}, ValueError, "argument 3"),
        ((X[:0],), {}, ValueError, "without rows"),
        ((X, np.arange(10)), {}, TypeError, r"argument 2 is a ndarray: try torch.as_tensor"),
        ((X, 128), {}, TypeError, "argument 2 is a int"),
        ((torch.tensor(1.0),), {}, ValueError, "single number"),
        ((X, Y.to(torch.uint8)), {}, TypeError, r"argument 2 .* \.long\(\)"),
        ((X,), {"size": 0}, ValueError, "at least 1, not 0"),
        ((X,), {"size": 2.0}, ValueError, "whole number"),
        ((X,), {"size": 11, "drop_last": True}, ValueError, "leaves no batch: 10 rows"),
        ((X,), {"transform": 1}, TypeError, "transform is a function"),
        ((X,), {"generator": 0, "shuffle": True}, TypeError, r"torch.Generator\(\).manual_seed"),
    ],
)
def test_bad_arguments_say_what_to_do(tensors, options, error, message):
    with pytest.raises(error, match=message):
        Batches(*tensors, **options)


def test_a_transform_that_forgets_its_return_is_told():
    with pytest.raises(TypeError, match="returned a NoneType"):
        next(iter(Batches(X, transform=lambda x: None)))
