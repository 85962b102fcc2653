// Pixels on canvases: ink, weights, weight × ink.

const { linear: LINEAR, largest: LARGEST } = data.colours; // of the scale, as in weights.png
const SCALE = data.colours.scale.map(parseColour),
  ZERO = parseColour(data.colours.zero);
const PAPER = [255, 255, 255];

document.documentElement.style.setProperty("--ratio", WIDTH / HEIGHT);
document.documentElement.style.setProperty("--width", WIDTH);
for (const canvas of document.querySelectorAll("canvas[data-map]")) {
  Object.assign(canvas, { width: WIDTH, height: HEIGHT });
}

function parseColour(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

/* −1..1 on the scale of colours: linear up to LINEAR, logarithmic beyond. */
function onScale(value) {
  return Math.max(-1, Math.min(1, Math.asinh(value / LINEAR) / Math.asinh(LARGEST / LINEAR)));
}

/* The colour of a weight, red, green and blue of 0..255. */
function colour(value) {
  if (value === 0) return ZERO;
  const place = ((onScale(value) + 1) / 2) * (SCALE.length - 1);
  const low = Math.min(Math.floor(place), SCALE.length - 2),
    part = place - low;
  return SCALE[low].map((from, i) => from + part * (SCALE[low + 1][i] - from));
}

function paint(canvas, colourOf) {
  const context = canvas.getContext("2d", { willReadFrequently: true }); // small: no GPU
  const image = context.createImageData(WIDTH, HEIGHT),
    { data: rgba } = image;
  for (let i = 0; i < PIXELS; i++) {
    const [red, green, blue] = colourOf(i);
    rgba[4 * i] = red;
    rgba[4 * i + 1] = green;
    rgba[4 * i + 2] = blue;
    rgba[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
const paintMap = (canvas, map) => paint(canvas, (i) => colour(map[i]));

/* Ink, black where there is most, transparent where there is none. */
function paintInk(canvas, pixels) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(WIDTH, HEIGHT);
  for (let i = 0; i < PIXELS; i++) image.data[4 * i + 3] = pixels[i];
  context.putImageData(image, 0, 0);
}

/* Weight × ink on a canvas, white where there is no ink, and what it shows in words. */
function paintContributions(canvas, model, pixels) {
  const map = contributions(model, pixels);
  paint(canvas, (i) => (pixels[i] ? colour(map[i]) : PAPER));
  const used = map.reduce((count, value) => count + (value !== 0), 0);
  canvas.setAttribute("aria-label", `Weight times ink: ${used} pixels take part`);
}
