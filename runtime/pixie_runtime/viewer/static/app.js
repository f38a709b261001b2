// The page: takes what comes over the link and draws the newest of it.

import { PosedBody } from "./body.js";
import { Link } from "./link.js";
import { fromRows } from "./math.js";
import { Orbit } from "./orbit.js";
import { Panel, element } from "./panel.js";
import { PictureView } from "./picture.js";
import { Plot } from "./plots.js";
import { Scene } from "./scene.js";
import { Themes } from "./themes.js";
import { Timeline } from "./timeline.js";
import { BODY, FRAME, PARTS, PICTURE, SHAPE, kindOf, readBody, readFrame, readPicture, readShape } from "./wire.js";

const STAGES = ["landmarks", "estimate", "smoothing", "rest"];
const PLOT_PERIOD_MS = 66;
const MOST_PIXELS = 2.4e6;
const SLOW_MS = 60; // from drawing to having drawn
const LEAST_DETAIL = 0.4;
const STILL_MS = 400; // without a new frame there is time to draw every pixel
const FEET = [7, 8, 10, 11];
const SOLE_M = 0.03; // from the feet's lower joints to the floor, roughly
const PELVIS = 0;

const app = {
  mode: "live",
  frame: null, // the newest that came, not drawn yet
  people: new Map(), // track -> PosedBody
  shapes: new Map(), // track -> rest body
  shown: null, // the newest that was drawn
  picture: null,
  dirty: true,
  detail: 1, // of the canvas' pixels: fewer where drawing is slow
  floor: null, // metres below the camera, guessed until it is calibrated
  calibrated: null,
};

const send = (name, value) => link.send(name, value);
const changed = () => (app.dirty = true);
const canvas = element("scene");
const scene = openScene();
const orbit = new Orbit(canvas, changed);
const themes = new Themes(changed);
const panel = new Panel(send);
const timeline = new Timeline(send);
const pictureView = new PictureView(element("picture"));
const confidence = new Plot(element("confidence"), { top: 1 });
const stages = new Plot(element("stages"), { stacked: true, unit: "" });
const legends = { parts: makeLegend("parts", PARTS), stages: makeLegend("stage-names", STAGES) };
const link = new Link({ opened: () => app.shapes.clear(), closed: () => lamp(false), text: hear, binary: take });

function openScene() {
  try {
    return new Scene(canvas);
  } catch (error) {
    element("warnings").append(Object.assign(document.createElement("p"), { textContent: error.message }));
    throw error;
  }
}

// --- what comes in

function hear(message) {
  if (message.kind === "hello") {
    element("title").textContent = message.title;
    document.title = `${message.title} – pixie-live`;
    app.mode = message.mode;
    lamp(true);
    if (message.mode === "take") timeline.open(message);
  } else {
    panel.show(message);
    if (message.playback) timeline.show(message.playback);
    app.calibrated = message.calibration?.floor_from_camera ?? null;
    changed();
  }
}

function take(buffer) {
  const kind = kindOf(buffer);
  if (kind === FRAME) app.frame = buffer;
  else if (kind === PICTURE) showPicture(readPicture(buffer));
  else if (kind === SHAPE) keepShape(readShape(buffer));
  else if (kind === BODY) {
    app.body = readBody(buffer);
    app.people.clear();
    scene.setBody(app.body);
  }
}

function keepShape(shape) {
  app.shapes.set(shape.track, shape);
}

async function showPicture(picture) {
  app.picture = picture;
  const bitmap = await pictureView.show(picture, partColours(), overlays());
  if (bitmap && orbit.throughCamera) {
    scene.setPicture(bitmap);
    changed();
  }
}

const overlays = () => ({
  landmarks: isOn("landmarks"),
  squares: isOn("squares"),
});

// --- one frame

