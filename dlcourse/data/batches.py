"""Mini-batches of tensors that lie in memory: one slice or one gather a batch, no workers."""

import torch


class Batches:
    """Mini-batches of tensors that belong together row by row; can
    be walked through again and again.

    tensors: each (N, …), the same N, e.g. images x and labels y. uint8
        images come out as float32 in [0, 1].
    size: rows in a batch; the last one may be shorter, or is left out with drop_last=True.
    shuffle: a new order every epoch, drawn from `generator` (a
        torch.Generator; default: the global one).
    transform: called on each batch, after normalisation, as transform(x, y, …);
        returns the batch to use instead.
    device: where the tensors are moved, once, e.g. get_device(); None leaves them where the first
    one is. Yields a tuple with one tensor (B, …) for each argument. Raises TypeError or
    ValueError for what can't be batched.
    """

    def __init__(
        self,
        *tensors,
        size=128,
        shuffle=False,
        drop_last=False,
        transform=None,
        generator=None,
        device=None,
    ):
        _check(tensors, size, drop_last, transform, generator)
        device = tensors[0].device if device is None else device
        self.tensors = tuple(tensor.to(device) for tensor in tensors)
        self.size, self.shuffle, self.drop_last = size, shuffle, drop_last
        self.transform, self.generator = transform, generator

    def __len__(self):
        rows = len(self.tensors[0])
        return rows // self.size if self.drop_last else -(-rows // self.size)

    def __iter__(self):
        order = self._order() if self.shuffle else None
        for start in range(0, len(self) * self.size, self.size):
            if self.shuffle:
                rows = order[start : start + self.size]
                batch = tuple(_ready(tensor.index_select(0, rows)) for tensor in self.tensors)
            else:
                parts = [tensor[start : start + self.size] for tensor in self.tensors]
                # _ready copies images; all else is copied here, so that a step in place cannot
                # change the data
                batch = tuple(
                    _ready(part) if part.dtype == torch.uint8 else part.clone() for part in parts
                )
            if self.transform is not None:
                batch = _returned(self.transform(*batch))
            yield batch

    def _order(self):
        where = "cpu" if self.generator is None else self.generator.device
        order = torch.randperm(len(self.tensors[0]), generator=self.generator, device=where)
        return order.to(self.tensors[0].device)


def _ready(batch):
    return batch.float().div_(255) if batch.dtype == torch.uint8 else batch


def _returned(batch):
    if isinstance(batch, torch.Tensor):
        return (batch,)
    if not isinstance(batch, (tuple, list)):
        raise TypeError(
            "transform must return the batch, e.g. `return x, y`; it returned a "
            f"{type(batch).__name__}"
        )
    return tuple(batch)


def _check(tensors, size, drop_last, transform, generator):
    if not tensors:
        raise ValueError("Batches needs at least one tensor, e.g. Batches(x, y, size=128)")
    for i, tensor in enumerate(tensors, start=1):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(
                f"Batches takes tensors; argument {i} is a {type(tensor).__name__}: try "
                "torch.as_tensor(…)"
            )
        if tensor.dim() == 0:
            raise ValueError(
                f"argument {i} of Batches is a single number; it needs an axis of rows, (N, …)"
            )
        if tensor.dtype == torch.uint8 and tensor.dim() == 1:
            raise TypeError(
                f"argument {i} of Batches is (N,) in uint8; that means images here: pass labels as "
                ".long()"
            )
        if len(tensor) != len(tensors[0]):
            raise ValueError(
                f"argument {i} of Batches has {len(tensor)} rows, argument 1 has {len(tensors[0])}"
            )
    if len(tensors[0]) == 0:
        raise ValueError("Batches got tensors without rows: there is nothing to walk through")
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size is a whole number of at least 1, not {size!r}")
    if drop_last and len(tensors[0]) < size:
        raise ValueError(
            f"drop_last leaves no batch: {len(tensors[0])} rows do not fill one of size {size}"
        )
    if transform is not None and not callable(transform):
        raise TypeError(
            f"transform is a function of a batch, transform(x, y, …), not {transform!r}"
        )
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(
            "generator is a torch.Generator, e.g. torch.Generator().manual_seed(0), not "
            f"{generator!r}"
        )
