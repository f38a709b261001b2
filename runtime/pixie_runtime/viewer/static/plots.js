// Moving plots of the last seconds: lines, or areas one upon the other.

const SECONDS = 10;
const MOST_SAMPLES = 720;

export class Plot {
  constructor(canvas, { stacked = false, top = null, unit = "" }) {
    this.canvas = canvas;
    this.stacked = stacked;
    this.top = top;
    this.unit = unit;
    this.samples = [];
    this.scale = top || 1;
  }

  // Adds numbers, one per series, seen at `time` (seconds, rising).
  add(time, values) {
    const last = this.samples.at(-1);
    if (last && time < last.time) this.samples.length = 0; // the clip began again
    this.samples.push({ time, values });
    const first = this.samples.findIndex((sample) => sample.time > time - SECONDS - 0.5);
    this.samples.splice(0, Math.max(first, this.samples.length - MOST_SAMPLES));
  }

  draw(colours, ink) {
    const { canvas, samples } = this;
    const ratio = Math.min(devicePixelRatio, 2);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const paper = canvas.getContext("2d");
    paper.clearRect(0, 0, width, height);
    const top = this.fit();
    const now = samples.at(-1)?.time ?? 0;
    const x = (time) => width * (1 - (now - time) / SECONDS);
    const y = (value) => height - 2 * ratio - (height - 4 * ratio) * Math.min(value / top, 1);
    this.drawGrid(paper, top, y, ratio, ink);
    paper.lineWidth = 1.6 * ratio;
    paper.lineJoin = "round";
    if (this.stacked) this.drawAreas(paper, x, y, colours);
    else this.drawLines(paper, x, y, colours);
  }

  // The height of the plot: given, or what the samples need, approached calmly.
  fit() {
    if (this.top) return this.top;
    const sums = this.samples.map(({ values }) => values.reduce((a, b) => a + b, 0)).sort((a, b) => a - b);
    const most = sums[Math.floor(sums.length * 0.98)] ?? 1;
    const wanted = Math.max(20, 1.2 * most);
    this.scale += (wanted - this.scale) * 0.08;
    return this.scale;
  }

  drawGrid(paper, top, y, ratio, ink) {
    paper.font = `${10 * ratio}px system-ui, sans-serif`;
    paper.fillStyle = ink;
    paper.strokeStyle = ink;
    paper.textBaseline = "top";
    paper.lineWidth = ratio;
    const step = this.top ? this.top / 2 : niceStep(top);
    for (let value = step; value <= top * 1.001; value += step) {
      paper.globalAlpha = 0.16;
      paper.beginPath();
      paper.moveTo(0, y(value));
      paper.lineTo(paper.canvas.width, y(value));
      paper.stroke();
      paper.globalAlpha = 0.62;
      paper.fillText(`${Number(value.toFixed(2))}${this.unit}`, 2 * ratio, y(value) + 2 * ratio);
    }
    paper.globalAlpha = 1;
  }

  drawLines(paper, x, y, colours) {
    colours.forEach((colour, series) => {
      paper.strokeStyle = colour;
      paper.beginPath();
      for (const { time, values } of this.samples) paper.lineTo(x(time), y(values[series]));
      paper.stroke();
    });
  }

  drawAreas(paper, x, y, colours) {
    const { samples } = this;
    if (samples.length < 2) return;
    let below = samples.map(() => 0);
    colours.forEach((colour, series) => {
      const above = samples.map(({ values }, i) => below[i] + values[series]);
      paper.beginPath();
      samples.forEach(({ time }, i) => paper.lineTo(x(time), y(above[i])));
      for (let i = samples.length - 1; i >= 0; i--) paper.lineTo(x(samples[i].time), y(below[i]));
      paper.fillStyle = colour;
      paper.globalAlpha = 0.8;
      paper.fill();
      below = above;
    });
    paper.globalAlpha = 1;
  }
}

function niceStep(top) {
  const rough = top / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}
