// A take's timeline: play, hold, go through it, change its speed.

import { element } from "./panel.js";

export class Timeline {
  constructor(send) {
    this.send = send;
    this.held = false;
    this.seek = element("seek");
    element("play").onclick = () => send("play", !this.playing);
    element("speed").onchange = ({ target }) => send("speed", Number(target.value));
    this.seek.oninput = () => {
      this.held = true;
      send("seek", Number(this.seek.value));
      this.tell(Number(this.seek.value));
    };
    this.seek.onchange = () => (this.held = false);
  }

  open({ duration_s: duration, timeline }) {
    this.duration = duration;
    this.timeline = timeline;
    this.seek.max = duration;
    element("timeline").hidden = false;
    document.body.classList.add("watching-take");
  }

  show({ playing, speed }) {
    this.playing = playing;
    element("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    const select = element("speed");
    if (document.activeElement !== select) select.value = String(speed);
  }

  at(seconds) {
    if (!this.held) this.seek.value = seconds;
    if (!this.held) this.tell(seconds);
  }

  tell(seconds) {
    element("clock").textContent = `${seconds.toFixed(1)} of ${this.duration.toFixed(1)} s`;
  }

  // How sure the body was along the take.
  draw(colour) {
    const canvas = element("sure");
    if (!this.timeline || !canvas.clientWidth) return;
    Object.assign(canvas, { width: canvas.clientWidth * 2, height: canvas.clientHeight * 2 });
    const paper = canvas.getContext("2d");
    paper.fillStyle = colour;
    paper.globalAlpha = 0.55;
    const share = canvas.height / this.timeline.length;
    this.timeline.forEach(({ body }, row) => {
      const width = canvas.width / body.length;
      const foot = (row + 1) * share;
      paper.beginPath();
      paper.moveTo(0, foot);
      body.forEach((sure, i) => paper.lineTo((i + 0.5) * width, foot - sure * share * 0.86));
      paper.lineTo(canvas.width, foot);
      paper.fill();
    });
  }
}
