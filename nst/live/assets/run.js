// One run: its intermediate results, its inputs, its players and its curve.

// A run in full: its intermediate results, its inputs and its curve.
function opened(folder, closable) {
  const heading = el("h2", {});
  const line = el("p", { class: "muted", role: "status" });
  const results = resultViewer();
  const media = el("div", { class: "media" });
  const inputs = el("div", { class: "inputs-row" });
  const plot = el("div", { class: "plot" });
  const key = el("ul", { class: "legend" });
  const close = closable ? el("a", { class: "quiet", href: "#" }, "All runs") : "";
  const view = { folder, load, tick };
  let [busy, again] = [false, false];
  one.replaceChildren(close, heading, line, el("div", { class: "run" }, el("div", {}, results.node, media), el("div", {}, inputs, key, plot)));

  async function load() {
    if (busy) return void (again = true);
    busy = true;
    try {
      const answer = await fetch(`run?folder=${encoded(folder)}`);
      if (answer.ok && state.opened === view) show(await answer.json());
    } catch {
      connected(false);
    }
    busy = false;
    if (again) {
      again = false;
      load();
    }
  }
  function show(found) {
    const row = runs.get(folder);
    if (!row) return;
    const isDone = row.state === "done";
    heading.replaceChildren(...breaking(row.name).flat());
    results.show(isDone && row.image ? [...found.frames, [row.step, row.image]] : found.frames, found.kind);
    replaced(inputs, found.inputs, () => Object.entries(found.inputs).map(([name, each]) => inputOf(name, each)));
    replaced(media, [isDone && [row.video, row.audio], row.error], () => [isDone ? player(row) : null, row.error ? el("p", { class: "error" }, row.error) : null]);
    drawTerms(plot, key, found.curve);
    tick();
  }
  function tick() {
    if (runs.has(folder)) line.textContent = inFull(runs.get(folder));
  }
  return view;
}

// What a run is doing, with its loss and its times.
function inFull(row) {
  const loss = row.loss === undefined || row.loss === null ? null : `loss ${format(row.loss)}`;
  const speed = row.pace ? `${format(row.pace, 2)} s a step` : null;
  const all = row.seconds ? `${duration(row.seconds)} in all` : null;
  const since = row.state !== "done" && ago(row) !== null ? `written ${duration(ago(row))} ago` : null;
  return [STATES[row.state], told(row), loss, speed, all, since].filter(Boolean).join(" · ");
}

// The intermediate results of a run under a slider. The latest one is shown until another is chosen.
function resultViewer() {
  const shown = el("div", { class: "shown" });
  const slider = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "intermediate result", oninput: () => choose(Number(slider.value)) });
  const at = el("output", { class: "muted" });
  const strip = el("div", { class: "clock" }, slider, at);
  let [frames, kind, step] = [[], "", null]; // step: null for the latest one
  let [asked, newest] = [0, 0]; // images, in the order in which they were asked for

  function show(all, of) {
    [frames, kind] = [all, of];
    slider.max = Math.max(0, frames.length - 1);
    strip.hidden = frames.length < 2;
    choose(Math.max(0, frames.findLastIndex((frame) => step === null || frame[0] <= step)));
  }
  function choose(n) {
    slider.value = n;
    if (!frames.length) return void shown.replaceChildren(el("span", { class: "empty" }, "Nothing has been written yet."));
    const isLatest = n === frames.length - 1;
    step = isLatest ? null : frames[n][0];
    at.textContent = `step ${frames[n][0]}${isLatest ? ", the latest" : ""}`;
    const address = file(frames[n][1]);
    const heard = shown.querySelector("audio");
    if (shown.dataset.address === address || (heard && !heard.paused && isLatest)) return; // it is heard to its end
    shown.dataset.address = address;
    const isAudio = kind === "audio" && !frames[n][1].includes(".png"); // the result has a spectrogram
    if (isAudio) shown.replaceChildren(el("audio", { controls: true, src: address }));
    else decoded(el("img", { src: address, alt: `result at step ${frames[n][0]}` }));
  }
  // Frames may come faster than they are decoded: any that is newer than the one shown will do.
  async function decoded(next) {
    const turn = (asked += 1);
    await next.decode().catch(() => {});
    if (turn < newest || !next.naturalWidth) return;
    newest = turn;
    shown.replaceChildren(next);
  }
  return { node: el("div", {}, shown, strip), show };
}

function drawTerms(plot, key, curve) {
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
