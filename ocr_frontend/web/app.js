// The page: a picture comes in, its values come back, the agent corrects and exports them.
import * as api from "./api.js";
import { asCsv, asJson, save } from "./export.js";
import * as fields from "./fields.js";
import * as figures from "./figures.js";
import * as intake from "./intake.js";
import * as notices from "./notices.js";
import * as picture from "./picture.js";
import * as review from "./review.js";
import * as setup from "./setup.js";
import { listen, onTongue, say } from "./words.js";

const byId = (id) => document.getElementById(id);
const state = { file: null, answer: null, other: null, corrections: new Map() };
let running = null;

/** Read the picture with the model chosen, then with the one to compare with: one after the other, for honest timings. */
async function read() {
  if (!state.file) return;
  running?.abort();
  const mine = (running = new AbortController());
  const { document: name, model, other } = setup.chosen();
  Object.assign(state, { answer: null, other: null, corrections: new Map() });
  render();
  notices.problem(null);
  picture.busy(true);
  try {
    state.answer = await api.extract(state.file, name, model, mine.signal);
    figures.add(state.answer);
    render();
    if (other) {
      state.other = await api.extract(state.file, state.answer.document, other, mine.signal);
      figures.add(state.other);
      render();
    }
    const found = Object.values(state.answer.data).filter((value) => value !== null).length;
    byId("announce").textContent = say("done", found);
  } catch (error) {
    if (error.name !== "AbortError") notices.problem(error);
  } finally {
    if (running === mine) picture.busy(false);
  }
}

function render() {
  const { answer, other } = state;
  document.querySelector("main").classList.toggle("full", Boolean(state.file));
  document.querySelector("main").classList.toggle("idle", Boolean(state.file) && !answer);
  document.querySelector("main").classList.toggle("two", Boolean(other));
  byId("again").disabled = !state.file;
  byId("values").hidden = !answer;
  picture.mark(answer);
  fields.draw(state);
  notices.draw(state);
  review.draw(state);
  figures.draw([answer, other].filter(Boolean));
}

function take(file) {
  if (file.type && !file.type.startsWith("image/")) {
    notices.problem({ get text() { return say("notImage"); } });
    return;
  }
  state.file = file;
  picture.show(file);
  read();
}

function bind() {
  intake.bind(take);
  fields.onLight(picture.light);
  picture.onTouch(fields.focus);
  picture.prepare();
  review.bind();
  review.onFailure(notices.problem);
  byId("setup").addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  // A correction is worth more than a fresh reading: then only the button reads again.
  byId("setup").addEventListener("change", () => state.corrections.size || read());
  const name = () => `${state.answer.document}-${state.answer.id}`;
  byId("json").addEventListener("click", () => keep(asJson(state), "application/json", `${name()}.json`));
  byId("csv").addEventListener("click", () => keep(asCsv(state), "text/csv", `${name()}.csv`));
}

function keep(text, type, name) {
  save(text, type, name);
  byId("announce").textContent = say("exported");
}

async function watch() {
  const now = await api.state();
  byId("state").dataset.state = now;
  byId("state").textContent = say(now);
  if (!api.answersKept) return;
  byId("privacy").dataset.say = "privacyKept";
  byId("privacy").textContent = say("privacyKept");
  review.draw(state);
}

bind();
listen();
onTongue(() => notices.draw(state));
onTongue(() => (byId("state").textContent = byId("state").dataset.state ? say(byId("state").dataset.state) : ""));
watch();
setInterval(watch, 15000);
setup.load().catch((error) => notices.problem(error));
