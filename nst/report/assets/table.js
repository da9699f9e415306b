// Means and standard deviations over what repeats an experiment; each row opens its trials.

function tableSection() {
  const state = { over: D.fields.map((field) => field.replicate), sort: "", down: false };
  const scroll = el("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "table of results" });
  const average = D.fields.map((field, f) =>
    toggle(field.label, state.over[f], (value) => {
      state.over[f] = value;
      draw();
    }),
  );
  const both = D.metrics.length && D.terms.length;
  const which = both
    ? choice("Numbers", [["metrics", "metrics"], ["terms", "loss terms"]], source, (value) => {
        source = value;
        changed();
      })
    : null;
  const controls = el("div", { class: "controls" }, average.length ? el("fieldset", {}, el("legend", {}, "Average over"), average) : null, which);
  const note = el("p", { class: "note" });
  const marked = el("p", { class: "note" }, el("b", {}, "Bold"), " is the best mean of a metric among the rows shown.");
  function draw() {
    const rows = grouped(visible(), state.over);
    const best = bests(rows);
    const columns = tableColumns(state.over, rows, best);
    const key = columns.find((column) => column.name === state.sort);
    if (key) rows.sort((a, b) => compare(key.value(a), key.value(b), state.down));
    const before = [scroll.scrollLeft, scroll.scrollTop];
    const focused = scroll.contains(document.activeElement) && document.activeElement.dataset.sort;
    const head = columns.map((column) => header(column, state, draw));
    const body = rows.map((row) => el("tr", {}, columns.map((column) => column.cell(row))));
    scroll.replaceChildren(el("table", { class: "numbers" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body), foot(columns)));
    [scroll.scrollLeft, scroll.scrollTop] = before;
    if (focused !== undefined && focused !== false) [...scroll.querySelectorAll("[data-sort]")].find((b) => b.dataset.sort === focused)?.focus();
    note.textContent = source === "metrics" ? "" : "Losses under different weights can't be compared.";
    note.hidden = !note.textContent;
    marked.hidden = !best.size;
  }
  return part(section("table", "Table", controls, note, scroll, marked), draw);
}

function grouped(trials, over) {
  const rows = new Map();
  for (const trial of trials) {
    const averaged = over.some(Boolean);
    const key = averaged ? trial.at.filter((_, f) => !over[f]).join() : trial.name;
    if (!rows.has(key)) rows.set(key, { trials: [], numbers: {} });
    rows.get(key).trials.push(trial);
  }
  for (const row of rows.values()) {
    for (const name of D[source]) {
      const values = row.trials.map((trial) => number(trial, name)).filter((value) => value !== null);
      row.numbers[name] = { mean: mean(values), spread: deviation(values) };
    }
    row.done = row.trials.filter((trial) => trial.state === "done").length;
  }
  return [...rows.values()];
}

// How the best mean of each metric is written, where two rows or more have one: all that are written so are best.
function bests(rows) {
  const found = new Map();
  if (source !== "metrics") return found; // other weights make the terms of a loss larger or smaller
  for (const name of D.metrics) {
    const choose = { lower: Math.min, higher: Math.max }[D.better[name]];
    const means = rows.map((row) => row.numbers[name].mean).filter((value) => value !== null);
    if (choose && means.length > 1) found.set(name, format(choose(...means)));
  }
  return found;
}

function tableColumns(over, rows, best) {
  const several = rows.some((row) => row.trials.length > 1);
  const name = (row) => (row.trials.length === 1 ? row.trials[0].name : plural(row.trials.length, "trial"));
  const opener = (row) => el("th", { scope: "row" }, el("button", { type: "button", class: "name", onclick: () => open(row.trials, 0) }, breaking(name(row))));
  const state = (row) => STATES[row.trials[0].state];
  const fields = D.fields
    .map((field, f) => ({ name: field.name, title: field.label, numeric: field.numeric, value: (row) => (field.numeric ? field.values[row.trials[0].at[f]] : row.trials[0].at[f]), cell: (row) => el("td", { class: field.numeric ? "number" : null }, label(row.trials[0], f)) }))
    .filter((_, f) => !over[f]);
  const numbers = D[source].map((metric) => ({ name: ` ${metric}`, title: metric, numeric: true, value: (row) => row.numbers[metric].mean, cell: (row) => amount(row.numbers[metric], best.get(metric)) }));
  return [
    { name: "trial", title: several ? "trials" : "trial", value: name, cell: opener },
    ...fields,
    ...(several || D.trials.every((trial) => trial.state === "done") ? [] : [{ name: "state", title: "state", value: state, cell: (row) => el("td", {}, state(row)) }]),
    ...(several ? [{ name: "n", title: "n", numeric: true, value: (row) => row.done, cell: (row) => el("td", { class: "number" }, String(row.done)) }] : []),
    ...numbers,
  ];
}

function amount({ mean: middle, spread }, best) {
  const text = format(middle);
  const marked = middle !== null && text === best;
  return el(
    "td",
    { class: "number", title: marked ? "best" : null },
    marked ? [el("b", {}, text), el("span", { class: "unseen" }, " best")] : text,
    spread === null ? null : el("span", { class: "spread" }, ` ± ${format(spread, 2)}`),
  );
}

function header(column, state, draw) {
  const chosen = state.sort === column.name;
  const sorted = chosen ? (state.down ? "descending" : "ascending") : "none";
  const click = () => {
    Object.assign(state, { sort: column.name, down: chosen && !state.down });
    draw();
  };
  const arrow = el("span", { class: "arrow", "aria-hidden": "true" }, chosen ? (state.down ? "↓" : "↑") : "");
  const button = el("button", { type: "button", "data-sort": column.name, onclick: click }, column.title, arrow);
  return el("th", { scope: "col", "aria-sort": sorted, class: column.numeric ? "number" : null }, button);
}

// What is not there comes last either way.
function compare(a, b, down) {
  const none = (value) => value === null || value === undefined;
  if (none(a) || none(b)) return none(a) - none(b);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  return down ? -order : order;
}

// Content and style by themselves, on average over the trials shown.
function foot(columns) {
  if (source !== "metrics") return null;
  const rows = ["content", "style"].map((which) => {
    const values = (name) => visible().map((trial) => (trial.baselines[which] || {})[name]).filter((value) => value !== undefined);
    const cell = (column) => (D.metrics.includes(column.title) && column.name.startsWith(" ") ? amount({ mean: mean(values(column.title)), spread: null }) : el("td"));
    const known = D.metrics.some((name) => values(name).length);
    return known ? el("tr", {}, el("th", { scope: "row" }, `${which} itself`), columns.slice(1).map(cell)) : null;
  });
  return rows.some(Boolean) ? el("tfoot", {}, rows) : null;
}
