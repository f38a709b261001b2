// 4 x 4 matrices, column by column as WebGL takes them, and quaternions wxyz.

export function identity() {
  return new Float32Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
}

export function multiply(a, b) {
  const out = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[k * 4 + row] * b[column * 4 + k];
      out[column * 4 + row] = sum;
    }
  }
  return out;
}

// The inverse of a rotation and a shift.
export function rigidInverse(m) {
  const out = identity();
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) out[column * 4 + row] = m[row * 4 + column];
    out[12 + row] = -(m[row * 4] * m[12] + m[row * 4 + 1] * m[13] + m[row * 4 + 2] * m[14]);
  }
  return out;
}

export function transformPoint(m, [x, y, z]) {
  return [0, 1, 2].map((row) => m[row] * x + m[4 + row] * y + m[8 + row] * z + m[12 + row]);
}

// A matrix given row by row, as numpy flattens it.
export function fromRows(rows) {
  const out = new Float32Array(16);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) out[column * 4 + row] = rows[row * 4 + column];
  }
  return out;
}

export function perspective(verticalRadians, aspect, near, far) {
  const f = 1 / Math.tan(verticalRadians / 2);
  const out = new Float32Array(16);
  out[0] = f / aspect;
  out[5] = f;
  out[10] = (far + near) / (near - far);
  out[11] = -1;
  out[14] = (2 * far * near) / (near - far);
  return out;
}

export function orthographic(left, right, bottom, top, near, far) {
  const out = identity();
  out[0] = 2 / (right - left);
  out[5] = 2 / (top - bottom);
  out[10] = 2 / (near - far);
  out[12] = -(right + left) / (right - left);
  out[13] = -(top + bottom) / (top - bottom);
  out[14] = (near + far) / (near - far);
  return out;
}

export function lookAt(eye, target, up) {
  const z = normalise(subtract(eye, target));
  const x = normalise(cross(up, z));
  const y = cross(z, x);
  const out = identity();
  [x, y, z].forEach((axis, row) => {
    for (let column = 0; column < 3; column++) out[column * 4 + row] = axis[column];
    out[12 + row] = -dot(axis, eye);
  });
  return out;
}

export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scaled = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const normalise = (a) => scaled(a, 1 / (Math.hypot(...a) || 1));
export const mix = (a, b, t) => a.map((value, i) => value + (b[i] - value) * t);
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
