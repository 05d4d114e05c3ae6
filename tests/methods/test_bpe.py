"""Byte-pair encoding: what is learnt is the most frequent pair, and everything comes back."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from dlcourse.methods.bpe import bpe_decode, bpe_encode, join_pair, learn_bpe

TEXT = ("the cat sat on the mat. the rat, the hat and the bat\nthat the cat ate\n\n" * 5).encode()


@pytest.mark.parametrize(
    ("tokens", "wanted"),
    [
        ((), ()),
        ((1,), (1,)),
        ((1, 2), (9,)),
        ((1, 2, 2, 1, 2), (9, 2, 9)),
        ((2, 1), (2, 1)),
        ((3, 1, 1, 2), (3, 1, 9)),
    ],
)
def test_join_pair(tokens, wanted):
    assert join_pair(tokens, (1, 2), 9) == wanted


def test_equal_neighbours_are_joined_from_the_left():
    assert join_pair((1, 1, 1), (1, 1), 9) == (9, 1)
    assert join_pair((1, 1, 1, 1), (1, 1), 9) == (9, 9)


def test_the_first_pair_is_the_most_frequent_one():
    counts = Counter(
        pair for word in TEXT.replace(b"\n", b"\n\0").split(b"\0") for pair in pairwise(word)
    )
    assert counts[tuple(b"at")] == max(counts.values())
    assert learn_bpe(TEXT, 1) == [tuple(b"at")]


def test_learning_stops_where_there_is_nothing_to_join():
    assert (
        learn_bpe(b"ab ab", 100) == [(97, 98), (32, 256)]
        and learn_bpe(b"", 5) == []
        and learn_bpe(b"a", 5) == []
    )


def test_of_equally_frequent_pairs_the_smaller_comes_first():
    assert learn_bpe(b"cd\nab", 1)[0] == (10, 97)  # "\na", "ab" and "cd", each once


@pytest.mark.parametrize("merges", [0, 1, 7, 60])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\n\n  \t x  ",
        TEXT,
        "naïve Θεός 地震 🌋🌊 — ¡olé!".encode(),
        bytes(range(256)),
        bytes(random.Random(1).choices(range(256), k=3000)),
        "🌋".encode()[:2],
        b"a" * 101,
    ],
)
def test_every_byte_comes_back(data, merges):
    rules = learn_bpe(TEXT, merges)
    tokens = bpe_encode(data, rules)
    assert bpe_decode(tokens, rules) == data
    assert all(0 <= token < 256 + len(rules) for token in tokens) and len(tokens) <= len(data)


def test_encoding_the_training_text_is_what_learning_ended_with():
    rules = learn_bpe(TEXT, 20)
    lengths = [len(bpe_encode(TEXT, rules[:n])) for n in range(len(rules) + 1)]
    assert lengths[0] == len(TEXT) and all(a > b for a, b in pairwise(lengths))


@pytest.mark.parametrize("tokens", [[256], [-1], [32, -257]])
def test_an_unknown_token_is_an_error(tokens):
    with pytest.raises(IndexError):
        bpe_decode(tokens, [])


def test_no_tokens_are_no_bytes():
    assert bpe_decode([], [(97, 98)]) == b""
