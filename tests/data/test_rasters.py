import pytest
import torch

from dlcourse.data.rasters import LANDFORMS, Terrain, elevation, landforms, photographs


def test_the_terrain_has_heights_and_pixels_in_metres():
    terrain = elevation()
    assert terrain.height.shape == (344, 403) and terrain.height.dtype == torch.float32
    assert terrain.height.aminmax() == (236.0, 1076.0)
    # 3 arc seconds on a sphere of 6371 km: 92.66 m along a meridian, times cos 36.59° along a
    # parallel
    torch.testing.assert_close(
        torch.tensor([terrain.dy, terrain.dx]), torch.tensor([92.66, 74.40]), rtol=1e-3, atol=0
    )


def test_the_photographs_are_in_colour_and_in_torchs_order():
    x = photographs()
    assert x.shape == (2, 3, 427, 640) and x.is_contiguous()
    assert x.min() >= 0 and 0.99 < x.max() <= 1
    (red, green, blue), sky = (
        x[1, :, 200, 330],
        x[0, :, 20, 20],
    )  # the flower's middle; the sky above the temple
    assert red > 2 * max(green, blue) and sky[2] > sky[0]


def test_a_roof_has_a_ridge_two_hillsides_and_flat_ground_on_either_side():
    across = torch.arange(61.0)
    profile = (300 - 20 * (across - 30).abs()).clamp_min(0)  # metres: 20 a cell, then level
    forms = landforms(Terrain(profile.repeat(41, 1), 90.0, 90.0), size=11)[20]
    names = [LANDFORMS[k] for k in forms.tolist()]
    assert names[30] == "ridge" and names[22] == names[38] == "hillside"
    assert names[15] == names[45] == "valley"  # the foot of the slope lies below its surroundings
    assert names[2] == names[58] == "flat ground"


def test_the_map_knows_neither_the_height_of_the_sea_nor_the_compass():
    terrain = elevation()
    forms = landforms(terrain)
    assert forms.shape == (344, 403) and forms.dtype == torch.int64
    assert (torch.bincount(forms.flatten()) > 5_000).all()  # all four are there
    assert torch.equal(landforms(terrain._replace(height=terrain.height + 64)), forms)
    turned = Terrain(terrain.height.T.contiguous(), terrain.dx, terrain.dy)
    assert (forms == landforms(turned).T).float().mean() > 0.999  # to rounding
    with pytest.raises(ValueError, match="odd number of cells"):
        landforms(terrain, size=20)
