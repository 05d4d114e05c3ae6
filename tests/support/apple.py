"""An Apple GPU for machines that have none: tensors that claim to lie on `mps` and refuse what MPS
refuses.

Behind the claim they are ordinary tensors on the CPU, so gradients, shapes and numbers are right.
Refused, with the errors of MPS: float64 (also in a copy from the GPU, which converts before it
copies), what MPS lacks of linear algebra, and NumPy's hands on a tensor of the GPU. Not refused: a
mixture of devices. CUDA refuses that too.

    import apple; apple.pretend()  # from here on get_device() is mps
"""

import copy
import functools

import torch
from torch.overrides import TorchFunctionMode

CPU, MPS = torch.device("cpu"), torch.device("mps", 0)
NO_DOUBLE = (
    "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. "
    "Please use float32 instead."
)
NO_NUMPY = (
    "can't convert mps:0 device type tensor to numpy. "
    "Use Tensor.cpu() to copy the tensor to host memory first."
)
LACKING = (torch.linalg.eig, torch.linalg.eigvals, torch.linalg.lstsq)
UNTOUCHED = {torch.device, torch._C._nn._parse_to}  # what a device is called, no tensor
MOVES = {torch.Tensor.to, torch.Tensor.cpu}  # may name a device without a keyword


class AppleTensor(torch.Tensor):
    """What lies on the GPU. All that it does is done by the mode below."""

    __torch_function__ = torch._C._disabled_torch_function_impl


