// The eye of whoever looks: turned about the people, or put where the camera stands.

import { add, clamp, cross, lookAt, mix, multiply, perspective, rigidInverse, scaled } from "./math.js";

const VERTICAL = (38 * Math.PI) / 180;
const NEAR = 0.05;
const FAR = 80;
const LOWEST = -0.05;
const HIGHEST = 1.5;
const BODY_REACH = 0.85; // metres, from the pelvis of somebody with arms held out
const START = { turn: 0.5, tilt: 0.16, distance: 3.4 };
export const VIEWS = {
  front: { turn: 0, tilt: 0.04 },
  side: { turn: Math.PI / 2, tilt: 0.04 },
  top: { turn: 0, tilt: HIGHEST },
};

export class Orbit {
  constructor(element, changed) {
    this.element = element;
    this.changed = changed;
    this.pointers = new Map();
    this.follows = true;
    this.throughCamera = false;
    this.centre = [0, 0.95, -3];
    this.reach = 0; // of the people from there, metres
    this.reset();
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      element.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("dblclick", () => this.reset());
    element.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  reset() {
    Object.assign(this, START, { shift: [0, 0, 0], throughCamera: false, wanted: null });
    this.changed();
  }

  // Glides to a named view.
  go(name) {
    this.throughCamera = name === "camera";
    if (VIEWS[name]) this.wanted = { ...VIEWS[name], shift: [0, 0, 0] };
    this.changed();
  }

  // Follows what moves, calmly; returns whether the eye is still on its way.
  follow(target, seconds) {
    const part = 1 - Math.exp(-seconds * 3);
    if (target && this.follows) {
      this.centre = mix(this.centre, target.at, part);
      this.reach += (target.reach - this.reach) * part;
    }
    if (!this.wanted) return false;
    const quick = 1 - Math.exp(-seconds * 9);
    const turn = ((this.wanted.turn - this.turn + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
    this.turn += turn * quick;
    this.tilt += (this.wanted.tilt - this.tilt) * quick;
    this.shift = mix(this.shift, this.wanted.shift, quick);
    if (Math.abs(turn) + Math.abs(this.wanted.tilt - this.tilt) < 1e-3) this.wanted = null;
    return true;
  }

  jump({ at, reach }) {
    this.centre = at;
    this.reach = reach;
  }

  // What the scene draws with. `inset` is the part of the canvas that panels leave free.
  view(size, inset, camera, fromRoom) {
    const [width, height] = size;
    if (this.throughCamera && camera && camera.focal) return this.cameraView(size, inset, camera, fromRoom);
    const across = [Math.cos(this.turn), 0, -Math.sin(this.turn)];
    const level = [Math.sin(this.turn), 0, Math.cos(this.turn)];
    const back = add(scaled(level, Math.cos(this.tilt)), [0, Math.sin(this.tilt), 0]);
    const centre = add(this.centre, this.shift);
    // A narrow window needs more distance to show a whole body.
    const free = ((inset.right - inset.left) * width) / ((inset.top - inset.bottom) * height);
    const wide = (0.62 * (BODY_REACH + this.reach)) / BODY_REACH;
    const distance = (this.distance * Math.max(1, wide / free)) / (inset.top - inset.bottom);
    const eye = add(centre, scaled(back, distance));
    const projection = multiply(shifted(inset), perspective(VERTICAL, width / height, NEAR, FAR));
    return { view: lookAt(eye, centre, cross(back, across)), projection, eye, centre, camera };
  }

  // Looks through the capturing camera; its picture fills what the panels leave free.
  cameraView([width, height], inset, camera, fromRoom) {
    const freeWidth = (inset.right - inset.left) * width;
    const freeHeight = (inset.top - inset.bottom) * height;
    const scale = Math.min(freeWidth / camera.width, freeHeight / camera.height);
    const x = ((inset.left + inset.right) * width - camera.width * scale) / 2;
    const y = ((inset.bottom + inset.top) * height - camera.height * scale) / 2;
    const projection = new Float32Array(16);
    projection[0] = (2 * camera.focal * scale) / width;
    projection[5] = (2 * camera.focal * scale) / height;
    projection[8] = 1 - (2 * (x + camera.x * scale)) / width;
    projection[9] = 1 - (2 * (y + (camera.height - camera.y) * scale)) / height;
    projection[10] = (FAR + NEAR) / (NEAR - FAR);
    projection[11] = -1;
    projection[14] = (2 * FAR * NEAR) / (NEAR - FAR);
    const flip = new Float32Array([1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1]);
    const view = multiply(flip, fromRoom);
    const place = [(2 * x) / width - 1, (2 * y) / height - 1, (2 * (x + camera.width * scale)) / width - 1, (2 * (y + camera.height * scale)) / height - 1];
    const eye = rigidInverse(view).subarray(12, 15);
    return { view, projection, eye: [...eye], centre: this.centre, camera, picture: place };
  }

  press(event) {
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.wanted = null;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (this.pointers.size === 1) {
      if (event.shiftKey || event.buttons === 2) this.pan(dx, dy);
      else this.rotate(dx, dy);
    } else if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const span = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
      this.zoom(span(before) / Math.max(span(now), 1));
      this.pan(dx / 2, dy / 2);
    }
    this.pointers.set(event.pointerId, now);
    this.changed();
  }

  rotate(dx, dy) {
    this.throughCamera = false;
    this.turn -= dx * 0.008;
    this.tilt = clamp(this.tilt + dy * 0.006, LOWEST, HIGHEST);
  }

  pan(dx, dy) {
    const metres = (2 * this.distance * Math.tan(VERTICAL / 2)) / this.element.clientHeight;
    const across = [Math.cos(this.turn), 0, -Math.sin(this.turn)];
    this.shift = add(this.shift, add(scaled(across, -dx * metres), [0, dy * metres, 0]));
  }

  zoom(factor) {
    this.distance = clamp(this.distance * factor, 0.6, 20);
  }

  wheel(event) {
    event.preventDefault();
    this.wanted = null;
    this.zoom(Math.exp(event.deltaY * 0.0012));
    this.changed();
  }
}

// Moves the middle of the picture into the middle of the free part of the canvas.
function shifted({ left, right, bottom, top }) {
  const m = new Float32Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  m[12] = left + right - 1;
  m[13] = bottom + top - 1;
  return m;
}