function pose(frame) {
  const seen = new Set();
  for (const person of frame.people) {
    const shape = app.shapes.get(person.track);
    if (!shape || !app.body) continue;
    if (!app.people.has(person.track)) app.people.set(person.track, new PosedBody(app.body));
    const posed = app.people.get(person.track);
    posed.pose(shape, person);
    scene.update(person.track, posed, shape);
    seen.add(person.track);
  }
  for (const track of [...app.people.keys()]) {
    if (seen.has(track)) continue;
    app.people.delete(track);
    scene.forget(track);
  }
  const passed = frame.time - (app.shown?.time ?? frame.time);
  app.shown = frame;
  standOnFloor(Math.min(Math.max(passed, 0), 1));
}

// Where the room is: calibrated, or with the floor under the feet seen so far.
function standOnFloor(seconds) {
  if (app.calibrated) {
    scene.world = fromRows(app.calibrated);
    return;
  }
  for (const { joints } of app.people.values()) {
    const lowest = Math.max(...FEET.map((joint) => joints[3 * joint + 1])) + SOLE_M;
    if (app.floor === null) app.floor = lowest;
    // Feet that leave the floor do not take it along; feet below it do, at once.
    app.floor += (lowest - app.floor) * -Math.expm1(-seconds / (lowest > app.floor ? 0.15 : 4));
  }
  const height = app.floor ?? 1;
  scene.world = fromRows([1, 0, 0, 0, 0, -1, 0, height, 0, 0, -1, 0, 0, 0, 0, 1]);
}

// What to look at: between the people, and how far they are from there.
function middle() {
  const places = [...app.people.values()].map(({ joints }) => scene.place(joints.subarray(3 * PELVIS, 3 * PELVIS + 3)));
  if (!places.length) return null;
  const [x, z] = [0, 2].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  const reach = Math.max(...places.map((place) => Math.hypot(place[0] - x, place[2] - z)));
  return { at: [x, 0.92, z], reach };
}

function count(frame) {
  const parts = PARTS.map((_, i) => frame.people[0]?.confidence[i] ?? 0);
  confidence.add(frame.time, parts);
  legends.parts.forEach((value, i) => (value.textContent = `${Math.round(100 * parts[i])}%`));
  element("fps").textContent = frame.fps.toFixed(0);
  if (timeline.duration !== undefined) {
    timeline.at(frame.time);
    return;
  }
  const { landmarks, estimate, smoothing } = frame.stages;
  const rest = Math.max(frame.latency - landmarks - estimate - smoothing, 0);
  stages.add(frame.time, [landmarks, estimate, smoothing, rest]);
  [landmarks, estimate, smoothing, rest].forEach((value, i) => (legends.stages[i].textContent = value.toFixed(1)));
  element("latency").textContent = frame.latency.toFixed(0);
  element("dropped").textContent = frame.dropped;
}

// --- drawing

let last = performance.now();
let plotted = 0;
let slow = SLOW_MS / 2; // what it took lately, milliseconds
let drawing = 0; // when what is being drawn was begun
let came = 0;

function draw(now) {
  requestAnimationFrame(draw);
  const seconds = Math.min((now - last) / 1000, 0.1);
  last = now;
  const fresh = drawing ? null : app.frame;
  if (fresh) {
    app.frame = null;
    const isFirst = !app.shown;
    const frame = readFrame(fresh, app.body?.expressions ?? 0);
    pose(frame);
    count(frame);
    if (isFirst && middle()) orbit.jump(middle());
  }
  const gliding = orbit.follow(middle(), seconds);
  if (fresh) came = now;
  const sized = resized(now - came > STILL_MS ? 1 : app.detail);
  if (fresh || gliding || app.dirty || sized) {
    app.dirty = false;
    const view = orbit.view([canvas.width, canvas.height], freePart(), app.shown?.camera, scene.fromRoom);
    scene.draw(view, { ...themes.look, bones: isOn("bones") });
  }
  if (now - plotted > (slow > SLOW_MS ? 5 : 1) * PLOT_PERIOD_MS) {
    plotted = now;
    const ink = themes.colour("faint");
    confidence.draw(PARTS.map((part) => themes.colour(part)), ink);
    stages.draw(STAGES.map((stage) => themes.colour(stage)), ink);
  }
  if (fresh) drawing = now;
  if (drawing && scene.isDone) {
    adapt(now - drawing);
    drawing = 0;
    // Where the processor draws, the capture needs it more: leave it most of the time.
    setTimeout(send, slow > SLOW_MS ? 3 * slow : 0, "ready", true);
  }
}

