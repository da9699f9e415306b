// Runs while they go: what the server says of them, as cards and, of one run, its image, its frames and its curves.

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
  const report = el("a", { href: "report", target: "_blank", rel: "noopener" }, "Report");
  lead.replaceChildren(el("span", { class: "path" }, state.folder), ...(all.length ? [`: ${words.join(", ")} · `, report] : [": no run yet"]));
  progress.hidden = all.length < 2;
  set(bar, { width: `${(100 * all.reduce((sum, row) => sum + (row.state === "failed" ? 1 : share(row)), 0)) / Math.max(1, all.length)}%` });
  const failed = all.filter((row) => row.state === "failed");
  const causes = [...new Set(failed.map((row) => row.error))];
  const cause = (error) => el("p", {}, el("b", {}, plural(failed.filter((row) => row.error === error).length, "run")), `: ${error || "unknown"}`);
  failures.hidden = !failed.length;
  failures.replaceChildren(el("h2", {}, "Failures"), ...causes.map(cause));
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

function opened(folder, closable) {
  const heading = el("h2", {});
  const line = el("p", { class: "muted", role: "status" });
  const shown = el("div", { class: "shown" });
  const slider = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "intermediate result", oninput: () => choose(Number(slider.value)) });
  const at = el("output", { class: "muted" });
  const strip = el("div", { class: "clock" }, slider, at);
  const inputs = el("div", { class: "inputs-row" });
  const plot = el("div", { class: "plot" });
  const key = el("ul", { class: "legend" });
  const view = { folder, load, tick, frames: [], step: null, asked: 0, shown: 0, busy: false, again: false }; // step: null for the latest one
  const media = el("div", { class: "media" });
  const close = closable ? el("a", { class: "quiet", href: "#" }, "All runs") : null;
  one.replaceChildren(close ?? "", heading, line, el("div", { class: "run" }, el("div", {}, shown, strip, media), el("div", {}, inputs, key, plot)));

  async function load() {
    if (view.busy) return void (view.again = true);
    view.busy = true;
    try {
      const answer = await fetch(`run?folder=${encoded(folder)}`);
      if (answer.ok && state.opened === view) show(await answer.json());
    } catch {
      connected(false);
    }
    view.busy = false;
    if (view.again) {
      view.again = false;
      load();
    }
  }
  function show(found) {
    const row = runs.get(folder);
    if (!row) return;
    heading.replaceChildren(...breaking(row.name).flat());
    view.kind = found.kind;
    view.frames = found.frames;
    if (row.state === "done" && row.image) view.frames = [...found.frames, [row.step, row.image]];
    slider.max = Math.max(0, view.frames.length - 1);
    strip.hidden = view.frames.length < 2;
    const at = view.frames.findLastIndex(([step]) => view.step === null || step <= view.step);
    choose(Math.max(0, at));
    replaced(inputs, found.inputs, () => Object.entries(found.inputs).map(([name, media]) => inputOf(name, media)));
    replaced(media, [row.state === "done" && [row.video, row.audio], row.error], () => [row.state === "done" ? player(row) : null, row.error ? el("p", { class: "error" }, row.error) : null]);
    draw(found.curve);
    tick();
  }
  function choose(n) {
    const frame = view.frames[n];
    const latest = n === view.frames.length - 1;
    view.step = latest || !frame ? null : frame[0];
    slider.value = n;
    if (!frame) return void shown.replaceChildren(el("span", { class: "empty" }, "Nothing has been written yet."));
    const address = file(frame[1]);
    at.textContent = `step ${frame[0]}${latest ? ", the latest" : ""}`;
    const heard = shown.querySelector("audio");
    if (shown.dataset.address === address || (heard && !heard.paused && latest)) return; // it is heard to its end
    shown.dataset.address = address;
    if (view.kind === "audio" && !frame[1].includes(".png")) return void shown.replaceChildren(el("audio", { controls: true, src: address }));
    const next = el("img", { src: address, alt: `result at step ${frame[0]}` });
    const turn = (view.asked += 1);
    // Once it is decoded, without flicker; frames may come faster than that, so any that is newer than the one shown will do.
    next.decode().then(() => turn > view.shown && ((view.shown = turn), shown.replaceChildren(next)), () => {});
  }
  function draw(curve) {
    const names = Object.keys(curve).filter((name) => !["step", "evaluations", "seconds"].includes(name));
    const lines = names.map((name, i) => [name, curve.step.map((x, j) => [x, curve[name][j]]).filter(([, y]) => y > 0), `var(--c${i % 8})`]);
    const some = lines.filter(([, points]) => points.length > 1);
    key.replaceChildren(...some.map(([name, , stroke]) => el("li", {}, set(el("i"), { background: stroke }), name)));
    if (!some.length) return void plot.replaceChildren(el("p", { class: "muted" }, "The curve begins with the second line of metrics."));
    const values = (i) => some.flatMap(([, points]) => points.map((point) => point[i]));
    const drawn = axes(plot, "loss and its terms", { values: values(0), label: "step" }, { values: values(1), log: true, label: "value" }, 360);
    for (const [, points, stroke] of some) {
      const d = points.map(([x, y], i) => `${i ? "L" : "M"}${drawn.x(x).toFixed(1)} ${drawn.y(y).toFixed(1)}`).join("");
      drawn.plane.append(set(svg("path", { d, class: "curve" }), { stroke }));
    }
  }
  function tick() {
    const row = runs.get(folder);
    if (!row) return;
    const speed = row.pace ? `${format(row.pace, 2)} s a step` : null;
    const since = row.state !== "done" && ago(row) !== null ? `written ${duration(ago(row))} ago` : null;
    const loss = row.loss === undefined || row.loss === null ? null : `loss ${format(row.loss)}`;
    line.textContent = [STATES[row.state], told(row), loss, speed, row.seconds ? `${duration(row.seconds)} in all` : null, since].filter(Boolean).join(" · ");
  }
  return view;
}

// What plays goes on playing: the children of a node are replaced only if what they show has changed.
function replaced(node, value, children) {
  const key = JSON.stringify(value);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(...children().filter(Boolean));
}

function inputOf(name, media) {
  const image = media.image && !media.video ? el("img", { src: file(media.image), alt: name }) : null;
  return el("figure", { class: media.audio || media.video ? "played" : null }, image, player(media), el("figcaption", {}, el("b", {}, name)));
}

function player(media) {
  const poster = media.image ? file(media.image) : null;
  if (media.video) return el("video", { controls: true, playsinline: true, poster, src: file(media.video) });
  if (media.audio) return el("audio", { controls: true, preload: "none", src: file(media.audio) });
  return null;
}
