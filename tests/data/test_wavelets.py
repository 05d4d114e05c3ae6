import math

import pytest
import torch

from dlcourse.data.wavelets import echoes, ricker


def test_rickers_wavelet_is_symmetric_with_mean_zero_and_the_energy_of_the_closed_form():
    for frequency, dt in ((25, 0.001), (10, 0.004), (60, 0.0005)):
        w = ricker(frequency, dt)
        assert len(w) % 2 == 1 and w.dtype == torch.float32
        assert w.argmax() == len(w) // 2 and w.max() == 1 and torch.equal(w, w.flip(0))
        assert abs(w.sum()) < 1e-2 and abs(w[0]) < 1e-4
        energy = 0.75 * math.sqrt(math.pi / 2) / (math.pi * frequency * dt)
        torch.testing.assert_close((w**2).sum(), torch.tensor(energy), rtol=1e-3, atol=0)


def test_its_spectrum_is_largest_at_its_frequency():
    w = ricker(25, 0.001)
    spectrum = torch.fft.rfft(w, 10_000).abs()  # 0.1 Hz from one to the next
    assert abs(0.1 * spectrum.argmax().item() - 25) <= 0.2


def test_too_few_samples_a_period_are_refused():
    with pytest.raises(ValueError, match="too coarse"):
        ricker(100, 0.004)


def test_echoes_hold_the_wavelet_where_they_say_and_noise_of_the_given_deviation():
    w = ricker(25, 0.002)
    quiet = echoes(50, 120, w, noise=0.0, seed=3)
    assert quiet.trace.shape == (50, 120) and quiet.start.shape == (50,)
    for trace, start in zip(quiet.trace, quiet.start, strict=True):
        assert (
            torch.equal(trace[start : start + len(w)], w)
            and trace.count_nonzero() == w.count_nonzero()
        )
    assert quiet.start.min() < 10 and quiet.start.max() > 60  # 120 − 49 + 1 places
    loud = echoes(400, 120, w, noise=0.7, seed=3)
    silent = echoes(400, 120, w, noise=0.0, seed=3)
    assert torch.equal(loud.start, silent.start)
    assert (loud.trace - silent.trace).std() == pytest.approx(0.7, rel=0.02)


def test_the_same_seed_gives_the_same_traces_and_a_short_trace_is_refused():
    w = ricker(25, 0.002)
    assert torch.equal(echoes(3, 80, w, seed=1).trace, echoes(3, 80, w, seed=1).trace)
    assert not torch.equal(echoes(3, 80, w, seed=1).trace, echoes(3, 80, w, seed=2).trace)
    assert echoes(2, len(w), w).start.tolist() == [0, 0]
    with pytest.raises(ValueError, match="49 samples does not fit into a trace of 48"):
        echoes(1, 48, w)
