// Axes and points of a plot, in pixels of the screen.

function linear(low, high, from, to) {
  const span = high - low || Math.abs(high) || 1;
  const size = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((by) => by * size).find((each) => span / each <= 5);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++) ticks.push(i * step);
  const at = (value) => from + ((value - low) / span) * (to - from);
  return { at, ticks: ticks.map((value) => [at(value), format(value)]) };
}

// Zero and below have no place on it: they lie at its lower edge, under a 0.
function logarithmic(values, from, to) {
  const positive = values.filter((value) => value > 0);
  if (!positive.length) return linear(Math.min(0, ...values), 1, from, to);
  let [low, high] = [Math.log10(Math.min(...positive)), Math.log10(Math.max(...positive))];
  if (high - low < 0.1) [low, high] = [low - 0.3, high + 0.3];
  const room = (high - low) * 0.04;
  const none = positive.length < values.length;
  const start = none ? from + (to - from) * 0.09 : from;
  const at = (value) =>
    value > 0 ? start + ((Math.log10(value) - low + room) / (high - low + 2 * room)) * (to - start) : from + (to - from) * 0.03;
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const digits = high - low < 0.8 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : high - low < 2 ? [1, 2, 5] : [1];
  const ticks = none ? [[at(0), "0"]] : [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    if (digits.length === 1 && power % every) continue;
    for (const digit of digits) {
      const value = Number(`${digit}e${power}`);
      if (Math.log10(value) >= low - room && Math.log10(value) <= high + room) ticks.push([at(value), format(value)]);
    }
  }
  return { at, ticks };
}

function scale(values, log, from, to) {
  const finite = values.filter((value) => value !== null);
  if (log) return logarithmic(finite, from, to);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const room = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
  return linear(low - (low === 0 ? 0 : room), high + room, from, to);
}

// An empty plot in `host`, at most `tall` pixels high: { plane, x, y, width, height, bottom }.
function axes(host, title, x, y, tall = 460) {
  const width = Math.max(280, host.clientWidth);
  const height = Math.round(Math.min(tall, Math.max(300, width * 0.55)));
  const [left, bottom] = [64, height - 48];
  const across = scale(x.values, x.log, left, width - 12);
  const up = scale(y.values, y.log, bottom, 14);
  const plane = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": title });
  let last = -Infinity;
  for (const [at, text] of across.ticks) {
    plane.append(svg("line", { class: "rule", x1: at, x2: at, y1: 14, y2: bottom }));
    if (at - last < 46) continue;
    last = at;
    plane.append(svg("text", { x: at, y: bottom + 20, "text-anchor": "middle" }, text));
  }
  last = Infinity;
  for (const [at, text] of up.ticks) {
    plane.append(svg("line", { class: "rule", x1: left, x2: width - 12, y1: at, y2: at }));
    if (last - at < 16) continue;
    last = at;
    plane.append(svg("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, text));
  }
  plane.append(svg("text", { class: "title", x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, x.label));
  const middle = (14 + bottom) / 2;
  plane.append(svg("text", { class: "title", transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" }, y.label));
  host.replaceChildren(plane);
  return { plane, x: across.at, y: up.at, width, height, bottom };
}

// Where the pointer is, in pixels of the plot.
function pointer(plane, event) {
  const box = plane.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
