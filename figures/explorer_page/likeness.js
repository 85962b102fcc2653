// Whether a drawing is like the test images; how it is not.

let lengths = null; // of the images' pixels, once they are asked for
const lengthOf = (pixels) => Math.sqrt(pixels.reduce((sum, value) => sum + value * value, 0));

/* The image most like the pixels, and how like: x·y / (‖x‖ ‖y‖), 1 for a copy, darker or not. */
function mostLike(pixels) {
  lengths ??= images.map((image) => lengthOf(image.pixels));
  const products = new Float64Array(images.length),
    length = lengthOf(pixels);
  pixels.forEach((value, pixel) => {
    if (!value) return;
    const { which, ink } = inked[pixel];
    for (let j = 0; j < which.length; j++) products[which[j]] += value * (255 * ink[j]);
  });
  let nearest = 0;
  const likeness = (i) => products[i] / (length * lengths[i] || 1);
  for (let i = 1; i < images.length; i++) if (likeness(i) > likeness(nearest)) nearest = i;
  return { nearest: images[nearest], likeness: likeness(nearest) };
}

/* In what a drawing lies beyond nearly all of the images, a sentence for each. */
function unlike(pixels, likeness) {
  const { ink, inked: places, likeness: least, unusual } = data.usual;
  const hundred = (share) => plain(100 * share);
  const total = pixels.reduce((sum, value) => sum + value, 0) / 255;
  const count = pixels.reduce((sum, value) => sum + (value > 0), 0),
    found = [];
  const within = `${hundred(1 - 2 * unusual)} in 100 of these images have`;
  if (total < ink[0] || total > ink[1]) {
    found.push(
      `Its ink adds up to ${Math.round(total)} full pixels; ${within} ` +
        `${Math.round(ink[0])} to ${Math.round(ink[1])}.`,
    );
  }
  if (count < places[0] || count > places[1]) {
    found.push(`There is ink on ${count} pixels; ${within} it on ${places[0]} to ${places[1]}.`);
  }
  if (likeness < least) {
    found.push(
      `The test image most like it agrees to ${likeness.toFixed(2)} (1: the same, 0: no ` +
        `pixel in common); ${hundred(1 - unusual)} in 100 of these images have another that agrees ` +
        `to ${least.toFixed(2)} or more.`,
    );
  }
  return found;
}
