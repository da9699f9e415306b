// Previews: decoded when they come near the screen, given back when they are far away.

const shown = new Map(); // from element to the address of its decoded picture
const missing = new Set(); // elements whose picture the browser has not read yet

function address(id) {
  const text = document.getElementById(`p${id}`);
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text.textContent), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
}

function show(image) {
  if (shown.has(image)) return;
  const found = address(image.dataset.picture);
  if (!found) return void missing.add(image);
  shown.set(image, found);
  image.src = found;
}

function release(image) {
  missing.delete(image);
  if (!shown.has(image)) return;
  URL.revokeObjectURL(shown.get(image));
  shown.delete(image);
  image.removeAttribute("src");
}

const watch = new IntersectionObserver(
  (entries) => entries.forEach((entry) => (entry.isIntersecting ? show : release)(entry.target)),
  { rootMargin: "500px", scrollMargin: "400px" },
);

document.addEventListener("DOMContentLoaded", () => {
  for (const image of [...missing]) {
    missing.delete(image);
    show(image);
  }
});

// An image of a known shape, so that nothing moves when it appears; without a picture, a word in its place.
function picture(id, alt, instead = "no picture") {
  const size = id === null ? null : D.pictures[id];
  if (!size) return el("span", { class: "empty" }, instead);
  const image = el("img", { alt, width: size[0], height: size[1], "data-picture": id, decoding: "async" });
  watch.observe(image);
  return image;
}

// What is taken off the page is watched no longer.
function clear(node) {
  for (const image of node.querySelectorAll("img[data-picture]")) {
    watch.unobserve(image);
    release(image);
  }
  node.replaceChildren();
  return node;
}

function link(trial, file, text) {
  const folder = trial.folder === "." ? "" : `${trial.folder}/`;
  return el("a", { href: `${D.base}/${folder}${file}`, target: "_blank", rel: "noopener" }, text);
}

function full(trial) {
  if (trial.frame) return link(trial, trial.frame, "picture so far");
  return trial.files.includes("image.png") ? link(trial, "image.png", "full picture") : null;
}
