"""What is compared of a convolution: its output and, since networks are trained through it, the
gradients that flow back."""

import torch

CUT = "none: the output does not depend on it in a way that can be differentiated"


def with_slopes(*names):
    """A probe: the output of a function, and the gradients of its first tensors, called `names`."""

    def probe(function, *args):
        args, leaves = list(args), {}
        for i, name in enumerate(names[: len(args)]):
            if isinstance(args[i], torch.Tensor):
                args[i] = leaves[name] = args[i].requires_grad_()
        output = function(*args)
        if not isinstance(output, torch.Tensor):
            return {"output": output} | {f"gradient of {name}": CUT for name in leaves}
        grads = [None] * len(leaves)
        if output.requires_grad:
            # another weight for every number: what is exchanged or turned round shows
            weights = torch.arange(output.numel(), dtype=output.dtype).cos().view(output.shape)
            total = (output * weights).sum()
            grads = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
        found = {"output": output.detach()}
        for name, grad in zip(leaves, grads, strict=True):
            found[f"gradient of {name}"] = CUT if grad is None else grad
        return found

    probe.hands_on = True  # the function's own arguments, as a case has them
    return probe
