// Buttons, sliders and numbers: what the user does goes to the server, what the server
// says is shown. Nothing here changes by itself: a pressed button waits for the answer.

const SLIDERS = { body: "body", hands: "hands", face: "face", position: "position" };
const RANGE = 10; // a slider goes from a tenth to ten times the usual cut-off
const SETTLED_MS = 600;

export const element = (id) => document.getElementById(id);

function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

export class Panel {
  constructor(send) {
    this.send = send;
    this.state = null;
    this.calibrateDoes = "start";
    this.touched = -SETTLED_MS;
    this.makeSliders();
    element("record").onclick = () => send("record", !this.state?.recording.on);
    element("calibrate").onclick = () => send("calibrate", this.calibrateDoes);
    element("smooth").onclick = () => this.sendSmoothing({ enabled: !this.state?.smoothing.enabled });
    element("as-before").onclick = () => {
      for (const slider of this.sliders.values()) slider.value = 0;
      this.sendSmoothing({ enabled: true });
    };
    document.addEventListener("keydown", (event) => this.key(event));
  }

  makeSliders() {
    this.sliders = new Map();
    for (const [name, label] of Object.entries(SLIDERS)) {
      const row = document.createElement("label");
      row.className = "slider";
      row.innerHTML = `<span></span><input type="range" min="-1" max="1" step="0.02" value="0"><output></output>`;
      row.firstChild.textContent = label;
      const input = row.querySelector("input");
      input.id = `smooth-${name}`;
      input.oninput = () => this.sendSmoothing({});
      this.sliders.set(name, input);
      element("sliders").append(row);
    }
  }

  sendSmoothing({ enabled = this.state?.smoothing.enabled ?? true }) {
    this.touched = performance.now();
    const factors = [...this.sliders].map(([name, input]) => [name, RANGE ** Number(input.value)]);
    this.send("smooth", { enabled, ...Object.fromEntries(factors) });
    this.showFactors();
  }

  showFactors() {
    for (const input of this.sliders.values()) {
      const factor = RANGE ** Number(input.value);
      say(input.nextElementSibling, `${factor < 1 ? factor.toFixed(2) : factor.toFixed(1)} ×`);
    }
  }

  show(state) {
    this.state = state;
    if (state.smoothing) this.showSmoothing(state.smoothing);
    if (state.recording) this.showRecording(state.recording);
    if (state.calibration) this.showCalibration(state.calibration);
    const warnings = [...(state.fault ? [`a fault: ${state.fault}`] : []), ...(state.warnings ?? [])];
    element("warnings").replaceChildren(
      ...warnings.map((warning) => Object.assign(document.createElement("p"), { textContent: warning })),
    );
  }

  showSmoothing(smoothing) {
    press(element("smooth"), smoothing.enabled);
    say(element("smooth"), smoothing.enabled ? "on" : "off");
    // A slider that is being moved is not moved under the finger.
    if (performance.now() - this.touched < SETTLED_MS) return;
    for (const [name, input] of this.sliders) {
      input.value = Math.log10(smoothing[name]);
      input.disabled = !smoothing.enabled;
    }
    this.showFactors();
  }

  showRecording({ on, name, seconds, frames, problem }) {
    press(element("record"), on);
    say(element("record").lastElementChild, on ? `Stop · ${seconds.toFixed(0)} s` : "Record");
    const note = element("recording");
    note.hidden = !name && !problem;
    note.classList.toggle("problem", Boolean(problem));
    say(note, problem || (on ? `${name}, ${frames} frames` : `saved ${name}: ${frames} frames, ${seconds.toFixed(1)} s`));
  }

  showCalibration({ stage, left_s: left, problem, frames, notes, camera_height_m: height }) {
    const running = stage === "countdown" || stage === "collecting";
    this.calibrateDoes = running ? "cancel" : stage === "done" ? "clear" : "start";
    say(element("calibrate").firstElementChild, running ? "Cancel" : stage === "done" ? "Forget calibration" : "Calibrate");
    const note = element("calibration");
    note.classList.toggle("problem", Boolean(problem));
    if (problem) say(note, problem);
    else if (stage === "done") {
      say(note, [`Shape and floor of ${frames} frames; the camera is ${height.toFixed(2)} m up.`, ...notes.map((n) => `Note: ${n}.`)].join(" "));
    } else say(note, "Stand upright, arms out level: your shape and the floor.");
    const countdown = element("countdown");
    countdown.hidden = !running;
    if (!running) return;
    say(countdown.firstElementChild, stage === "countdown" ? String(Math.ceil(left)) : "●");
    say(countdown.lastElementChild, stage === "countdown" ? "Stand upright, arms out level" : "Hold still");
  }

  key(event) {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = { r: "record", c: "calibrate", f: "follow", b: "bones", " ": "play" }[event.key];
    if (!button || event.target.matches("button")) return;
    event.preventDefault();
    // What the page does not offer, no key does; a key that is held down was pressed once.
    const absent = document.body.classList.contains("watching-take") ? ".live" : ".take";
    if (event.repeat || element(button).closest(absent)) return;
    element(button).click();
  }
}
