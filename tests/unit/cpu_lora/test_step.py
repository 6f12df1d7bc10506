"""The step kernel against float64: norms, QKV, rotary embedding, MLP, residuals, adapters, whatever the row count."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cpu_lora import kernel, step
from server.cpu_lora.buffers import AT_ONCE, StepBuffers
from server.cpu_lora.decoder import LAYER, Decoder, Sizes, read_decoder
from server.cpu_lora.groups import group_rows
from server.cpu_lora.slots import Slots
from server.cpu_lora.table import Table
from tests.unit.cpu_lora.batches import Batch, stacked
from tests.unit.cpu_lora.test_int8_linear import rounded

EPS, LAYERS, RANK, SLOTS = 1e-5, 2, 8, 3
LINEARS = ("qkv", "o", "gate_up", "down")


@dataclass
class Model:
    """Random weights of a decoder of `sizes`, with or without biases and norms of heads."""

    sizes: Sizes
    biases: bool
    head_norms: bool
    seed: int
    int8: bool = False
    layers: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng, s = torch.Generator().manual_seed(self.seed), self.sizes
        heads, both = s.heads * s.head, (s.heads + 2 * s.kv_heads) * s.head
        self.shapes = {"qkv": (both, s.hidden), "o": (s.hidden, heads), "gate_up": (2 * s.inner, s.hidden)}
        self.shapes["down"] = (s.hidden, s.inner)
        angles = torch.rand(40, s.head // 2, generator=self.rng) * 6
        self.cos_sin = torch.cat([angles.cos(), angles.sin()], dim=1).bfloat16()
        self.final_norm = self._random(s.hidden) + 1
        for _ in range(LAYERS):
            layer: dict[str, Any] = {n: self._random(*shape) / shape[1] ** 0.5 for n, shape in self.shapes.items()}
            layer |= {f"{n}_int8": self._rounded(layer, n) if self.int8 else None for n in self.shapes}
            layer |= {f"{n}_bias": self._random(shape[0]) if self.biases else None for n, shape in self.shapes.items()}
            layer |= {n: self._random(s.hidden) + 1 for n in ("input_norm", "post_norm")}
            layer |= {n: self._random(s.head) + 1 if self.head_norms else None for n in ("q_norm", "k_norm")}
            batch = Batch((0,), SLOTS, 0, False, torch.bfloat16, self.seed)
            layer["lora"] = {n: stacked(batch, o, i, RANK, self.rng) for n, (o, i) in self.shapes.items()}
            self.layers.append(layer)

    @staticmethod
    def _rounded(layer: dict[str, Any], name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The weight in eight bits, and its scales; what they stand for takes the weight's place."""
        scales = layer[name].float().abs().amax(1) / 127
        weight = (layer[name].float() / scales[:, None]).round().to(torch.int8)
        layer[name] = weight.double() * scales.double()[:, None]
        return weight, scales

    def _random(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.rng).bfloat16()

    def table(self, slots: tuple[int, ...]) -> tuple[np.ndarray[Any, Any], tuple[int, int], list[object]]:
        """The kernel's layers, where their products are, and what keeps their addresses alive."""
        layers, kept = np.zeros(LAYERS, dtype=LAYER), []
        table, of = Table(Slots()), {}
        for number, layer in enumerate(self.layers):
            for name in LINEARS:
                a, b = layer["lora"][name]
                stacks = (a,), (b,)
                of[number, name] = table.layer(*stacks, (b.shape[2],))
                kept.append(stacks)
        batch = table.batch(group_rows(slots), fresh=False)
        for number, (row, layer) in enumerate(zip(layers, self.layers, strict=True)):
            for name in LINEARS:
                rounded, bias = layer[f"{name}_int8"], layer[f"{name}_bias"]
                packed = kernel.pack(layer[name]) if rounded is None else kernel.pack_int8(rounded[0])
                row[f"{name}_w"], row[f"{name}_bias"] = packed.data_ptr(), 0 if bias is None else bias.data_ptr()
                row[f"{name}_scales"] = 0 if rounded is None else rounded[1].data_ptr()
                row[f"{name}_products"], _, row[f"{name}_slices"], _ = batch.work(of[number, name]).products
                kept.append(packed)
            for name in ("input_norm", "q_norm", "k_norm", "post_norm"):
                row[name] = 0 if layer[name] is None else layer[name].data_ptr()
        return layers, (len(batch.groups.groups), batch.stride), [*kept, table, batch]

    def decoder(self, table: np.ndarray[Any, Any]) -> Decoder:
        return Decoder(self.sizes, table, (), (), self.cos_sin, self.final_norm, EPS, EPS, ())


