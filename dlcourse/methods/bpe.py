"""Byte-pair encoding: tokens longer than a byte, learnt by counting.
Any bytes can be encoded, and come back.

Sennrich, Haddow & Birch (2016), "Neural machine translation of rare words with subword units"; on
bytes: Radford et al. (2019), section 2.2.
"""

import re
from collections import Counter
from itertools import pairwise


def learn_bpe(data, merges):
    """The pairs that are joined, most frequent first:
    a list of up to `merges` pairs; pair i makes token 256 + i.

    data: bytes. Tokens never reach across the beginning of a word (a blank belongs to the word
    after it). Of two pairs as frequent, the smaller is joined first.
    """
    words = {tuple(word): count for word, count in Counter(re.findall(rb"\s?\S+|\s", data)).items()}
    rules = []
    for new in range(256, 256 + merges):
        pairs = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        rules.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        words = {join_pair(word, rules[-1], new): count for word, count in words.items()}
    return rules


def join_pair(tokens, pair, new):
    """A tuple of tokens with `new` wherever the two tokens
    of `pair` stood next to each other, from the left."""
    if pair[0] not in tokens:
        return tokens
    joined = []
    for token in tokens:
        if joined and (joined[-1], token) == pair:
            joined[-1] = new
        else:
            joined.append(token)
    return tuple(joined)


def bpe_encode(data, rules):
    """bytes → list of tokens.
    The rules are applied to each word in the order in which they were learnt."""
    rank, tokens, known = {pair: index for index, pair in enumerate(rules)}, [], {}
    for word in re.findall(rb"\s?\S+|\s", data):
        if word not in known:
            parts = tuple(word)
            while pairs := [pair for pair in pairwise(parts) if pair in rank]:
                first = min(pairs, key=rank.get)
                parts = join_pair(parts, first, 256 + rank[first])
            known[word] = parts
        tokens += known[word]
    return tokens


def bpe_decode(tokens, rules):
    """Tokens → bytes. Raises IndexError for a token that no rule makes."""
    table = [bytes([value]) for value in range(256)]
    for a, b in rules:
        table.append(table[a] + table[b])
    if min(tokens, default=0) < 0:
        raise IndexError("tokens are numbers from 0 on")
    return b"".join(table[token] for token in tokens)
