// Runs while they go: what the server says of them, as cards, and the one that is chosen.

const STATES = { done: "done", failed: "failed", running: "running", begun: "stopped", unknown: "no news", waiting: "waiting" };
const runs = new Map(); // by folder
const cards = new Map(); // their elements
const state = { folder: "", clock: 0, first: true, opened: null };
const page = document.getElementById("page");
const title = el("h1", {});
const lead = el("p", { class: "lead" });
const note = el("p", { class: "note", role: "status" });
const bar = el("i", {});
const progress = el("div", { class: "progress", hidden: true }, bar);
const failures = el("section", { id: "failures", hidden: true });
const grid = el("div", { class: "cards" });
const filter = el("input", { type: "search", placeholder: "Filter runs", "aria-label": "filter runs by name", oninput: arrange });
const list = el("section", {}, el("p", {}, filter), grid);
const one = el("section", { hidden: true });
page.append(el("header", {}, title, lead, progress, note), one, list, failures);

let events = null; // a browser has few connections: a page that nobody sees gives its own back

function listen() {
  events?.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource("events");
  events.addEventListener("directory", ({ data }) => directory(JSON.parse(data)));
  events.addEventListener("rows", ({ data }) => changed(JSON.parse(data)));
  events.onopen = () => connected(true);
  events.onerror = () => connected(false);
}

function directory({ folder }) {
  state.folder = folder;
  state.first = true; // all rows follow, also after the connection was lost
  title.textContent = folder.split("/").pop();
  document.title = `${title.textContent} · nst live`;
}

function changed({ rows, gone, now }) {
  state.clock = now - Date.now() / 1000; // the server's clock may differ
  const all = new Set(rows.map((row) => row.folder));
  for (const folder of state.first ? [...runs.keys()].filter((each) => !all.has(each)) : gone) {
    runs.delete(folder);
    cards.get(folder)?.node.remove();
    cards.delete(folder);
  }
  state.first = false;
  for (const row of rows) {
    runs.set(row.folder, row);
    card(row);
  }
  summary();
  arrange();
  follow(rows.map((row) => row.folder));
}

document.addEventListener("visibilitychange", listen);
listen();
setInterval(tick, 1000);
addEventListener("hashchange", route);

function connected(yes) {
  note.textContent = yes ? "" : "The server does not answer: what is shown may be old.";
}

function file(address) {
  const [path, version] = address.split("?");
  return `files/${path.split("/").map(encoded).join("/")}?${version ?? ""}`;
}

// A file name may have half a character, which has no code.
function encoded(text) {
  return encodeURIComponent(text.toWellFormed?.() ?? text);
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.round(seconds);
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

function ago(row) {
  return row.written === null ? null : Math.max(0, Date.now() / 1000 + state.clock - row.written);
}

function share(row) {
  return row.state === "done" ? 1 : row.total ? Math.min(1, row.step / row.total) : 0;
}

// What a run is doing, in a line.
function told(row) {
  const at = row.total ? `step ${row.step} of ${row.total}` : `step ${row.step}`;
  const left = row.state === "running" && row.left !== null ? `${duration(row.left)} left` : null;
  const quiet = row.state === "running" && ago(row) > Math.max(30, 3 * (row.interval ?? 0)) ? `nothing written for ${duration(ago(row))}` : null;
  const worker = row.worker ? `by process ${row.worker.split(" ").at(-1)} on ${row.worker.split(" ")[0]}` : null;
  return [row.state === "waiting" ? null : at, left, quiet, worker].filter(Boolean).join(", ");
}

function summary() {
  const all = [...runs.values()];
  const counts = Object.keys(STATES).map((name) => [name, all.filter((row) => row.state === name).length]);
  const words = counts.filter(([, n]) => n).map(([name, n]) => (all.length > 1 ? `${n} ${STATES[name]}` : STATES[name]));
  const reports = [...new Set(all.map((row) => row.report))].flatMap((folder) => [" · ", reportOn(folder)]);
  lead.replaceChildren(el("span", { class: "path" }, state.folder), all.length ? `: ${words.join(", ")}` : ": no run yet", ...reports);
  progress.hidden = all.length < 2;
  set(bar, { width: `${(100 * all.reduce((sum, row) => sum + (row.state === "failed" ? 1 : share(row)), 0)) / Math.max(1, all.length)}%` });
  const failed = all.filter((row) => row.state === "failed");
  const causes = [...new Set(failed.map((row) => row.error))];
  const cause = (error) => el("p", {}, el("b", {}, plural(failed.filter((row) => row.error === error).length, "run")), `: ${error || "unknown"}`);
  failures.hidden = !failed.length;
  failures.replaceChildren(el("h2", {}, "Failures"), ...causes.map(cause));
}

function reportOn(folder) {
  const href = folder === "." ? "report" : `report?folder=${encoded(folder)}`;
  return el("a", { href, target: "_blank", rel: "noopener" }, folder === "." ? "Report" : `Report on ${folder}`);
}

function picture(row, label) {
  if (row.image) return el("img", { src: file(row.image), alt: label, decoding: "async", loading: "lazy" });
  return el("span", { class: "empty" }, row.audio ? "audio" : STATES[row.state]);
}

// The card of a run is changed in place: a click or the focus on it is not lost.
function card(row) {
  if (!cards.has(row.folder)) {
    const parts = { image: el("span", { class: "image" }), badge: el("span", {}), bar: el("i", {}), title: el("span", { class: "title" }), told: el("span", { class: "muted" }) };
    const node = el("a", { class: "card", href: `#${encoded(row.folder)}`, title: row.name }, parts.image, parts.badge, el("span", { class: "bar" }, parts.bar), parts.title, parts.told);
    parts.title.append(...breaking(row.name).flat());
    cards.set(row.folder, { node, ...parts });
    grid.append(node);
  }
  const { image, badge, bar, told: line } = cards.get(row.folder);
  const key = row.image ?? `${row.audio ? "audio" : ""}${row.state}`;
  if (image.dataset.key !== key) {
    image.dataset.key = key;
    image.replaceChildren(picture(row, ""));
  }
  badge.className = `badge ${row.state}`;
  badge.textContent = STATES[row.state];
  set(bar, { width: `${100 * share(row)}%` });
  line.textContent = told(row);
}

function tick() {
  for (const row of runs.values()) if (row.state === "running") cards.get(row.folder).told.textContent = told(row);
  state.opened?.tick();
}

function arrange() {
  const text = filter.value.toLowerCase();
  for (const [folder, { node }] of cards) node.hidden = !runs.get(folder).name.toLowerCase().includes(text);
  route();
}

// The run of the address, or the only one.
function route() {
  const only = runs.size === 1 ? [...runs.keys()][0] : null;
  const folder = only ?? decodeURIComponent(location.hash.slice(1));
  list.hidden = only !== null;
  if (!runs.has(folder)) {
    state.opened = null;
    one.hidden = true;
    one.replaceChildren();
  } else if (state.opened?.folder !== folder) {
    state.opened = opened(folder, only === null);
    one.hidden = false;
    state.opened.load();
    if (only === null) one.scrollIntoView({ block: "start" });
  }
}

function follow(changed) {
  if (state.opened && changed.includes(state.opened.folder)) state.opened.load();
}
