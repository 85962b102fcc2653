// The drawing area, by pointer or keyboard, and what the model makes of a drawing.

/* An image's pixels of 0..255 from the ink (0..255) of a drawing; null without ink. As MNIST was
   made, where the data set says so: the bounding box scaled into a square of INK_SIDE by the mean
   over areas, the centre of mass in the middle. Else the mean over areas of the whole. */
function normalise(ink, width, height) {
  let left = width,
    right = -1,
    top = height,
    bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x]) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
    }
  }
  if (right < 0) return null;
  let columns = shares(width, WIDTH),
    rows = shares(height, HEIGHT);
  if (INK_SIDE) {
    const w = right - left + 1,
      h = bottom - top + 1,
      scale = INK_SIDE / Math.max(w, h);
    columns = shares(w, Math.max(1, Math.round(w * scale)));
    rows = shares(h, Math.max(1, Math.round(h * scale)));
  } else left = top = 0;
  const small = rows.map((inRow) =>
    columns.map((inColumn) => {
      let sum = 0;
      for (const [y, shareY] of inRow) {
        for (const [x, shareX] of inColumn) {
          sum += shareY * shareX * ink[(top + y) * width + left + x];
        }
      }
      return Math.round(sum);
    }),
  );
  let mass = 0,
    massX = 0,
    massY = 0;
  small.forEach((row, y) =>
    row.forEach((value, x) => {
      mass += value;
      massX += value * x;
      massY += value * y;
    }),
  );
  if (!mass) return null;
  // MNIST's centres of mass lie within half a pixel of row 14, column 14 (counted from 0).
  const shift = (side, centre, size) =>
    Math.min(Math.max(Math.round(side / 2 - centre), 0), side - size);
  const x0 = shift(WIDTH, massX / mass, columns.length);
  const y0 = shift(HEIGHT, massY / mass, rows.length);
  const out = new Uint8Array(PIXELS);
  small.forEach((row, y) =>
    row.forEach((value, x) => {
      out[(y0 + y) * WIDTH + x0 + x] = value;
    }),
  );
  return out;
}

/* For each of `to` cells, which of `from` pixels it covers, and with what share of its area. */
function shares(from, to) {
  const size = from / to;
  return Array.from({ length: to }, (_, i) => {
    const start = i * size,
      end = Math.min((i + 1) * size, from),
      list = [];
    for (let pixel = Math.floor(start); pixel < end; pixel++) {
      const share = (Math.min(pixel + 1, end) - Math.max(pixel, start)) / size;
      if (share > 0) list.push([pixel, share]);
    }
    return list;
  });
}

const pad = byId("pad"),
  pen = byId("pen"),
  eraser = byId("eraser");
pad.width = Math.round(PAD * Math.min(1, WIDTH / HEIGHT));
pad.height = Math.round(PAD * Math.min(1, HEIGHT / WIDTH));
const context = pad.getContext("2d", { willReadFrequently: true });
const middle = { x: pad.width / 2, y: pad.height / 2 };
let drawn = null; // the drawing's pixels
let keyPen = { ...middle },
  penDown = false,
  last = null;
const erasing = () => eraser.getAttribute("aria-pressed") === "true";

function readPad() {
  inkStrokes(context);
  drawn = strokePixels(context);
  return showDrawn();
}

const NOTHING = new Uint8Array(PIXELS),
  showDrawnSum = scoreSum(byId("drawn-sum"));
/* Shows what the model makes of the drawing; says it in words. */
function showDrawn() {
  const pixels = drawn || NOTHING,
    model = modelAt(state.C);
  paintInk(byId("drawn-image"), pixels);
  byId("drawn-image").setAttribute(
    "aria-label",
    drawn ? `The drawing in ${SIZE}` : "Nothing drawn yet",
  );
  paintContributions(byId("drawn-map"), model, pixels);
  byId("drawn-most-like").hidden = byId("drawn-turn-box").hidden = !drawn;
  if (!drawn) {
    byId("drawn-sum").replaceChildren(element("p", { class: "verdict" }, "Nothing drawn yet"));
    byId("unlike").hidden = true;
    return "Nothing drawn yet";
  }
  const total = showDrawnSum(model, pixels),
    { nearest, likeness } = mostLike(pixels);
  const text = `Drawing: score ${signed(total)}, reads ${withArticle(reads(total))}`;
  const differs = unlike(pixels, likeness);
  paintInk(byId("most-like"), nearest.pixels);
  byId("most-like-name").textContent =
    `Most like it: test image ${nearest.index}, ` + withArticle(nearest.label);
  byId("most-like").setAttribute("aria-label", byId("most-like-name").textContent);
  byId("unlike").hidden = !differs.length;
  byId("unlike-list").replaceChildren(...differs.map((words) => element("li", {}, words)));
  showTurning(byId("drawn-turn"), model, pixels);
  return differs.length ? `${text}. ${byId("unlike-title").textContent}` : text;
}

