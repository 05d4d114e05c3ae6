import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from dlcourse.train import descend, evaluate, evaluating, train

# 10 examples in batches of 4, 4 and 2: the short last batch is where averages go wrong
X, Y = torch.arange(10.0).view(10, 1), torch.arange(10) % 3
BATCHES = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 10, 4)]


def test_means_are_weighted_by_examples():
    rows = list(train(lambda x, y: {"mean": x.mean(), "one": 1.0}, BATCHES, epochs=2))
    assert rows == [{"epoch": 1, "mean": 4.5, "one": 1.0}, {"epoch": 2, "mean": 4.5, "one": 1.0}]


def test_train_gives_the_weights_of_the_loop_written_by_hand():
    def net():
        torch.manual_seed(0)
        model = nn.Linear(1, 3)
        return model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    by_hand, optimiser = net()
    for _ in range(3):
        for x, y in BATCHES:
            optimiser.zero_grad()
            F.cross_entropy(by_hand(x), y).backward()
            optimiser.step()

    model, optimiser = net()

    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        descend(loss, optimiser)
        return {"loss": loss}

    list(train(step, BATCHES, epochs=3))
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), by_hand.parameters(), strict=True)
    )


def test_breaking_out_stops_training():
    for row in train(lambda x, y: {"loss": 1.0}, BATCHES, epochs=100):
        if row["epoch"] == 2:
            break
    assert row["epoch"] == 2


def test_a_batch_may_be_a_bare_tensor():
    assert list(train(lambda x: {"mean": x.mean()}, [X[:4], X[4:]])) == [{"epoch": 1, "mean": 4.5}]


def test_metrics_do_not_keep_the_graph_alive():
    weight = torch.ones(1, requires_grad=True)
    row = next(train(lambda x, y: {"loss": (weight * x).mean()}, BATCHES))
    assert isinstance(row["loss"], float)


def test_a_smoke_run_takes_one_epoch_of_two_batches(monkeypatch):
    monkeypatch.setenv("DLCOURSE_SMOKE", "1")
    seen = []
    rows = list(train(lambda x, y: seen.append(len(x)) or {"loss": 0.0}, BATCHES, epochs=5))
    assert seen == [4, 4] and len(rows) == 1


def test_a_resumed_run_counts_on(monkeypatch):
    def epochs(**options):
        return [
            row["epoch"] for row in train(lambda x, y: {"loss": 0.0}, BATCHES, epochs=5, **options)
        ]

    assert (epochs(start=3), epochs(start=5)) == ([4, 5], [])
    monkeypatch.setenv("DLCOURSE_SMOKE", "1")
    assert (epochs(start=3), epochs(start=5)) == ([4], [])
    with pytest.raises(
        ValueError, match="start counts the epochs that are done, 0 to 5 here, not 6"
    ):
        epochs(start=6)


def test_nothing_is_drawn_but_what_the_epochs_draw():
    loader = DataLoader(
        TensorDataset(X, Y), 4, shuffle=True, generator=torch.Generator().manual_seed(0)
    )
    seen = []
    list(train(lambda x, y: seen.append(y) or {"loss": 0.0}, loader, epochs=2))
    loader.generator.manual_seed(0)
    assert torch.equal(torch.cat(seen), torch.cat([y for _ in range(2) for _, y in loader]))


@pytest.mark.parametrize("progress", [True, False])
def test_nothing_reaches_stderr(progress, capfd):
    list(train(lambda x, y: {"loss": 0.0}, BATCHES, progress=progress))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("step", "batches", "epochs", "error", "message"),
    [
        (lambda x, y: {"loss": 0.0}, iter(BATCHES), 1, TypeError, "empty from the second epoch"),
        (
            lambda x, y: {"loss": 0.0},
            (b for b in BATCHES),
            1,
            TypeError,
            "Pass Batches, a DataLoader or a list",
        ),
        (lambda x, y: {"loss": 0.0}, [], 1, ValueError, "no batches to train on"),
        (lambda x, y: {"loss": 0.0}, BATCHES, 0, ValueError, "at least 1"),
        (lambda x, y: {"loss": 0.0}, BATCHES, 1.5, ValueError, "whole number"),
        (lambda x, y: None, BATCHES, 1, TypeError, 'as a dict, e.g. {"loss": loss}'),
        (
            lambda x, y: {"loss": x},
            BATCHES,
            1,
            TypeError,
            r"'loss' must be a scalar; it has shape \(4, 1\)",
        ),
    ],
)
def test_bad_input_says_what_to_do(step, batches, epochs, error, message):
    with pytest.raises(error, match=message):
        list(train(step, batches, epochs))


def test_descend_clips_the_norm_of_the_gradient():
    weight = nn.Parameter(torch.zeros(2))
    descend(
        (weight * torch.tensor([30.0, 40.0])).sum(), torch.optim.SGD([weight], lr=1.0), clip=1.0
    )
    torch.testing.assert_close(weight.data, torch.tensor([-0.6, -0.8]))


def test_evaluating_gives_back_every_modules_mode_even_after_an_error():
    model = nn.Sequential(nn.Linear(1, 1), nn.Dropout())
    model[1].eval()  # a frozen part keeps its own mode
    with pytest.raises(RuntimeError), evaluating(model):
        assert not model.training and not torch.is_grad_enabled()
        raise RuntimeError
    assert model.training and not model[1].training and torch.is_grad_enabled()


def test_evaluate_weighs_by_examples():
    metrics = {"mean": lambda output, y: output.mean(), "label": lambda output, y: y.float().mean()}
    row = evaluate(nn.Identity(), BATCHES, **metrics)
    assert row == pytest.approx({"mean": 4.5, "label": Y.float().mean().item()})


@pytest.mark.parametrize(("batches", "metrics"), [(BATCHES, {}), ([], {"m": lambda o, y: 0.0})])
def test_evaluate_refuses_nothing(batches, metrics):
    with pytest.raises(ValueError, match="at least one metric|no batches"):
        evaluate(nn.Identity(), batches, **metrics)
