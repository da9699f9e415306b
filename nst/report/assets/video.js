// Videos side by side with one clock.

// Sides are [word, name, video, image]; a side without a video shows its image. The last one has a video: it is the
// clock, and it is heard. Below are the values of each frame, if there are any.
function films(sides, values = null) {
  const panes = sides.map(([word, name, id, picture]) => (id === undefined ? image(picture, `${word}: ${name}`) : film(id, `${word}: ${name}`)));
  const all = panes.filter((node) => node.tagName === "VIDEO");
  const clock = all.at(-1);
  const { seconds, rate } = D.video[Number(clock.dataset.held.slice(1))];
  const last = Math.max(0, Math.round(seconds * rate) - 1);
  const figure = ([word, name], i) => el("figure", {}, panes[i], el("figcaption", {}, el("b", {}, word), breaking(name)));
  const node = el("div", { class: "films", role: "group", "aria-label": `video: ${sides.at(-1)[1]}`, onkeydown: press });
  const play = el("button", { type: "button", class: "icon", onclick: playOrPause });
  const slider = el("input", { type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": "frame", oninput: () => seek(Number(slider.value)) });
  const readout = el("output", { class: "muted" });
  const step = (by, label, text) => el("button", { type: "button", class: "icon", "aria-label": label, onclick: () => seek(frame() + by) }, text);
  const again = el("input", { type: "checkbox", checked: true });
  const heard = el("input", { type: "checkbox", onchange: () => (clock.muted = !heard.checked) });
  const at = (n) => (n + 0.5) / rate; // in the middle of a frame, where rounding does no harm
  const frame = () => Math.min(last, Math.floor(clock.currentTime * rate + 0.01));
  let playing = false; // Chromium also ends a paused video, when it is set to its last frame again

  function seek(n) {
    playing = false;
    all.forEach((each) => each.pause());
    const to = Math.min(last, Math.max(0, n));
    all.forEach((each) => (each.currentTime = at(to)));
    tell(to);
  }
  function tell(n = frame()) {
    slider.value = n;
    values?.tell(n);
    slider.setAttribute("aria-valuetext", `frame ${n + 1} of ${last + 1}`);
    readout.textContent = `${(n / rate).toFixed(2)} s, frame ${n + 1} of ${last + 1}`;
    const paused = clock.paused;
    play.textContent = paused ? "▶" : "❚❚";
    play.setAttribute("aria-label", paused ? "play" : "pause");
  }
  // Whatever runs ahead or behind by more than a frame is put back to the clock.
  function follow() {
    if (clock.paused) return;
    for (const each of all) {
      if (Math.abs(each.currentTime - clock.currentTime) > 1.5 / rate) each.currentTime = clock.currentTime;
      if (each.paused && !each.ended) each.play().catch(() => {});
    }
    tell();
    requestAnimationFrame(follow);
  }
  async function start() {
    for (const other of document.querySelectorAll("audio, video")) if (!all.includes(other)) other.pause();
    playing = true;
    if (frame() >= last) all.forEach((each) => (each.currentTime = 0));
    await Promise.allSettled(all.map((each) => each.play()));
    follow();
  }
  function playOrPause() {
    if (clock.paused) start();
    else seek(frame());
  }
  function press(event) {
    const to = { ArrowLeft: frame() - 1, ArrowRight: frame() + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) seek(to);
    else if (event.key === " " && event.target === slider) playOrPause();
    else return;
    event.preventDefault();
    event.stopPropagation(); // in the dialog, arrows show the next result
  }
  clock.addEventListener("ended", () => playing && (again.checked ? start() : seek(last)));
  clock.addEventListener("play", () => tell());
  clock.addEventListener("loadeddata", () => tell());
  all.forEach((each) => each.addEventListener("click", playOrPause));
  values?.onSeek(seek);
  tell(0);
  const buttons = [step(-1, "previous frame", "◂"), play, step(1, "next frame", "▸")];
  const boxes = [el("label", { class: "toggle" }, again, "repeat"), el("label", { class: "toggle" }, heard, "sound")];
  node.append(el("div", { class: "panes" }, sides.map(figure)), el("div", { class: "clock" }, buttons, slider, readout, boxes), values?.node ?? "");
  return node;
}

function film(id, label) {
  const node = el("video", { playsinline: true, preload: "auto", "aria-label": label, "data-held": `v${id}` });
  node.muted = true;
  node.addEventListener("error", () => node.src && node.replaceWith(el("span", { class: "empty" }, "This browser can't play the video: open the file below.")));
  return held(node);
}

// The result of a trial beside its content, or beside what it is compared with: an input or another trial.
function filmsOf(trial, other = "") {
  const part = other === "" ? "content" : other;
  const rival = D.trials[Number(part)];
  const flow = other === "" && trial.video.flow !== undefined ? [["motion", "of the content, black where it is not trusted", trial.video.flow, null]] : [];
  const side = D.inputs.includes(part) ? [part, called(trial, part), trial.video[part], trial.inputs[part] ?? null] : ["left", rival.name, rival.video.result, rival.result];
  const alone = D.inputs.includes(part);
  const values = byFrame(alone ? [["result", trial]] : [["right", trial], ["left", rival]]);
  return films([side, ...flow, [alone ? "result" : "right", trial.name, trial.video.result, trial.result]], values);
}

function hasFilm(trial) {
  return trial.video.result !== undefined;
}