def _mixed(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Stands for attention: mixes heads, so that each of the three has to be right."""
    times = query.shape[1] // key.shape[1]
    return query * 0.5 + (key - value).repeat_interleave(times, dim=1) * 0.25


def _run(
    engine: kernel.Kernel, model: Model, x: torch.Tensor, at: torch.Tensor, slots: tuple[int, ...]
) -> torch.Tensor:
    table, adapters, kept = model.table(slots)
    buffers, out = StepBuffers(model.sizes, engine.threads()), torch.empty_like(x)
    query, key, value, attended = buffers.views(len(x))
    described = buffers.describe(model.decoder(table), x, at, out, adapters)
    first = table.ctypes.data
    engine.step(described, 0, first)
    for number in range(LAYERS):
        attended.copy_(_mixed(query, key, value))
        before = first + number * LAYER.itemsize
        engine.step(described, before, before + LAYER.itemsize if number + 1 < LAYERS else 0)
    assert kept
    return out


def _reference(model: Model, x: torch.Tensor, at: torch.Tensor, slots: tuple[int, ...]) -> torch.Tensor:
    s, stream = model.sizes, x.double()

    def norm(v: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return v / (v.square().mean(-1, keepdim=True) + EPS).sqrt() * w.double()

    def linear(layer: dict[str, Any], name: str, v: torch.Tensor) -> torch.Tensor:
        y = (rounded(v) if model.int8 else v) @ layer[name].double().t()
        if layer[f"{name}_bias"] is not None:
            y = y + layer[f"{name}_bias"].double()
        a, b = layer["lora"][name]
        for row, slot in enumerate(slots):
            if slot >= 0:
                y[row] += b[slot, 0].double() @ (a[slot, 0].double() @ v[row])
        return y

    def rotate(v: torch.Tensor) -> torch.Tensor:
        cos, sin = model.cos_sin[at].double()[:, None].chunk(2, dim=-1)
        one, other = v.chunk(2, dim=-1)
        return torch.cat([one * cos - other * sin, other * cos + one * sin], dim=-1)

    for layer in model.layers:
        qkv = linear(layer, "qkv", norm(stream, layer["input_norm"])).view(len(x), -1, s.head)
        query, key, value = qkv.split((s.heads, s.kv_heads, s.kv_heads), dim=1)
        if layer["q_norm"] is not None:
            query, key = norm(query, layer["q_norm"]), norm(key, layer["k_norm"])
        stream = stream + linear(layer, "o", _mixed(rotate(query), rotate(key), value).reshape(len(x), -1))
        gate, up = linear(layer, "gate_up", norm(stream, layer["post_norm"])).chunk(2, dim=-1)
        stream = stream + linear(layer, "down", torch.nn.functional.silu(gate) * up)
    return norm(stream, model.final_norm)


SHAPES = st.sampled_from(
    [Sizes(64, 3, 1, 32, 96), Sizes(96, 4, 2, 64, 160), Sizes(32, 2, 2, 32, 32), Sizes(160, 2, 1, 128, 64)]
)
ROWS = st.one_of(st.lists(st.integers(-1, SLOTS - 1), min_size=1, max_size=20), st.sampled_from([[0] * 64, [-1] * 33]))


@given(SHAPES, ROWS, st.booleans(), st.booleans(), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_step_agrees_with_float64(
    engine: kernel.Kernel, sizes: Sizes, slots: list[int], biases: bool, head_norms: bool, seed: int
) -> None:
    model = Model(sizes, biases, head_norms, seed)
    x = model._random(len(slots), sizes.hidden)
    at = torch.randint(0, 40, (len(slots),), generator=model.rng)
    got = _run(engine, model, x, at, tuple(slots)).double()
    wanted = _reference(model, x, at, tuple(slots))
    # bfloat16 has 8 bits: some twenty roundings of up to 0.4 % on the way, more where a row's terms nearly cancel.
    assert (got - wanted).norm() / wanted.norm() < 0.03
    assert ((got - wanted).norm(dim=1) / wanted.norm(dim=1)).max() < 0.15


PROMPTS: list[list[int]] = [[0, 1, -1] * 60, [2] * 65, [1] * 200 + [-1] * 57 + [0] * 44]


@pytest.mark.parametrize("slots", [[0, 2, -1, 0, 1], [1] * 64, *PROMPTS], ids=len)
@pytest.mark.parametrize("sizes", [Sizes(64, 3, 1, 32, 96), Sizes(96, 4, 2, 64, 160), Sizes(160, 2, 1, 128, 64)])
@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("biases_and_head_norms", [False, True])
def test_prompts_and_eight_bits_agree_with_float64(
    engine: kernel.Kernel, slots: list[int], sizes: Sizes, int8: bool, biases_and_head_norms: bool
) -> None:
    model = Model(sizes, biases_and_head_norms, biases_and_head_norms, len(slots), int8)
    x = model._random(len(slots), sizes.hidden)
    at = torch.randint(0, 40, (len(slots),), generator=model.rng)
    got = _run(engine, model, x, at, tuple(slots)).double()
    wanted = _reference(model, x, at, tuple(slots))
    assert (got - wanted).norm() / wanted.norm() < 0.03
    assert ((got - wanted).norm(dim=1) / wanted.norm(dim=1)).max() < 0.15


@given(st.lists(st.integers(-1, SLOTS - 1), min_size=2, max_size=40), st.integers(0, 10**6), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_row_is_the_same_to_the_bit_alone_and_in_a_crowd(
    engine: kernel.Kernel, slots: list[int], seed: int, int8: bool
) -> None:
    model = Model(Sizes(64, 4, 2, 32, 96), True, True, seed, int8)
    x = model._random(len(slots), 64)
    at = torch.randint(0, 40, (len(slots),), generator=model.rng)
    together = _run(engine, model, x, at, tuple(slots))
    for row in {0, len(slots) // 2, len(slots) - 1}:
        alone = _run(engine, model, x[row : row + 1], at[row : row + 1], (slots[row],))
        assert torch.equal(alone[0], together[row])


@pytest.mark.parametrize("model", [SimpleNamespace(layers=[]), SimpleNamespace(), torch.nn.Linear(2, 2)])
def test_what_is_no_known_decoder_is_left_to_vllm(model: Any) -> None:
    assert read_decoder(model) is None


def test_rows_that_are_not_the_kernels_go_to_vllm(engine: kernel.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "read_decoder", lambda _: pytest.fail("asked for a decoder"))
    model = SimpleNamespace(aux_hidden_state_layers=())
    many = torch.arange(AT_ONCE + 1)
    for least in (None, AT_ONCE + 2):  # prompts left to oneDNN; too few rows for the threads
        forward = step._forward(lambda self, ids, positions, *_: len(positions), engine, least)
        assert forward(model, many, many, None) == len(many)
        assert forward(model, many[:1], many[:1], object()) == 1  # a pipeline's later rank


def test_a_wrapped_layer_anywhere_counts(engine: kernel.Kernel) -> None:
    """vLLM can be told to wrap some linear layers only, neither the first nor the last."""
    model = Model(Sizes(64, 2, 1, 32, 96), False, False, 1)
    table, _, kept = model.table((-1,))
    stacks = {"lora_a_stacked": (torch.zeros(1),), "lora_b_stacked": (torch.zeros(1),)}
    stranger = SimpleNamespace(**stacks, punica_wrapper=object())
    plain = SimpleNamespace()
    decoder = Decoder(
        model.sizes,
        table,
        ((plain, stranger, plain, plain),) * LAYERS,
        (),
        model.cos_sin,
        model.final_norm,
        EPS,
        EPS,
        (),
    )
    assert step.DecodeStep(engine, decoder)._adapters(1) is None, "another wrapper's rows are not ours"
    assert kept
