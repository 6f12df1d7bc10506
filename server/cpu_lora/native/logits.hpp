// What is left to do with a step's logits where every request takes its likeliest token: what its grammar forbids goes,
// then the likeliest token of each row and its log-probability, with one reading from memory.
#pragma once
#include <limits>

#include "numbers.hpp"

#ifdef FAST
constexpr int16_t NEVER = static_cast<int16_t>(0xff80);  // -inf

// -inf where a bit of `allowed`, one for each word of the vocabulary, is 0.
static void forbid(uint16_t *x, int64_t words, const uint32_t *allowed) {
  const __m512i never = _mm512_set1_epi16(NEVER);
  int64_t i = 0;
  for (; i + 32 <= words; i += 32)
    _mm512_mask_storeu_epi16(x + i, static_cast<__mmask32>(~allowed[i / 32]), never);
  if (i == words) return;
  const uint32_t left = (1u << (words - i)) - 1;
  _mm512_mask_storeu_epi16(x + i, static_cast<__mmask32>(~allowed[i / 32] & left), never);
}

// 16 numbers from x on; those behind its end count as -inf.
static inline __m512 load16_of(const uint16_t *x, int64_t left) {
  if (left >= 16) return load16(x);
  return widen16(_mm256_mask_loadu_epi16(_mm256_set1_epi16(NEVER), static_cast<__mmask16>((1u << left) - 1), x));
}

// The first of the likeliest tokens, how many are as likely, and the log of its softmax. A row's sums run in one order,
// whatever else is in the batch.
static void likeliest(const uint16_t *x, int64_t words, int64_t *token, int64_t *rank, float *logprob) {
  __m512 tops[4];
  each<4>([&](auto k) INLINE { tops[k] = _mm512_set1_ps(-std::numeric_limits<float>::infinity()); });
  for (int64_t i = 0; i < words; i += 64)
    each<4>([&](auto k) INLINE {
      if (i + 16 * k < words) tops[k] = _mm512_max_ps(tops[k], load16_of(x + i + 16 * k, words - i - 16 * k));
    });
  const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(tops[0], tops[1]), _mm512_max_ps(tops[2], tops[3])));
  const __m512 everywhere = _mm512_set1_ps(top);
  __m512 sums[4];
  each<4>([&](auto k) INLINE { sums[k] = _mm512_setzero_ps(); });
  int64_t first = 0, count = 0;
  for (int64_t i = 0; i < words; i += 64)
    each<4>([&](auto k) INLINE {
      const int64_t at = i + 16 * k;
      if (at >= words) return;
      const __m512 v = load16_of(x + at, words - at);
      const __mmask16 same = _mm512_cmp_ps_mask(v, everywhere, _CMP_EQ_OQ);
      if (same) {
        if (!count) first = at + __builtin_ctz(same);
        count += __builtin_popcount(same);
      }
      sums[k] = _mm512_add_ps(sums[k], exp16(_mm512_sub_ps(v, everywhere)));
    });
  *token = first, *rank = count;
  *logprob = -std::log(_mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]))));
}
#endif
