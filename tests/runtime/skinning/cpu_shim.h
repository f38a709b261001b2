// CUDA's words for a C++ compiler: kernels run on the processor, for the tests.
//
// Every thread of a block is a fiber (a ucontext), resumed in turn between barriers, so
// that __syncthreads() means what it means on a card: nobody goes on before all have
// come. Also found: threads of a block that wait at different barriers or not at all,
// shared memory that is read before it is written (it starts as NaN) or beyond its end
// (under AddressSanitizer), and, by running the fibers in the opposite order, results
// that depend on who comes first.
#pragma once
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(threads)

struct Dim3 {
  unsigned x, y, z;
};
static Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cpu {

constexpr size_t STACK = 256 * 1024;

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  Dim3 thread;
  int barrier = 0;  // line of the barrier that it waits at
  bool done = false;
  void* fake_stack = nullptr;
};

struct Block {
  ucontext_t scheduler;
  std::vector<Fiber> fibers;
  Fiber* current = nullptr;
  std::function<void()> kernel;
  std::unique_ptr<float[]> shared;
  void* scheduler_fake_stack = nullptr;
  const void* scheduler_stack = nullptr;
  size_t scheduler_size = 0;
};
static Block block;

// AddressSanitizer must be told whose stack is in use.
inline void leaving([[maybe_unused]] void** save, [[maybe_unused]] const void* bottom,
                    [[maybe_unused]] size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(save, bottom, size);
#endif
}
inline void arrived([[maybe_unused]] void* saved,
                    [[maybe_unused]] const void** bottom = nullptr,
                    [[maybe_unused]] size_t* size = nullptr) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(saved, bottom, size);
#endif
}

inline void wait_at(int line) {
  Fiber* self = block.current;
  self->barrier = line;
  leaving(&self->fake_stack, block.scheduler_stack, block.scheduler_size);
  swapcontext(&self->context, &block.scheduler);
  arrived(self->fake_stack, &block.scheduler_stack, &block.scheduler_size);
}

inline void enter() {
  arrived(nullptr, &block.scheduler_stack, &block.scheduler_size);
  block.kernel();
  block.current->done = true;
  leaving(nullptr, block.scheduler_stack, block.scheduler_size);
  swapcontext(&block.current->context, &block.scheduler);
}

inline void resume(Fiber& fiber) {
  block.current = &fiber;
  threadIdx = fiber.thread;
  fiber.barrier = 0;
  leaving(&block.scheduler_fake_stack, fiber.stack.get(), STACK);
  swapcontext(&block.scheduler, &fiber.context);
  arrived(block.scheduler_fake_stack);
}

inline void start(Fiber& fiber, Dim3 thread) {
  if (!fiber.stack) fiber.stack.reset(new char[STACK]);
  fiber.thread = thread;
  fiber.done = false;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = STACK;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, enter, 0);
}

enum Result { OK = 0, UNKNOWN_KERNEL = 1, BARRIERS_DIFFER = 2 };

// Runs a block to its end; false if its threads do not meet at the same barriers.
inline bool run_block(bool backwards) {
  std::vector<Fiber*> order;
  for (Fiber& fiber : block.fibers) order.push_back(&fiber);
  if (backwards) std::reverse(order.begin(), order.end());
  for (;;) {
    size_t done = 0;
    for (Fiber* fiber : order) resume(*fiber);
    const int barrier = order.front()->barrier;
    for (Fiber* fiber : order) done += fiber->done;
    if (done == order.size()) return true;
    if (done) return false;
    for (Fiber* fiber : order)
      if (fiber->barrier != barrier) return false;
  }
}

inline Result run(std::function<void()> kernel, const unsigned* grid,
                  const unsigned* threads, unsigned shared_bytes, bool backwards) {
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {threads[0], threads[1], threads[2]};
  block.kernel = std::move(kernel);
  block.fibers.resize(std::max<size_t>(block.fibers.size(), 0));
  block.fibers.clear();
  block.fibers.resize((size_t)threads[0] * threads[1] * threads[2]);
  for (blockIdx.z = 0; blockIdx.z < grid[2]; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < grid[1]; ++blockIdx.y)
      for (blockIdx.x = 0; blockIdx.x < grid[0]; ++blockIdx.x) {
        block.shared.reset(new float[shared_bytes / sizeof(float)]);
        std::memset(block.shared.get(), 0xff, shared_bytes);
        size_t i = 0;
        for (unsigned z = 0; z < threads[2]; ++z)
          for (unsigned y = 0; y < threads[1]; ++y)
            for (unsigned x = 0; x < threads[0]; ++x) start(block.fibers[i++], {x, y, z});
        if (!run_block(backwards)) return BARRIERS_DIFFER;
      }
  return OK;
}

template <class... A, size_t... I>
void call(void (*kernel)(A...), void* const* arguments, std::index_sequence<I...>) {
  kernel(*static_cast<std::decay_t<A>*>(arguments[I])...);
}

// Calls a kernel the way CUDA's driver does: with the addresses of its arguments.
template <class... A>
std::function<void()> bound(void (*kernel)(A...), void* const* arguments) {
  return [=] { call(kernel, arguments, std::index_sequence_for<A...>{}); };
}

}  // namespace cpu

#define __syncthreads() cpu::wait_at(__LINE__)
#define shared (cpu::block.shared.get())
