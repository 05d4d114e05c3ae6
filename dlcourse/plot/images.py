"""Grids of images."""

import matplotlib.pyplot as plt

from dlcourse.report import to_numpy


def image_grid(images, titles=None, columns=8, scale=1.0, cmap="gray", limits=None):
    """A grid of images.

    images: (N, H, W), (N, 1, H, W) or (N, 3, H, W), or a list of such
        without N. titles: N strings or None.
    scale: width of an image in inches. limits: (darkest, brightest) for all; by default
    those of the whole set. Returns the figure. Raises ValueError where there are no images
    or the titles do not match them.
    """
    images = to_numpy(images)
    if len(images) == 0:
        raise ValueError("image_grid got no images")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"image_grid got {len(images)} images and {len(titles)} titles")
    if images.ndim == 4:  # (N, C, H, W) → (N, H, W) or (N, H, W, 3)
        images = images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)
    low, high = limits or (images.min(), images.max())
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = scale * (1.0 if titles is None else 1.25) * images.shape[1] / images.shape[2]
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * scale, rows * height), squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    for index, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        ax.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        if titles is not None:
            ax.set_title(titles[index], fontsize=8)
    return figure