class AppleMode(TorchFunctionMode):
    """Sees every call of torch: leads `mps` to the CPU, and marks what comes of it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in UNTOUCHED:
            return func(*args, **(kwargs or {}))
        on_gpu = _holds_apple(args) or bool(kwargs) and _holds_apple(kwargs.values())
        if on_gpu and func in SPECIAL:
            return SPECIAL[func](*args, **(kwargs or {}))
        if kwargs or func in MOVES:
            return _led_there(func, args, kwargs or {}, on_gpu)
        result = func(*args)  # the common case comes without a detour: trainings make millions
        if not on_gpu or result is args[0]:
            return result
        return _marked(result, MPS)


def _led_there(func, args, kwargs, on_gpu):
    """A call that may name a device."""
    named = _target(func, args, kwargs)
    if on_gpu and named == CPU and _asks_for_double((*args, *kwargs.values())):
        raise TypeError(NO_DOUBLE)
    result = func(*map(_led, args), **{key: _led(value) for key, value in kwargs.items()})
    if args and result is args[0]:
        if named is None or isinstance(result, AppleTensor) == (named == MPS):
            return result  # changed in place, or already there
        result = result.clone()  # what goes to another device is a copy
    return _marked(result, named or (MPS if on_gpu else CPU))


def _holds_apple(values):
    """Does a tensor of the GPU lie among the values, or in lists of them?"""
    for value in values:
        if type(value) is AppleTensor:
            return True
        if isinstance(value, (tuple, list)) and _holds_apple(value):
            return True
        if isinstance(value, dict) and _holds_apple(value.values()):
            return True
    return False


def _asks_for_double(values):
    return any(value is torch.float64 for value in values)


def _is_mps(value):
    return isinstance(value, torch.device) and value.type == "mps" or value in ("mps", "mps:0")


def _named(func, value):
    """The device that an argument names, or None."""
    if isinstance(value, torch.device):
        return MPS if value.type == "mps" else CPU
    if isinstance(value, str) and value.partition(":")[0] in ("cpu", "mps"):
        return MPS if value.startswith("mps") else CPU
    if isinstance(value, torch.Tensor) and func is torch.Tensor.to:
        return MPS if isinstance(value, AppleTensor) else CPU


def _target(func, args, kwargs):
    """The device that the call names for its result, or None."""
    if func is torch.Tensor.cpu:
        return CPU
    places = [kwargs.get("device"), *(args[1:2] if func is torch.Tensor.to else ())]
    named = [place for place in (_named(func, value) for value in places) if place is not None]
    return named[0] if named else None


def _led(value):
    """The same argument with the CPU in the place of `mps`."""
    if type(value) in (tuple, list):
        return type(value)(_led(one) for one in value)
    return CPU if isinstance(value, (str, torch.device)) and _is_mps(value) else value


def _marked(result, target):
    """The result as a tensor of its device; float64 cannot be one of the GPU."""
    if isinstance(result, (list, tuple)) and type(result) is not torch.Size:
        return _rebuilt(result, [_marked(one, target) for one in result])
    if not isinstance(result, torch.Tensor) or isinstance(result, AppleTensor) == (target == MPS):
        return result
    if target == CPU:
        return result.as_subclass(torch.Tensor)
    if result.dtype in (torch.float64, torch.complex128):
        raise TypeError(NO_DOUBLE)
    return result.as_subclass(AppleTensor)


def _rebuilt(old, parts):
    if all(new is one for new, one in zip(parts, old, strict=True)):
        return old
    named = hasattr(old, "_fields")
    return type(old)(*parts) if named else type(old)(parts)


def _deep_copy(x, memo):
    if id(x) not in memo:
        plain = x.detach().as_subclass(torch.Tensor).clone()
        memo[id(x)] = _like(x, plain.as_subclass(AppleTensor))
        if x.grad is not None:
            memo[id(x)].grad = copy.deepcopy(x.grad, memo)
    return memo[id(x)]


def _like(x, new):
    """new, a parameter where x is one."""
    new.requires_grad_(x.requires_grad)
    if getattr(x, "_is_param", False):
        new._is_param = True
    return new


def _pickle(x, protocol):
    """As on the CPU: a file says nothing of this module."""
    plain = x.detach().as_subclass(torch.Tensor).requires_grad_(x.requires_grad)
    return plain.__reduce_ex__(protocol)


def _format(x, specification):
    """For a number in an f-string."""
    return format(x.detach().as_subclass(torch.Tensor), specification)


def _no_numpy(*args, **kwargs):
    raise TypeError(NO_NUMPY)


def _lacking(*args, **kwargs):
    raise NotImplementedError("this operator is not currently implemented for the MPS device")


# What a tensor of the GPU answers in its own way.
SPECIAL = {
    torch.Tensor.device.__get__: lambda x: MPS,
    torch.Tensor.is_cpu.__get__: lambda x: False,
    torch.Tensor.is_mps.__get__: lambda x: True,
    torch.Tensor.numpy: _no_numpy,
    torch.Tensor.__array__: _no_numpy,
    torch.Tensor.__deepcopy__: _deep_copy,
    torch.Tensor.__reduce_ex__: _pickle,
    torch.Tensor.__format__: _format,
} | dict.fromkeys(LACKING, _lacking)


class AppleGenerator(torch.Generator):
    """A generator that may be asked to lie on `mps`."""

    def __new__(cls, device=None):
        return super().__new__(cls, CPU if device is None or _is_mps(device) else device)


def _apply(module, fn, recurse=True, original=torch.nn.Module._apply):
    """What `.to` does to a module: a parameter gets another class, and stays the same object."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        return original(module, fn, recurse)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)


def pretend():
    """Turns this process into one on an Apple GPU, for good."""
    # cached as the real one is: torch asks it for what it wraps
    torch.backends.mps.is_available = functools.cache(lambda: True)
    torch.mps.get_rng_state = lambda device=MPS: torch.zeros(16, dtype=torch.uint8)
    torch.mps.set_rng_state = lambda state, device=MPS: None
    torch.mps.manual_seed = lambda seed: None
    torch.mps.synchronize = torch.mps.empty_cache = lambda: None
    torch.Generator = AppleGenerator
    torch.nn.Module._apply = _apply
    mode = AppleMode()
    mode.__enter__()
    return mode
