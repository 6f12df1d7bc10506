// A decoder between two attentions: what follows one layer's attention (its output projection, the MLP) and what comes
// before the next one's (norm, QKV, rotary embedding), in one region of all threads. Of few rows every thread computes
// some columns, and they wait for each other three times; of many rows (prompts) every thread takes some rows all the
// way, `AT_ONCE` at a time, and waits for nobody.
#pragma once
#include <omp.h>

#include "linear.hpp"
#include "lora.hpp"

#ifdef FAST
struct Adapted {
  const void *w;             // w, bias and scales as `Linear` has them
  const uint16_t *bias;
  const float *scales;
  const Product *products;   // of this batch's first adapter, as `Products` has them
  int64_t slices;
};

// Addresses of one layer's weights. Norms of heads and biases are null where there are none.
struct Layer {
  Adapted qkv, o, gate_up, down;
  const uint16_t *input_norm, *q_norm, *k_norm, *post_norm;
};

constexpr int64_t AT_ONCE = 64;  // rows; as in buffers.py

// A step's sizes and buffers, all dense. For all rows: x, residual and out [rows, hidden], positions [rows], qkv
// [rows, (heads + 2 kv_heads) head], attended [rows, heads head]. For AT_ONCE rows of each thread: sum and own [hidden],
// gate_up [2 inner], act [inner] and, where weights have eight bits, rounded [widest] of the widest input, row_scales and
// row_sums [1].
struct Step {
  int64_t first, rows;  // of the batch; 0 and all but in a thread's own part
  int64_t hidden, heads, kv_heads, head, inner, threads;
  int64_t groups, stride;  // of every layer's `Products`
  const int64_t *positions;
  const uint16_t *cos_sin;  // [positions, head]: cosines, then sines
  const uint16_t *x, *final_norm;
  uint16_t *residual, *sum, *qkv, *attended, *gate_up, *act, *own, *out;
  int8_t *rounded;
  float *row_scales;
  int32_t *row_sums;
  int64_t widest;
  double eps, head_eps;
};

// out = x / sqrt(mean x^2 + eps) w over n numbers, a multiple of 16; out may be x.
static void norm(uint16_t *out, const uint16_t *x, const uint16_t *w, int64_t n, double eps) {
  __m512 squares = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __m512 v = load16(x + i);
    squares = _mm512_fmadd_ps(v, v, squares);
  }
  const float mean = _mm512_reduce_add_ps(squares) / static_cast<float>(n);
  const __m512 scale = _mm512_set1_ps(1.0f / std::sqrt(mean + static_cast<float>(eps)));
  for (int64_t i = 0; i < n; i += 16)
    store16(out + i, _mm512_mul_ps(_mm512_mul_ps(load16(x + i), scale), load16(w + i)));
}

// One head in place: (a, b) -> (a cos - b sin, b cos + a sin), a and b its halves (the NeoX order).
static void rotate(uint16_t *x, const uint16_t *cos_sin, int64_t head) {
  const int64_t half = head / 2;
  for (int64_t i = 0; i < half; i += 16) {
    const __m512 a = load16(x + i), b = load16(x + half + i), c = load16(cos_sin + i), s = load16(cos_sin + half + i);
    store16(x + i, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
    store16(x + half + i, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
  }
}

// What a linear layer reads: x [rows, inputs], in bfloat16 for the adapters, and as the layer's weights want it.
struct Input {
  const uint16_t *x;
  int64_t inputs;
  Rows rows;
};

// Every thread rounds all rows for itself, as with norms.
static Input input(const Step &s, const uint16_t *x, int64_t inputs, const Adapted &one, int64_t me) {
  if (one.scales == nullptr) return {x, inputs, {x, 2 * inputs, nullptr, nullptr}};
  const int64_t begin = me * AT_ONCE;
  const Rounded own{s.rounded + begin * s.widest, s.row_scales + begin, s.row_sums + begin};
  for (int64_t r = 0; r < s.rows; ++r) round_row(own, r, x + r * inputs, inputs);
  return {x, inputs, {own.q, inputs, own.scales, own.sums}};
}

// y's blocks [from, to) = x W^T + bias + adapters.
static void adapted(const Step &s, uint16_t *y, int64_t outputs, const Input &in, const Adapted &one, int64_t from,
                    int64_t to) {
  const Linear linear{one.w, one.bias, one.scales, in.inputs, outputs};
  (one.scales == nullptr ? product<Bfloat16> : product<Int8>)({y, outputs}, in.rows, {0, s.rows}, linear, {from, to});
  const Share mine{from * BLOCK, to * BLOCK, s.first, s.first + s.rows};
  add(y, outputs, in.x, in.inputs, {one.products, s.groups, one.slices, s.stride}, mine);
}

// residual's columns of blocks [from, to) += sum's.
static void add_residual(const Step &s, int64_t from, int64_t to) {
  for (int64_t r = 0; r < s.rows; ++r)
    for (int64_t i = r * s.hidden + from * BLOCK; i < r * s.hidden + to * BLOCK; i += 16)
      store16(s.residual + i, _mm512_add_ps(load16(s.residual + i), load16(s.sum + i)));
}

// Every thread norms all rows for itself: that costs less than to wait for another's.
static const uint16_t *normed(const Step &s, const uint16_t *x, const uint16_t *w, int64_t me) {
  uint16_t *out = s.own + me * AT_ONCE * s.hidden;
  for (int64_t r = 0; r < s.rows; ++r) norm(out + r * s.hidden, x + r * s.hidden, w, s.hidden, s.eps);
  return out;
}

// By whole heads, so that a head's norm and rotation follow in the same thread.
static void into_attention(const Step &s, const Layer &layer, const uint16_t *x, int64_t me, int64_t threads) {
  const int64_t heads = s.heads + 2 * s.kv_heads, blocks = s.head / BLOCK, outputs = heads * s.head;
  const Span mine = share(heads, me, threads);
  adapted(s, s.qkv, outputs, input(s, x, s.hidden, layer.qkv, me), layer.qkv, mine.from * blocks, mine.to * blocks);
  for (int64_t h = mine.from; h < std::min(mine.to, s.heads + s.kv_heads); ++h) {
    const uint16_t *w = h < s.heads ? layer.q_norm : layer.k_norm;
    for (int64_t r = 0; r < s.rows; ++r) {
      uint16_t *one = s.qkv + r * outputs + h * s.head;
      if (w != nullptr) norm(one, one, w, s.head, s.head_eps);
      rotate(one, s.cos_sin + s.positions[r] * s.head, s.head);
    }
  }
}

// act's columns of blocks [from, to): gate / (1 + e^-gate) up.
static void gated(const Step &s, int64_t from, int64_t to) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const uint16_t *gate = s.gate_up + r * 2 * s.inner, *up = gate + s.inner;
    for (int64_t i = from * BLOCK; i < to * BLOCK; i += 16) {
      const __m512 g = load16(gate + i), one = _mm512_set1_ps(1.0f);
      const __m512 silu = _mm512_div_ps(g, _mm512_add_ps(one, exp16(_mm512_sub_ps(_mm512_setzero_ps(), g))));
      store16(s.act + r * s.inner + i, _mm512_mul_ps(silu, load16(up + i)));
    }
  }
}

