// In bfloat16 with float32 sums, or in eight bits with int32 sums:
//   cni_lora_add:    adapters' rows, y[row] += (x[row] A^T) B^T;
//   cni_linear:      y = x W^T + bias, then the same for every adapter, in one pass of all threads;
//   cni_int8_linear: y = x W^T + bias in eight bits;
//   cni_step:        all of a decoder between two attentions (step.hpp), its weights in either form;
//   cni_forbid, cni_likeliest: grammars and greedy choices on logits (logits.hpp).
// Plain C++ without PyTorch's headers, so that it builds in seconds; kernel.py builds and calls it.
#include <omp.h>

#include "linear.hpp"
#include "logits.hpp"
#include "lora.hpp"
#include "step.hpp"

constexpr int64_t ALONE = 16;  // fewer rows than these are done before other threads have woken up
constexpr int64_t BY_ROWS = 32;  // with as many rows a thread, each takes its rows: no waiting, whatever the columns

extern "C" void cni_lora_add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride,
                             const Product *first, int64_t groups, int64_t slices, int64_t stride) {
  const Products products{first, groups, slices, stride};
  int64_t rows = 0;
  for (int64_t g = 0; g < groups; ++g) rows += first[g * stride].count;
  const Share all{0, INT64_MAX, 0, INT64_MAX};
  if (rows < ALONE) return add(y, y_stride, x, x_stride, products, all);
#pragma omp parallel
  {
    Share mine = all;
    mine.me = omp_get_thread_num(), mine.threads = omp_get_num_threads();
    add(y, y_stride, x, x_stride, products, mine);
  }
}

#ifdef FAST
extern "C" void cni_linear(uint16_t *y, const uint16_t *x, int64_t x_stride, int64_t rows, const uint16_t *w,
                           const uint16_t *bias, int64_t inputs, int64_t outputs, const Product *first,
                           int64_t groups, int64_t slices, int64_t stride) {
  const Linear one{w, bias, nullptr, inputs, outputs};
  const Products products{first, groups, slices, stride};
#pragma omp parallel
  {
    const int64_t me = omp_get_thread_num(), threads = omp_get_num_threads();
    const Span some = share(rows, me, threads), mine = share(outputs / BLOCK, me, threads);
    const Rows in{x, 2 * x_stride, nullptr, nullptr};
    if (rows >= BY_ROWS * threads) {
      product<Bfloat16>({y, outputs}, in, some, one, {0, outputs / BLOCK});
      add(y + some.from * outputs, outputs, x + some.from * x_stride, x_stride, products, {0, outputs, some.from, some.to});
    } else {
      product<Bfloat16>({y, outputs}, in, {0, rows}, one, mine);
      add(y, outputs, x, x_stride, products, {mine.from * BLOCK, mine.to * BLOCK, 0, rows});
    }
  }
}

extern "C" void cni_int8_linear(uint16_t *y, const uint16_t *x, int64_t x_stride, int64_t rows, const uint8_t *w,
                                const uint16_t *bias, const float *scales, int64_t inputs, int64_t outputs, int8_t *q,
                                float *row_scales, int32_t *sums) {
  const Linear one{w, bias, scales, inputs, outputs};
#pragma omp parallel
  {
    const int64_t me = omp_get_thread_num(), threads = omp_get_num_threads();
    const Span some = share(rows, me, threads), mine = share(outputs / BLOCK, me, threads);
    for (int64_t r = some.from; r < some.to; ++r) round_row({q, row_scales, sums}, r, x + r * x_stride, inputs);
    const Rows in{q, inputs, row_scales, sums};
    if (rows >= BY_ROWS * threads) {
      product<Int8>({y, outputs}, in, some, one, {0, outputs / BLOCK});
    } else {
#pragma omp barrier
      product<Int8>({y, outputs}, in, {0, rows}, one, mine);
    }
  }
}

// Row rows[r] of the logits gets the mask at allowed + r * mask_stride; a row below 0 is of nobody in this batch.
extern "C" void cni_forbid(uint16_t *x, int64_t stride, int64_t words, const uint32_t *allowed, int64_t mask_stride,
                           const int64_t *rows, int64_t count) {
#pragma omp parallel for if (count > 1)
  for (int64_t r = 0; r < count; ++r)
    if (rows[r] >= 0) forbid(x + rows[r] * stride, words, allowed + r * mask_stride);
}

extern "C" void cni_likeliest(const uint16_t *x, int64_t stride, int64_t words, int64_t rows, int64_t *tokens,
                              int64_t *ranks, float *logprobs) {
#pragma omp parallel for if (rows > 1)
  for (int64_t r = 0; r < rows; ++r) likeliest(x + r * stride, words, tokens + r, ranks + r, logprobs + r);
}

extern "C" int64_t cni_threads() { return omp_get_max_threads(); }

extern "C" void cni_step(const Step *step, const Layer *before, const Layer *after) { run(*step, before, after); }
#endif
