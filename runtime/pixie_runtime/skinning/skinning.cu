// SMPL-X meshes of several people at once on a CUDA card.
//
// Four kernels, launched in this order (plan.py says with what):
//   rest_mesh   a person's shaped mesh, only when the shape has changed
//   pose        rest joints, chain of joints, and what the correctives scale with
//   mesh_1, _4  correctives and linear blend skinning for 1 or up to 4 people
//   normals     of every vertex, if they are wanted
//
// Layouts are those of packing.py with tiles of 32 vertices: a warp is a tile. Linear
// blend skinning as in Loper et al. 2015 and Pavlakos et al. 2019; the reference is
// body/posing.py. No header is included and nothing is architecture specific, so that
// nvcc, NVRTC and, for the tests, a C++ compiler take the same text.

#ifdef __CUDACC__
extern __shared__ float shared[];  // as much as the launch says
#endif

constexpr int LANES = 32;
constexpr int AXES = 3 * LANES;
constexpr int GROUP = 9;
constexpr int JOINTS = 55;
constexpr int WARPS = 8;  // of a block of the mesh kernels; they share a tile's entries

// rest[slots[person]] = mesh + betas[person] * shape, for the people in `fresh`.
// grid (size / 256, fresh people), block 256. size = tiles * 96.
extern "C" __global__ void __launch_bounds__(256) rest_mesh(
    int n_betas, int size, const float* __restrict__ mesh,
    const float* __restrict__ shape, const float* __restrict__ betas,
    const int* __restrict__ fresh, const int* __restrict__ slots,
    float* __restrict__ rest) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= size) return;
  const int person = fresh[blockIdx.y];
  const float* b = betas + person * n_betas;
  float sum = mesh[i];
#pragma unroll 4
  for (int k = 0; k < n_betas; ++k) sum += b[k] * shape[(size_t)k * size + i];
  rest[(size_t)slots[person] * size + i] = sum;
}

// The rotation matrix of a unit quaternion wxyz, row by row.
__device__ __forceinline__ void to_matrix(const float* q, float* R) {
  const float w = q[0], x = q[1], y = q[2], z = q[3];
  R[0] = 1 - 2 * (y * y + z * z);
  R[1] = 2 * (x * y - w * z);
  R[2] = 2 * (x * z + w * y);
  R[3] = 2 * (x * y + w * z);
  R[4] = 1 - 2 * (x * x + z * z);
  R[5] = 2 * (y * z - w * x);
  R[6] = 2 * (x * z - w * y);
  R[7] = 2 * (y * z + w * x);
  R[8] = 1 - 2 * (x * x + y * y);
}

