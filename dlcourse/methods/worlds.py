"""Worlds to learn in: maps of squares as tables,
small tests with known values, gymnasium's environments in tensors."""

import torch

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left: actions 0 … 3


class GridWorld:
    """A map of squares as tables of probabilities and rewards.

    rows: strings of equal length: "." free, "#" rock, "S" start, "G" goal, "x" a hole.
    A move into rock or off the map stays.
    slip: probability of sliding off to the left or right of the chosen direction, half each.
    rewards: {character: reward of entering such a square}, 0 where none is given.
    ends: characters that end the task.
    back: characters that send back to the start. P: (S, 4, S), rows of zeros after an end.
    R: (S, 4). All float64. States are numbered row by row, rocks included.
    Raises ValueError for rows of unequal length.
    """

    def __init__(self, rows, slip=0.0, rewards=None, ends="G", back=""):
        if len({len(row) for row in rows}) != 1:
            raise ValueError(
                f"the rows of a map must be of one length: {[len(row) for row in rows]}"
            )
        self.rows, self.height, self.width = rows, len(rows), len(rows[0])
        self.squares, rewards = "".join(rows), rewards or {}
        self.start = self.squares.find("S")
        states = len(self.squares)
        self.P = torch.zeros(states, 4, states, dtype=torch.float64)
        self.R = torch.zeros(states, 4, dtype=torch.float64)
        # Without slip; where the task ends, the square of the end
        self.to = torch.zeros(states, 4, dtype=torch.int64)
        for state in range(states):
            if self.squares[state] in "#" + ends:
                continue
            for action in range(4):
                self.to[state, action] = self._arrives(self._move(state, action), back)
                for turn, share in ((0, 1 - slip), (-1, slip / 2), (1, slip / 2)):
                    reached = self._move(state, (action + turn) % 4)
                    square = self.squares[reached]
                    self.R[state, action] += share * rewards.get(square, rewards.get(".", 0.0))
                    if square not in ends:
                        self.P[state, action, self._arrives(reached, back)] += share

    def _arrives(self, reached, back):
        return self.start if self.squares[reached] in back else reached

    def _move(self, state, action):
        row, column = divmod(state, self.width)
        row, column = row + MOVES[action][0], column + MOVES[action][1]
        inside = 0 <= row < self.height and 0 <= column < self.width
        return row * self.width + column if inside and self.rows[row][column] != "#" else state

    def tables(self):
        """For a map without slip: where each move leads (S, 4),
        its reward (S, 4), whether the task ends there (S, 4).

        Raises ValueError where chance has a part.
        """
        if not ((self.P == 0) | (self.P == 1)).all():
            raise ValueError("a slippery map has no single next state: use P and R")
        return self.to, self.R, self.P.sum(dim=2) == 0


def probes(gamma):
    """Smallest tests of an agent, each with one thing to go wrong,
    after A. L. Jones (2021), "Debugging RL".

    Returns {name: (batch, truncated, states, q)}: batch is every transition there is
    (obs (N, 1), actions (N,), rewards (N,), next_obs (N, 1), terminated (N,) bool);
    truncated (N,) says where a clock stopped the episode;
    q (K, A) are the exact values of the optimal policy in `states` (K, 1).
    """
    ends, goes = True, False
    # name: transitions (obs, action, reward, next obs, terminated, truncated), {state: values}
    table = {
        "one step, reward 1": ([(0, 0, 1, 0, ends, 0)], {0: [1.0]}),
        "the state decides": ([(-1, 0, -1, 0, ends, 0), (1, 0, 1, 0, ends, 0)],
                              {-1: [-1.0], 1: [1.0]}),
        "the reward comes later": ([(-1, 0, 0, 1, goes, 0), (1, 0, 1, 1, ends, 0)],
                                   {-1: [gamma], 1: [1.0]}),
        "the action decides": ([(0, 0, -1, 0, ends, 0), (0, 1, 1, 0, ends, 0)], {0: [-1.0, 1.0]}),
        "both decide": (
            [(s, a, 1 if (s > 0) == (a > 0) else -1, 0, ends, 0) for s in (-1, 1) for a in (0, 1)],
            {-1: [1.0, -1.0], 1: [-1.0, 1.0]},
        ),
        "stopped by a clock": (
            [(0, 0, 1, 0, goes, clock == 4) for clock in range(5)],
            {0: [1 / (1 - gamma)]},
        ),
    }  # fmt: skip
    return {name: _as_tensors(*entry) for name, entry in table.items()}


def _as_tensors(transitions, values):
    columns = (torch.tensor(column) for column in zip(*transitions, strict=True))
    obs, actions, rewards, next_obs, terminated, truncated = columns
    batch = (
        obs[:, None].float(),
        actions,
        rewards.float(),
        next_obs[:, None].float(),
        terminated.bool(),
    )
    return (
        batch,
        truncated.bool(),
        torch.tensor(list(values))[:, None].float(),
        torch.tensor(list(values.values())),
    )


class Players:
    """Copies of a gymnasium environment side by side, in tensors;
    finished episodes start anew by themselves.

    name: of an environment whose vector form restarts in
    the step *after* an end, as CartPole-v1's does. count: N.
    obs: (N, D), what the agents see now.
    returns: the sum of rewards of every finished episode, in order.
    """

    def __init__(self, name, count, seed, **options):
        import gymnasium  # only who plays needs it

        self.env = gymnasium.make_vec(
            name, count, vectorization_mode="vector_entry_point", **options
        )
        obs, _ = self.env.reset(seed=seed)
        self.obs, self.returns = torch.from_numpy(obs), []
        self.fresh, self.sums = torch.zeros(count, dtype=torch.bool), torch.zeros(count)

    def step(self, actions):
        """Plays actions (N,) → obs, rewards, next_obs, terminated, truncated, valid; all (N, …).

        next_obs is what truly followed, also at an end. Where valid is False the environment was
        only restarting: that row is no transition and must not be learnt from.
        """
        obs, valid = self.obs, ~self.fresh
        next_obs, rewards, terminated, truncated, _ = self.env.step(actions.numpy())
        self.obs, rewards = torch.from_numpy(next_obs), torch.from_numpy(rewards).float()
        terminated, truncated = (
            torch.from_numpy(terminated.copy()),
            torch.from_numpy(truncated.copy()),
        )
        self.fresh = terminated | truncated
        self.sums += rewards
        self.returns += self.sums[self.fresh].tolist()
        self.sums[self.fresh] = 0.0
        return obs, rewards, self.obs, terminated, truncated, valid
