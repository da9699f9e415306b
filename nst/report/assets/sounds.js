// Players of sounds.

function player(id, label) {
  return id === undefined ? null : held(el("audio", { controls: true, controlslist: "nodownload noplaybackrate", preload: "none", "aria-label": label, "data-held": `s${id}` }));
}

// One plays at a time; what is started while another plays goes on from the same place, so that the two compare.
document.addEventListener(
  "play",
  ({ target }) => {
    for (const other of shown.keys()) {
      if (other === target || other.tagName !== "AUDIO" || other.paused) continue;
      if (other.currentTime < D.sounds[Number(target.dataset.held.slice(1))]) target.currentTime = other.currentTime;
      other.pause();
    }
  },
  true,
);

// Whether there is a picture of an input: a run has an input by name or not, and not every input has a picture.
function pictured(trial, part) {
  return (trial.inputs[part] ?? null) !== null;
}

// An input, as far as there is a picture or a sound of it, with its name.
function input(trial, part, { play = true } = {}) {
  const name = `${part}: ${called(trial, part)}`;
  const sound = play ? player(trial.sounds[part], name) : null;
  const shown = pictured(trial, part) ? picture(trial.inputs[part], name) : null;
  return shown || sound ? el("figure", {}, shown, sound, el("figcaption", {}, el("b", {}, part), called(trial, part))) : null;
}

// The result and the inputs of a trial to switch between, and what it is compared with.
function players(trial, other) {
  const row = (id, word, name, shown) =>
    id === undefined ? null : el("figure", {}, el("figcaption", {}, el("b", {}, word), shown), player(id, `${word}: ${name}`));
  const results = other ? [["left", trial], ["right", other]] : [["result", trial]];
  const inputs = D.inputs.map((part) => [part, called(trial, part)]);
  const rows = [
    ...results.map(([word, each]) => row(each.sounds.result, word, each.name)),
    ...inputs.map(([part, name]) => row(trial.sounds[part], part, name, name)),
  ];
  return rows.some(Boolean) ? el("div", { class: "players" }, rows) : null;
}
