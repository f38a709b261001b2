// The camera's picture with landmarks and the squares that networks look at.

// Pairs of BlazePose's landmarks between which a line is drawn.
const POSE = [
  [11, 12], [11, 13], [13, 15], [12, 14], [14, 16], [11, 23], [12, 24], [23, 24], [23, 25], [25, 27],
  [27, 29], [29, 31], [27, 31], [24, 26], [26, 28], [28, 30], [30, 32], [28, 32],
];
const HAND = [0, 5, 9, 13, 17].flatMap((base, finger) => {
  const first = finger === 0 ? 1 : base;
  return [[0, first], [first, first + 1], [first + 1, first + 2], [first + 2, first + 3]];
});
const chain = (from, to, closed = false) => [
  ...Array.from({ length: to - from }, (_, i) => [from + i, from + i + 1]),
  ...(closed ? [[to, from]] : []),
];
const FACE = [
  ...chain(0, 16), ...chain(17, 21), ...chain(22, 26), ...chain(27, 30), ...chain(31, 35),
  ...chain(36, 41, true), ...chain(42, 47, true), ...chain(48, 59, true), ...chain(60, 67, true),
];
const PARTS = { pose: POSE, left_hand: HAND, right_hand: HAND, face: FACE };
const COLOUR_OF = { pose: "body" };

export class PictureView {
  constructor(canvas) {
    this.canvas = canvas;
    this.busy = false;
    this.bitmap = null;
  }

  // Decodes a picture; while one is being decoded the next ones are left out.
  async show(picture, colours, wanted) {
    if (this.busy) return null;
    this.busy = true;
    try {
      const bitmap = await createImageBitmap(new Blob([picture.jpeg], { type: "image/jpeg" }));
      this.bitmap?.close();
      this.bitmap = bitmap;
      this.draw(picture, colours, wanted);
      return bitmap;
    } catch {
      return null; // a picture that cannot be decoded is one picture less
    } finally {
      this.busy = false;
    }
  }

  draw(picture, colours, { landmarks, squares }) {
    const { canvas, bitmap } = this;
    const ratio = Math.min(devicePixelRatio, 2);
    const width = Math.round(canvas.clientWidth * ratio);
    if (!width) return;
    const height = Math.round((width * picture.height) / picture.width);
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      canvas.style.aspectRatio = `${picture.width} / ${picture.height}`;
    }
    const paper = canvas.getContext("2d");
    paper.drawImage(bitmap, 0, 0, width, height);
    const scale = width / picture.width;
    paper.lineJoin = "round";
    paper.lineCap = "round";
    for (const person of picture.found) {
      if (squares) drawSquares(paper, person.squares, scale, ratio, colours);
      if (landmarks) drawPoints(paper, person.points, scale, ratio, colours);
    }
  }
}

function drawSquares(paper, squares, scale, ratio, colours) {
  for (const [name, corners] of Object.entries(squares)) {
    paper.strokeStyle = colours[name];
    paper.globalAlpha = 0.85;
    paper.lineWidth = 1.25 * ratio;
    paper.setLineDash(name === "body" ? [4 * ratio, 4 * ratio] : []);
    paper.beginPath();
    for (let i = 0; i < 8; i += 2) paper.lineTo(corners[i] * scale, corners[i + 1] * scale);
    paper.closePath();
    paper.stroke();
  }
  paper.setLineDash([]);
  paper.globalAlpha = 1;
}

function drawPoints(paper, points, scale, ratio, colours) {
  for (const [name, places] of Object.entries(points)) {
    const colour = colours[COLOUR_OF[name] ?? name];
    paper.strokeStyle = colour;
    paper.lineWidth = (name === "pose" ? 2 : 1) * ratio;
    paper.beginPath();
    for (const [from, to] of PARTS[name]) {
      if (Number.isNaN(places[2 * from]) || Number.isNaN(places[2 * to])) continue;
      paper.moveTo(places[2 * from] * scale, places[2 * from + 1] * scale);
      paper.lineTo(places[2 * to] * scale, places[2 * to + 1] * scale);
    }
    paper.stroke();
  }
}
