// Charts over log C.

const logC = path.map((point) => Math.log10(point.C));
const C_TICKS = [];
for (let e = Math.ceil(logC[0]); e <= logC.at(-1); e++) C_TICKS.push(e);

/* Draws the chart; returns what moves its marker to a model. `series`: [class, of a model]; `ticks`:
   values of the other axis; `to`: its scale. */
function chart(svg, series, ticks, to, tickText) {
  const left = 38, right = 330, top = 8, bottom = 146;
  const scaled = series.flatMap(([, of]) => path.map((point) => to(of(point))));
  const low = Math.min(...scaled), high = Math.max(...scaled);
  const y = (value) => bottom - (to(value) - low) / (high - low || 1) * (bottom - top);
  const x = (log) => left + (log - logC[0]) / (logC.at(-1) - logC[0] || 1) * (right - left);
  const text = (content, place) => svg.append(element("text", place, content));
  let last = Infinity;
  for (const tick of ticks.filter((t) => to(t) >= low && to(t) <= high)) {
    if (last - y(tick) < 14) continue;
    last = y(tick);
    svg.append(element("line", { class: "grid", x1: left, x2: right, y1: last, y2: last }));
    text(tickText(tick), { x: left - 5, y: last + 4, "text-anchor": "end" });
  }
  for (const e of C_TICKS) {
    svg.append(element("line", { class: "grid", x1: x(e), x2: x(e), y1: top, y2: bottom }));
    text(plain(10 ** e), { x: x(e), y: bottom + 15, "text-anchor": "middle" });
  }
  text("C", { x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle" });
  for (const [name, of] of series) {
    const points = path.map((point, i) => `${x(logC[i])},${y(of(point))}`).join(" ");
    svg.append(element("polyline", { class: `curve ${name}`, points }));
  }
  const line = element("line", { class: "now", y1: top, y2: bottom });
  const dots = series.map(() => element("circle", { class: "dot", r: 4.5 }));
  svg.append(line, ...dots);
  return (model) => {
    const here = x(Math.log10(model.C));
    line.setAttribute("x1", here);
    line.setAttribute("x2", here);
    dots.forEach((dot, i) => {
      dot.setAttribute("cx", here);
      dot.setAttribute("cy", y(series[i][1](model)));
    });
  };
}