function padPoint(event) {
  const box = pad.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * pad.width) / box.width,
    y: ((event.clientY - box.top) * pad.height) / box.height,
  };
}
let waiting = false;
function readSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    readPad();
  });
}
pad.addEventListener("pointerdown", (event) => {
  if (event.button || !event.isPrimary) return;
  lift();
  pad.setPointerCapture(event.pointerId);
  last = padPoint(event);
  putDown(last, erasing());
  readSoon();
});
pad.addEventListener("pointermove", (event) => {
  if (!last || !event.isPrimary) return;
  const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const one of steps.length ? steps : [event]) {
    const to = padPoint(one);
    moveDown(last, to, erasing());
    last = to;
  }
  readSoon();
});
for (const name of ["pointerup", "pointercancel"]) {
  pad.addEventListener(name, (event) => {
    if (!last || !event.isPrimary) return;
    lift();
    say(readPad());
  });
}

function showPen() {
  pen.style.left = `${keyPen.x}px`;
  pen.style.top = `${keyPen.y}px`;
  pen.classList.toggle("down", penDown);
}
pad.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z") {
    goBack();
    event.preventDefault();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || last) return;
  const far = event.shiftKey ? 2 : 10;
  const move = {
    ArrowLeft: [-far, 0],
    ArrowRight: [far, 0],
    ArrowUp: [0, -far],
    ArrowDown: [0, far],
  }[event.key];
  if (move) {
    const inside = (value, size) => Math.min(Math.max(value, 0), size);
    const to = {
      x: inside(keyPen.x + move[0], pad.width),
      y: inside(keyPen.y + move[1], pad.height),
    };
    if (penDown) moveDown(keyPen, to, erasing());
    keyPen = to;
    say(penDown ? readPad() : `Pen at ${keyPen.x}, ${keyPen.y} of ${pad.width}`);
  } else if (event.key === " " || event.key === "Enter") {
    if (penDown) lift();
    else {
      penDown = true;
      putDown(keyPen, erasing());
      readPad();
    }
    say(penDown ? `${erasing() ? "Eraser" : "Pen"} down` : `Up. ${showDrawn()}`);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    clear();
  } else return;
  showPen();
  event.preventDefault();
});

/* Ends what pen or pointer draws. */
function lift() {
  if (penDown || last) liftUp();
  penDown = false;
  last = null;
  showPen();
}
pad.addEventListener("blur", lift);

function clear() {
  lift();
  removeAll();
  keyPen = { ...middle };
  showPen();
  say(readPad());
}
function goBack() {
  lift();
  say(undo() ? readPad() : "Nothing to undo");
}
byId("clear").addEventListener("click", clear);
byId("undo").addEventListener("click", goBack);
eraser.addEventListener("click", () => {
  lift();
  eraser.setAttribute("aria-pressed", String(!erasing()));
  pad.classList.toggle("erasing", erasing());
});

byId("as-made").textContent = INK_SIDE
  ? `As these images were made: the ink is scaled to fit ${INK_SIDE}×${INK_SIDE} pixels, its ` +
    `proportions kept, and its centre of mass moved to the middle of ${HEIGHT}×${WIDTH}. Strokes ` +
    `are made as wide as these images' are, ${plain(data.usual.stroke)} pixels.`
  : `Each pixel is the mean of the drawing under it; the whole drawing area is ${SIZE}.`;
showPen();

view((now, before) => {
  if (!before || now.C !== before.C) showDrawn();
}, byId("draw"));
