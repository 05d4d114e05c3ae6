import pytest
import torch

from dlcourse.data import seismic


@pytest.fixture(scope="module")
def drawn():
    return seismic.sections(300, seed=0)  # below the size that is cached


def correlation(a, b):
    a, b = a.flatten() - a.mean(), b.flatten() - b.mean()
    return (a @ b / (a.norm() * b.norm())).item()


def test_the_format(drawn):
    shape = (300, 1, 64, 64)
    assert all(part.shape == shape for part in drawn)
    assert drawn.x.dtype == drawn.impedance.dtype == torch.float32
    assert drawn.salt.dtype == drawn.fault.dtype == torch.bool
    torch.testing.assert_close(drawn.x.square().mean((1, 2, 3)), torch.ones(300))
    assert drawn.impedance.min() > 2 and drawn.impedance.max() < 11


def test_the_same_seed_gives_the_same_sections_however_many_are_drawn(drawn):
    assert torch.equal(seismic.sections(120, seed=0).x, drawn.x[:120])
    assert not torch.equal(seismic.sections(120, seed=1).x, drawn.x[:120])


def test_salt_is_one_body_that_goes_on_downwards_and_some_sections_have_none(drawn):
    share = drawn.salt.float().mean((1, 2, 3))
    assert (
        0.1 < (share == 0).float().mean() < 0.3 and 0.1 < share.mean() < 0.3 and share.max() < 0.6
    )
    below = drawn.salt[:, :, 1:] | ~drawn.salt[:, :, :-1]  # what is under salt is salt
    assert below.float().mean() > 0.998  # a leaning flank may have sediments under it
    assert torch.all(drawn.impedance[drawn.salt] == seismic.SALT)
    assert not (drawn.salt & drawn.fault).any()


def test_a_record_is_impedance_contrast_seen_through_a_wavelet(drawn):
    """Where impedance grows downwards the amplitude is positive: the polarity
    that the docstring's model gives."""
    z = drawn.impedance
    contrast = (z[:, :, 2:] - z[:, :, :-2]) / (z[:, :, 2:] + z[:, :, :-2])
    assert correlation(drawn.x[:, :, 1:-1], contrast) > 0.3


def test_the_top_of_salt_reflects_and_its_inside_is_quiet(drawn):
    top = drawn.salt[:, :, 1:] & ~drawn.salt[:, :, :-1]
    # a hard reflection, well above the root mean square of 1
    assert drawn.x[:, :, 1:][top].mean() > 1.0
    inside = drawn.salt.clone()
    for _ in range(8):  # a wavelet away from the boundary
        inside = inside & inside.roll(1, 2) & inside.roll(1, 3) & inside.roll(-1, 3)
    inside[:, :, :8] = False
    assert drawn.x[inside].std() < 0.7 * drawn.x[~drawn.salt].std()


def test_layers_are_displaced_at_faults(drawn):
    jump = (drawn.impedance[..., 1:] - drawn.impedance[..., :-1]).abs()
    sediment = ~(drawn.salt[..., 1:] | drawn.salt[..., :-1])
    at = drawn.fault[..., 1:] & sediment
    assert jump[at].mean() > 1.5 * jump[sediment & ~at].mean()
    faulted = drawn.fault.flatten(1).any(1).float().mean()
    assert 0.6 < faulted < 0.95


@pytest.mark.parametrize(("n", "seed", "text"), [(0, 0, "at least 1"), (5, -1, "a seed is")])
def test_bad_input_is_named(n, seed, text):
    with pytest.raises(ValueError, match=text):
        seismic.sections(n, seed)
