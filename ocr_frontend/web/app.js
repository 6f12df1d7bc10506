// The page: a picture comes in, its values come back, the agent corrects and exports them.
import * as api from "./api.js";
import * as cards from "./cards.js";
import { asCsv, asJson, save } from "./export.js";
import * as fields from "./fields.js";
import * as figures from "./figures.js";
import * as intake from "./intake.js";
import * as notices from "./notices.js";
import * as picture from "./picture.js";
import * as reading from "./reading.js";
import * as review from "./review.js";
import * as setup from "./setup.js";
import { listen, onTongue, say } from "./words.js";

const byId = (id) => document.getElementById(id);
const { state } = reading;

function render() {
  const { answer, other } = state;
  document.querySelector("main").classList.toggle("full", Boolean(state.file));
  document.querySelector("main").classList.toggle("idle", Boolean(state.file) && !answer);
  document.querySelector("main").classList.toggle("two", Boolean(other));
  byId("again").disabled = !state.file;
  byId("values").hidden = !answer;
  cards.draw(state);
  picture.mark(answer);
  fields.draw(state);
  notices.draw(state);
  review.draw(state);
  figures.draw([answer, other].filter(Boolean));
}

function announce({ answer }) {
  const found = Object.values(answer.data).filter((value) => value !== null).length;
  byId("announce").textContent = say("done", found);
}

function take(file) {
  if (file.type && !file.type.startsWith("image/")) {
    notices.problem({ get text() { return say("notImage"); } });
    return;
  }
  picture.show(file);
  reading.take(file);
}

function bind() {
  intake.bind(take);
  reading.on({ changed: render, busy: picture.busy, answered: figures.add, done: announce, failed: notices.problem });
  cards.onChoose(reading.turn);
  fields.onLight(picture.light);
  picture.onTouch(fields.focus);
  picture.prepare();
  review.bind();
  review.onFailure(notices.problem);
  byId("setup").addEventListener("submit", (event) => {
    event.preventDefault();
    reading.read();
  });
  // A correction is worth more than a fresh reading: then only the button reads again.
  byId("setup").addEventListener("change", ({ target }) => {
    if (target.id === "document") reading.anyCard();
    if (!reading.corrected()) reading.read();
  });
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
