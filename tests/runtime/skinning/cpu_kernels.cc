// The product's own skinning.cu as a library for the processor.
#include "cpu_shim.h"
#include "skinning.cu"
#undef shared

// What tests of the tests run: a kernel for each fault that the shim must find.
static void uneven_barriers(float* out) {
  if (threadIdx.x % 2) __syncthreads();
  out[threadIdx.x] = 1;
}
static void no_barrier(float* out) {
  float* all = cpu::block.shared.get();
  all[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = all[(threadIdx.x + 1) % blockDim.x];
}
static void beyond_the_end(float* out) { out[threadIdx.x + 1] = 1; }

#define KERNEL(name) \
  if (!std::strcmp(kernel, #name)) \
    return cpu::run(cpu::bound(name, arguments), grid, threads, shared_bytes, backwards)

extern "C" int launch(const char* kernel, const unsigned* grid, const unsigned* threads,
                      unsigned shared_bytes, void* const* arguments, int backwards) {
  KERNEL(rest_mesh);
  KERNEL(pose);
  KERNEL(mesh_1);
  KERNEL(mesh_4);
  KERNEL(normals);
  KERNEL(uneven_barriers);
  KERNEL(no_barrier);
  KERNEL(beyond_the_end);
  return cpu::UNKNOWN_KERNEL;
}