// Fewer pixels and no frosted glass where drawing takes long, more again where it does not.
function adapt(milliseconds) {
  slow += (milliseconds - slow) * 0.2;
  document.body.classList.toggle("slow", slow > SLOW_MS);
  if (slow > SLOW_MS) app.detail = Math.max(app.detail * 0.85, LEAST_DETAIL);
  else if (slow < SLOW_MS / 2) app.detail = Math.min(app.detail * 1.01, 1);
}

function resized(detail) {
  const full = canvas.clientWidth * canvas.clientHeight;
  const ratio = Math.min(devicePixelRatio, 2, Math.sqrt(MOST_PIXELS / Math.max(full, 1))) * detail;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width === width && canvas.height === height) return false;
  Object.assign(canvas, { width, height });
  return true;
}

// Which part of the canvas no panel covers, from 0 to 1 (bottom to top).
function freePart() {
  const width = canvas.clientWidth;
  const beside = getComputedStyle(document.querySelector(".left")).position === "fixed";
  if (!beside || document.body.classList.contains("bare")) return { left: 0, right: 1, bottom: 0.02, top: 0.93 };
  return { left: 268 / width, right: 1 - 242 / width, bottom: timeline.duration ? 0.1 : 0.03, top: 0.93 };
}

// --- the page's own buttons

function isOn(id) {
  return element(id).getAttribute("aria-pressed") === "true";
}

function toggles(id, done = changed) {
  element(id).onclick = () => {
    element(id).setAttribute("aria-pressed", String(!isOn(id)));
    done(isOn(id));
  };
}

function partColours() {
  return Object.fromEntries(PARTS.map((part) => [part, themes.colour(part)]));
}

function makeLegend(id, names) {
  return names.map((name) => {
    const item = document.createElement("li");
    item.innerHTML = "<i></i><span></span><b>–</b>";
    item.firstChild.style.background = `var(--${name})`;
    item.children[1].textContent = name.replace("_", " ");
    element(id).append(item);
    return item.lastChild;
  });
}

function lamp(on) {
  element("lamp").className = `lamp ${on ? "on" : "off"}`;
  element("lamp").textContent = on ? app.mode : "not connected";
}

function redrawPicture() {
  if (app.picture && pictureView.bitmap) pictureView.draw(app.picture, partColours(), overlays());
}

toggles("landmarks", redrawPicture);
toggles("squares", redrawPicture);
toggles("bones");
toggles("follow", (on) => (orbit.follows = on));
toggles("panels", (on) => {
  document.body.classList.toggle("bare", !on);
  changed();
});
element("theme").onclick = () => {
  themes.toggle();
  redrawPicture();
  timeline.draw(themes.colour("body"));
  element("theme").textContent = themes.name === "dark" ? "light" : "dark";
};
element("theme").textContent = themes.name === "dark" ? "light" : "dark";
element("views").onclick = ({ target }) => {
  if (!target.dataset.view) return;
  if (target.dataset.view === "camera" && pictureView.bitmap) scene.setPicture(pictureView.bitmap);
  orbit.go(target.dataset.view);
};
addEventListener("resize", () => {
  timeline.draw(themes.colour("body"));
  changed();
});
new ResizeObserver(() => timeline.draw(themes.colour("body"))).observe(element("sure"));
requestAnimationFrame(draw);
