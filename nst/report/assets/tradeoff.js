// Style against content distance: a trial is a point, and so are content and style by themselves.

const FOCUSABLE = 60; // points beyond which the keyboard takes the table

function tradeoffSection() {
  const state = { x: "", y: "", log: true, by: firstField() };
  const controls = el("div", { class: "controls" });
  const plot = el("div", { class: "plot" });
  const key = el("div");
  const told = el("p", { class: "readout", "aria-live": "polite" });
  const option = (name) => (value) => {
    state[name] = name === "by" ? Number(value) : value;
    draw();
  };
  function choose() {
    const names = D[source];
    const options = names.map((name) => [name, distanceName(name)]);
    [state.x, state.y] = D.axes[source] || [names[0], names[0]];
    controls.replaceChildren(
      choice("Content distance", options, state.x, option("x")),
      choice("Style distance", options, state.y, option("y")),
      D.fields.length ? choice("Colour", fieldOptions(), state.by, option("by")) : "",
      toggle("logarithmic", true, option("log")),
    );
  }
  function draw() {
    if (!D[source].includes(state.x)) choose();
    const points = visible().map((trial) => ({ trial, x: distance(state.x, number(trial, state.x)), y: distance(state.y, number(trial, state.y)) })).filter(({ x, y }) => x !== null && y !== null);
    key.replaceChildren(legend(state.by) || "");
    told.textContent = points.length ? "Point at a trial for its name; click to enlarge its result." : "";
    if (points.length) drawPoints(plot, points, baselines(state), state, told);
    else plot.replaceChildren(el("p", { class: "muted" }, "No trial has finished yet."));
  }
  window.addEventListener("resize", () => plot.clientWidth && plot.firstChild && draw());
  const note = D.metrics.length ? null : el("p", { class: "note" }, "These are loss terms, which other weights make larger or smaller. Metrics, and the two baselines, come with ", el("code", {}, D.evaluate), ".");
  return part(section("tradeoff", "Style against content", note, controls, key, plot, told), draw);
}

// What is better when it is higher is at most 1: its distance from there, nothing where that is a float's rounding.
function distance(name, value) {
  if (value === null || D.better[name] !== "higher") return value;
  return Math.abs(1 - value) < 1e-6 ? 0 : 1 - value;
}

function distanceName(name) {
  return D.better[name] === "higher" ? `1 − ${name}` : name;
}

// The content and the style by themselves, once for each pair.
function baselines({ x, y }) {
  const found = new Map();
  if (source !== "metrics") return [];
  for (const trial of visible()) {
    for (const which of ["content", "style"]) {
      const values = trial.baselines[which] || {};
      if (!(x in values && y in values)) continue;
      const [across, up] = [distance(x, values[x]), distance(y, values[y])];
      found.set([which, across, up].join(), { which, x: across, y: up, name: called(trial, which) });
    }
  }
  return [...found.values()];
}

function drawPoints(host, points, base, state, told) {
  const all = [...points, ...base];
  const plot = axes(
    host,
    "trade-off of style against content distance",
    { values: all.map((p) => p.x), log: state.log, label: `${distanceName(state.x)} (content)` },
    { values: all.map((p) => p.y), log: state.log, label: `${distanceName(state.y)} (style)` },
  );
  const named = new Set();
  for (const each of base) {
    const [x, y] = [plot.x(each.x), plot.y(each.y)];
    const right = x > plot.width - 150;
    const mark = svg("path", { class: "baseline", d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` });
    const name = svg("text", { x: x + (right ? -12 : 12), y: y + 4, "text-anchor": right ? "end" : "start" }, `${each.which} itself`);
    mark.append(svg("title", {}, `${each.which} ${each.name} by itself`));
    plot.plane.append(mark, named.has(each.which) ? "" : name);
    named.add(each.which);
  }
  const of = colour(state.by);
  const trials = points.map((p) => p.trial);
  points.forEach((p, at) => {
    p.screen = [plot.x(p.x), plot.y(p.y)];
    const open1 = () => open(trials, at);
    const focus = points.length > FOCUSABLE ? {} : { tabindex: "0", role: "button", "aria-label": `enlarge ${p.trial.name}` };
    p.dot = svg("circle", { class: "dot", cx: p.screen[0], cy: p.screen[1], r: points.length > 150 ? 3.5 : 5.5, ...focus, onfocus: () => name(p), onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), open1()) });
    plot.plane.append(set(p.dot, { fill: of(state.by < 0 ? 0 : p.trial.at[state.by]) }));
  });
  let chosen = null;
  function name(p) {
    if (chosen) chosen.dot.classList.remove("on");
    chosen = p;
    if (!p) return;
    p.dot.classList.add("on");
    told.textContent = `${p.trial.name}: ${distanceName(state.x)} = ${format(p.x)}, ${distanceName(state.y)} = ${format(p.y)}`;
  }
  function nearest(event) {
    const [x, y] = pointer(plot.plane, event);
    const far = (p) => (p.screen[0] - x) ** 2 + (p.screen[1] - y) ** 2;
    const best = points.reduce((a, b) => (far(b) < far(a) ? b : a));
    name(far(best) < 600 ? best : null);
  }
  plot.plane.addEventListener("pointermove", nearest);
  plot.plane.addEventListener("click", (event) => (nearest(event), chosen && open(trials, points.indexOf(chosen))));
}
