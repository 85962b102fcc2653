// What comes last: the first show, and what other programs may ask the page.

const { of, wrong, near, sample } = data.images;
byId("which").textContent =
  (images.length === of
    ? `All ${grouped(of)} test images.`
    : `${grouped(images.length)} of the ${grouped(of)} test images, more would make the page too ` +
      `large: all ${grouped(wrong)} that the trained model (C = ${nameC(START.C)}) gets wrong, the ` +
      `${grouped(near)} others nearest to score 0, and ${grouped(sample)} of the rest. The filters ` +
      `count these; accuracies are of all ${grouped(of)}.`) +
  " A score is uncertain here if it is nearer to 0 than a tenth of their mean distance from it.";

byId("try-this").open = matchMedia("(min-width: 46rem)").matches;
new ResizeObserver(([{ target }]) => {
  const room = getComputedStyle(target).position === "sticky" ? target.offsetHeight + 8 : 0;
  document.documentElement.style.setProperty("--bar", `${room}px`);
}).observe(byId("bar"));

enterAddress();
// Who follows a link to an image wants to see it; who comes back is where they were.
const [came] = performance.getEntriesByType("navigation");
if (came?.type === "navigate" && /[#&](?:image|show)=/.test(location.hash)) {
  byId("images").scrollIntoView();
}

window.explorer = Object.freeze({
  score: (C, pixels) => score(modelAt(C), pixels),
  turning: (C, pixels) => turning(modelAt(C), Uint8Array.from(pixels)),
  images: () => images.map((image) => ({ ...image, pixels: Array.from(image.pixels) })),
  normalise: (ink, width, height) => {
    const pixels = normalise(ink, width, height);
    return pixels && Array.from(pixels);
  },
});
