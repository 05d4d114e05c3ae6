"""The two tables of long runs: read as numbers, complete, and plausible; a missing one is named."""

import pytest
import torch

from dlcourse.data import results, tables

METHODS = ["VAE", "DCGAN", "WGAN-GP", "DDPM", "flow matching", "DDPM, labels, guided"]
STEPS = [250, 100, 50, 20, 10, 5]


def test_every_method_has_a_row_for_each_seed_with_the_same_budget():
    rows = results.generative()
    assert sorted((row["method"], row["seed"]) for row in rows) == sorted(
        (m, s) for m in METHODS for s in range(3)
    )
    for column in ("budget", "samples", "floor", "data", "threads"):
        assert len({row[column] for row in rows}) == 1, column
    assert all(
        len({row["updates"] for row in rows if row["method"] == method}) == 1 for method in METHODS
    )


def test_the_numbers_are_numbers_and_within_what_is_possible():
    for row in results.generative() + results.diffusion_steps():
        assert isinstance(row["seed"], int) and isinstance(row["distance"], float)
        assert 0 < row["floor"] < row["distance"] < 2000  # noise is at about 2300
        assert 1 <= row["classes"] <= 10 and row["seconds_per_1000"] > 0
        assert row["data"] == "MNIST" and row["threads"] == 1 and row["machine"] and row["torch"]


def test_the_diffusion_model_was_sampled_in_fewer_and_fewer_steps():
    rows = results.diffusion_steps()
    assert [row["steps"] for row in rows] == STEPS * 3
    assert [row["seed"] for row in rows] == [seed for seed in range(3) for _ in STEPS]
    assert {row["sampler"] for row in rows if row["steps"] == 250} == {"ancestral"}
    assert {row["sampler"] for row in rows if row["steps"] < 250} == {"DDIM"}


def test_fewer_steps_take_fewer_seconds():
    seconds = results.over_seeds(results.diffusion_steps(), "steps", "seconds_per_1000")
    means = [values.mean().item() for values in seconds.values()]
    assert means == sorted(means, reverse=True)


def test_over_seeds_gathers_a_column():
    rows = [
        {"method": m, "seed": s, "distance": d}
        for m, s, d in (("b", 0, 1.0), ("a", 0, 2.0), ("b", 1, 3.0))
    ]
    gathered = results.over_seeds(rows, "method", "distance")
    assert list(gathered) == ["b", "a"] and torch.equal(
        gathered["b"], torch.tensor([1.0, 3.0], dtype=torch.float64)
    )


@pytest.mark.parametrize("table", [results.generative, results.diffusion_steps])
def test_a_missing_table_is_named_with_the_cure(table, monkeypatch, tmp_path):
    monkeypatch.setattr(tables.resources, "files", lambda package: tmp_path)
    with pytest.raises(
        FileNotFoundError,
        match=r"(generative|diffusion_steps)\.csv is missing: .*bench_generative\.py",
    ):
        table()
