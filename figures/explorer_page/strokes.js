// The drawing as strokes, lists of points on the pad: drawn, rubbed out, undone, inked.

const PAD = 280; // the longer side of the pad
const PEN = 22; // width of pen and eraser there
const APART = 3; // neighbouring points of a stroke, at most

let strokes = []; // never changed in place: the steps that one goes back are kept
const past = [];

/* The points from one (left out) to another (included). */
function onTheWay(from, to) {
  const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / APART);
  return Array.from({ length: steps }, (_, i) => {
    const part = (i + 1) / steps;
    return { x: from.x + part * (to.x - from.x), y: from.y + part * (to.y - from.y) };
  });
}

/* The strokes less the points whose ink the eraser reaches on its way; the same list if none is. */
function rubbed(from, to) {
  const dx = to.x - from.x,
    dy = to.y - from.y,
    square = dx * dx + dy * dy;
  const reached = ({ x, y }) => {
    const along = square ? ((x - from.x) * dx + (y - from.y) * dy) / square : 0;
    const part = Math.max(0, Math.min(1, along)); // of the way, where it is nearest
    return Math.hypot(x - from.x - part * dx, y - from.y - part * dy) < PEN;
  };
  if (!strokes.some((points) => points.some(reached))) return strokes;
  return strokes.flatMap((points) => {
    const pieces = [[]];
    for (const point of points) {
      if (!reached(point)) pieces.at(-1).push(point);
      else if (pieces.at(-1).length) pieces.push([]);
    }
    return pieces.filter((piece) => piece.length);
  });
}

/* Puts the pen, or the eraser, down at a point. */
function putDown(point, erasing) {
  past.push(strokes);
  strokes = erasing ? rubbed(point, point) : [...strokes, [point]];
}

function moveDown(from, to, erasing) {
  strokes = erasing
    ? rubbed(from, to)
    : [...strokes.slice(0, -1), [...strokes.at(-1), ...onTheWay(from, to)]];
}

function liftUp() {
  if (past.at(-1) === strokes) past.pop(); // nothing was rubbed out
}

function removeAll() {
  if (strokes.length) past.push(strokes);
  strokes = [];
}

/* Whether there was a step to go back. */
function undo() {
  if (!past.length) return false;
  strokes = past.pop();
  return true;
}

/* Inks the strokes: `scale` times as large, the point (left, top) at (0, 0), `width` wide. */
function inkStrokes(context, { scale = 1, left = 0, top = 0, width = PEN } = {}) {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  Object.assign(context, { lineWidth: width, lineCap: "round", lineJoin: "round" });
  for (const points of strokes) {
    const [begin, ...rest] = points.map(({ x, y }) => [(x - left) * scale, (y - top) * scale]);
    context.beginPath();
    if (rest.length) {
      context.moveTo(...begin);
      for (const point of rest) context.lineTo(...point);
      context.stroke();
    } else {
      // a line of no length leaves no ink
      context.arc(...begin, width / 2, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

const sheet = element("canvas", { width: PAD, height: PAD }).getContext("2d", {
  willReadFrequently: true,
});
/* The drawing's pixels, null without ink. Where the data set scales its ink, small drawings and
   large ones get strokes as wide as the data set's own. */
function strokePixels(padContext) {
  if (!strokes.length) return null;
  if (!INK_SIDE) {
    const { width, height } = padContext.canvas;
    return normalise(inkOn(padContext), width, height);
  }
  const all = strokes.flat(),
    { stroke } = data.usual;
  const range = (values) => [Math.min(...values), Math.max(...values)];
  const [left, right] = range(all.map(({ x }) => x)),
    [top, bottom] = range(all.map(({ y }) => y));
  const size = Math.max(right - left, bottom - top, PEN / 2);
  const scale = ((PAD / INK_SIDE) * (INK_SIDE - stroke)) / size;
  const width = (PAD / INK_SIDE) * stroke,
    edge = width / 2 / scale;
  inkStrokes(sheet, { scale, left: left - edge, top: top - edge, width });
  return normalise(inkOn(sheet), PAD, PAD);
}

/* The ink, 0..255, on a canvas. */
function inkOn(context) {
  const { width, height } = context.canvas;
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const ink = new Uint8Array(width * height);
  for (let i = 0; i < ink.length; i++) ink[i] = rgba[4 * i + 3];
  return ink;
}
