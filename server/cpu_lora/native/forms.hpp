// How a linear layer's weights and inputs lie in memory: in bfloat16, or in eight bits with scales.
#pragma once
#include <algorithm>

#include "numbers.hpp"

#ifdef FAST
constexpr int64_t BLOCK = 32;  // columns; W is packed [outputs / BLOCK][inputs / n][BLOCK][n], n numbers in four bytes

struct Linear {
  const void *w;
  const uint16_t *bias;  // null where there is none
  const float *scales;   // of each column, in eight bits; null in bfloat16
  int64_t inputs, outputs;
};

// Rows of numbers, `stride` bytes apart. In eight bits: each row's scale and the sum of its rounded numbers.
struct Rows {
  const void *x;
  int64_t stride;
  const float *scales;
  const int32_t *sums;
};

struct Bfloat16 {
  using Sum = __m512;
  static constexpr int64_t BYTES = 2;
  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum add(Sum sum, __m512i w, __m512i pair) { return _mm512_dpbf16_ps(sum, (__m512bh)w, (__m512bh)pair); }
  static __m512 value(Sum sum, const Rows &, int64_t, const Linear &, int64_t) { return sum; }
};

// W holds w + 128, as the instruction wants one side without a sign; 128 times the row's sum is taken off again.
struct Int8 {
  using Sum = __m512i;
  static constexpr int64_t BYTES = 1;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Sum add(Sum sum, __m512i w, __m512i four) { return _mm512_dpbusd_epi32(sum, w, four); }
  static __m512 value(Sum sum, const Rows &rows, int64_t row, const Linear &one, int64_t column) {
    const __m512 exact = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum, _mm512_set1_epi32(128 * rows.sums[row])));
    return _mm512_mul_ps(_mm512_mul_ps(exact, _mm512_set1_ps(rows.scales[row])), _mm512_loadu_ps(one.scales + column));
  }
};

// Room for rows in eight bits: q [rows, inputs], scales and sums [rows].
struct Rounded {
  int8_t *q;
  float *scales;
  int32_t *sums;
};

// Row r of x, n numbers (a multiple of 16), to eight bits: the largest becomes 127, as vLLM's dynamic_scaled_int8_quant.
static void round_row(const Rounded &to, int64_t r, const uint16_t *x, int64_t n) {
  __m512 top = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) top = _mm512_max_ps(top, _mm512_abs_ps(load16(x + i)));
  const float largest = _mm512_reduce_max_ps(top);
  const __m512 times = _mm512_set1_ps(largest > 0 ? 127.0f / largest : 0.0f);
  __m512i sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < n; i += 16) {
    const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(load16(x + i), times));  // to nearest, ties to even
    sum = _mm512_add_epi32(sum, q);
    _mm_storeu_si128((__m128i *)(to.q + r * n + i), _mm512_cvtsepi32_epi8(q));
  }
  to.scales[r] = largest / 127.0f;
  to.sums[r] = _mm512_reduce_add_epi32(sum);
}
#endif
