// The model at every C and the test images: weights, scores, answers.

/* The images: after a byte 0, how many zeros follow each other. */
function decode({ index, label, pixels }) {
  const coded = atob(pixels), all = new Uint8Array(index.length * PIXELS);
  for (let from = 0, to = 0; from < coded.length; from++) {
    const byte = coded.charCodeAt(from);
    if (byte) all[to++] = byte;
    else to += coded.charCodeAt(++from);
  }
  return index.map((place, i) => ({
    index: place, label: label[i], pixels: all.subarray(i * PIXELS, (i + 1) * PIXELS),
  }));
}

const images = decode(data.images);
const imageOf = new Map(images.map((image) => [image.index, image])); // by its place in the test set

/* The model at a C of the path: C, `at` (its pixels whose weight is not 0, ascending), `w` (those
   weights), bias, nonzero (the bias included), train, test (accuracies), objective. */
const modelAt = remembering((C) => path.find((point) => point.C === C));

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

/* The model's decision value of pixels of 0..255. */
function score({ at, w, bias }, pixels) {
  let sum = bias;
  for (let k = 0; k < w.length; k++) sum += w[k] * (pixels[at[k]] / 255);
  return sum;
}

/* The scores of all the images at a C. */
const scoresAt = remembering((C) => {
  const model = modelAt(C);
  return Float64Array.from(images, ({ pixels }) => score(model, pixels));
});

const reads = (value) => (value > 0 ? second : first);
const isRight = (image, value) => reads(value) === image.label;

/* All weights, pixel by pixel. */
function weightsOf({ at, w }) {
  const all = new Float64Array(PIXELS);
  at.forEach((pixel, k) => { all[pixel] = w[k]; });
  return all;
}

/* Weight × ink, pixel by pixel. */
function contributions({ at, w }, pixels) {
  const map = new Float64Array(PIXELS);
  at.forEach((pixel, k) => { map[pixel] = w[k] * (pixels[pixel] / 255); });
  return map;
}
