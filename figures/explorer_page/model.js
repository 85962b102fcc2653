// The model at every C and the test images: weights, scores, answers.

/* The images: after a byte 0, how many zeros follow each other. */
function decode({ index, label, pixels }) {
  const coded = atob(pixels),
    all = new Uint8Array(index.length * PIXELS);
  for (let from = 0, to = 0; from < coded.length; from++) {
    const byte = coded.charCodeAt(from);
    if (byte) all[to++] = byte;
    else to += coded.charCodeAt(++from);
  }
  return index.map((place, i) => ({
    index: place,
    label: label[i],
    pixels: all.subarray(i * PIXELS, (i + 1) * PIXELS),
  }));
}

const images = decode(data.images);
const imageOf = new Map(images.map((image) => [image.index, image])); // by place in the test set

/* The function, which remembers its last few answers. */
function remembering(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) {
      if (known.size === 4) known.delete(known.keys().next().value);
      known.set(key, compute(key));
    }
    return known.get(key);
  };
}

const pointOf = new Map(path.map((point) => [point.C, point]));
const { every } = data; // what is known of each C between the points; null: nothing

/* The model at a C: C, `at` (its pixels whose weight is not 0, ascending), `w` (those weights),
   bias, nonzero (the bias included), train, test (accuracies), objective. */
const modelAt = remembering((C) => pointOf.get(C) || modelBetween(C));

/* The C that the page can show which is nearest, by its logarithm; null for what is no C. */
function nearestC(C) {
  if (!(C > 0 && C < Infinity)) return null;
  if (every) return Math.min(Math.max(C, path[0].C), path.at(-1).C);
  const far = (point) => Math.abs(Math.log(point.C / C));
  return path.reduce((best, point) => (far(point) < far(best) ? point : best)).C;
}

/* The points around a C. */
function aroundC(C) {
  const above = path.findIndex((point) => point.C > C);
  return { low: path[above - 1], high: path[above] };
}

/* What a straight line in 1/C from one C to another has at a C between. */
const onLine = (C, [low, from], [high, to]) =>
  from + ((to - from) * (1 / C - 1 / low)) / (1 / high - 1 / low);

/* A pixel's weight between two points where it is `from` and `to`: on a straight line in 1/C; where
   the exact path has it enter, or leave, in between, the line begins, or ends, with the 0 there. */
function weightBetween(pixel, C, low, from, high, to) {
  const turns = every.entries[pixel],
    passed = stepsUpTo(turns, C);
  if (passed % 2 === 0) return 0;
  const entered = turns[passed - 1],
    leaves = turns[passed];
  return onLine(
    C,
    entered > low.C ? [entered, 0] : [low.C, from],
    leaves <= high.C ? [leaves, 0] : [high.C, to],
  );
}

/* Between two points: weights as above, the bias on a straight line in 1/C; counts and accuracies of
   the exact path; the objective with the values and slopes of both. */
function modelBetween(C) {
  const { low, high } = aroundC(C),
    at = [],
    w = [];
  const from = weightsOf(low),
    to = weightsOf(high);
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const value = weightBetween(pixel, C, low, from[pixel], high, to[pixel]);
    if (value) {
      at.push(pixel);
      w.push(value);
    }
  }
  return {
    C,
    at,
    w,
    bias: onLine(C, [low.C, low.bias], [high.C, high.bias]),
    objective: objectiveBetween(low, high, C),
    nonzero: stepAt(every.nonzero, C),
    train: stepAt(every.train, C),
    test: stepAt(every.test, C),
  };
}

/* How many of the ascending values are at or below C. */
function stepsUpTo(values, C) {
  let low = 0,
    high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= C) low = middle + 1;
    else high = middle;
  }
  return low;
}
const stepAt = ([starts, values], C) => values[stepsUpTo(starts, C) - 1];

/* The cubic with the objective and its slope at both points; dV/dC is the loss, (V − ‖w‖₁)/C. */
function objectiveBetween(low, high, C) {
  const width = high.C - low.C,
    t = (C - low.C) / width;
  const slope = ({ C: at, w, bias, objective }) =>
    (objective - w.reduce((sum, value) => sum + Math.abs(value), Math.abs(bias))) / at;
  return (
    low.objective * (1 + 2 * t) * (1 - t) ** 2 +
    high.objective * t * t * (3 - 2 * t) +
    width * (slope(low) * t * (1 - t) ** 2 + slope(high) * t * t * (t - 1))
  );
}

/* The model's decision value of pixels of 0..255. */
function score({ at, w, bias }, pixels) {
  let sum = bias;
  for (let k = 0; k < w.length; k++) sum += w[k] * (pixels[at[k]] / 255);
  return sum;
}

/* For each pixel, which images have ink there, and how much, of 0..1. */
const inked = Array.from({ length: PIXELS }, (_, pixel) => {
  const which = [];
  images.forEach(({ pixels }, i) => {
    if (pixels[pixel]) which.push(i);
  });
  return {
    which: Uint32Array.from(which),
    ink: Float64Array.from(which, (i) => images[i].pixels[pixel] / 255),
  };
});

/* The scores of all the images at a C: sums in the order of `score`, pixel by pixel, so that each
   step reads what lies together. */
const scoresAt = remembering((C) => {
  const { at, w, bias } = modelAt(C),
    scores = new Float64Array(images.length).fill(bias);
  for (let k = 0; k < w.length; k++) {
    const weight = w[k],
      { which, ink } = inked[at[k]];
    for (let j = 0; j < which.length; j++) scores[which[j]] += weight * ink[j];
  }
  return scores;
});

/* Which images, as places in `images`, the models at two C answer otherwise. */
function turned(C, other) {
  const scores = scoresAt(C),
    others = scoresAt(other);
  return images.map((_, i) => i).filter((i) => reads(scores[i]) !== reads(others[i]));
}

const reads = (value) => (value > 0 ? second : first);
const isRight = (image, value) => reads(value) === image.label;

/* All weights, pixel by pixel. */
function weightsOf({ at, w }) {
  const all = new Float64Array(PIXELS);
  at.forEach((pixel, k) => {
    all[pixel] = w[k];
  });
  return all;
}

/* Weight × ink, pixel by pixel. */
function contributions({ at, w }, pixels) {
  const map = new Float64Array(PIXELS);
  at.forEach((pixel, k) => {
    map[pixel] = w[k] * (pixels[pixel] / 255);
  });
  return map;
}