static void wait(int64_t threads) {
  if (threads == 1) return;
#pragma omp barrier
}

static void after_attention(const Step &s, const Layer &layer, int64_t me, int64_t threads) {
  const Span hidden = share(s.hidden / BLOCK, me, threads), inner = share(s.inner / BLOCK, me, threads);
  adapted(s, s.sum, s.hidden, input(s, s.attended, s.heads * s.head, layer.o, me), layer.o, hidden.from, hidden.to);
  add_residual(s, hidden.from, hidden.to);
  wait(threads);
  const Input x = input(s, normed(s, s.residual, layer.post_norm, me), s.hidden, layer.gate_up, me);
  const int64_t up = s.inner / BLOCK;
  adapted(s, s.gate_up, 2 * s.inner, x, layer.gate_up, inner.from, inner.to);
  adapted(s, s.gate_up, 2 * s.inner, x, layer.gate_up, up + inner.from, up + inner.to);
  gated(s, inner.from, inner.to);
  wait(threads);
  adapted(s, s.sum, s.hidden, input(s, s.act, s.inner, layer.down, me), layer.down, hidden.from, hidden.to);
  add_residual(s, hidden.from, hidden.to);
  wait(threads);
}

// One thread's share of `run`.
static void between(const Step &s, const Layer *before, const Layer *after, int64_t me, int64_t threads) {
  const Span hidden = share(s.hidden / BLOCK, me, threads);
  if (before != nullptr) {
    after_attention(s, *before, me, threads);
  } else {
    for (int64_t r = 0; r < s.rows; ++r)
      std::memcpy(s.residual + r * s.hidden + hidden.from * BLOCK, s.x + r * s.hidden + hidden.from * BLOCK,
                  2 * BLOCK * (hidden.to - hidden.from));
  }
  const uint16_t *stream = before == nullptr ? s.x : s.residual;
  if (after != nullptr) {
    into_attention(s, *after, normed(s, stream, after->input_norm, me), me, threads);
  } else {
    const Span rows = share(s.rows, me, threads);
    for (int64_t r = rows.from; r < rows.to; ++r)
      norm(s.out + r * s.hidden, stream + r * s.hidden, s.final_norm, s.hidden, s.eps);
  }
}

// The same step for `rows` of its rows, with the buffers of thread `me`.
static Step part_of(const Step &s, const Span &rows, int64_t me) {
  Step part = s;
  part.first = s.first + rows.from;
  part.rows = rows.to - rows.from;
  part.positions += rows.from;
  part.x += rows.from * s.hidden;
  part.residual += rows.from * s.hidden;
  part.out += rows.from * s.hidden;
  part.qkv += rows.from * (s.heads + 2 * s.kv_heads) * s.head;
  part.attended += rows.from * s.heads * s.head;
  const int64_t begin = me * AT_ONCE;
  part.sum += begin * s.hidden;
  part.own += begin * s.hidden;
  part.gate_up += begin * 2 * s.inner;
  part.act += begin * s.inner;
  part.rounded += begin * s.widest;
  part.row_scales += begin;
  part.row_sums += begin;
  return part;
}

// `before`: the layer whose attention is done, null at the beginning; `after`: the next one, null at the end.
static void run(const Step &s, const Layer *before, const Layer *after) {
#pragma omp parallel num_threads(static_cast<int>(s.threads))
  {
    const int64_t me = omp_get_thread_num(), threads = omp_get_num_threads();
    if (s.rows <= AT_ONCE) {
      between(s, before, after, me, threads);
    } else {
      const Span mine = share(s.rows, me, threads);
      const int64_t count = mine.to - mine.from, passes = (count + AT_ONCE - 1) / AT_ONCE;
      for (int64_t pass = 0; pass < passes; ++pass) {
        const Span rows = share(count, pass, passes);
        between(part_of(s, {mine.from + rows.from, mine.from + rows.to}, me), before, after, 0, 1);
      }
    }
  }
}
#endif
