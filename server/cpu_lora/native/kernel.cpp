// For the few rows of a decode step, in bfloat16 with float32 sums:
//   cni_lora_add: one adapter's rows, y[row] += (x[row] A^T) B^T;
//   cni_linear:   y = x W^T + bias, then the same for every adapter, in one pass of all threads;
//   cni_step:     all of a decoder between two attentions (step.hpp).
// Plain C++ without PyTorch's headers, so that it builds in seconds; kernel.py builds and calls it.
#include <omp.h>

#include "linear.hpp"
#include "lora.hpp"
#include "step.hpp"

constexpr int64_t ALONE = 16;  // fewer rows than these are done before other threads have woken up

extern "C" void cni_lora_add(uint16_t *y, int64_t y_stride, const uint16_t *x, int64_t x_stride,
                             const Product *first, int64_t groups, int64_t slices, int64_t stride) {
  const Products products{first, groups, slices, stride};
  int64_t rows = 0;
  for (int64_t g = 0; g < groups; ++g) rows += first[g * stride].count;
  if (rows < ALONE) return add(y, y_stride, x, x_stride, products, {0, INT64_MAX});
#pragma omp parallel
  add(y, y_stride, x, x_stride, products, {0, INT64_MAX, omp_get_thread_num(), omp_get_num_threads()});
}

#ifdef FAST
extern "C" void cni_linear(uint16_t *y, const uint16_t *x, int64_t x_stride, int64_t rows, const uint16_t *w,
                           const uint16_t *bias, int64_t inputs, int64_t outputs, const Product *first,
                           int64_t groups, int64_t slices, int64_t stride) {
  const Linear one{w, bias, inputs, outputs};
  const Products products{first, groups, slices, stride};
#pragma omp parallel
  {
    const int64_t blocks = outputs / BLOCK, threads = omp_get_num_threads(), me = omp_get_thread_num();
    const int64_t from = blocks * me / threads, to = blocks * (me + 1) / threads;
    product(y, outputs, x, x_stride, rows, one, from, to);
    add(y, outputs, x, x_stride, products, {from * BLOCK, to * BLOCK});
  }
}

extern "C" int64_t cni_threads() { return omp_get_max_threads(); }

extern "C" void cni_step(const Step *step, const Layer *before, const Layer *after) { run(*step, before, after); }
#endif
