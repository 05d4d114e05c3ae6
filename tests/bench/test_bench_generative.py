"""The command that makes the tables of results: every method runs, rows are
complete, a stopped run goes on."""

from pathlib import Path

import pytest
import torch

from dlcourse.data import tables
from dlcourse.data.images import Images
from dlcourse.methods.judge import Judge
from dlcourse.models.cnn import CNN


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import bench_generative

    monkeypatch.setattr(bench_generative, "STEPS", (250, 3))
    return bench_generative


@pytest.fixture
def few():
    """Some random images, and a judge that has learnt nothing."""
    torch.manual_seed(0)
    x, y = torch.randint(0, 256, (40, 1, 28, 28), dtype=torch.uint8), torch.randint(10, (40,))
    return Images("noise", x, y, x, y, tuple("0123456789")), Judge(CNN((1, 4, 4)), x)


def compete(bench, few, folder, seconds=0.0, seeds=1, samples=6):
    tables, todo = bench.missing(folder, seeds)
    if todo:
        bench.compete(*few, tables, todo, seconds, samples)


def rows(path):
    return tables.as_dicts(tables.parse(path.read_text(encoding="utf-8")))


@pytest.mark.slow
def test_two_updates_of_each_method_make_complete_tables_that_the_reader_understands(
    bench, few, tmp_path, monkeypatch
):
    compete(bench, few, tmp_path, samples=10)
    made, steps = rows(tmp_path / "generative.csv"), rows(tmp_path / "diffusion_steps.csv")
    assert [row["method"] for row in made] == list(bench.contestants.METHODS)
    assert {row["updates"] for row in made} == {"2"} and {row["data"] for row in made + steps} == {
        "noise"
    }
    assert [(row["steps"], row["sampler"], row["samples"]) for row in steps] == [
        ("250", "ancestral", "5"),
        ("3", "DDIM", "5"),
    ]
    assert all(cell for row in made + steps for cell in row.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "diffusion_steps.csv",
        "generative.csv",
    ]

    monkeypatch.setattr(bench.tables.resources, "files", lambda package: tmp_path.parent)
    tmp_path.rename(tmp_path.parent / "files")
    distances = bench.results.over_seeds(bench.results.generative(), "method", "distance")
    assert list(distances) == list(bench.contestants.METHODS) and all(
        d.isfinite().all() for d in distances.values()
    )
    assert [row["steps"] for row in bench.results.diffusion_steps()] == [250, 3]


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_a_finished_one_does_nothing(
    bench, few, tmp_path, monkeypatch
):
    methods = {name: bench.contestants.METHODS[name] for name in ("VAE", "DDPM")}
    monkeypatch.setattr(bench.contestants, "METHODS", methods)
    compete(bench, few, tmp_path)
    whole = rows(tmp_path / "generative.csv"), rows(tmp_path / "diffusion_steps.csv")
    lines = (tmp_path / "diffusion_steps.csv").read_text().splitlines(keepends=True)
    (tmp_path / "diffusion_steps.csv").write_text("".join(lines[:-1]))  # the row of 3 steps is lost

    played, original = [], bench.trained
    monkeypatch.setattr(bench, "trained", lambda *told: played.append(told[:2]) or original(*told))
    compete(bench, few, tmp_path)
    assert played == [("DDPM", 0)]
    assert rows(tmp_path / "generative.csv") == whole[0]
    again = rows(tmp_path / "diffusion_steps.csv")
    assert [row["steps"] for row in again] == ["250", "3"] and again[0] == whole[1][0]
    compete(bench, few, tmp_path)
    assert len(played) == 1


def test_rows_of_another_budget_are_refused(bench, few, tmp_path, monkeypatch):
    monkeypatch.setattr(bench.contestants, "METHODS", {"VAE": bench.contestants.vae})
    compete(bench, few, tmp_path)
    with pytest.raises(SystemExit, match="another budget"):
        compete(bench, few, tmp_path, seconds=1.0, seeds=2)
    compete(bench, few, tmp_path, seeds=2)
    assert [row["seed"] for row in rows(tmp_path / "generative.csv")] == ["0", "1"]


@pytest.mark.slow
def test_the_same_seed_and_number_of_updates_make_the_same_samples(bench, few):
    for name in ("VAE", "DCGAN", "flow matching"):
        pair = [bench.trained(name, 3, few[0], 2)[0].sample(4) for _ in range(2)]
        assert torch.equal(*pair) and pair[0].shape == (4, 1, 28, 28), name
        assert pair[0].min() >= 0 and pair[0].max() <= 1


def test_the_machine_is_named_by_its_processor(bench):
    import socket

    assert "cores" in bench.machine() and socket.gethostname() not in bench.machine()
