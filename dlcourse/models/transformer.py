"""Transformers: attention, the block, and what is built of it:
a GPT, an encoder–decoder, a network for images (ViT).

Vaswani et al. (2017), "Attention is all you need".
Unlike there: layer norm before attention and MLP (Xiong et al. 2020) unless asked otherwise,
GELU instead of ReLU, no dropout, rotary or learned positions.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def attention(q, k, v, mask=None):
    """softmax(q kᵀ / √d) v, a weighted mean of the rows of v. Vaswani et al. (2017), equation 1.

    q: (…, T, d), k: (…, S, d), v: (…, S, e).
    mask: (T, S) bool, or wider; True where a query may look. Each row needs one True:
    a row of −∞ has no softmax (NaN). Returns (…, T, e) and the weights (…, T, S).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (…, T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)  # every row sums to 1
    return weights @ v, weights


def rotary(x, start=0, period=10_000.0):
    """Turns features i and i + d/2 of row t together, by the angle (start + t) · period^(−2i/d).

    x: (…, T, d), d even. Returns the same shape. Su et al. (2021), "RoFormer", equation 34, there
    with neighbours i, i + 1 as pairs: the same up to the order of the features.
    """
    half = x.shape[-1] // 2
    exact = torch.promote_types(x.dtype, torch.float32)  # bfloat16 has no number 257
    frequency = period ** (-torch.arange(half, dtype=exact, device=x.device) / half)
    t = torch.arange(start, start + x.shape[-2], dtype=exact, device=x.device)
    angle = t[:, None] * frequency  # (T, d/2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class MultiHeadAttention(nn.Module):
    """Attention in `heads` subspaces of width / heads features each:
    x (B, T, width) → (B, T, width).

    rope: turn queries and keys by their positions (not with a memory). forward: memory (B, S,
    width) to look into instead of x itself; causal: a query may look at its own position and
    earlier ones only; cache: a dict, empty at first, that keeps keys and values of earlier calls.
    watch = True: `weights` (B, heads, T, S) are those of the last call; else they are never stored,
    and torch's fused kernel is used.
    """

    def __init__(self, width, heads, rope=False):
        super().__init__()
        self.heads, self.rope, self.watch, self.weights = heads, rope, False, None
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x, memory=None, causal=False, cache=None):
        looked_at = x if memory is None else memory
        # (B, T, width) → (B, heads, T, d)
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), *self.key_value(looked_at).chunk(2, dim=2))
        )
        if self.rope:
            past = cache["k"].shape[2] if cache else 0
            q, k = rotary(torch.stack([q, k]), past)
        if cache:
            k, v = torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)
        if cache is not None:
            cache.update(k=k, v=v)
        T, S = q.shape[2], k.shape[2]
        mask = torch.ones(T, S, dtype=torch.bool, device=x.device).tril(S - T) if causal else None
        if self.watch:
            mixed, self.weights = attention(q, k, v, mask)
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(mixed.transpose(1, 2).flatten(2))  # (B, heads, T, d) → (B, T, width)


class Block(nn.Module):
    """Attention between positions, then an MLP at each;
    both are added to the stream x (B, T, width).

    pre: layer norm before each (Xiong et al. 2020), else after each addition (Vaswani et al. 2017).
    """

    def __init__(self, width, heads, rope=False, pre=True):
        super().__init__()
        self.pre, self.attend = pre, MultiHeadAttention(width, heads, rope)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, causal=False, cache=None):
        if self.pre:
            x = x + self.attend(self.norm1(x), causal=causal, cache=cache)
            return x + self.mlp(self.norm2(x))
        x = self.norm1(x + self.attend(x, causal=causal, cache=cache))
        return self.norm2(x + self.mlp(x))


class GPT(nn.Module):
    """ids (B, T) → logits (B, T, vocabulary): causal,
    of the tokens that follow; else, of the tokens themselves.

    context: greatest length, with learned positions; None: rotary positions, and any length.
    caches: None, or a list of one dict for each block, empty at first: then `ids` are only what is
    new. After Radford et al. (2019).
    """

    def __init__(self, vocabulary, width=64, layers=2, heads=4, context=None, causal=True):
        super().__init__()
        self.causal, self.embedding = causal, nn.Embedding(vocabulary, width)
        self.position = None if context is None else nn.Embedding(context, width)
        self.blocks = nn.ModuleList(
            Block(width, heads, rope=context is None) for _ in range(layers)
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, ids, caches=None):
        caches = [None] * len(self.blocks) if caches is None else caches
        x = self.embedding(ids)  # (B, T) → (B, T, width)
        if self.position is not None:
            past = caches[0]["k"].shape[2] if caches[0] else 0
            x = x + self.position(torch.arange(past, past + ids.shape[1], device=ids.device))
        for block, cache in zip(self.blocks, caches, strict=True):
            x = block(x, self.causal, cache)
        return self.head(self.norm(x))


def generate(model, ids, count, choose, cached=True):
    """Continues ids (B, T) by `count` tokens of a causal GPT.
    choose: logits (B, V) → the next tokens (B, 1).

    cached: keep keys and values, and compute only the new token;
    else all of them again each time. Returns (B, T + count).
    """
    caches, new = [{} for _ in model.blocks] if cached else None, ids
    with torch.no_grad():
        for _ in range(count):
            new = choose(model(new if cached else ids, caches)[:, -1])
            ids = torch.cat([ids, new], dim=1)
    return ids


class CrossBlock(nn.Module):
    """A causal block that also looks into a memory (B, S, width),
    between its attention and its MLP."""

    def __init__(self, width, heads):
        super().__init__()
        self.attend, self.look = MultiHeadAttention(width, heads), MultiHeadAttention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, memory):
        x = x + self.attend(self.norm1(x), causal=True)
        x = x + self.look(self.norm2(x), memory)
        return x + self.mlp(self.norm3(x))


class EncoderDecoder(nn.Module):
    """source (B, S) and what is written so far (B, T) → logits (B, T, vocabulary) of what follows.

    context: greatest length of either.
    Vaswani et al. (2017), figure 1, with one embedding for both sides.
    """

    def __init__(self, vocabulary, width=64, layers=1, heads=4, context=32):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.read, self.written = nn.Embedding(context, width), nn.Embedding(context, width)
        self.encoder = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.decoder = nn.ModuleList(CrossBlock(width, heads) for _ in range(layers))
        self.norm1, self.norm2, self.head = (
            nn.LayerNorm(width),
            nn.LayerNorm(width),
            nn.Linear(width, vocabulary),
        )

    def forward(self, source, so_far):
        memory = self.embedding(source) + self.read.weight[: source.shape[1]]  # (B, S, width)
        for block in self.encoder:
            memory = block(memory)
        memory, x = (
            self.norm1(memory),
            self.embedding(so_far) + self.written.weight[: so_far.shape[1]],
        )
        for block in self.decoder:
            x = block(x, memory)
        return self.head(self.norm2(x))


class ViT(nn.Module):
    """Images (B, channels, size, size), cut into patches that are its tokens → logits (B, classes).

    Dosovitskiy et al. (2021), "An image is worth 16×16 words". Unlike there: the mean over the
    tokens instead of a token of its own for the class. size: a multiple of patch.
    """

    def __init__(self, size, patch, classes=10, channels=1, width=64, layers=2, heads=4):
        super().__init__()
        # One linear layer, at each patch
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.position = nn.Parameter(0.3 * torch.randn((size // patch) ** 2, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x):
        # (B, C, H, W) → (B, T, width)
        x = self.patches(x).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))
