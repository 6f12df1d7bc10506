// The card as sent, the boxes over it, and the line of the lit field magnified below.
import { fieldName, onTongue, say } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
let answer = null;
let lit = null;
let address = null;
let touched = () => {};

export const onTouch = (listener) => (touched = listener);

/** Show a file. Its address is given back when the next one comes. */
export function show(file) {
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(file);
  byId("photo").src = address;
  byId("card").hidden = false;
  byId("frame").classList.remove("blank");
  mark(null);
}

export const busy = (yes) => (byId("reading").hidden = !yes);

/** The boxes of an answer; null takes them away. */
export function mark(next) {
  answer = next;
  byId("boxes").replaceChildren();
  light(null);
  if (!answer) return;
  const [width, height] = answer.ocr.size;
  byId("boxes").setAttribute("viewBox", `0 0 ${width} ${height}`);
  byId("boxes").setAttribute("preserveAspectRatio", "none");
  byId("frame").style.setProperty("--shape", width / height);
  for (const [name, field] of Object.entries(answer.fields)) {
    if (!field.box) continue;
    const shape = document.createElementNS(SVG, "polygon");
    shape.setAttribute("points", grown(field.box, height * 0.006).map((point) => point.join(",")).join(" "));
    shape.dataset.name = name;
    shape.addEventListener("click", () => touched(name));
    byId("boxes").append(shape);
  }
}

/** Light one field's box, none with null. */
export function light(name) {
  lit = name;
  let found = false;
  for (const shape of byId("boxes").children) {
    const same = shape.dataset.name === name;
    shape.classList.toggle("lit", same);
    found ||= same;
  }
  byId("boxes").classList.toggle("some-lit", found);
  const box = found && answer.fields[name].box;
  const shown = Boolean(box) && magnify(box);
  byId("loupe").hidden = !shown;
  byId("loupe-words").hidden = shown;
  byId("loupe-words").textContent = name === null || found ? say("loupe") : say("noPlace");
  if (shown) byId("loupe").setAttribute("aria-label", say("loupeOf", fieldName(name, answer.document)));
}

/** Draw the box's part of the photo, with some margin, into the strip below the picture. */
function magnify(box) {
  const photo = byId("photo");
  if (!photo.naturalWidth) return false;
  const scale = photo.naturalWidth / answer.ocr.size[0];
  const xs = box.map((point) => point[0] * scale);
  const ys = box.map((point) => point[1] * scale);
  const margin = (Math.max(...ys) - Math.min(...ys)) * 0.35 + 2;
  const left = Math.min(...xs) - margin * 2;
  const top = Math.min(...ys) - margin;
  const width = Math.max(...xs) + margin * 2 - left;
  const height = Math.max(...ys) + margin - top;
  const strip = byId("loupe");
  strip.height = 112;
  strip.width = Math.round(Math.min(1400, Math.max(112, (112 * width) / height)));
  strip.getContext("2d").drawImage(photo, left, top, width, height, 0, 0, strip.width, strip.height);
  return true;
}

/** A box with some room around the letters. */
function grown(box, by) {
  const x = box.reduce((sum, point) => sum + point[0], 0) / 4;
  const y = box.reduce((sum, point) => sum + point[1], 0) / 4;
  return box.map(([a, b]) => [a + Math.sign(a - x) * by, b + Math.sign(b - y) * by]);
}

export function prepare() {
  // A browser shows no TIFF: the boxes then stand on an empty card.
  byId("photo").addEventListener("error", () => byId("frame").classList.add("blank"));
  byId("photo").addEventListener("load", () => light(lit));
  onTongue(() => {
    byId("photo").alt = say("picture");
    light(lit);
  });
}
