// Poses the body as pixie_runtime.body does: shape, expression and pose correctives move
// the rest vertices, then every joint carries its vertices along.

import { JOINTS } from "./wire.js";

const STRAIGHT = 1e-4; // of R - I: a joint this straight has no correctives

export class PosedBody {
  constructor(body) {
    this.body = body;
    this.shaped = new Float32Array(3 * body.vertices); // before posing, metres
    this.vertices = new Float32Array(3 * body.vertices); // posed, metres, camera frame
    this.normals = new Float32Array(3 * body.vertices);
    this.bones = new Float32Array(12 * JOINTS); // three rows of four per joint
    this.joints = new Float32Array(3 * JOINTS); // posed, metres, camera frame
    this.rest = new Float32Array(3 * JOINTS);
    this.local = new Float32Array(9 * JOINTS);
    this.world = new Float32Array(9 * JOINTS);
  }

  pose(shape, person) {
    this.shaped.set(shape.vertices);
    this.rest.set(shape.joints);
    rotationMatrices(person.rotations, this.local);
    this.express(person.expression);
    this.correct();
    this.chain(person.transl);
    this.skin();
    faceNormals(this.vertices, this.body.faces, this.normals);
  }

  express(expression) {
    const { expressionJoints, expressions } = this.body;
    for (let row = 0; row < 3 * JOINTS; row++) {
      for (let k = 0; k < expressions; k++) {
        this.rest[row] += expressionJoints[row * expressions + k] * expression[k];
      }
    }
    addField(this.body, "expression", 0, expression, expressions, 0, this.shaped);
  }

  correct() {
    const feature = new Float32Array(9);
    for (let joint = 1; joint < JOINTS; joint++) {
      let largest = 0;
      for (let i = 0; i < 9; i++) {
        feature[i] = this.local[9 * joint + i] - (i % 4 === 0 ? 1 : 0);
        largest = Math.max(largest, Math.abs(feature[i]));
      }
      if (largest > STRAIGHT) {
        addField(this.body, "pose", joint - 1, feature, 9, 9 * (joint - 1), this.shaped);
      }
    }
  }

  chain(transl) {
    const { parents } = this.body;
    const { rest, local, world, joints, bones } = this;
    for (let j = 0; j < JOINTS; j++) {
      const p = parents[j];
      for (let row = 0; row < 3; row++) {
        let at = rest[row] + transl[row];
        if (p >= 0) {
          at = joints[3 * p + row];
          for (let k = 0; k < 3; k++) at += world[9 * p + 3 * row + k] * (rest[3 * j + k] - rest[3 * p + k]);
        }
        joints[3 * j + row] = at;
        let shift = at;
        for (let column = 0; column < 3; column++) {
          let sum = 0;
          if (p < 0) sum = local[3 * row + column];
          else for (let k = 0; k < 3; k++) sum += world[9 * p + 3 * row + k] * local[9 * j + 3 * k + column];
          world[9 * j + 3 * row + column] = sum;
          bones[12 * j + 4 * row + column] = sum;
          shift -= sum * rest[3 * j + column];
        }
        bones[12 * j + 4 * row + 3] = shift;
      }
    }
  }

  // Linear blend skinning. Here and not on the graphics card: a person takes a
  // millisecond or two, and where there is no such card, sixty.
  skin() {
    const { influences, weights } = this.body;
    const { bones, vertices, shaped } = this;
    const m = new Float32Array(12);
    for (let vertex = 0, at = 0; at < vertices.length; vertex++, at += 3) {
      m.fill(0);
      // Strongest first: the first without weight is the end.
      for (let i = 8 * vertex; i < 8 * vertex + 8 && weights[i]; i++) {
        const weight = weights[i] / 65535;
        const bone = 12 * influences[i];
        for (let k = 0; k < 12; k++) m[k] += weight * bones[bone + k];
      }
      const x = shaped[at];
      const y = shaped[at + 1];
      const z = shaped[at + 2];
      vertices[at] = m[0] * x + m[1] * y + m[2] * z + m[3];
      vertices[at + 1] = m[4] * x + m[5] * y + m[6] * z + m[7];
      vertices[at + 2] = m[8] * x + m[9] * y + m[10] * z + m[11];
    }
  }
}

// Adds coefficients times displacements to `vertices`; see body_file.py for the layout.
function addField(body, name, field, coefficients, count, firstStep, vertices) {
  const starts = body[`${name}Starts`];
  const moved = body[`${name}Vertices`];
  const values = body[`${name}Values`];
  const steps = body[`${name}Steps`];
  const firstValue = 3 * count;
  const scale = new Float32Array(count);
  for (let k = 0; k < count; k++) scale[k] = coefficients[k] * steps[firstStep + k];
  for (let row = starts[field]; row < starts[field + 1]; row++) {
    let x = 0;
    let y = 0;
    let z = 0;
    let at = row * firstValue;
    for (let k = 0; k < count; k++, at += 3) {
      x += scale[k] * values[at];
      y += scale[k] * values[at + 1];
      z += scale[k] * values[at + 2];
    }
    const vertex = 3 * moved[row];
    vertices[vertex] += x;
    vertices[vertex + 1] += y;
    vertices[vertex + 2] += z;
  }
}

function rotationMatrices(wxyz, out) {
  for (let j = 0; j < JOINTS; j++) {
    const [w, x, y, z] = wxyz.subarray(4 * j, 4 * j + 4);
    const s = 2 / (w * w + x * x + y * y + z * z);
    out.set(
      [
        1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y),
        s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x),
        s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y),
      ],
      9 * j,
    );
  }
}

// Sums of the adjoining faces' normals, by their area; the shader makes them unit.
export function faceNormals(vertices, faces, normals) {
  normals.fill(0);
  for (let i = 0; i < faces.length; i += 3) {
    const a = 3 * faces[i];
    const b = 3 * faces[i + 1];
    const c = 3 * faces[i + 2];
    const ux = vertices[b] - vertices[a];
    const uy = vertices[b + 1] - vertices[a + 1];
    const uz = vertices[b + 2] - vertices[a + 2];
    const vx = vertices[c] - vertices[a];
    const vy = vertices[c + 1] - vertices[a + 1];
    const vz = vertices[c + 2] - vertices[a + 2];
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    for (const corner of [a, b, c]) {
      normals[corner] += nx;
      normals[corner + 1] += ny;
      normals[corner + 2] += nz;
    }
  }
}

// How hollow the surface is at each vertex, -1 (a groove) to 1 (a ridge): shades folds.
export function hollows(vertices, faces) {
  const count = vertices.length / 3;
  const normals = new Float32Array(vertices.length);
  faceNormals(vertices, faces, normals);
  const sums = new Float32Array(count);
  const spans = new Float32Array(count);
  for (let i = 0; i < faces.length; i++) {
    const from = faces[i];
    const to = faces[i % 3 === 2 ? i - 2 : i + 1];
    const edge = [0, 1, 2].map((k) => vertices[3 * to + k] - vertices[3 * from + k]);
    const length = Math.hypot(...edge);
    for (const [vertex, sign] of [[from, 1], [to, -1]]) {
      const n = normals.subarray(3 * vertex, 3 * vertex + 3);
      const along = sign * (n[0] * edge[0] + n[1] * edge[1] + n[2] * edge[2]);
      sums[vertex] += along / (Math.hypot(n[0], n[1], n[2]) || 1);
      spans[vertex] += length;
    }
  }
  return sums.map((sum, i) => Math.max(-1, Math.min(1, (-3 * sum) / (spans[i] || 1))));
}
