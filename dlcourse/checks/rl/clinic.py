"""A clinic: Q-learning from replay in a corridor of six squares,
with one fault each, seen in three curves."""

import torch

from dlcourse.checks.clinic import diagnosis, fault_of

FAULTS = {
    "A": "ε never decays",
    "B": "bootstraps through the end",
    "C": "evaluates while exploring",
    "D": "replay stores references",
}
SIGNS = {
    "ε never decays": "What it has learnt is right and its evaluation is perfect, "
    "but while it plays it goes on wandering: the return in training stays low for ever.",
    "bootstraps through the end": "It behaves well, and expects more than anybody can get: its "
    "value of the start rises beyond the exact one, for it thinks that something follows the goal.",
    "evaluates while exploring": "Values and the return in training are those of the healthy run: "
    "only the curve of the evaluation lies too low, below that of training.",
    "replay stores references": "All transitions in the buffer show one and the same state: "
    "the values are nonsense, and neither training nor evaluation gets better.",
}
SQUARES, GAMMA, LIMIT = 6, 0.9, 40
EXACT = GAMMA ** (SQUARES - 1)  # the goal is SQUARES steps away and pays 1: the value of the start


def _move(square, action):
    """→ next square, reward, whether the goal was reached.
    Forwards is action 0 in even squares, 1 in odd ones."""
    reached = square + 1 if action == square % 2 else max(square - 1, 0)
    return reached, float(reached == SQUARES), reached == SQUARES


def _choose(q, square, epsilon):
    if torch.rand(()) < epsilon:
        return int(torch.randint(2, ()))
    return int(q[square].argmax())


def _episode(q, epsilon):
    """The discounted return of one episode, 0 if the clock stops it."""
    square = 0
    for step in range(LIMIT):
        square, reward, done = _move(square, _choose(q, square, epsilon))
        if done:
            return GAMMA**step * reward
    return 0.0


def _learn(q, memory, fault, seen):
    """One step on 32 transitions. seen: the square that the buffer's references point to by now."""
    rows = [memory[i] for i in torch.randint(len(memory), (32,)).tolist()]
    square, action, reward, after, done = (
        torch.tensor(column) for column in zip(*rows, strict=True)
    )
    if fault == "replay stores references":
        square, after = torch.full_like(square, seen), torch.full_like(after, seen)
    follows = torch.ones(32) if fault == "bootstraps through the end" else 1.0 - done.float()
    wanted = reward + GAMMA * follows * q[after].max(1).values
    for s, a, w in zip(square.tolist(), action.tolist(), wanted.tolist(), strict=True):
        q[s, a] += 0.1 * (w - q[s, a])


def broken_agent(patient, seed=0, episodes=120):
    """Trains one agent; patient "healthy", "A" … "D".

    Returns {"value": its value of the start, "training": its return while it plays,
    "evaluation": its return when it is evaluated}, each (episodes,), to be compared with EXACT.
    Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    told = {"value": [], "training": [], "evaluation": []}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        q, memory = torch.zeros(SQUARES, 2), []
        for episode in range(episodes):
            epsilon = 1.0 if fault == "ε never decays" else max(0.05, 1 - 2 * episode / episodes)
            square, gained = 0, 0.0
            for step in range(LIMIT):
                action = _choose(q, square, epsilon)
                reached, reward, done = _move(square, action)
                # at the goal the environment has restarted already: what it shows next is the start
                memory.append((square, action, reward, 0 if done else reached, done))
                gained += GAMMA**step * reward
                square = 0 if done else reached
                if step % 4 == 0 or done:
                    _learn(q, memory, fault, square)
                if done:
                    break
            told["value"].append(q[0].max().item())
            told["training"].append(gained)
            told["evaluation"].append(_evaluation(q, fault))
    return {name: torch.tensor(values) for name, values in told.items()}


def _evaluation(q, fault):
    epsilon = 0.6 if fault == "evaluates while exploring" else 0.0
    return sum(_episode(q, epsilon) for _ in range(4)) / 4


diagnose_agents = diagnosis("diagnose_agents", FAULTS, SIGNS, what="patient")
