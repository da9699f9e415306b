// The loss and its terms over steps, evaluations or seconds.

const ALL = "all terms";

function curvesSection() {
  const terms = D.terms.filter((name) => D.trials.some((trial) => trial.curve[name]));
  const state = { term: D.trials.length === 1 ? ALL : terms[0], x: "step", log: true, by: firstField() };
  const plot = el("div", { class: "plot" });
  const key = el("div");
  const told = el("p", { class: "readout", "aria-live": "polite" }, "Point at a curve for its name; click to enlarge its result.");
  const option = (name) => (value) => {
    state[name] = name === "by" ? Number(value) : value;
    draw();
  };
  const controls = el(
    "div",
    { class: "controls" },
    choice("Show", [...terms, ALL].map((name) => [name, name]), state.term, option("term")),
    choice("Over", ["step", "evaluations", "seconds"].map((name) => [name, name]), state.x, option("x")),
    D.fields.length ? choice("Colour", fieldOptions(), state.by, option("by")) : null,
    toggle("logarithmic", true, option("log")),
  );
  function draw() {
    const lines = curves(state, terms);
    key.replaceChildren(state.term === ALL ? termLegend(terms) : legend(state.by) || "");
    if (lines.length) drawCurves(plot, lines, state, told);
    else plot.replaceChildren(el("p", { class: "muted" }, "Nothing has been logged yet."));
  }
  window.addEventListener("resize", () => plot.clientWidth && plot.firstChild && draw());
  return part(section("curves", "Loss curves", controls, key, plot, told), draw);
}

function curves(state, terms) {
  const of = colour(state.by);
  const lines = [];
  for (const trial of visible()) {
    for (const term of state.term === ALL ? terms : [state.term]) {
      const xs = trial.curve[state.x] || [];
      const ys = trial.curve[term] || [];
      const points = xs.map((x, i) => [x, ys[i]]).filter(([x, y]) => x !== null && y !== null && y !== undefined && (!state.log || y > 0));
      const stroke = state.term === ALL ? `var(--c${terms.indexOf(term) % 8})` : of(state.by < 0 ? 0 : trial.at[state.by]);
      if (points.length) lines.push({ trial, term, points, stroke });
    }
  }
  return lines;
}

function termLegend(terms) {
  return el("ul", { class: "legend" }, terms.map((name, i) => el("li", {}, set(el("i"), { background: `var(--c${i % 8})` }), name)));
}

function drawCurves(host, lines, state, told) {
  const values = (i) => lines.flatMap((line) => line.points.map((point) => point[i]));
  const extent = (i) => values(i).reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
  const plot = axes(host, "loss curves", { values: extent(0), label: state.x }, { values: extent(1), log: state.log, label: state.term === ALL ? "value" : state.term });
  for (const line of lines) {
    line.screen = line.points.map(([x, y]) => [plot.x(x), plot.y(y)]);
    const d = line.screen.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    line.path = set(svg("path", { d, class: lines.length > 40 ? "curve many" : "curve" }), { stroke: line.stroke });
    plot.plane.append(line.path);
    if (line.screen.length === 1) plot.plane.append(set(svg("circle", { cx: line.screen[0][0], cy: line.screen[0][1], r: 3 }), { fill: line.stroke }));
  }
  let chosen = null;
  function point(event) {
    const [x, y] = pointer(plot.plane, event);
    let best = [900, null, null];
    for (const line of lines) {
      line.screen.forEach(([a, b], i) => {
        const far = (a - x) ** 2 + (b - y) ** 2;
        if (far < best[0]) best = [far, line, i];
      });
    }
    if (chosen) chosen.path.classList.remove("on");
    chosen = best[1];
    if (!chosen) return;
    chosen.path.classList.add("on");
    plot.plane.append(chosen.path);
    const [a, b] = chosen.points[best[2]];
    told.textContent = `${chosen.trial.name}: ${chosen.term} ${format(b)} at ${state.x} ${format(a)}`;
  }
  plot.plane.addEventListener("pointermove", point);
  plot.plane.addEventListener("pointerdown", point);
  plot.plane.addEventListener("click", () => chosen && open([chosen.trial], 0));
}
