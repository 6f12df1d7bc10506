// How long a card took, stage by stage, and the last readings as a chart. Kept as long as the page is open.
import { make } from "./fields.js";
import { onTongue, say } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const STAGES = ["decode", "ocr", "llm", "rest"];
const KEPT = 30;
const byId = (id) => document.getElementById(id);
const history = [];
let shown = [];

/** Milliseconds by stage; what is in no stage is waiting and checking. */
function parts({ timings_ms: times }) {
  const known = { decode: times.decode ?? 0, ocr: times.ocr ?? 0, llm: times.llm ?? 0 };
  const rest = Math.max(0, times.total - known.decode - known.ocr - known.llm);
  return { ...known, rest, total: times.total };
}

export function add(answer) {
  history.push(parts(answer));
  if (history.length > KEPT) history.shift();
}

export function draw(answers) {
  shown = answers;
  byId("figures").hidden = !answers.length;
  byId("stages").replaceChildren(...answers.map(run));
  if (history.length) byId("recent").replaceChildren(chart(), summary());
}

function run(answer) {
  const times = parts(answer);
  const total = make("b", "", say("seconds", times.total / 1000));
  const strip = make("div", "strip", ...STAGES.map((stage) => bar(stage, times[stage])));
  strip.setAttribute("aria-hidden", "true");
  const names = say("stages");
  const key = STAGES.map((stage) => make("li", `stage-${stage}`, `${names[stage]} ${say("seconds", times[stage] / 1000)}`));
  return make("div", "run", make("div", "run-name", make("span", "", answer.model), total), strip, make("ul", "key", ...key));
}

function bar(stage, milliseconds) {
  const element = make("i", `stage-${stage}`);
  element.style.setProperty("--part", milliseconds);
  return element;
}

/** Stacked bars, the newest on the right. */
function chart() {
  const svg = document.createElementNS(SVG, "svg");
  const most = Math.max(...history.map((times) => times.total), 1);
  svg.setAttribute("viewBox", "0 0 300 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", say("chart", history.length, say("seconds", median() / 1000)));
  const axis = document.createElementNS(SVG, "path");
  axis.setAttribute("class", "axis");
  axis.setAttribute("d", "M0 99.5H300M0 50H300");
  svg.append(axis);
  history.forEach((times, index) => {
    let top = 99;
    const left = 300 - (history.length - index) * 10 + 1;
    for (const stage of ["ocr", "llm", "decode", "rest"]) {
      const height = (times[stage] / most) * 96;
      top -= height;
      svg.append(block(stage, left, top, height));
    }
  });
  return svg;
}

function block(stage, left, top, height) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x: left, y: top, width: 8, height, class: `fill-${stage}` })) rect.setAttribute(name, value);
  return rect;
}

function summary() {
  return make("p", "small", say("chart", history.length, say("seconds", median() / 1000)));
}

function median() {
  const totals = history.map((times) => times.total).sort((a, b) => a - b);
  return totals[Math.floor(totals.length / 2)];
}

onTongue(() => draw(shown));
