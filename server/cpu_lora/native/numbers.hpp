// bfloat16 in memory, float32 in registers.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VNNI__)  // VNNI is in every processor with BF16
#include <immintrin.h>
#define FAST 1
#endif

#define INLINE __attribute__((always_inline))

// f(0), ..., f(N - 1), each a constant: only so does the compiler keep an array of sums in registers.
template <int N, class F>
static inline INLINE void each(const F &f) {
  if constexpr (N > 0) {
    each<N - 1>(f);
    f(std::integral_constant<int, N - 1>{});
  }
}

struct Span {  // [from, to)
  int64_t from, to;
};

static inline Span share(int64_t count, int64_t me, int64_t threads) {  // a thread's share of `count` things
  return {count * me / threads, count * (me + 1) / threads};
}

static inline int64_t at_once(int64_t count, int64_t most) {  // of `count` things, in as few equal passes as `most` allows
  const int64_t passes = (count + most - 1) / most;
  return passes ? (count + passes - 1) / passes : 0;
}

static inline float widen(uint16_t h) {
  uint32_t bits = static_cast<uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

static inline uint16_t narrow(float f) {  // to nearest, ties to even; NaN stays NaN
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

#ifdef FAST
static inline __m512 widen16(__m256i h) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

static inline __m512 load16(const uint16_t *p) { return widen16(_mm256_loadu_si256((const __m256i *)p)); }

static inline void store16(uint16_t *p, __m512 x) {
  _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(x));
}

// e^x: 2^n times a polynomial on [-ln2/2, ln2/2] (Cephes' expf), within two units in the last place of float32.
static inline __m512 exp16(__m512 x) {
  x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-87.3f)), _mm512_set1_ps(88.3f));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 p = _mm512_set1_ps(1.9875691500e-4f);
  for (float c : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c));
  p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}
#endif
