// The room: people with light and shadow, the floor, the camera that captures them.

import { hollows } from "./body.js";
import { Program, shadowMap, vertexArray } from "./gl.js";
import { fromRows, lookAt, multiply, normalise, orthographic, rigidInverse, transformPoint } from "./math.js";
import * as shaders from "./shaders.js";

const SHADOW_SIDE = 1024;
const TO_LIGHT = normalise([0.55, 1.5, 1.0]);
const LIGHT_REACH = 2.6; // metres about the people that have shadows
const FEET = [7, 8, 10, 11];

export class Scene {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: false, powerPreference: "high-performance" });
    if (!gl) throw new Error("This browser has no WebGL 2, which the 3D view needs.");
    this.gl = gl;
    this.canvas = canvas;
    this.programs = Object.fromEntries(
      Object.entries(shaders).map(([name, sources]) => [name, new Program(gl, sources)]),
    );
    this.shadow = shadowMap(gl, SHADOW_SIDE);
    this.empty = gl.createVertexArray();
    this.meshes = new Map();
    this.picture = gl.createTexture();
    this.world = fromRows([1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1]);
    this.lineBuffer = gl.createBuffer();
    this.lineArray = gl.createVertexArray();
    gl.bindVertexArray(this.lineArray);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lineBuffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
  }

  setBody(body) {
    this.body = body;
    for (const track of [...this.meshes.keys()]) this.forget(track);
  }

  // Takes the vertices that a pose was made of to the graphics card.
  update(track, posed, shape) {
    const { gl } = this;
    let mesh = this.meshes.get(track);
    if (!mesh) {
      mesh = this.makeMesh(posed);
      this.meshes.set(track, mesh);
    }
    if (mesh.shape !== shape) {
      mesh.shape = shape;
      this.upload(mesh, mesh.hollow, hollows(shape.vertices, this.body.faces));
    }
    this.upload(mesh, posed.vertices, posed.vertices);
    this.upload(mesh, posed.normals, posed.normals);
    mesh.posed = posed;
  }

  forget(track) {
    const mesh = this.meshes.get(track);
    for (const buffer of mesh.buffers.values()) this.gl.deleteBuffer(buffer);
    this.gl.deleteVertexArray(mesh.array);
    this.meshes.delete(track);
  }

  setPicture(bitmap) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, bitmap);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.LINEAR);
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    this.hasPicture = true;
  }

  // `view` is what orbit.js makes: matrices, the eye, the middle of interest.
  draw(view, look) {
    const { gl } = this;
    const light = this.lightFrom(view.centre);
    this.drawShadows(light);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.shadow.texture);
    const viewProjection = multiply(view.projection, view.view);
    const throughCamera = view.picture && this.hasPicture;
    this.drawBackdrop(throughCamera ? view.picture : null, look);
    if (!throughCamera) {
      this.drawFloor(viewProjection, light, view, look);
      this.drawCamera(viewProjection, view, look);
    }
    this.drawPeople(viewProjection, light, view, look, throughCamera ? 0.92 : 1);
    if (look.bones) this.drawBones(viewProjection, look);
    gl.deleteSync(this.fence);
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
  }

  // Whether the graphics card has finished what was drawn last.
  get isDone() {
    const { gl, fence } = this;
    return !fence || gl.isContextLost() || gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED;
  }

  makeMesh(posed) {
    const { body, gl } = this;
    const hollow = new Float32Array(body.vertices);
    const mesh = vertexArray(
      gl,
      [
        { at: 0, data: posed.vertices, size: 3, dynamic: true },
        { at: 1, data: posed.normals, size: 3, dynamic: true },
        { at: 2, data: body.kinds, size: 1 },
        { at: 3, data: hollow, size: 1 },
      ],
      body.faces,
    );
    return { ...mesh, hollow };
  }

  upload(mesh, name, data) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, mesh.buffers.get(name));
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
  }

  lightFrom(centre) {
    const eye = [0, 1, 2].map((i) => centre[i] + 6 * TO_LIGHT[i]);
    const r = LIGHT_REACH;
    return multiply(orthographic(-r, r, -r, r, 1, 12), lookAt(eye, centre, [0, 1, 0]));
  }

  drawShadows(light) {
    const { gl, shadow } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, shadow.framebuffer);
    gl.viewport(0, 0, shadow.side, shadow.side);
    gl.enable(gl.DEPTH_TEST);
    gl.depthMask(true);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    this.programs.depth.use({ uLight: light, uWorld: this.world });
    for (const mesh of this.meshes.values()) this.drawMesh(mesh);
  }

  drawMesh(mesh) {
    const { gl } = this;
    gl.bindVertexArray(mesh.array);
    gl.drawElements(gl.TRIANGLES, this.body.faces.length, gl.UNSIGNED_INT, 0);
  }

  drawBackdrop(place, look) {
    const { gl } = this;
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    gl.bindVertexArray(this.empty);
    this.programs.backdrop.use({ uTop: look.top, uBottom: look.bottom });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    if (place) {
      gl.bindTexture(gl.TEXTURE_2D, this.picture);
      this.programs.picture.use({ uPlace: place, uPicture: { integer: 0 } });
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      gl.bindTexture(gl.TEXTURE_2D, this.shadow.texture);
    }
  }

  drawFloor(viewProjection, light, view, look) {
    const { gl } = this;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const feet = [...this.meshes.values()].slice(0, 4).flatMap(({ posed }) =>
      FEET.flatMap((joint) => [...this.place(posed.joints.subarray(3 * joint, 3 * joint + 3)), 0]),
    );
    this.programs.floor.use({
      uViewProjection: viewProjection,
      uLight: light,
      uShadow: { integer: 0 },
      uCentre: view.centre,
      uFloor: look.floor,
      uLines: look.lines,
      uShade: look.shade,
      uFeetCount: { integer: feet.length / 4 },
    });
    if (feet.length) this.programs.floor.set("uFeet", { vectors: new Float32Array(feet) });
    gl.bindVertexArray(this.empty);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.disable(gl.BLEND);
  }

  drawPeople(viewProjection, light, view, look, opacity) {
    const { gl } = this;
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const program = this.programs.body.use({
      uWorld: this.world,
      uViewProjection: viewProjection,
      uLight: light,
      uShadow: { integer: 0 },
      uEye: view.eye,
      uToLight: TO_LIGHT,
      uKey: look.key,
      uSky: look.sky,
      uGround: look.ground,
      uRim: look.rim,
      uOpacity: look.bones ? 0.42 : opacity,
    });
    for (const [track, mesh] of this.meshes) {
      program.set("uSkin", look.people[track % look.people.length]);
      this.drawMesh(mesh);
    }
    gl.disable(gl.BLEND);
    gl.disable(gl.CULL_FACE);
  }

  drawBones(viewProjection, look) {
    const { parents } = this.body;
    for (const { posed } of this.meshes.values()) {
      const ends = [];
      for (let joint = 1; joint < parents.length; joint++) {
        for (const end of [joint, parents[joint]]) ends.push(...this.place(posed.joints.subarray(3 * end, 3 * end + 3)));
      }
      this.gl.disable(this.gl.DEPTH_TEST);
      this.drawLines(viewProjection, ends, [...look.accent, 1]);
    }
  }

  // The camera that captures: its pyramid of view.
  drawCamera(viewProjection, { camera }, look) {
    if (!camera || !camera.focal) return;
    const depth = 0.32;
    const corner = (x, y) => this.place([(x - camera.x) / camera.focal, (y - camera.y) / camera.focal, 1].map((v) => v * depth));
    const [a, b, c, d] = [corner(0, 0), corner(camera.width, 0), corner(camera.width, camera.height), corner(0, camera.height)];
    const o = this.place([0, 0, 0]);
    const ends = [o, a, o, b, o, c, o, d, a, b, b, c, c, d, d, a].flat();
    this.gl.enable(this.gl.DEPTH_TEST);
    this.drawLines(viewProjection, ends, [...look.accent, 1]);
  }

  drawLines(viewProjection, ends, colour) {
    const { gl } = this;
    this.programs.lines.use({ uViewProjection: viewProjection, uColour: colour });
    gl.bindVertexArray(this.lineArray);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lineBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(ends), gl.DYNAMIC_DRAW);
    gl.drawArrays(gl.LINES, 0, ends.length / 3);
  }

  // From the capture camera's frame to the room.
  place(point) {
    return transformPoint(this.world, point);
  }

  get fromRoom() {
    return rigidInverse(this.world);
  }
}
