"""Weights left overnight: small, complete, of the networks that their rows name, and trained."""

from importlib import resources
from pathlib import Path

import pytest
import torch

from dlcourse.data import glyphs, tables, weights
from dlcourse.methods.diffusion import cosine_betas, cumulative, diffusion_loss
from dlcourse.methods.elbo import bernoulli_nll, gaussian_kl
from dlcourse.models.denoiser import Denoiser
from dlcourse.models.vae import VAE

ROOT = Path(__file__).parents[2]
FOLDER = Path(str(resources.files("dlcourse.data"))) / "files" / weights.OVERNIGHT
ROWS = {row["name"]: row for row in weights.overnight_table()}
KINDS = {"VAE": VAE, "Denoiser": Denoiser}


def trained(name):
    """(the network as it was built, the same with the weights left overnight)."""
    torch.manual_seed(0)
    fresh, late = (eval(ROWS[name]["network"], KINDS).eval() for _ in range(2))
    late.load_state_dict(weights.overnight(name))
    return fresh, late


def test_files_and_rows_are_the_same_networks_and_the_files_are_small():
    files = {path.stem: path.stat().st_size for path in FOLDER.glob("*.pt")}
    assert {"vae", "diffusion"} <= files.keys() == ROWS.keys()
    assert max(files.values()) <= 1_500_000 and sum(files.values()) <= 10_000_000


def test_rows_are_whole_and_name_scripts_that_are_there():
    for row in ROWS.values():
        assert all(row.values()) and (ROOT / row["script"]).is_file()
        assert row["updates"] > 1000 and row["seconds"] > 60 and row["threads"] >= 1
        assert 0 < row["value"] < 1000


@pytest.mark.parametrize("name", ROWS)
def test_weights_are_float32_and_fit_the_network_of_their_row(name):
    _, late = trained(name)
    for value in late.state_dict().values():
        assert value.dtype == torch.float32 and value.isfinite().all()


@pytest.fixture(scope="module")
def digits():
    """Drawn digits, which no network here was trained on: (200, 1, 28, 28) in [0, 1]."""
    return glyphs.digits(200).x.float() / 255


def test_the_vae_knows_digits(digits):
    x, bounds = digits.round(), []
    with torch.no_grad():
        for model in trained("vae"):
            mu, log_var = model.encode(x)
            bounds.append((bernoulli_nll(model.decode(mu), x) + gaussian_kl(mu, log_var)).mean())
    assert bounds[1] < bounds[0] / 2


def test_the_denoiser_takes_noise_off_digits(digits):
    abar, losses = cumulative(cosine_betas(250)).float(), []
    with torch.no_grad():
        for model in trained("diffusion"):
            torch.manual_seed(1)
            losses.append(diffusion_loss(model, 2 * digits - 1, abar, "v"))
    assert losses[1] < losses[0] / 2


def test_an_unknown_name_is_told_which_there_are():
    with pytest.raises(ValueError, match=r"no network named 'gtp' .* there are 'diffusion'.*'vae'"):
        weights.overnight("gtp")


def test_a_missing_file_is_named_with_its_script(tmp_path, monkeypatch):
    folder = tmp_path / "files" / weights.OVERNIGHT
    folder.mkdir(parents=True)
    (folder / "overnight.csv").write_bytes((FOLDER / "overnight.csv").read_bytes())
    for module in (weights, tables):
        monkeypatch.setattr(module.resources, "files", lambda package: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"vae\.pt is missing: .*overnight_vae\.py trains"):
        weights.overnight("vae")