// One block a person, one thread a joint; the chain runs a generation at a time.
// grid (people), block 64, shared 55 * (3 + 12) floats.
extern "C" __global__ void __launch_bounds__(64) pose(
    int n_betas, int n_expression, int group_count, int generations,
    const float* __restrict__ J_template,     // (55, 3)
    const float* __restrict__ J_shape,        // (n_betas, 55, 3)
    const float* __restrict__ J_expression,   // (n_expression, 55, 3)
    const int* __restrict__ parents,          // (55,)
    const int* __restrict__ generation,       // (55,) distance from the root
    const float* __restrict__ betas,          // (people, n_betas)
    const float* __restrict__ expression,     // (people, n_expression)
    const float* __restrict__ rotations,      // (people, 55, 4)
    const float* __restrict__ transl,         // (people, 3)
    float* __restrict__ coefficients,         // (people, group_count, 9)
    float* __restrict__ motions,              // (people, 55, 12)
    float* __restrict__ joints) {             // (people, 55, 3)
  float* rest = shared;                // (55, 3)
  float* chain = shared + 3 * JOINTS;  // (55, 12), rows of 3x4 matrices
  const int person = blockIdx.x, joint = threadIdx.x;
  const bool mine = joint < JOINTS;
  float* table = coefficients + person * group_count * GROUP;
  float R[9];

  if (mine) {
    float at[3];
    for (int a = 0; a < 3; ++a) at[a] = J_template[3 * joint + a];
    for (int k = 0; k < n_betas; ++k)
      for (int a = 0; a < 3; ++a)
        at[a] += betas[person * n_betas + k] * J_shape[3 * (k * JOINTS + joint) + a];
    for (int k = 0; k < n_expression; ++k)
      for (int a = 0; a < 3; ++a)
        at[a] += expression[person * n_expression + k] *
                 J_expression[3 * (k * JOINTS + joint) + a];
    for (int a = 0; a < 3; ++a) rest[3 * joint + a] = at[a];
    to_matrix(rotations + 4 * (person * JOINTS + joint), R);
    if (joint > 0)
      for (int i = 0; i < 9; ++i)
        table[GROUP * (joint - 1) + i] = R[i] - (i % 4 == 0 ? 1.f : 0.f);
  }
  const int first = GROUP * (JOINTS - 1);
  for (int i = threadIdx.x; i < GROUP * group_count - first; i += blockDim.x)
    table[first + i] = i < n_expression ? expression[person * n_expression + i] : 0.f;
  __syncthreads();

  if (mine) {
    for (int a = 0; a < 3; ++a) {
      for (int i = 0; i < 3; ++i) chain[12 * joint + 4 * a + i] = R[3 * a + i];
      chain[12 * joint + 4 * a + 3] =
          joint == 0 ? rest[a] + transl[3 * person + a]
                     : rest[3 * joint + a] - rest[3 * parents[joint] + a];
    }
  }
  for (int now = 1; now <= generations; ++now) {
    __syncthreads();
    if (mine && generation[joint] == now) {
      const float* up = chain + 12 * parents[joint];
      float* own = chain + 12 * joint;
      for (int column = 0; column < 4; ++column) {
        const float x = own[column], y = own[4 + column], z = own[8 + column];
        for (int a = 0; a < 3; ++a)
          own[4 * a + column] = up[4 * a] * x + up[4 * a + 1] * y + up[4 * a + 2] * z +
                                (column == 3 ? up[4 * a + 3] : 0.f);
      }
    }
  }
  if (mine) {  // every joint was last written by this very thread
    const float* own = chain + 12 * joint;
    const float* at = rest + 3 * joint;
    for (int a = 0; a < 3; ++a) {
      const float x = own[4 * a], y = own[4 * a + 1], z = own[4 * a + 2];
      float* row = motions + 12 * (person * JOINTS + joint) + 4 * a;
      row[0] = x;
      row[1] = y;
      row[2] = z;
      row[3] = own[4 * a + 3] - (x * at[0] + y * at[1] + z * at[2]);
      joints[3 * (person * JOINTS + joint) + a] = own[4 * a + 3];
    }
  }
}

// What the mesh kernels take besides the number of people that share a block.
#define MESH_PARAMETERS                                                               \
  int people, int vertex_count, int group_count,                                      \
      const int *__restrict__ entry_start,   /* (tiles + 1,) */                       \
      const int *__restrict__ entry_group,   /* (entries,) */                         \
      const float *__restrict__ steps,       /* (entries, 9) */                       \
      const short *__restrict__ values,      /* (entries, 9, 96) */                   \
      const int *__restrict__ joint_start,   /* (tiles + 1,) */                       \
      const int *__restrict__ joint,         /* (rows,) */                            \
      const float *__restrict__ weights,     /* (rows, 32) */                         \
      const float *__restrict__ coefficients, /* (people, group_count, 9) */          \
      const float *__restrict__ motions,     /* (people, 55, 12) */                   \
      const int *__restrict__ slots,         /* (people,) */                          \
      const float *__restrict__ rest,        /* (slots, tiles, 96) */                 \
      float *__restrict__ vertices           /* (people, vertex_count, 3) */
#define MESH_ARGUMENTS                                                                \
  people, vertex_count, group_count, entry_start, entry_group, steps, values,         \
      joint_start, joint, weights, coefficients, motions, slots, rest, vertices

