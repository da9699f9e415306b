// Players of audio.

function player(id, label) {
  return id === undefined ? null : held(el("audio", { controls: true, controlslist: "nodownload noplaybackrate", preload: "none", "aria-label": label, "data-held": `s${id}` }));
}

// One plays at a time; what is started while another plays goes on from the same place, so that the two compare.
document.addEventListener(
  "play",
  ({ target }) => {
    if (target.tagName !== "AUDIO") return;
    for (const other of shown.keys()) {
      if (other === target || other.tagName !== "AUDIO" || other.paused) continue;
      if (other.currentTime < D.audio[Number(target.dataset.held.slice(1))]) target.currentTime = other.currentTime;
      other.pause();
    }
  },
  true,
);

// Whether there is an image of an input: a run has an input by name or not, and not every input has an image.
function hasImage(trial, part) {
  return (trial.inputs[part] ?? null) !== null;
}

// An input, as far as there is an image or audio of it, with its name.
function input(trial, part, { play = true } = {}) {
  const name = `${part}: ${called(trial, part)}`;
  const clip = play ? player(trial.audio[part], name) : null;
  const shown = hasImage(trial, part) ? image(trial.inputs[part], name) : null;
  return shown || clip ? el("figure", {}, shown, clip, el("figcaption", {}, el("b", {}, part), called(trial, part))) : null;
}

// The result and the inputs of a trial to switch between, and what it is compared with.
function players(trial, other) {
  const row = (id, word, name, shown) =>
    id === undefined ? null : el("figure", {}, el("figcaption", {}, el("b", {}, word), shown), player(id, `${word}: ${name}`));
  const results = other ? [["left", trial], ["right", other]] : [["result", trial]];
  const inputs = D.inputs.map((part) => [part, called(trial, part)]);
  const rows = [
    ...results.map(([word, each]) => row(each.audio.result, word, each.name)),
    ...inputs.map(([part, name]) => row(trial.audio[part], part, name, name)),
  ];
  return rows.some(Boolean) ? el("div", { class: "players" }, rows) : null;
}
