"""Pictures of what a network looks at:
images beside their maps, and images with what was answered."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.report import to_numpy


def maps(images, columns, titles=None, scale=1.25):
    """One row for each image: the image in grey,
    then its maps, red where positive and blue where negative.

    images: (N, H, W) or (N, 1, H, W). columns: {name: N maps (h, w), of any size}; each map has its
    own scale, symmetric about 0. titles: N strings that stand beside the rows, or None. Returns the
    figure. Raises ValueError where a column has not one map for each image.
    """
    images = to_numpy(images)
    images = images[:, 0] if images.ndim == 4 else images
    wrong = [name for name, found in columns.items() if len(found) != len(images)]
    if wrong:
        raise ValueError(
            f"maps: column {wrong[0]!r} has {len(columns[wrong[0]])} maps for {len(images)} images"
        )
    size = ((1 + len(columns)) * scale + 0.3, len(images) * scale + 0.3)
    figure, axes = plt.subplots(len(images), 1 + len(columns), figsize=size, squeeze=False)
    for row, image in enumerate(images):
        axes[row, 0].imshow(image, cmap="gray", vmin=0)
        for ax, found in zip(axes[row, 1:], columns.values(), strict=True):
            values = to_numpy(found[row])
            limit = max(float(np.abs(values).max()), 1e-12)
            ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
        if titles is not None:
            axes[row, 0].set_ylabel(titles[row], fontsize=8)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
    for ax, name in zip(axes[0], ["image", *columns], strict=True):
        ax.set_title(name, fontsize=9)
    return figure


def pair_of_maps(left, right, titles, labels, extent):
    """Two maps of the same ground side by side, each with its own colour bar.

    left, right: (H, W). titles: two strings. labels: what the two colour bars show, with units.
    extent: (left, right, bottom, top) in kilometres. Returns the figure.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.7), sharey=True)
    for ax, values, title, label, cmap in zip(
        axes, (left, right), titles, labels, ("gray", "viridis"), strict=True
    ):
        shown = ax.imshow(to_numpy(values), cmap=cmap, extent=extent, aspect="equal")
        ax.set(title=title, xlabel="km eastwards")
        ax.grid(False)
        figure.colorbar(shown, ax=ax, label=label)
    axes[0].set_ylabel("km northwards")
    return figure
