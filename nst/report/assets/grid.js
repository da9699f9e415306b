// Results over any two fields, with content and style beside.

const AXIS_LIMIT = 16; // values of a field that still make a grid by themselves

function gridSection() {
  const chosen = { ...defaultAxes(), cell: 0 };
  const aside = el("div", { class: "inputs" });
  const body = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "grid of results" });
  const axis = (name, label) =>
    choice(label, [[-1, "none"], ...fieldOptions()], chosen[name], (value) => {
      chosen[name] = Number(value);
      draw();
    });
  const size = el("input", { type: "range", min: 80, max: 360, value: 168, oninput: () => set(body, { "--thumb": `${size.value}px` }) });
  const crowd = Math.max(...[...groups(D.trials, chosen).values()].map((list) => list.length));
  chosen.cell = crowd > 4 ? 1 : Infinity;
  const cells = choice("In a cell", [[1, "one"], [4, "four"], [Infinity, "all"]], chosen.cell, (value) => {
    chosen.cell = Number(value);
    draw();
  });
  const controls = D.fields.length
    ? el("div", { class: "controls" }, axis("row", "Rows"), axis("column", "Columns"), D.fields.length > 1 ? cells : null, el("label", { class: "choice" }, el("span", {}, "Size"), size))
    : null;
  function draw() {
    const trials = visible();
    drawInputs(clear(aside), trials, chosen);
    clear(body).append(trials.length ? table(trials, chosen) : el("p", { class: "muted" }, "No trial is left: loosen the filter."));
  }
  const single = D.trials.length === 1;
  const node = section("results", single ? "Result" : "Results", controls, el("div", { class: single ? "board single" : "board" }, aside, body));
  return part(node, draw);
}

function defaultAxes() {
  const small = D.fields.map((field, f) => [f, field]).filter(([, field]) => field.values.length <= AXIS_LIMIT);
  const rank = ([, field]) => 2 * field.follows + field.replicate;
  const order = [...small].sort((a, b) => rank(a) - rank(b)).map(([f]) => f);
  if (order.length < 2) return { row: -1, column: order.length ? order[0] : -1 };
  const [a, b] = order;
  return D.fields[a].values.length > D.fields[b].values.length ? { row: b, column: a } : { row: a, column: b };
}

// Inputs that no axis shows already.
function drawInputs(aside, trials, chosen) {
  for (const part of D.inputs) {
    const shown = (f) => f >= 0 && (f === chosen.row || f === chosen.column);
    const others = trials.filter((trial) => !shown(fieldOf(trial, part)) && (hasImage(trial, part) || trial.audio[part] !== undefined));
    const found = new Map(others.map((trial) => [`${trial.inputs[part]},${trial.audio[part]}`, trial]));
    const several = [...found.values()].slice(0, 6);
    aside.append(...several.map((trial) => input(trial, part)));
    if (found.size > several.length) aside.append(el("p", { class: "muted" }, `and ${found.size - several.length} more`));
  }
  aside.hidden = !aside.childNodes.length;
}

// Trials by their place in the grid.
function groups(trials, { row, column }) {
  const found = new Map();
  for (const trial of trials) {
    const key = `${row < 0 ? null : trial.at[row]},${column < 0 ? null : trial.at[column]}`;
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(trial);
  }
  return found;
}

function table(trials, { row, column, cell }) {
  if (row < 0 && column < 0) return gallery(trials, D.fields.map((_, f) => f), trials.length);
  const values = (f) => (f < 0 ? [null] : [...new Set(trials.map((trial) => trial.at[f]))].sort((a, b) => a - b));
  const others = D.fields.map((_, f) => f).filter((f) => f !== row && f !== column);
  const cells = groups(trials, { row, column });
  const crowded = [...cells.values()].some((list) => list.length > 1);
  const columns = values(column);
  const head = column < 0 ? null : el("thead", {}, el("tr", {}, row < 0 ? null : el("td", {}, corner(row, column)), columns.map((value) => head1(trials, column, value, "col"))));
  const body = values(row).map((value) =>
    el(
      "tr",
      {},
      row < 0 ? null : head1(trials, row, value, "row"),
      columns.map((other) => el("td", {}, gallery(cells.get(`${value},${other}`) || [], crowded ? others : [], cell))),
    ),
  );
  const caption = column >= 0 && row < 0 ? el("caption", {}, D.fields[column].label) : null;
  return el("table", { class: "grid" }, caption, head, el("tbody", {}, body));
}

function corner(row, column) {
  return el("span", { class: "corner" }, `${D.fields[row].label} ↓`, el("br"), `${D.fields[column].label} →`);
}

function head1(trials, f, value, scope) {
  const text = value < 0 ? "–" : D.fields[f].labels[value];
  const alike = trials.filter((trial) => trial.at[f] === value);
  const parts = D.inputs.filter((part) => alike.some((trial) => fieldOf(trial, part) === f));
  const seen = parts.map((part) => [part, alike.find((trial) => hasImage(trial, part))]).filter(([, trial]) => trial);
  const heard = parts.map((part) => [part, alike.find((trial) => trial.audio[part] !== undefined)]).filter(([, trial]) => trial);
  return el(
    "th",
    { scope },
    seen.map(([part, trial]) => image(trial.inputs[part], "")),
    el("span", {}, text),
    heard.map(([part, trial]) => player(trial.audio[part], `${part}: ${called(trial, part)}`)),
  );
}

function gallery(trials, captions, limit) {
  const rest = trials.length - limit;
  const more = rest > 0 ? el("button", { type: "button", class: "quiet", onclick: () => open(trials, limit) }, `${rest} more`) : null;
  return el("div", { class: limit === 1 ? "gallery one" : "gallery" }, trials.slice(0, limit).map((trial, at) => result(trials, at, captions)), more);
}

function result(trials, at, captions) {
  const trial = trials[at];
  if (D.trials.length === 1 && hasFilm(trial)) return onlyVideo(trial);
  const caption = captions.length ? describe(trial, captions) : D.fields.length || D.trials.length === 1 ? "" : trial.name;
  const state = trial.state === "done" ? null : el("span", { class: `badge ${trial.state}` }, STATES[trial.state], trial.state === "running" && trial.step ? ` ${trial.step}` : "");
  const button = el(
    "button",
    { type: "button", class: "result", title: trial.name, "aria-label": `enlarge ${trial.name}`, onclick: () => open(trials, at) },
    image(trial.result, "", ""),
    state,
    hasFilm(trial) ? el("span", { class: "badge film" }, `▶ ${format(D.video[trial.video.result].seconds, 2)} s`) : null,
    caption ? el("span", { class: "caption" }, caption) : null,
  );
  const clip = player(trial.audio.result, `result of ${trial.name}`);
  return clip ? el("div", { class: "heard" }, button, clip) : button;
}

// The only result, as video, with some of its frames.
function onlyVideo(trial) {
  const sheet = trial.sheet === null ? null : el("figure", {}, image(trial.sheet, "frames of the content above those of the result"), el("figcaption", {}, "Frames of the content, and of the result below"));
  return el("div", { class: "alone" }, filmsOf(trial), sheet, el("button", { type: "button", class: "quiet", onclick: () => open([trial], 0) }, "Numbers and files"));
}
