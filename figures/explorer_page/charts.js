// Charts over log C.

const logC = path.map((point) => Math.log10(point.C));
const C_TICKS = [];
for (let e = Math.ceil(logC[0]); e <= logC.at(-1); e++) C_TICKS.push(e);
/* The C at which curves are drawn: the points and, where more is known, twice in each pixel. */
const DRAWN = [
  ...path.map(({ C }) => C),
  ...(every
    ? Array.from({ length: 600 }, (_, i) =>
        nearestC(10 ** (logC[0] + (i / 600) * (logC.at(-1) - logC[0]))),
      )
    : []),
].sort((a, b) => a - b);

/* Draws a chart; returns what moves its marks to a state's chosen and pinned C. `series`: [class,
   value at a C]; `ticks`: values of the other axis; `to`: its scale; `drawn`: where curves bend. */
function chart(svg, series, ticks, to, tickText, drawn = DRAWN) {
  const left = 38,
    right = 330,
    top = 8,
    bottom = 146;
  const curves = series.map(([, at]) => drawn.map((C) => to(at(C))));
  const low = Math.min(...curves.flat()),
    high = Math.max(...curves.flat());
  const y = (scaled) => bottom - ((scaled - low) / (high - low || 1)) * (bottom - top);
  const x = (log) => left + ((log - logC[0]) / (logC.at(-1) - logC[0] || 1)) * (right - left);
  const text = (content, place) => svg.append(element("text", place, content));
  let last = Infinity;
  for (const tick of ticks.filter((t) => to(t) >= low && to(t) <= high)) {
    if (last - y(to(tick)) < 14) continue;
    last = y(to(tick));
    svg.append(element("line", { class: "grid", x1: left, x2: right, y1: last, y2: last }));
    text(tickText(tick), { x: left - 5, y: last + 4, "text-anchor": "end" });
  }
  for (const e of C_TICKS) {
    svg.append(element("line", { class: "grid", x1: x(e), x2: x(e), y1: top, y2: bottom }));
    text(plain(10 ** e), { x: x(e), y: bottom + 15, "text-anchor": "middle" });
  }
  text("C", { x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle" });
  series.forEach(([name], i) => {
    const places = drawn.map(
      (C, k) => `${x(Math.log10(C)).toFixed(2)},${y(curves[i][k]).toFixed(2)}`,
    );
    svg.append(element("polyline", { class: `curve ${name}`, points: places.join(" ") }));
  });
  const marks = ["pinned", "now"].map((name) => {
    const line = element("line", { class: name, y1: top, y2: bottom });
    const dots = series.map(() => element("circle", { class: `dot ${name}`, r: 4.5 }));
    const mark = element("g", {}, line, ...dots);
    svg.append(mark);
    return (C) => {
      mark.style.display = C === null ? "none" : "";
      if (C === null) return;
      const here = x(Math.log10(C));
      line.setAttribute("x1", here);
      line.setAttribute("x2", here);
      dots.forEach((dot, i) => {
        dot.setAttribute("cx", here);
        dot.setAttribute("cy", y(to(series[i][1](C))));
      });
    };
  });
  return ({ C, pinned }) => {
    marks[0](pinned);
    marks[1](C);
  };
}
