// What was found, what is shown of it, and how it is called and coloured.

const D = JSON.parse(document.getElementById("data").textContent);
const STATES = { done: "done", failed: "failed", running: "running", begun: "unfinished", waiting: "waiting" };
const filter = { text: "", state: "", at: D.fields.map(() => -1) };
const parts = []; // of the page: { node, draw, dirty, near }
let source = D.metrics.length ? "metrics" : "terms";

D.trials.forEach((trial) => {
  for (const media of ["audio", "video"]) {
    for (const part of Object.keys(trial[media])) if (D[media][trial[media][part]] === null) delete trial[media][part];
  }
  trial.words = [trial.name, ...D.fields.map((_, f) => label(trial, f)), trial.state].join(" ").toLowerCase();
});

function label(trial, f) {
  return trial.at[f] < 0 ? "–" : D.fields[f].labels[trial.at[f]];
}

function fieldNamed(name) {
  return D.fields.findIndex((field) => field.name === name);
}

// The field of a trial's input, which several styles share, and what the input is called there.
function fieldOf(trial, part) {
  return fieldNamed(trial.input_fields[part.replace(/_\d+$/, "")]);
}

function called(trial, part) {
  if (trial.sources[part]) return trial.sources[part];
  const f = fieldOf(trial, part);
  const setting = D.settings.find((each) => each.name === trial.input_fields[part]);
  return f >= 0 ? label(trial, f) : setting ? setting.value.split("/").pop() : part;
}

function describe(trial, fields = D.fields.map((_, f) => f)) {
  return fields.map((f) => (D.fields[f].numeric ? `${D.fields[f].label} ${label(trial, f)}` : label(trial, f))).join(", ");
}

function visible() {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return D.trials.filter(
    (trial) =>
      (!filter.state || trial.state === filter.state) &&
      filter.at.every((value, f) => value < 0 || trial.at[f] === value) &&
      words.every((word) => trial.words.includes(word)),
  );
}

// Of finished trials: what others have come to so far is not comparable.
function number(trial, name) {
  const value = trial.state === "done" ? trial[source][name] : undefined;
  return value === undefined ? null : value;
}

function mean(values) {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
}

function deviation(values) {
  if (values.length < 2) return null;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1));
}

// Ordered values take a ramp, others a palette.
function colour(f) {
  if (f < 0) return () => "var(--accent)";
  const { numeric, values } = D.fields[f];
  const many = values.length;
  if (numeric && many > 2) return (at) => `var(--s${Math.round((Math.max(0, at) * 6) / (many - 1))})`;
  return (at) => (at < 0 || at > 7 ? "var(--muted)" : `var(--c${at})`);
}

function legend(f) {
  if (f < 0) return null;
  const { labels, label: title } = D.fields[f];
  const of = colour(f);
  const shown = labels.length > 9 ? [0, 1, 2, 3, 4, 5, 6].map((i) => Math.round((i * (labels.length - 1)) / 6)) : [...labels.keys()];
  const entry = (at) => el("li", {}, set(el("i"), { background: of(at) }), labels[at]);
  return el("ul", { class: "legend", "aria-label": title }, el("li", { class: "muted" }, title), shown.map(entry));
}

function firstField() {
  const own = D.fields.findIndex((field) => !field.replicate);
  return own >= 0 ? own : D.fields.length ? 0 : -1;
}

function fieldOptions() {
  return D.fields.map((field, f) => [f, field.label]);
}

// A part draws itself when it is near the screen, and again when the choice of trials changes.
const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const part = parts.find((each) => each.node === entry.target);
      part.near = entry.isIntersecting;
      if (part.near && part.dirty) refresh(part);
    }
  },
  { rootMargin: "400px" },
);

function part(node, draw) {
  parts.push({ node, draw, dirty: true, near: false });
  near.observe(node);
  return node;
}

function refresh(each) {
  each.dirty = false;
  each.draw();
}

function changed() {
  for (const each of parts) {
    each.dirty = true;
    if (each.near) refresh(each);
  }
}
