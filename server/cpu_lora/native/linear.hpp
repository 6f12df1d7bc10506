// y = x W^T + bias, W packed, read once from end to end for few rows.
#pragma once
#include "forms.hpp"

#ifdef FAST
struct Output {
  uint16_t *y;
  int64_t stride;  // numbers
};

// R rows from `row` by B blocks of columns: every sum has a register of its own and runs over the inputs in order.
template <class Form, int R, int B>
static void tile(const Output &out, const Rows &in, int64_t row, const Linear &one, int64_t block) {
  constexpr int V = 2 * B;  // registers across
  const int64_t steps = one.inputs * Form::BYTES / 4;
  const auto *w = static_cast<const int32_t *>(one.w) + block * BLOCK * steps;
  const auto *x = static_cast<const char *>(in.x) + row * in.stride;
  typename Form::Sum sum[R][V];
  each<R>([&](auto r) INLINE { each<V>([&](auto v) INLINE { sum[r][v] = Form::zero(); }); });
  const auto step = [&](int64_t k) INLINE {
    __m512i column[V];
    each<V>([&](auto v) INLINE {
      column[v] = _mm512_loadu_si512(w + (v / 2) * BLOCK * steps + k * BLOCK + (v % 2) * 16);
    });
    each<R>([&](auto r) INLINE {
      int32_t four;
      std::memcpy(&four, x + r * in.stride + 4 * k, 4);
      const __m512i everywhere = _mm512_set1_epi32(four);
      each<V>([&](auto v) INLINE { sum[r][v] = Form::add(sum[r][v], column[v], everywhere); });
    });
  };
  int64_t k = 0;
  for (; k + 2 <= steps; k += 2) {
    step(k);
    step(k + 1);
  }
  if (k < steps) step(k);
  each<R>([&](auto r) INLINE {
    each<V>([&](auto v) INLINE {
      const int64_t o = block * BLOCK + v * 16;
      __m512 y = Form::value(sum[r][v], in, row + r, one, o);
      if (one.bias != nullptr) y = _mm512_add_ps(y, load16(one.bias + o));
      store16(out.y + (row + r) * out.stride + o, y);
    });
  });
}

template <class Form, int R>
static void strip(const Output &out, const Rows &in, int64_t row, const Linear &one, int64_t from, int64_t to) {
  // Enough sums at once to hide the instruction's latency, not more than registers.
  constexpr int B = R <= 2 ? 4 : R <= 4 ? 2 : 1;
  int64_t block = from;
  for (; block + B <= to; block += B) tile<Form, R, B>(out, in, row, one, block);
  for (; block < to; ++block) tile<Form, R, 1>(out, in, row, one, block);
}

// Rows and blocks of `Span`s. W comes from memory once: up to `MOST` rows read it together, so that their products run
// while it arrives; of more rows a few blocks stay in the cache while all pass, `FEW` at a time.
template <class Form>
static void product(const Output &out, const Rows &in, const Span &rows, const Linear &one, const Span &blocks) {
  using Strip = void (*)(const Output &, const Rows &, int64_t, const Linear &, int64_t, int64_t);
  static const Strip strips[] = {nullptr,        strip<Form, 1>, strip<Form, 2>, strip<Form, 3>,
                                 strip<Form, 4>, strip<Form, 5>, strip<Form, 6>, strip<Form, 7>,
                                 strip<Form, 8>, strip<Form, 9>, strip<Form, 10>};
  constexpr int64_t MOST = 10, FEW = 8, STAY = 4;
  const int64_t count = rows.to - rows.from, together = at_once(count, count > MOST ? FEW : MOST);
  for (int64_t block = blocks.from; block < blocks.to; block += STAY)
    for (int64_t row = rows.from; row < rows.to; row += together)
      strips[std::min(rows.to - row, together)](out, in, row, one, block, std::min(block + STAY, blocks.to));
}
#endif
