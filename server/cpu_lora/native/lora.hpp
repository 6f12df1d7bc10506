// The products of adapters, for few rows: y[row] += (x[row] A^T) B^T.
#pragma once
#include <algorithm>

#include "numbers.hpp"

// What one slot adds by one slice, and this batch's rows of that slot.
struct Product {
  const uint16_t *a;     // [rank, inputs], rows follow each other
  const uint16_t *b;     // [rank, outputs], B transposed
  const int64_t *rows;   // [count]
  int64_t count, rank, inputs, outputs, offset;  // rank 0: nothing; offset: the slice's first column in y
};

// A layer's products: `slices` beside each other for each of `groups`, which are `stride` apart.
struct Products {
  const Product *first;
  int64_t groups, slices, stride;
};

static float dot(const uint16_t *x, const uint16_t *a, int64_t n) {
  int64_t i = 0;
  float sum = 0;
#ifdef FAST
  __m512 s0 = _mm512_setzero_ps(), s1 = _mm512_setzero_ps();
  for (; i + 64 <= n; i += 64) {
    s0 = _mm512_dpbf16_ps(s0, (__m512bh)_mm512_loadu_si512(x + i), (__m512bh)_mm512_loadu_si512(a + i));
    s1 = _mm512_dpbf16_ps(s1, (__m512bh)_mm512_loadu_si512(x + i + 32), (__m512bh)_mm512_loadu_si512(a + i + 32));
  }
  sum = _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
#endif
  for (; i < n; ++i) sum += widen(x[i]) * widen(a[i]);
  return sum;
}

// Adds low B to y's columns [from, to) of the slice.
static void expand(uint16_t *y, const float *low, const Product &one, int64_t from, int64_t to) {
  const uint16_t *b = one.b;
  const int64_t rank = one.rank, outputs = one.outputs;
  int64_t o = from;
#ifdef FAST
  for (; o + 32 <= to; o += 32) {
    __m512 s0 = load16(y + o), s1 = load16(y + o + 16);
    for (int64_t r = 0; r < rank; ++r) {
      const __m512 scale = _mm512_set1_ps(low[r]);
      s0 = _mm512_fmadd_ps(scale, load16(b + r * outputs + o), s0);
      s1 = _mm512_fmadd_ps(scale, load16(b + r * outputs + o + 16), s1);
    }
    _mm512_storeu_si512(y + o, (__m512i)_mm512_cvtne2ps_pbh(s1, s0));
  }
#endif
  for (; o < to; ++o) {
    float sum = widen(y[o]);
    for (int64_t r = 0; r < rank; ++r) sum += low[r] * widen(b[r * outputs + o]);
    y[o] = narrow(sum);
  }
}

// Ranks past `MAX_RANK` are refused by the caller.
constexpr int64_t MAX_RANK = 512;

// A thread's share of the work: y's columns [from, to), and its part of each group's rows.
struct Share {
  int64_t from, to, me = 0, threads = 1;
};

static void add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, const Products &products,
                const Share &mine) {
  float low[MAX_RANK];
  for (int64_t p = 0; p < products.groups * products.slices; ++p) {
    const Product &one = products.first[p / products.slices * products.stride + p % products.slices];
    const int64_t first = std::max<int64_t>(mine.from - one.offset, 0);
    const int64_t last = std::min(mine.to - one.offset, one.outputs);
    if (one.rank == 0 || first >= last) continue;
    const int64_t end = one.count * (mine.me + 1) / mine.threads;
    for (int64_t i = one.count * mine.me / mine.threads; i < end; ++i) {
      const uint16_t *in = x + one.rows[i] * x_stride;
      for (int64_t r = 0; r < one.rank; ++r) low[r] = dot(in, one.a + r * one.inputs, one.inputs);
      expand(y + one.rows[i] * y_stride + one.offset, low, one, first, last);
    }
  }
}
