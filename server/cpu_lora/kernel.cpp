// For the few rows of a decode step, in bfloat16 with float32 sums:
//   cni_lora_add: one adapter's rows, y[row] += (x[row] A^T) B^T;
//   cni_linear:   y = x W^T + bias, then the same for every adapter, in one pass of all threads.
// Plain C++ without PyTorch's headers, so that it builds in about a second; kernel.py builds and calls it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>
#define FAST 1
#endif
#include <omp.h>

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

// Adds low B to y's columns [from, to) of the slice.
static void expand(uint16_t *y, const float *low, const Product &one, int64_t from, int64_t to) {
  const uint16_t *b = one.b;
  const int64_t rank = one.rank, outputs = one.outputs;
  int64_t o = from;
#ifdef FAST
  auto load = [](const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
  };
  for (; o + 32 <= to; o += 32) {
    __m512 s0 = load(y + o), s1 = load(y + o + 16);
    for (int64_t r = 0; r < rank; ++r) {
      const __m512 scale = _mm512_set1_ps(low[r]);
      s0 = _mm512_fmadd_ps(scale, load(b + r * outputs + o), s0);
      s1 = _mm512_fmadd_ps(scale, load(b + r * outputs + o + 16), s1);
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

// Every product's share of y's columns [from, to).
static void add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, const Product *products,
                int64_t count, int64_t from, int64_t to) {
  float low[MAX_RANK];
  for (int64_t p = 0; p < count; ++p) {
    const Product &one = products[p];
    const int64_t first = std::max<int64_t>(from - one.offset, 0), last = std::min(to - one.offset, one.outputs);
    if (first >= last) continue;
    for (int64_t i = 0; i < one.count; ++i) {
      const uint16_t *in = x + one.rows[i] * x_stride;
      for (int64_t r = 0; r < one.rank; ++r) low[r] = dot(in, one.a + r * one.inputs, one.inputs);
      expand(y + one.rows[i] * y_stride + one.offset, low, one, first, last);
    }
  }
}

extern "C" void cni_lora_add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride,
                             const Product *products, int64_t count) {
  add(y, y_stride, x, x_stride, products, count, 0, INT64_MAX);
}

#ifdef FAST
constexpr int64_t BLOCK = 32;  // columns; W is packed [outputs / BLOCK][inputs / 2][BLOCK][2], read once from end to end

struct Linear {
  const uint16_t *w, *bias;  // bias: null where there is none
  int64_t inputs, outputs;
};

// R rows by B blocks of columns: every sum has a register of its own and runs over the inputs in order.
template <int R, int B>
static void tile(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, const Linear &one, int64_t block) {
  const uint16_t *w = one.w + block * BLOCK * one.inputs;
  __m512 sum[R][2 * B];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < 2 * B; ++v) sum[r][v] = _mm512_setzero_ps();
  for (int64_t k = 0; k < one.inputs; k += 2) {
    __m512bh in[R];
    for (int r = 0; r < R; ++r) {
      int32_t pair;
      std::memcpy(&pair, x + r * x_stride + k, 4);
      in[r] = (__m512bh)_mm512_set1_epi32(pair);
    }
    for (int v = 0; v < 2 * B; ++v) {
      const auto column = (__m512bh)_mm512_loadu_si512(w + (v / 2) * BLOCK * one.inputs + k * BLOCK + (v % 2) * BLOCK);
      for (int r = 0; r < R; ++r) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], column, in[r]);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < 2 * B; ++v) {
      const int64_t o = block * BLOCK + v * 16;
      if (one.bias != nullptr) {
        const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(one.bias + o)));
        sum[r][v] = _mm512_add_ps(sum[r][v], _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16)));
      }
      _mm256_storeu_si256((__m256i *)(y + r * y_stride + o), (__m256i)_mm512_cvtneps_pbh(sum[r][v]));
    }
}

template <int R>
static void strip(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, const Linear &one, int64_t from,
                  int64_t to) {
  constexpr int B = R <= 2 ? 4 : 2;  // enough sums at once to hide the instruction's latency
  int64_t block = from;
  for (; block + B <= to; block += B) tile<R, B>(y, y_stride, x, x_stride, one, block);
  for (; block < to; ++block) tile<R, 1>(y, y_stride, x, x_stride, one, block);
}

// A few blocks at a time, which stay in the cache while all rows pass: W comes from memory once.
static void product(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride, int64_t rows,
                    const Linear &one, int64_t from, int64_t to) {
  using Strip = void (*)(uint16_t *, int64_t, const uint16_t *, int64_t, const Linear &, int64_t, int64_t);
  static const Strip strips[] = {nullptr, strip<1>, strip<2>, strip<3>, strip<4>, strip<5>, strip<6>};
  constexpr int64_t MOST = 6, STAY = 4;
  const int64_t passes = (rows + MOST - 1) / MOST, each = passes ? (rows + passes - 1) / passes : 0;
  for (int64_t block = from; block < to; block += STAY)
    for (int64_t row = 0; row < rows; row += each)
      strips[std::min(rows - row, each)](y + row * y_stride, y_stride, x + row * x_stride, x_stride, one, block,
                                         std::min(block + STAY, to));
}

extern "C" void cni_linear(uint16_t *y, const uint16_t *x, int64_t x_stride, int64_t rows, const uint16_t *w,
                           const uint16_t *bias, int64_t inputs, int64_t outputs, const Product *products,
                           int64_t count) {
  const Linear one{w, bias, inputs, outputs};
#pragma omp parallel
  {
    const int64_t blocks = outputs / BLOCK, threads = omp_get_num_threads(), me = omp_get_thread_num();
    const int64_t from = blocks * me / threads, to = blocks * (me + 1) / threads;
    product(y, outputs, x, x_stride, rows, one, from, to);
    add(y, outputs, x, x_stride, products, count, from * BLOCK, to * BLOCK);
  }
}
#endif
