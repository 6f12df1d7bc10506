// One adapter's rows: y[row] += (x[row] A^T) B^T, in bfloat16 with float32 sums, for the few rows of a decode step.
// Plain C++ without PyTorch's headers, so that it builds in about a second; kernel.py builds and calls it.
#include <cstdint>
#include <cstring>
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>
#define FAST 1
#endif

struct Product {
  const uint16_t *a;     // [rank, inputs], rows follow each other
  const uint16_t *b;     // [rank, outputs], B transposed
  const int64_t *rows;   // [count]
  int64_t count, rank, inputs, outputs, offset;  // offset: the slice's first column in y
};

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

static void expand(uint16_t *y, const float *low, const uint16_t *b, int64_t rank, int64_t outputs) {
  int64_t o = 0;
#ifdef FAST
  auto load = [](const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
  };
  for (; o + 32 <= outputs; o += 32) {
    __m512 s0 = load(y + o), s1 = load(y + o + 16);
    for (int64_t r = 0; r < rank; ++r) {
      const __m512 scale = _mm512_set1_ps(low[r]);
      s0 = _mm512_fmadd_ps(scale, load(b + r * outputs + o), s0);
      s1 = _mm512_fmadd_ps(scale, load(b + r * outputs + o + 16), s1);
    }
    _mm512_storeu_si512(y + o, (__m512i)_mm512_cvtne2ps_pbh(s1, s0));
  }
#endif
  for (; o < outputs; ++o) {
    float sum = widen(y[o]);
    for (int64_t r = 0; r < rank; ++r) sum += low[r] * widen(b[r * outputs + o]);
    y[o] = narrow(sum);
  }
}

// Ranks past `MAX_RANK` are refused by the caller.
constexpr int64_t MAX_RANK = 512;

extern "C" void cni_lora_add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride,
                             const Product *products, int64_t count) {
  float low[MAX_RANK];
  for (int64_t p = 0; p < count; ++p) {
    const Product &one = products[p];
    for (int64_t i = 0; i < one.count; ++i) {
      const uint16_t *in = x + one.rows[i] * x_stride;
      for (int64_t r = 0; r < one.rank; ++r) low[r] = dot(in, one.a + r * one.inputs, one.inputs);
      expand(y + one.rows[i] * y_stride + one.offset, low, one.b, one.rank, one.outputs);
    }
  }
}
