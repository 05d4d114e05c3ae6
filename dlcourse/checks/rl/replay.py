"""Check of a replay buffer:
what it keeps, whether rows stay together, and whether it kept copies."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _numbered(first, count):
    """Transitions first, first + 1, …, each of whose parts tells its number:
    obs, actions, rewards, next_obs, ends."""
    number = torch.arange(first, first + count)
    obs = torch.stack([number, number + 0.5], dim=1).float()
    return obs, number.clone(), 10.0 * number, obs + 1, number % 3 == 0


def _watch(make, capacity, sizes, draws):
    """Adds batches of these sizes, writes over the caller's tensors,
    then draws and looks at what comes."""
    buffer, first = make(capacity), 0
    for size in sizes:
        parts = _numbered(first, size)
        buffer.add(*parts)
        first += size
        for part in parts:
            part.zero_()  # an environment that uses its arrays again does the same
    drawn = [buffer.sample(3) for _ in range(draws)]
    if any(one is None for one in drawn):
        raise Untouched("sample returned None: is `return` missing?")
    looks = {
        "shapes of a sample of 3": [str(tuple(part.shape)) for part in drawn[0]],
        "dtypes of its parts": [str(part.dtype) for part in drawn[0]],
        "count": buffer.count,
        "rows of a sample of 50": len(buffer.sample(50)[0]),
    }
    kinds = ["torch.float32", "torch.int64", "torch.float32", "torch.float32", "torch.bool"]
    if looks["dtypes of its parts"] != kinds:
        return looks | dict.fromkeys(_LATER)
    looks |= _alone(make, capacity, buffer)
    return looks | _contents([torch.cat([one[i] for one in drawn]) for i in range(5)], first)


def _alone(make, capacity, buffer):
    """Whether draws differ, and whether a second buffer is a new one."""
    one, two = (buffer.sample(50)[1] for _ in range(2))
    other, found = make(capacity), {}
    found["the same rows are drawn at every call"] = "yes" if torch.equal(one, two) else "no"
    found["count of a second, new buffer"] = other.count
    other.add(*_numbered(1000, 2))
    marks = other.sample(50)[0][:, 1]  # number + ½; 0 is an empty place
    strange = bool(((marks > 0) & (marks < 1000)).any())
    found["the second buffer holds rows of the first"] = "yes" if strange else "no"
    return found


# what is looked at where the parts of a sample have the right dtypes
_LATER = [
    "the same rows are drawn at every call",
    "count of a second, new buffer",
    "the second buffer holds rows of the first",
    "transitions that can be drawn",
    "the parts of a row belong together",
    "rare ones are as likely as any",
]


def _contents(parts, first):
    obs, actions, rewards, after, ends = parts
    counts = torch.bincount(actions.clamp(min=0), minlength=first)
    kept = counts.nonzero()[:, 0].tolist()
    together = (obs[:, 0] == actions) & (rewards == 10 * actions) & (after[:, 1] == actions + 1.5)
    together &= ends.bool() == (actions % 3 == 0)
    rare = counts[kept].min() > 0.4 * counts.sum() / len(kept)
    found = kept, "yes" if together.all() else "no", "yes" if rare else "no"
    return dict(zip(_LATER[3:], found, strict=True))


class _Queue:
    """Right by construction: a list of rows, the oldest removed."""

    def __init__(self, capacity):
        self.capacity, self.rows, self.count = capacity, [], 0

    def add(self, *transition):
        self.count += len(transition[0])
        for row in zip(*transition, strict=True):
            self.rows.append([part.clone() for part in row])
        self.rows = self.rows[-self.capacity :]

    def sample(self, size):
        chosen = torch.randint(len(self.rows), (size,)).tolist()
        return tuple(
            torch.stack(parts) for parts in zip(*[self.rows[i] for i in chosen], strict=True)
        )


class _References(_Queue):
    def add(self, *transition):
        self.count += len(transition[0])
        self.rows += [list(row) for row in zip(*transition, strict=True)]
        self.rows = self.rows[-self.capacity :]


class _Full(_Queue):
    def add(self, *transition):
        super().add(*[part[: self.capacity - len(self.rows)] for part in transition])


class _Endless(_Queue):
    def __init__(self, capacity):
        super().__init__(10**6)


class _Beyond(_Queue):
    """Draws from all places, also from those that are still empty (zeros)."""

    def sample(self, size):
        empty = [torch.zeros_like(part) for part in self.rows[0]]
        rows = self.rows + [empty] * (self.capacity - len(self.rows))
        return tuple(torch.stack(parts)
                     for parts in zip(*[rows[i] for i in torch.randint(len(rows),
                                                                       (size,)).tolist()],
                                                         strict=True))  # fmt: skip


class _Newest(_Queue):
    def sample(self, size):
        chosen = self.rows[-size:]
        return tuple(torch.stack(parts) for parts in zip(*chosen, strict=True))


class _Apart(_Queue):
    def sample(self, size):
        return tuple(
            torch.stack(
                [
                    row[i]
                    for row in (self.rows[int(n)] for n in torch.randint(len(self.rows), (size,)))
                ]
            )
            for i in range(len(self.rows[0]))
        )


class _Restart(_Queue):
    """Starts over at place 0 with every batch."""

    def add(self, *transition):
        self.count += len(transition[0])
        new = [[part.clone() for part in row] for row in zip(*transition, strict=True)][
            -self.capacity :
        ]
        self.rows = new + self.rows[len(new) :]


ReplayBuffer = Check(
    "ReplayBuffer",
    reference=_Queue,
    probe=_watch,
    fallback="dlcourse.methods.rl:ReplayBuffer",
    cases=[
        case("room for 5, 3 added at once", 5, (3,), 80),
        case("room for 6, added 2 and 3", 6, (2, 3), 100),
        case("room for 4, added 3, 3 and 1: the oldest go", 4, (3, 3, 1), 100),
        case("room for 7, nine times 2", 7, (2,) * 9, 150),
    ],
    mistakes=[
        Mistake("it stores references",
                "The caller's tensors were written over afterwards, "
                "and your transitions with them. Copy: store[rows] = part copies, "
                "a list of the tensors themselves does not.", _References),
        Mistake("it stops taking when it is full",
                "A full buffer forgets the oldest: count on, modulo the capacity.", _Full),
        Mistake("it never forgets", "At most `capacity` transitions are kept.", _Endless),
        Mistake("empty places are drawn",
                "Before it is full only the first `count` places hold anything: "
                "draw below min(count, capacity).",
                _Beyond),
        Mistake("always the newest",
                "Neighbours in time are alike, and learning from them is learning from one: "
                "draw at random.", _Newest),
        Mistake("every part is drawn for itself",
                "Draw the rows once, and index all stores with the same rows.", _Apart),
        Mistake("every batch starts at place 0",
                "Go on where the last batch ended: (count + arange(N)) % capacity.", _Restart),
    ],
)  # fmt: skip
