"""The scripts that train overnight: a file and its row, a run that goes on, and nothing better
lost."""

from pathlib import Path

import pytest
import torch

from dlcourse.data import tables, weights
from dlcourse.data.images import Images
from dlcourse.methods.judge import Judge
from dlcourse.models.cnn import CNN
from dlcourse.models.denoiser import Denoiser
from dlcourse.models.vae import VAE

HERE = Path(__file__).parent
MOMENT = ["--minutes", "0.003"]  # some updates


@pytest.fixture
def scripts(monkeypatch, tmp_path):
    """(overnight, overnight_vae, overnight_diffusion), with some random images for MNIST."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path / "cache"))
    import overnight
    import overnight_diffusion
    import overnight_vae

    torch.manual_seed(0)
    x, y = torch.randint(0, 256, (40, 1, 28, 28), dtype=torch.uint8), torch.randint(10, (40,))
    few = Images("noise", x, y, x, y, tuple("0123456789"))
    monkeypatch.setattr(overnight.images, "mnist", lambda fallback: few)
    monkeypatch.setattr(overnight_diffusion, "SAMPLES", 20)
    monkeypatch.setattr(
        overnight_diffusion, "train_judge", lambda *_, **__: Judge(CNN((1, 4, 4)), few.x)
    )
    threads = torch.get_num_threads()
    yield overnight, overnight_vae, overnight_diffusion
    torch.set_num_threads(threads)


def play(scripts, name, folder, *more):
    """Runs the command of one script for a moment; returns its row."""
    overnight, *others = scripts
    script = {"vae": others[0], "diffusion": others[1]}[name]
    return overnight.main(script.night, script.__file__, [*MOMENT, "--to", str(folder), *more])


def rows(folder):
    text = (folder / "overnight.csv").read_text(encoding="utf-8")
    return {row["name"]: row for row in tables.as_dicts(tables.parse(text))}


@pytest.mark.slow
def test_both_scripts_leave_what_the_library_reads(scripts, tmp_path, monkeypatch):
    folder = tmp_path / "files" / weights.OVERNIGHT
    made = {name: play(scripts, name, folder) for name in ("vae", "diffusion")}
    for module in (weights, tables):
        monkeypatch.setattr(module.resources, "files", lambda package: tmp_path)
    table = {row["name"]: row for row in weights.overnight_table()}
    assert list(table) == ["diffusion", "vae"] and table == made
    assert all(row["updates"] > 0 and row["threads"] == 1 for row in table.values())
    for model, name in ((VAE(latents=20), "vae"), (Denoiser(width=16), "diffusion")):
        model.load_state_dict(weights.overnight(name))
    assert not list((tmp_path / "cache").glob("overnight-*"))  # nothing is left to go on from


def test_the_value_is_that_of_the_file(scripts, tmp_path):
    overnight, vae, _ = scripts
    row = play(scripts, "vae", tmp_path)
    model = VAE(latents=20)
    model.load_state_dict(torch.load(tmp_path / "vae.pt", weights_only=True))
    night = vae.night(overnight.images.mnist(fallback=False))
    assert round(night.value(model), 2) == row["value"]


def test_the_vae_is_measured_by_its_bound(scripts):
    _, vae, _ = scripts
    model, x = VAE(latents=3), torch.zeros(2, 1, 28, 28)
    for parameter in model.parameters():  # q is N(0, I), each pixel a fair coin
        torch.nn.init.zeros_(parameter)
    assert vae.bound(model, x).item() == pytest.approx(784 * torch.tensor(2.0).log().item())
    grey = torch.full((50, 1, 28, 28), 64, dtype=torch.uint8)
    x = vae.coins(grey)
    assert set(x.unique().tolist()) == {0.0, 1.0} and abs(x.mean() - 64 / 255) < 0.01


def test_a_better_file_is_kept_unless_told_otherwise(scripts, tmp_path):
    play(scripts, "vae", tmp_path)
    table = tmp_path / "overnight.csv"
    value, before = rows(tmp_path)["vae"]["value"], (tmp_path / "vae.pt").read_bytes()
    table.write_text(table.read_text(encoding="utf-8").replace(f",{value}\n", ",1.0\n"))
    play(scripts, "vae", tmp_path)
    assert rows(tmp_path)["vae"]["value"] == "1.0"
    assert (tmp_path / "vae.pt").read_bytes() == before
    play(scripts, "vae", tmp_path, "--again")
    assert float(rows(tmp_path)["vae"]["value"]) > 1.0


def test_a_run_that_was_stopped_goes_on(scripts, tmp_path):
    overnight, vae, _ = scripts
    data = overnight.images.mnist(fallback=False)
    path, first = tmp_path / "checkpoint", overnight.Training(vae.night(data), 0.003)
    first.run(path)
    minutes = (first.done["passed"] + 0.01) / 60  # one more update, on any machine
    second = overnight.Training(vae.night(data), minutes)
    second.run(path)
    assert second.done["updates"] > first.done["updates"] > 0
    assert second.done["passed"] >= 60 * minutes > first.done["passed"]
    third = overnight.Training(vae.night(data), minutes)
    third.run(path)  # it is over: only read
    assert third.done == second.done
    both = zip(third.average.parameters(), second.average.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in both)


def test_the_learning_rate_follows_the_share_of_the_minutes(scripts):
    overnight, vae, _ = scripts
    training, rates = overnight.Training(vae.night(overnight.images.mnist(fallback=False)), 1), []
    for passed in (0, 0.6, 1.2, 30, 59.9):
        training.done["passed"] = passed
        training.step()
        rates.append(training.optimiser.param_groups[0]["lr"] / training.night.peak)
    assert rates == pytest.approx([1 / 200, 101 / 200, 1, 0.5, 0], abs=0.03)


def test_a_file_that_is_too_large_is_refused(scripts):
    with pytest.raises(SystemExit, match="1,500,000"):
        scripts[0].pack({"weight": torch.zeros(750_000)})
