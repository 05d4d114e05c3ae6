import pytest
import torch

from dlcourse.metrics import dice, iou


def masks(*pictures):
    return torch.tensor(
        [[[[mark == "x" for mark in row] for row in picture.split()]] for picture in pictures]
    )


def as_logits(mask):
    return torch.where(mask, 3.0, -3.0)


FOUND = masks("xx. ...", "... ...", "... ...", "xxx ...")
THERE = masks("x.. x..", "... ...", "x.. ...", "xxx ...")


def test_dice_and_iou_by_hand_with_empty_masks():
    each = [float(dice(as_logits(FOUND[i : i + 1]), THERE[i : i + 1])) for i in range(4)]
    assert each == pytest.approx([0.5, 1.0, 0.0, 1.0])
    each = [float(iou(as_logits(FOUND[i : i + 1]), THERE[i : i + 1])) for i in range(4)]
    assert each == pytest.approx([1 / 3, 1.0, 0.0, 1.0])
    assert dice(as_logits(FOUND), THERE) == pytest.approx(2.5 / 4)


def test_a_false_alarm_on_an_empty_mask_costs_everything():
    found = masks("x.. ...")
    assert (
        dice(as_logits(found), torch.zeros_like(found))
        == 0
        == iou(as_logits(found), torch.zeros_like(found))
    )


@pytest.mark.parametrize("kind", [torch.bool, torch.float32, torch.uint8, torch.int64])
def test_masks_of_any_kind_and_noncontiguous_logits(kind):
    logits = torch.randn(3, 1, 6, 8, generator=torch.Generator().manual_seed(0)).transpose(2, 3)
    mask = torch.rand(3, 1, 8, 6, generator=torch.Generator().manual_seed(1)) < 0.4
    assert dice(logits, mask.to(kind)) == dice(logits.contiguous(), mask)
    for one, truth in zip(logits, mask, strict=True):
        d, i = dice(one[None], truth[None]), iou(one[None], truth[None])
        torch.testing.assert_close(i, d / (2 - d))
    assert dice(logits, mask).shape == () and dice(logits, mask).dtype == torch.float32
