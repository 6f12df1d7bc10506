// y = x W^T + bias for few rows, W packed.
#pragma once
#include <algorithm>

#include "numbers.hpp"

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
      if (one.bias != nullptr) sum[r][v] = _mm512_add_ps(sum[r][v], load16(one.bias + o));
      store16(y + r * y_stride + o, sum[r][v]);
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
#endif
