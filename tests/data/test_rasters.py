import torch

from dlcourse.data.rasters import elevation, photographs


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
