"""What a list of losses holds in memory through the graphs that made them."""

import torch


def _graph(losses):
    """All nodes of the graphs behind the losses, each once."""
    waiting, seen = [loss.grad_fn for loss in losses if isinstance(loss, torch.Tensor)], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [parent for parent, _ in node.next_functions]
    return seen


def _saved(node):
    """The tensors that a node keeps for backward; none once backward has let them go."""
    for name in dir(node):
        if name.startswith("_saved_"):
            try:
                value = getattr(node, name)
            except RuntimeError:  # "… after they have already been freed"
                continue
            if isinstance(value, torch.Tensor):
                yield value


def held_by(losses):
    """Megabytes that the graphs behind a list of losses have saved for backward, and their nodes.

    losses: tensors or floats. Memory that several tensors share counts once, that of parameters
    not at all, for it would be there anyway. Returns (float, int).
    """
    nodes, own, held = _graph(losses), set(), {}
    for node in nodes:
        if hasattr(node, "variable"):  # where a graph ends in a parameter
            own.add(node.variable.untyped_storage().data_ptr())
    for tensor in (one for node in nodes for one in _saved(node)):
        storage = tensor.untyped_storage()
        held[storage.data_ptr()] = storage.nbytes()
    return sum(size for place, size in held.items() if place not in own) / 1e6, len(nodes)
