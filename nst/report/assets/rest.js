// The head of the page, what filters it, failures and settings.

function head() {
  const count = (state) => D.trials.filter((trial) => trial.state === state).length;
  const states = Object.keys(STATES).filter(count);
  const done = count("done") + count("failed");
  const total = D.trials.length;
  const bar = set(el("i", {}), { width: `${(100 * done) / total}%` });
  const running = D.trials.filter((trial) => trial.state === "running" || trial.state === "begun");
  const note = D.unevaluated && D.metrics.length ? el("p", { class: "note" }, `${plural(D.unevaluated, "finished trial")} without metrics: `, el("code", {}, D.evaluate)) : null;
  return el(
    "header",
    {},
    el("h1", { class: D.fields.length ? "swept" : null }, D.title),
    el("p", { class: "lead" }, total > 1 ? `${plural(total, "trial")} in ` : "", el("span", { class: "path" }, D.folder), total > 1 || done < total ? `: ${states.map((s) => (total > 1 ? `${count(s)} ${STATES[s]}` : STATES[s])).join(", ")}` : ""),
    done < total && total > 1 ? el("div", { class: "progress", role: "img", "aria-label": `${done} of ${total} trials ended` }, bar) : null,
    running.length ? el("details", { open: running.length < 6 }, el("summary", {}, "What is under way"), el("ul", { class: "plain" }, running.map(underWay))) : null,
    note,
    D.cut.audio ? el("p", { class: "note" }, `Of each audio file the first ${format(D.cut.audio, 2)} s can be heard here.`) : null,
    D.cut.video ? el("p", { class: "note" }, `Of each video the first ${format(D.cut.video, 2)} s can be seen here.`) : null,
  );
}

function underWay(trial) {
  const open1 = () => open([trial], 0);
  const far = trial.total ? `step ${trial.step} of ${trial.total}` : `step ${trial.step}`;
  return el("li", {}, el("button", { type: "button", class: "name", onclick: open1 }, breaking(trial.name)), el("span", { class: "muted" }, ` ${STATES[trial.state]}, ${far}`));
}

function bar(sections) {
  const links = sections.map((each) => el("a", { href: `#${each.id}` }, each.id === "tradeoff" ? "Trade-off" : each.querySelector("h2").textContent));
  const nav = el("nav", { "aria-label": "sections" }, links);
  if (D.trials.length < 2) return el("div", { class: "top" }, nav);
  const left = el("output", { class: "muted" });
  const text = el("input", { type: "search", placeholder: "Filter trials", "aria-label": "filter trials by name or value", oninput: later });
  let waiting;
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(() => apply({ text: text.value }), 120);
  }
  function apply(values) {
    Object.assign(filter, values);
    changed();
    const set1 = filter.at.filter((at) => at >= 0).length + (filter.state ? 1 : 0);
    more.firstChild.textContent = set1 ? `Fields (${set1})` : "Fields";
    left.textContent = `${visible().length} of ${D.trials.length}`;
  }
  const states = Object.keys(STATES).filter((state) => D.trials.some((trial) => trial.state === state));
  const byField = D.fields.map((field, f) =>
    choice(field.label, [[-1, "any"], ...field.labels.map((name, i) => [i, name])], -1, (value) => apply({ at: filter.at.with(f, Number(value)) })),
  );
  const byState = states.length > 1 ? choice("state", [["", "any"], ...states.map((state) => [state, STATES[state]])], "", (state) => apply({ state })) : null;
  const more = el("details", { class: "more" }, el("summary", {}, "Fields"), el("div", { class: "panel" }, byField, byState));
  document.addEventListener("click", (event) => more.contains(event.target) || more.removeAttribute("open"));
  more.addEventListener("keydown", (event) => event.key === "Escape" && (more.removeAttribute("open"), more.firstChild.focus()));
  left.textContent = `${D.trials.length} of ${D.trials.length}`;
  return el("div", { class: "top" }, nav, el("div", { class: "filter" }, text, byField.length || byState ? more : null, left));
}

function failuresSection() {
  if (!D.failures.length) return null;
  const one = (trial, at, trials) =>
    el(
      "li",
      {},
      el("button", { type: "button", class: "name", onclick: () => open(trials, at) }, breaking(trial.name)),
      trial.details ? el("details", {}, el("summary", {}, "Details"), el("pre", { tabindex: "0" }, trial.details)) : null,
      el("details", {}, el("summary", {}, "To repeat it"), copied(trial.command)),
    );
  // Trials that met the same error stand under it, folded where they are many.
  const alike = ({ error, trials: places }) => {
    const trials = places.map((place) => D.trials[place]);
    const list = el("ul", { class: "plain" }, trials.map(one));
    const folded = el("details", { open: trials.length < 6 }, el("summary", {}, plural(trials.length, "trial")), el("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "trials that failed so" }, list));
    return el("article", {}, el("h3", { class: "error" }, error), trials.length > 1 ? folded : list);
  };
  return section("failures", "Failures", D.failures.map(alike));
}

function settingsSection() {
  const row = ({ name, value, default: usual }) => el("div", { class: usual ? null : "changed" }, el("dt", {}, name), el("dd", {}, value));
  const [own, usual] = [false, true].map((is) => D.settings.filter((each) => each.default === is));
  const single = D.trials.length === 1;
  return section(
    "settings",
    "Settings",
    el("p", { class: "muted" }, single ? "What differs from the default:" : "What all trials share and differs from the default:"),
    own.length ? el("dl", { class: "settings" }, own.map(row)) : el("p", {}, "nothing"),
    el("details", {}, el("summary", {}, "What is as by default"), el("dl", { class: "settings" }, usual.map(row))),
    el("details", {}, el("summary", {}, "Device and versions"), el("dl", { class: "settings" }, D.facts.map(row))),
    single ? [el("h3", {}, "To repeat it"), copied(D.trials[0].command)] : null,
  );
}
