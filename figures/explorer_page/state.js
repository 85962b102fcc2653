// The one state of the page, its address, and the views, which show it and keep none beside it.

const FILTERS = ["all", "right", "wrong", "uncertain", "turned"];
/* C; filter: of FILTERS, "turned" only beside a pinned C; image: its place in the test set; page of
   the gallery, from 0 (null: where the image is); pinned: a second C or null; pixel: its number of
   0..PIXELS − 1 or null. */
const START = Object.freeze({
  C: path[data.start].C,
  filter: "all",
  image: images[0].index,
  page: null,
  pinned: null,
  pixel: null,
});
let state = START;

const views = []; // {show, place, shown: the state that it shows, or null}
/* `show(state, before)` is called after each change of the state; `before` is what it showed last,
   null at the start. While C moves, what has its `place` out of sight waits for `settle`. */
const view = (show, place = null) => views.push({ show, place, shown: null });

/* Changes the state by `part`, and shows it. Once it has rested it is a step of the history. */
let resting = 0;
function change(part, { moving = false } = {}) {
  enter({ ...state, ...part }, moving);
  clearTimeout(resting);
  resting = setTimeout(() => {
    const address = addressOf(state);
    if (address !== (location.hash || "#")) history.pushState(null, "", address);
  }, 400);
}

function enter(next, moving = false) {
  if (next.filter === "turned" && next.pinned === null) next = { ...next, filter: "all" };
  state = Object.freeze(next);
  // Asked of all before any writes: else each question would cost a layout.
  const due = views.filter(({ place }) => !(moving && place) || inSight(place));
  for (const one of due) {
    if (one.shown !== state) one.show(state, one.shown);
    one.shown = state;
  }
}
const settle = () => enter(state);

function inSight(node) {
  const { top, bottom } = node.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/* What differs from the start, as `#C=10&show=wrong&image=1299&page=2&pinned=0.2&pixel=10,12`;
   page, row and column counted from 1. */
function addressOf({ C, filter, image, page, pinned, pixel }) {
  const parts = [];
  if (C !== START.C) parts.push(`C=${C}`);
  if (filter !== START.filter) parts.push(`show=${filter}`);
  if (image !== START.image || filter !== START.filter) parts.push(`image=${image}`);
  if (page !== null) parts.push(`page=${page + 1}`);
  if (pinned !== null) parts.push(`pinned=${pinned}`);
  if (pixel !== null) parts.push(`pixel=${Math.floor(pixel / WIDTH) + 1},${(pixel % WIDTH) + 1}`);
  return `#${parts.join("&")}`;
}

/* The state of an address; what it does not say, or says wrongly, is as at the start. */
function stateOf(address) {
  const given = new URLSearchParams(address.slice(1)),
    next = { ...START };
  const C = nearestC(Number(given.get("C"))),
    pinned = nearestC(Number(given.get("pinned")));
  if (C !== null) next.C = C;
  if (FILTERS.includes(given.get("show"))) next.filter = given.get("show");
  if (/^[1-9]\d*$/.test(given.get("page"))) next.page = Number(given.get("page")) - 1;
  next.pinned = pinned;
  const asked = Number(given.get("image") ?? NaN),
    listed = filtered(next.filter, next);
  if (imageOf.has(asked)) next.image = asked;
  else if (listed.length) next.image = images[listed[0]].index;
  const [, row, column] = /^(\d+),(\d+)$/.exec(given.get("pixel")) || [0, 0, 0];
  if (row >= 1 && row <= HEIGHT && column >= 1 && column <= WIDTH) {
    next.pixel = (row - 1) * WIDTH + Number(column) - 1;
  }
  return next;
}

/* As the address says: at the start, after back, forward, or a link within the page. */
function enterAddress() {
  clearTimeout(resting);
  enter(stateOf(location.hash));
}
window.addEventListener("popstate", enterAddress);

/* Scrolls to a part of the page. */
function goTo(id) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId(id).scrollIntoView({ behavior: calm ? "instant" : "smooth" });
}
