// The data that came with the page, and how its numbers and names are written.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const { height: HEIGHT, width: WIDTH, inkSide: INK_SIDE, path } = data,
  PIXELS = HEIGHT * WIDTH;
const SIZE = `${HEIGHT}×${WIDTH} pixels`;
const [first, second] = data.classes;
const withArticle = (name) => data.articles[name];

const minus = (text) => text.replace("-", "−");
const signed = (value, digits = 3) => (value > 0 ? "+" : "") + minus(value.toFixed(digits));
const percent = (share) => `${(100 * share).toFixed(2)} %`;
const plain = (value, digits = 3) => minus(String(Number(value.toPrecision(digits))));
const nameC = (C) => plain(C, 4);
const { format: grouped } = new Intl.NumberFormat("en-GB");

const counted = (count, name) => `${grouped(count)} ${name}${count === 1 ? "" : "s"}`;

const SVG = new Set(["svg", "g", "line", "path", "polyline", "rect", "circle", "text", "title"]);

/* A new element, of SVG where its name says so. */
function element(name, attributes = {}, ...children) {
  const made = SVG.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* The children of a node, `count` of them: those that are there, and new ones that `make` gives. */
function childrenOf(node, count, make) {
  while (node.children.length > count) node.lastElementChild.remove();
  while (node.children.length < count) node.append(make());
  return Array.from(node.children);
}

/* Writes text that may be there already: what does not change is not laid out anew. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/* Says it to screen readers, once things have come to rest. */
let saying = 0;
function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    byId("live").textContent = text;
  }, 400);
}
