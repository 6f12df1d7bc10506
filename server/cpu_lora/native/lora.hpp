// The products of adapters: y[row] += (x[row] A^T) B^T.
#pragma once
#include <algorithm>

#include "numbers.hpp"

// What one slot adds by one slice, and this batch's rows of that slot.
struct Product {
  const uint16_t *a;     // [rank, inputs], rows follow each other
  const uint16_t *b;     // [rank, outputs], B transposed
  const int64_t *rows;   // [count], ascending
  int64_t count, rank, inputs, outputs, offset;  // rank 0: nothing; offset: the slice's first column in y
};

// A layer's products: `slices` beside each other for each of `groups`, which are `stride` apart.
struct Products {
  const Product *first;
  int64_t groups, slices, stride;
};

// Ranks past `MAX_RANK` are refused by the caller.
constexpr int64_t MAX_RANK = 512;

// R rows of x, and what they become: low[r] = x[r] A^T. A row's sums run in the same order, whatever R.
template <int R>
static void shrink(float (&low)[R][MAX_RANK], const uint16_t *const (&x)[R], const Product &one) {
  for (int64_t rank = 0; rank < one.rank; ++rank) {
    const uint16_t *a = one.a + rank * one.inputs;
    int64_t i = 0;
    float sum[R] = {};
#ifdef FAST
    __m512 s0[R], s1[R];
    each<R>([&](auto r) INLINE { s0[r] = s1[r] = _mm512_setzero_ps(); });
    for (; i + 64 <= one.inputs; i += 64) {
      const auto a0 = (__m512bh)_mm512_loadu_si512(a + i), a1 = (__m512bh)_mm512_loadu_si512(a + i + 32);
      each<R>([&](auto r) INLINE {
        s0[r] = _mm512_dpbf16_ps(s0[r], (__m512bh)_mm512_loadu_si512(x[r] + i), a0);
        s1[r] = _mm512_dpbf16_ps(s1[r], (__m512bh)_mm512_loadu_si512(x[r] + i + 32), a1);
      });
    }
    each<R>([&](auto r) INLINE { sum[r] = _mm512_reduce_add_ps(_mm512_add_ps(s0[r], s1[r])); });
#endif
    for (; i < one.inputs; ++i)
      for (int r = 0; r < R; ++r) sum[r] += widen(x[r][i]) * widen(a[i]);
    for (int r = 0; r < R; ++r) low[r][rank] = sum[r];
  }
}

// Adds low[r] B to the columns [from, to) of the slice that begins at y[r].
template <int R>
static void expand(uint16_t *const (&y)[R], const float (&low)[R][MAX_RANK], const Product &one, int64_t from,
                   int64_t to) {
  const int64_t rank = one.rank, outputs = one.outputs;
  int64_t o = from;
#ifdef FAST
  for (; o + 32 <= to; o += 32) {
    __m512 s0[R], s1[R];
    each<R>([&](auto r) INLINE { s0[r] = load16(y[r] + o), s1[r] = load16(y[r] + o + 16); });
    for (int64_t i = 0; i < rank; ++i) {
      const __m512 b0 = load16(one.b + i * outputs + o), b1 = load16(one.b + i * outputs + o + 16);
      each<R>([&](auto r) INLINE {
        const __m512 scale = _mm512_set1_ps(low[r][i]);
        s0[r] = _mm512_fmadd_ps(scale, b0, s0[r]);
        s1[r] = _mm512_fmadd_ps(scale, b1, s1[r]);
      });
    }
    each<R>([&](auto r) INLINE { _mm512_storeu_si512(y[r] + o, (__m512i)_mm512_cvtne2ps_pbh(s1[r], s0[r])); });
  }
#endif
  for (; o < to; ++o)
    for (int r = 0; r < R; ++r) {
      float sum = widen(y[r][o]);
      for (int64_t i = 0; i < rank; ++i) sum += low[r][i] * widen(one.b[i * outputs + o]);
      y[r][o] = narrow(sum);
    }
}

// A thread's share of the work: y's columns [from, to), and its part of each group's rows among the batch's rows
// [first, last), of which `first` is where x and y begin.
struct Share {
  int64_t from, to, first, last, me = 0, threads = 1;
};

template <int R>
static void some(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, const Product &one,
                 const int64_t *rows, int64_t first, const Span &columns) {
  float low[R][MAX_RANK];
  const uint16_t *in[R];
  uint16_t *out[R];
  for (int r = 0; r < R; ++r) {
    in[r] = x + (rows[r] - first) * x_stride;
    out[r] = y + (rows[r] - first) * y_stride + one.offset;
  }
  shrink<R>(low, in, one);
  expand<R>(out, low, one, columns.from, columns.to);
}

static void add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, const Products &products,
                const Share &mine) {
  using Some = void (*)(uint16_t *, int64_t, const uint16_t *, int64_t, const Product &, const int64_t *, int64_t,
                        const Span &);
  static const Some by_rows[] = {nullptr, some<1>, some<2>, some<3>, some<4>, some<5>, some<6>, some<7>, some<8>};
  constexpr int64_t MOST = 8;
  for (int64_t p = 0; p < products.groups * products.slices; ++p) {
    const Product &one = products.first[p / products.slices * products.stride + p % products.slices];
    const Span columns{std::max<int64_t>(mine.from - one.offset, 0), std::min(mine.to - one.offset, one.outputs)};
    if (one.rank == 0 || columns.from >= columns.to) continue;
    const int64_t *begin = std::lower_bound(one.rows, one.rows + one.count, mine.first);
    const int64_t *end = std::lower_bound(begin, one.rows + one.count, mine.last);
    const Span part = share(end - begin, mine.me, mine.threads);
    const int64_t together = at_once(part.to - part.from, MOST);
    for (int64_t i = part.from; i < part.to; i += together)
      by_rows[std::min(part.to - i, together)](y, y_stride, x, x_stride, one, begin + i, mine.first, columns);
  }
}
