// Metrics of each frame of a video, with a mark at the frame that is shown.

// What to draw for each of [name, trial]: its values, and those of the content of the first one.
function byFrame(results) {
  const found = results.filter(([, trial]) => trial.by_frame.result.frame);
  if (!found.length) return null;
  const lines = found.map(([name, trial], i) => ({ name, columns: trial.by_frame.result, stroke: `var(--c${i})` }));
  lines.push({ name: "content", columns: found[0][1].by_frame.content, stroke: "var(--muted)" });
  const metrics = Object.keys(lines[0].columns).filter((name) => name !== "frame");
  const state = { metric: metrics[0], frame: 0, width: 0, seek: () => {} };
  const mark = svg("line", { class: "mark", y1: 14 });
  const host = el("div", { class: "plot low" });
  const told = el("output", { class: "muted" });
  let plot = null;

  function draw() {
    const points = lines.map((line) => line.columns.frame.map((frame, i) => [frame + 1, line.columns[state.metric][i]]).filter(([, y]) => y !== null));
    const values = points.flat();
    if (!values.length) return void host.replaceChildren(el("p", { class: "muted" }, "There are no values."));
    plot = axes(host, `${state.metric} by frame`, { values: values.map(([x]) => x), label: "frame" }, { values: values.map(([, y]) => y), label: state.metric }, 220);
    lines.forEach((line, i) => {
      const gap = (j) => j && points[i][j][0] - points[i][j - 1][0] > line.every;
      const d = points[i].map(([x, y], j) => `${j && !gap(j) ? "L" : "M"}${plot.x(x).toFixed(1)} ${plot.y(y).toFixed(1)}`).join("");
      plot.plane.append(set(svg("path", { d, class: "curve" }), { stroke: line.stroke }));
    });
    mark.setAttribute("y2", plot.bottom);
    plot.plane.append(mark);
    plot.plane.addEventListener("click", (event) => {
      const [x] = pointer(plot.plane, event);
      const all = lines[0].columns.frame;
      state.seek(all.reduce((best, frame) => (Math.abs(plot.x(frame + 1) - x) < Math.abs(plot.x(best + 1) - x) ? frame : best), 0));
    });
    tell(state.frame);
  }
  function tell(frame) {
    state.frame = frame;
    if (!plot) return;
    mark.setAttribute("x1", plot.x(frame + 1));
    mark.setAttribute("x2", plot.x(frame + 1));
    const at = lines[0].columns.frame.findLastIndex((each) => each <= frame);
    told.textContent = lines.map((line) => `${line.name} ${format(line.columns[state.metric][at])}`).join(", ");
  }
  for (const line of lines) line.every = Math.max(1, ...line.columns.frame.slice(1).map((frame, i) => frame - line.columns.frame[i]));
  const legend = el("ul", { class: "legend" }, lines.map((line) => el("li", {}, set(el("i"), { background: line.stroke }), line.name)));
  const pick = choice("By frame", metrics.map((name) => [name, name]), state.metric, (name) => {
    state.metric = name;
    draw();
  });
  const node = el("div", { class: "by-frame" }, el("div", { class: "controls" }, pick, told), legend, host);
  new ResizeObserver(() => {
    if (host.clientWidth === state.width) return;
    state.width = host.clientWidth;
    if (state.width) draw();
  }).observe(host);
  return { node, tell, onSeek: (seek) => (state.seek = seek) };
}
