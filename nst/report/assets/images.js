// Previews, audio and video: decoded when they come near the screen, given back when they are far away.

const TYPES = { p: "image/webp", s: "audio/mpeg", v: "video/mp4" }; // by how the id of the element that holds one begins
const shown = new Map(); // from element to the address of what was decoded for it
const missing = new Set(); // elements whose image or audio the browser has not read yet

function address(id) {
  const text = document.getElementById(id);
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text.textContent), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: TYPES[id[0]] }));
}

function show(node) {
  if (shown.has(node)) return;
  const found = address(node.dataset.held);
  if (!found) return void missing.add(node);
  shown.set(node, found);
  node.src = found;
}

function release(node) {
  missing.delete(node);
  if (!shown.has(node)) return;
  URL.revokeObjectURL(shown.get(node));
  shown.delete(node);
  node.removeAttribute("src");
}

// What has been listened to keeps its place.
const watch = new IntersectionObserver(
  (entries) => entries.forEach(({ isIntersecting, target }) => (isIntersecting ? show(target) : target.currentTime > 0 || release(target))),
  { rootMargin: "500px", scrollMargin: "400px" },
);

document.addEventListener("DOMContentLoaded", () => {
  for (const node of [...missing]) {
    missing.delete(node);
    show(node);
  }
});

function held(node) {
  watch.observe(node);
  return node;
}

// An image of a known shape, so that nothing moves when it appears; without an image, a word in its place.
function image(id, alt, instead = "no image") {
  const size = id === null ? null : D.images[id];
  if (!size) return el("span", { class: "empty" }, instead);
  return held(el("img", { alt, width: size[0], height: size[1], "data-held": `p${id}`, decoding: "async" }));
}

// What is taken off the page is watched no longer.
function clear(node) {
  for (const each of node.querySelectorAll("[data-held]")) {
    watch.unobserve(each);
    release(each);
  }
  node.replaceChildren();
  return node;
}

function link(trial, file, text) {
  const folder = trial.folder === "." ? "" : `${trial.folder}/`;
  return el("a", { href: `${D.base}/${folder}${file}`, target: "_blank", rel: "noopener" }, text);
}

const FILES = {
  "image.png": "full image",
  "audio.wav": "full audio",
  "video.mp4": "full video",
  "video.png": "first frame",
  "flow.mp4": "motion",
  "sheet.png": "content, styles and result",
  "spectrogram.png": "spectrogram",
  "curve.png": "loss curve",
};

function links(trial) {
  const kind = { png: "image", wav: "audio" }[trial.frame.split(".").pop()] ?? "result";
  const soFar = trial.frame ? link(trial, trial.frame, `${kind} so far`) : null;
  const inputOf = (file) => D.inputs.find((name) => file.split(".")[0] === name);
  const sheet = trial.sheet === null ? FILES["sheet.png"] : "frames of content and result";
  const words = (file) => (file === "sheet.png" ? sheet : FILES[file]) ?? (inputOf(file) ? `full ${inputOf(file)}` : file);
  return el("p", { class: "links" }, soFar, trial.files.map((file) => link(trial, file, words(file))));
}
