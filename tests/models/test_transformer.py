"""Transformers against torch's own modules with the same weights, and against
what must hold for any weights."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.models import transformer
from dlcourse.models.lora import LoRA, add_lora
from dlcourse.models.transformer import (
    GPT,
    Block,
    CrossBlock,
    EncoderDecoder,
    MultiHeadAttention,
    ViT,
)

CLOSE = {"rtol": 1e-9, "atol": 1e-10}


@pytest.fixture(autouse=True)
def repeatable():
    torch.manual_seed(0)


def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def copy_attention(ours, theirs):
    theirs.in_proj_weight.data = torch.cat([ours.query.weight, ours.key_value.weight]).detach()
    theirs.in_proj_bias.data = torch.cat([ours.query.bias, ours.key_value.bias]).detach()
    theirs.out_proj.load_state_dict(ours.out.state_dict())


def as_torch(block, width, heads):
    """nn.TransformerEncoderLayer with the weights of a Block."""
    theirs = nn.TransformerEncoderLayer(
        width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=block.pre
    )
    theirs = theirs.to(torch.float64)
    copy_attention(block.attend, theirs.self_attn)
    parts = {
        "linear1": block.mlp[0],
        "linear2": block.mlp[2],
        "norm1": block.norm1,
        "norm2": block.norm2,
    }
    for name, part in parts.items():
        getattr(theirs, name).load_state_dict(part.state_dict())
    return theirs


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 7), (3, 2, 4, 9)])
def test_attention_is_torchs_with_and_without_a_mask(shape):
    *front, t, s = shape
    q, k, v = randn(*front, t, 6), randn(*front, s, 6), randn(*front, s, 3)
    mask = torch.rand(t, s) < 0.5
    mask[:, 0] = True
    for one in (None, mask):
        got, weights = transformer.attention(q, k, v, one)
        torch.testing.assert_close(
            got, F.scaled_dot_product_attention(q, k, v, attn_mask=one), **CLOSE
        )
        torch.testing.assert_close(weights.sum(-1), torch.ones(*front, t, dtype=torch.float64))
    assert weights[..., ~mask].abs().sum() == 0


def test_attention_of_huge_scores_and_of_strided_memory():
    q, k, v = (randn(2, 8, 5).transpose(1, 2) for _ in range(3))
    got = transformer.attention(1e4 * q, k, v)[0]
    torch.testing.assert_close(got, F.scaled_dot_product_attention(1e4 * q, k, v), **CLOSE)
    assert torch.isnan(transformer.attention(q, k, v, torch.zeros(5, 5, dtype=torch.bool))[0]).all()


def test_rotary_speaks_in_distances_and_keeps_lengths():
    q, k = randn(2, 3, 1, 10)
    turn = lambda x, t: transformer.rotary(x, start=t)  # noqa: E731
    for m, n in ((0, 4), (7, 11), (1000, 1004)):
        torch.testing.assert_close(
            (turn(q, m) * turn(k, n)).sum(-1), (q * turn(k, 4)).sum(-1), rtol=1e-7, atol=1e-8
        )
    x = randn(2, 3, 9, 10)
    torch.testing.assert_close(turn(x, 5).norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(turn(x, 0)[..., 0, :], x[..., 0, :])
    torch.testing.assert_close(turn(x, 3)[..., 2:, :], turn(x[..., 2:, :], 5))
    assert turn(x.float(), 2).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rotary_keeps_distant_positions_apart_in_half_precision(dtype):
    """Angles in half precision would be off by .7 at position 255: autocast asks for this."""
    x = torch.randn(384, 16, generator=torch.Generator().manual_seed(0)).to(dtype)
    turned = transformer.rotary(x)
    assert turned.dtype == dtype
    exact = transformer.rotary(x.double())
    assert (turned.double() - exact).abs().max() < 0.05


def test_rotary_is_a_complex_product():
    x = randn(4, 6)
    angle = torch.arange(4, dtype=torch.float64)[:, None] * 10_000.0 ** (
        -torch.arange(3, dtype=torch.float64) / 3
    )
    turned = torch.complex(x[:, :3], x[:, 3:]) * torch.polar(torch.ones_like(angle), angle)
    torch.testing.assert_close(
        transformer.rotary(x), torch.cat([turned.real, turned.imag], dim=1), **CLOSE
    )


@pytest.mark.parametrize(("width", "heads"), [(6, 1), (12, 3), (8, 8)])
@pytest.mark.parametrize("watch", [False, True])
def test_multi_head_attention_is_torchs(width, heads, watch):
    ours = MultiHeadAttention(width, heads).to(torch.float64)
    theirs = nn.MultiheadAttention(width, heads, batch_first=True).to(torch.float64)
    copy_attention(ours, theirs)
    ours.watch = watch
    x, memory = randn(3, 5, width), randn(3, 7, width)
    late = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0], **CLOSE)
    torch.testing.assert_close(ours(x, memory), theirs(x, memory, memory)[0], **CLOSE)
    want, weights = theirs(x, x, x, attn_mask=late, average_attn_weights=False)
    torch.testing.assert_close(ours(x, causal=True), want, **CLOSE)
    if watch:
        torch.testing.assert_close(ours.weights, weights, **CLOSE)
    else:
        assert ours.weights is None


@pytest.mark.parametrize("pre", [True, False])
def test_a_block_is_torchs_encoder_layer(pre):
    block, x = Block(12, 3, pre=pre).to(torch.float64), randn(2, 5, 12)
    theirs = as_torch(block, 12, 3)
    torch.testing.assert_close(block(x), theirs(x), **CLOSE)
    late = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(block(x, causal=True), theirs(x, src_mask=late), **CLOSE)


def test_the_whole_gpt_is_torchs_encoder_with_a_causal_mask():
    model = GPT(11, width=12, layers=3, heads=2, context=9).to(torch.float64)
    ids = torch.randint(11, (4, 7))
    x = model.embedding(ids) + model.position.weight[:7]
    for block in model.blocks:
        x = as_torch(block, 12, 2)(x, src_mask=torch.ones(7, 7, dtype=torch.bool).triu(1))
    torch.testing.assert_close(model(ids), model.head(model.norm(x)), **CLOSE)


def test_a_cross_block_is_torchs_decoder_layer():
    block = CrossBlock(12, 3).to(torch.float64)
    theirs = nn.TransformerDecoderLayer(
        12, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True
    ).to(torch.float64)
    copy_attention(block.attend, theirs.self_attn)
    copy_attention(block.look, theirs.multihead_attn)
    for name, part in (
        ("linear1", block.mlp[0]),
        ("linear2", block.mlp[2]),
        ("norm1", block.norm1),
        ("norm2", block.norm2),
        ("norm3", block.norm3),
    ):
        getattr(theirs, name).load_state_dict(part.state_dict())
    x, memory = randn(2, 5, 12), randn(2, 8, 12)
    late = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(block(x, memory), theirs(x, memory, tgt_mask=late), **CLOSE)


def test_without_positions_attention_is_permutation_equivariant_and_with_them_it_is_not():
    order, x = torch.randperm(8), randn(2, 8, 12)
    for layer in (MultiHeadAttention(12, 3), Block(12, 3), Block(12, 3, pre=False)):
        layer = layer.to(torch.float64)
        torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], **CLOSE)
        assert not torch.allclose(layer(x[:, order], causal=True), layer(x, causal=True)[:, order])
    turned = MultiHeadAttention(12, 3, rope=True).to(torch.float64)
    assert not torch.allclose(turned(x[:, order]), turned(x)[:, order])


@pytest.mark.parametrize("context", [None, 12])
@pytest.mark.parametrize("watch", [False, True])
def test_a_causal_model_never_looks_ahead(context, watch):
    model = GPT(9, width=8, layers=2, heads=2, context=context)
    for block in model.blocks:
        block.attend.watch = watch
    ids = torch.randint(9, (3, 12))
    before = model(ids)
    for t in range(12):
        changed = ids.clone()
        changed[:, t] = (changed[:, t] + 1) % 9
        after = model(changed)
        assert torch.equal(after[:, :t], before[:, :t])  # the same bits
        assert (after[:, t] != before[:, t]).any()


def test_an_encoder_looks_both_ways():
    model, ids = (
        GPT(9, width=8, layers=1, heads=2, context=6, causal=False),
        torch.randint(9, (1, 6)),
    )
    changed = ids.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 9
    assert not torch.equal(model(ids)[:, 0], model(changed)[:, 0])


@pytest.mark.parametrize("context", [None, 20])
def test_a_cache_changes_no_logit_however_the_text_is_cut(context):
    model, ids = (
        GPT(9, width=8, layers=3, heads=2, context=context).to(torch.float64),
        torch.randint(9, (2, 17)),
    )
    for cuts in ((17,), (1,) * 17, (5, 1, 1, 7, 3)):
        caches = [{} for _ in model.blocks]
        got = torch.cat([model(part, caches) for part in ids.split(cuts, dim=1)], dim=1)
        torch.testing.assert_close(got, model(ids), **CLOSE)
        assert caches[0]["k"].shape == caches[0]["v"].shape == (2, 2, 17, 4)


def test_generating_with_and_without_a_cache_writes_the_same():
    model, ids = GPT(9, width=8, layers=2, heads=2).to(torch.float64), torch.randint(9, (3, 4))
    greedy = lambda logits: logits.argmax(dim=1, keepdim=True)  # noqa: E731
    with_cache, without = (
        transformer.generate(model, ids, 12, greedy, cached) for cached in (True, False)
    )
    assert torch.equal(with_cache, without) and with_cache.shape == (3, 16)
    assert torch.equal(with_cache[:, :4], ids) and not with_cache.requires_grad
    assert torch.equal(with_cache[:, 4:5], greedy(model(ids)[:, -1]))


def test_rotary_models_read_beyond_what_learned_positions_allow():
    ids = torch.randint(9, (1, 30))
    assert GPT(9, width=8, layers=1, heads=2)(ids).shape == (1, 30, 9)
    with pytest.raises(IndexError):
        GPT(9, width=8, layers=1, heads=2, context=20)(ids)


def test_the_decoder_sees_the_source_everywhere_and_its_own_output_only_backwards():
    model = EncoderDecoder(9, width=8, layers=2, heads=2, context=12).to(torch.float64)
    source, out = torch.randint(9, (2, 7)), torch.randint(9, (2, 5))
    before = model(source, out)
    assert before.shape == (2, 5, 9)
    other = source.clone()
    other[:, 6] = (other[:, 6] + 1) % 9
    assert (model(other, out)[:, 0] != before[:, 0]).any()
    later = out.clone()
    later[:, 3] = (later[:, 3] + 1) % 9
    torch.testing.assert_close(model(source, later)[:, :3], before[:, :3], rtol=0, atol=0)


def test_vit_cuts_patches_as_unfold_does_and_minds_their_places():
    model = ViT(size=12, patch=3, classes=5, channels=2, width=8, layers=1, heads=2).to(
        torch.float64
    )
    x = randn(3, 2, 12, 12)
    assert model(x).shape == (3, 5)
    tokens = (
        F.unfold(x, 3, stride=3).transpose(1, 2) @ model.patches.weight.flatten(1).T
        + model.patches.bias
    )
    torch.testing.assert_close(model.patches(x).flatten(2).transpose(1, 2), tokens, **CLOSE)
    assert not torch.allclose(model(x), model(x.flip(3)))
    with torch.no_grad():
        model.position.zero_()  # without places, moving whole patches changes nothing
    torch.testing.assert_close(model(x), model(x.roll((3, 6), (2, 3))), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    "make",
    [
        lambda: (GPT(9, 8, 2, 2), (torch.randint(9, (2, 5)),)),
        lambda: (GPT(9, 8, 2, 2, context=7), (torch.randint(9, (2, 7)),)),
        lambda: (
            EncoderDecoder(9, 8, 2, 2, context=6),
            (torch.randint(9, (2, 6)), torch.randint(9, (2, 6))),
        ),
        lambda: (ViT(6, 2, classes=3, width=8, layers=2, heads=2), (torch.randn(2, 1, 6, 6),)),
    ],
)
def test_gradients_reach_every_parameter(make):
    model, inputs = make()
    model(*inputs).square().sum().backward()
    lacking = [
        name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0
    ]
    assert lacking == []


def test_size_of_a_gpt():
    count = sum(p.numel() for p in GPT(94, width=64, layers=3, heads=4).parameters())
    assert count == 94 * 64 + 3 * (12 * 64**2 + 13 * 64) + 2 * 64 + 64 * 94 + 94
    assert {sum(p.numel() for p in MultiHeadAttention(24, h).parameters()) for h in (1, 3, 8)} == {
        4 * 24**2 + 4 * 24
    }


@pytest.mark.parametrize("bias", [True, False])
def test_lora_begins_as_nothing_and_can_be_merged(bias):
    base, x = nn.Linear(7, 5, bias=bias), torch.randn(3, 2, 7)
    layer = LoRA(copy.deepcopy(base), rank=2, scale=0.5)
    assert torch.equal(layer(x), base(x))
    nn.init.normal_(layer.B)
    torch.testing.assert_close(layer(x), base(x) + 0.5 * x @ (layer.B @ layer.A).T)
    torch.testing.assert_close(layer.merged()(x), layer(x))
    layer(x).sum().backward()
    assert layer.base.weight.grad is None and layer.A.grad is not None and layer.B.grad is not None


def test_add_lora_trains_the_thin_matrices_only_and_comes_off():
    model, ids = GPT(9, 8, 2, 2), torch.randint(9, (2, 5))
    original = copy.deepcopy(model)
    parameters = add_lora(model, rank=3)
    linears = sum(isinstance(module, nn.Linear) for module in original.modules())
    assert len(parameters) == 2 * linears and torch.equal(model(ids), original(ids))
    optimiser = torch.optim.SGD(parameters, 1.0)
    model(ids).square().mean().backward()
    optimiser.step()
    assert not torch.equal(model(ids), original(ids))
    for module in model.modules():
        if isinstance(module, LoRA):
            module.scale = 0.0
    assert torch.equal(model(ids), original(ids))