// Eight warps share a tile's entries and read each displacement once for all people of
// the block; then a warp a person adds up the eight sums, skins and writes.
template <int PEOPLE>
__device__ __forceinline__ void mesh(MESH_PARAMETERS) {
  const int table_size = group_count * GROUP;
  float* table = shared;                       // (PEOPLE, group_count * 9)
  float* sums = shared + PEOPLE * table_size;  // (PEOPLE, WARPS, 96)
  const int tile = blockIdx.x, first = blockIdx.y * PEOPLE;
  const int lane = threadIdx.x, warp = threadIdx.y;

  const int here = people - first < PEOPLE ? people - first : PEOPLE;
  for (int i = warp * LANES + lane; i < PEOPLE * table_size; i += WARPS * LANES)
    table[i] = i < here * table_size ? coefficients[first * table_size + i] : 0.f;
  __syncthreads();

  float moved[PEOPLE][3];
#pragma unroll
  for (int p = 0; p < PEOPLE; ++p) moved[p][0] = moved[p][1] = moved[p][2] = 0.f;
  for (int e = entry_start[tile] + warp; e < entry_start[tile + 1]; e += WARPS) {
    const float* c = table + entry_group[e] * GROUP;
    const short* d = values + (size_t)e * (GROUP * AXES) + lane;
#pragma unroll
    for (int k = 0; k < GROUP; ++k) {
      const float step = steps[e * GROUP + k];
      const float x = step * d[k * AXES], y = step * d[k * AXES + LANES],
                  z = step * d[k * AXES + 2 * LANES];
#pragma unroll
      for (int p = 0; p < PEOPLE; ++p) {
        const float scale = c[p * table_size + k];
        moved[p][0] += scale * x;
        moved[p][1] += scale * y;
        moved[p][2] += scale * z;
      }
    }
  }
#pragma unroll
  for (int p = 0; p < PEOPLE; ++p)
    for (int a = 0; a < 3; ++a)
      sums[(p * WARPS + warp) * AXES + a * LANES + lane] = moved[p][a];
  __syncthreads();

  const int vertex = tile * LANES + lane;
  if (warp >= here || vertex >= vertex_count) return;
  const int person = first + warp;
  const float* at = rest + ((size_t)slots[person] * gridDim.x + tile) * AXES;
  float v[3];
#pragma unroll
  for (int a = 0; a < 3; ++a) {
    v[a] = at[a * LANES + lane];
    for (int w = 0; w < WARPS; ++w)
      v[a] += sums[(warp * WARPS + w) * AXES + a * LANES + lane];
  }
  float x = 0.f, y = 0.f, z = 0.f;
  for (int row = joint_start[tile]; row < joint_start[tile + 1]; ++row) {
    const float w = weights[(size_t)row * LANES + lane];
    const float* m = motions + 12 * (person * JOINTS + joint[row]);
    x += w * (m[0] * v[0] + m[1] * v[1] + m[2] * v[2] + m[3]);
    y += w * (m[4] * v[0] + m[5] * v[1] + m[6] * v[2] + m[7]);
    z += w * (m[8] * v[0] + m[9] * v[1] + m[10] * v[2] + m[11]);
  }
  float* out = vertices + 3 * ((size_t)person * vertex_count + vertex);
  out[0] = x;
  out[1] = y;
  out[2] = z;
}

// grid (tiles, people / PEOPLE), block (32, 8),
// shared PEOPLE * (group_count * 9 + 768) floats.
extern "C" __global__ void __launch_bounds__(256) mesh_1(MESH_PARAMETERS) {
  mesh<1>(MESH_ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) mesh_4(MESH_PARAMETERS) {
  mesh<4>(MESH_ARGUMENTS);
}

// The mean of the adjoining faces' normals by their area; no atomics, so that the same
// mesh always has the same normals. grid (vertex_count / 256, people), block 256.
extern "C" __global__ void __launch_bounds__(256) normals(
    int vertex_count, const int* __restrict__ face_start,
    const int* __restrict__ corner_b, const int* __restrict__ corner_c,
    const float* __restrict__ vertices, float* __restrict__ out) {
  const int vertex = blockIdx.x * blockDim.x + threadIdx.x;
  if (vertex >= vertex_count) return;
  const float* all = vertices + 3 * (size_t)blockIdx.y * vertex_count;
  const float* a = all + 3 * vertex;
  float nx = 0.f, ny = 0.f, nz = 0.f;
  for (int i = face_start[vertex]; i < face_start[vertex + 1]; ++i) {
    const float* b = all + 3 * corner_b[i];
    const float* c = all + 3 * corner_c[i];
    const float ux = b[0] - a[0], uy = b[1] - a[1], uz = b[2] - a[2];
    const float wx = c[0] - a[0], wy = c[1] - a[1], wz = c[2] - a[2];
    nx += uy * wz - uz * wy;
    ny += uz * wx - ux * wz;
    nz += ux * wy - uy * wx;
  }
  const float length = sqrtf(nx * nx + ny * ny + nz * nz);
  const float scale = 1.f / fmaxf(length, 1e-20f);
  float* n = out + 3 * ((size_t)blockIdx.y * vertex_count + vertex);
  n[0] = nx * scale;
  n[1] = ny * scale;
  n[2] = nz * scale;
}
