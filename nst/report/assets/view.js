// One result enlarged, or two under a slider.

const view = { list: [], at: 0, other: "", pinned: null };
const stage = el("div", { class: "stage" });
const told = el("div", { class: "told" });
const heading = el("h2", { id: "view-title", tabindex: "-1" });
const count = el("span", { class: "muted" });
const dialog = el(
  "dialog",
  { "aria-labelledby": "view-title", onclose: closed, onkeydown: keyed, onclick: outside },
  el(
    "div",
    { class: "bar" },
    heading,
    count,
    el("button", { type: "button", class: "icon", "aria-label": "previous result", onclick: () => move(-1) }, "←"),
    el("button", { type: "button", class: "icon", "aria-label": "next result", onclick: () => move(1) }, "→"),
    el("button", { type: "button", class: "icon", "aria-label": "close", onclick: () => dialog.close() }, "✕"),
  ),
  el("div", { class: "view" }, stage, told),
);
const picking = el("div", { class: "picking", role: "status", hidden: true });

// Open the trial at a place of a list; if another waits to be compared, beside that.
function open(list, at) {
  const { pinned } = view;
  unpin();
  if (pinned && pinned !== list[at]) {
    Object.assign(view, { list: [pinned, ...list.filter((trial) => trial !== pinned)], at: 0 });
    view.other = String(D.trials.indexOf(list[at]));
  } else Object.assign(view, { list, at, other: "" });
  render();
  if (!dialog.open) dialog.showModal();
}

function closed() {
  if (dialog.open) return; // again, before this event came
  clear(stage);
  clear(told);
}

function outside(event) {
  if (event.target === dialog) dialog.close();
}

function keyed(event) {
  if (event.target.closest("input, select, pre, audio, .films")) return;
  if (event.key === "ArrowLeft") move(-1);
  if (event.key === "ArrowRight") move(1);
}

function move(by) {
  view.at = (view.at + by + view.list.length) % view.list.length;
  render();
}

function render() {
  const trial = view.list[view.at];
  heading.replaceChildren(...breaking(trial.name).flat());
  count.textContent = view.list.length > 1 ? `${view.at + 1} of ${view.list.length}` : "";
  renderStage(trial);
  renderTold(trial);
}

function compared(trial) {
  if (D.inputs.includes(view.other)) return [trial.inputs[view.other] ?? null, `${view.other}: ${called(trial, view.other)}`];
  const other = D.trials[Number(view.other)];
  return [other.result, other.name];
}

function renderStage(trial) {
  clear(stage);
  if (hasFilm(trial)) return stage.append(filmsOf(trial, view.other));
  const size = trial.result !== null && D.images[trial.result];
  const state = trial.state === "done" ? "no image" : STATES[trial.state];
  const under = image(trial.result, `result of ${trial.name}`, state);
  const frame = set(el("div", { class: "frame" }, under), { "--ratio": size ? size[0] / size[1] : 1.5 });
  stage.append(frame);
  if (size) show(under);
  if (view.other !== "") {
    const [id, name] = compared(trial);
    if (size) divide(frame, trial, image(id, name), name);
    stage.append(el("div", { class: "sides" }, el("span", {}, breaking(trial.name)), el("span", {}, breaking(name))));
  }
  stage.append(players(trial, D.trials[view.other]) || "");
}

// The left of the frame stays, and right of a slider lies the other image.
function divide(frame, trial, over, name) {
  const slider = el("input", { type: "range", min: 0, max: 100, value: 50, step: 1, "aria-label": `left ${trial.name}, right ${name}`, oninput: slide });
  const handle = el("i", { class: "handle" });
  function slide() {
    over.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
    handle.style.left = `${slider.value}%`;
  }
  frame.append(over, handle, slider);
  if (over.tagName === "IMG") show(over);
  slide();
}

function renderTold(trial) {
  clear(told);
  const progress = trial.state === "done" ? null : `${STATES[trial.state]} at step ${trial.step}${trial.total ? ` of ${trial.total}` : ""}`;
  told.append(
    el("div", { class: "beside" }, D.inputs.map((part) => input(trial, part, { play: false }))),
    progress ? el("p", { class: "state" }, progress, trial.error ? `: ${trial.error}` : "") : "",
    el("div", { class: "compare" }, compareChoice(trial), pinButton(trial)),
    links(trial),
    list("Fields", D.fields.map((field, f) => [field.label, label(trial, f)])),
    list("Metrics", Object.entries(trial.metrics).map(([name, value]) => [name, format(value)])),
    list("Loss and its terms", Object.entries(trial.terms).map(([name, value]) => [name, format(value)])),
    el("h3", {}, "To repeat it"),
    copied(trial.command),
  );
}

function there(trial) {
  return trial.result !== null || trial.audio.result !== undefined;
}

function compareChoice(trial) {
  const others = D.trials.map((each, i) => [i, each.name]).filter(([i]) => D.trials[i] !== trial && there(D.trials[i]));
  const none = hasFilm(trial) ? "content" : "nothing"; // a video is always beside another
  const inputs = D.inputs.filter((part) => hasImage(trial, part) && part !== none).map((part) => [part, part]);
  if (view.other !== "" && ![...inputs, ...others].some(([key]) => String(key) === view.other)) view.other = "";
  return choice("Compare with", [["", none], ...inputs, ...others], view.other, (value) => {
    view.other = value;
    renderStage(trial);
  });
}

function pinButton(trial) {
  if (D.trials.length < 2 || !there(trial)) return null;
  return el("button", { type: "button", class: "quiet", onclick: () => pin(trial) }, "Pick on the page");
}

function pin(trial) {
  dialog.close();
  view.pinned = trial;
  picking.hidden = false;
  picking.replaceChildren(
    el("span", {}, "Choose a result to compare with ", el("b", {}, trial.name)),
    el("button", { type: "button", class: "quiet", onclick: unpin }, "Cancel"),
  );
}

function unpin() {
  view.pinned = null;
  picking.hidden = true;
}

function list(title, entries) {
  if (!entries.length) return ""; // `append` makes a word of null
  return el("div", {}, el("h3", {}, title), el("dl", {}, entries.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
}
