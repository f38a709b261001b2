// What the server sends, read; the other half is viewer/wire.py.

export const FRAME = 1;
export const PICTURE = 2;
export const SHAPE = 3;
export const BODY = 4;

export const JOINTS = 55;
export const PARTS = ["body", "left_hand", "right_hand", "face"];
const SQUARES = PARTS;
const POINTS = { pose: 33, left_hand: 21, right_hand: 21, face: 68 };
const HEADER_BYTES = 68;

export function kindOf(buffer) {
  return new DataView(buffer).getUint32(0, true);
}

export function readFrame(buffer, expressions) {
  const view = new DataView(buffer);
  const number = (offset) => view.getFloat32(offset, true);
  const frame = {
    time: view.getFloat64(8, true),
    index: view.getUint32(16, true),
    fps: number(20),
    latency: number(24),
    stages: { landmarks: number(28), estimate: number(32), smoothing: number(36) },
    dropped: view.getUint32(40, true),
    notShown: view.getUint32(44, true),
    camera: { focal: number(48), x: number(52), y: number(56), width: number(60), height: number(64) },
    people: [],
  };
  let offset = HEADER_BYTES;
  const floats = (count) => {
    const array = new Float32Array(buffer, offset, count);
    offset += 4 * count;
    return array;
  };
  for (let i = view.getUint32(4, true); i > 0; i--) {
    const track = view.getUint32(offset, true);
    const shape = view.getUint32(offset + 4, true);
    offset += 8;
    frame.people.push({
      track,
      shape,
      confidence: floats(PARTS.length),
      transl: floats(3),
      rotations: floats(4 * JOINTS),
      expression: floats(expressions),
    });
  }
  return frame;
}

export function readShape(buffer) {
  const view = new DataView(buffer);
  const vertices = view.getUint32(12, true);
  return {
    track: view.getUint32(4, true),
    version: view.getUint32(8, true),
    joints: new Float32Array(buffer, 16, 3 * JOINTS),
    vertices: new Float32Array(buffer, 16 + 12 * JOINTS, 3 * vertices),
  };
}

// Points and corners are in pixels of a picture of size `width` x `height`.
export function readPicture(buffer) {
  const view = new DataView(buffer);
  let offset = 16;
  const floats = (count) => {
    const array = new Float32Array(buffer, offset, count);
    offset += 4 * count;
    return array;
  };
  const found = Array.from({ length: view.getUint32(12, true) }, () => {
    const parts = view.getUint32(offset, true);
    offset += 4;
    const squares = {};
    for (const name of SQUARES) {
      const corners = floats(8);
      if (!Number.isNaN(corners[0])) squares[name] = corners;
    }
    const points = {};
    Object.entries(POINTS).forEach(([name, count], number) => {
      const places = floats(2 * count);
      if (parts & (1 << number)) points[name] = places;
    });
    return { squares, points };
  });
  return {
    width: view.getUint32(4, true),
    height: view.getUint32(8, true),
    found,
    jpeg: new Uint8Array(buffer, offset),
  };
}

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i2: Int16Array, f4: Float32Array };

// The body model: viewer/body_file.py says what is in it.
export function readBody(buffer) {
  const start = 8;
  const length = new DataView(buffer).getUint32(4, true);
  const { arrays, ...body } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start, length)));
  for (const [name, { offset, type, length: count }] of Object.entries(arrays)) {
    body[name] = new TYPES[type](buffer, start + length + offset, count);
  }
  return body;
}
