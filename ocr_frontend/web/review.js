// The fields that a person should look at, one after the other by keyboard, and their corrections sent to the service.
// Only where the service keeps answers for corrections; elsewhere nothing of this is shown.
import * as api from "./api.js";
import { typed } from "./export.js";
import * as fields from "./fields.js";
import { fieldName, onTongue, say } from "./words.js";

const byId = (id) => document.getElementById(id);
let shown = { answer: null, corrections: new Map() };
// By answer, so that a card that one comes back to is as it was left. `seen`: fields that were confirmed; `sent`: how many
// corrections the service has taken, null before.
const worked = new WeakMap();
let work = fresh();
let failed = () => {};

export const onFailure = (listener) => (failed = listener);

/** The fields below their threshold that nobody has looked at, in the order of the card. */
function queue() {
  const { answer, corrections } = shown;
  if (!answer) return [];
  return Object.keys(answer.fields).filter((name) => answer.fields[name].needs_review && !work.seen.has(name) && !corrections.has(name));
}

function fresh() {
  return { seen: new Set(), sent: null };
}

/** What was done for an answer; a new one is looked at from its beginning. */
function workOf(answer) {
  if (!answer) return fresh();
  if (!worked.has(answer)) worked.set(answer, fresh());
  return worked.get(answer);
}

export function draw(state) {
  shown = state;
  work = workOf(state.answer);
  const left = queue();
  byId("review").hidden = !state.answer || !api.answersKept;
  byId("review-words").textContent = work.sent !== null ? say("reviewSent", work.sent) : say("reviewLeft", left.length);
  byId("review-next").disabled = !left.length;
  byId("review-send").disabled = !state.corrections.size;
  for (const row of byId("fields").querySelectorAll(".field")) row.classList.toggle("waits", left.includes(row.dataset.name));
}

/** To the next field that waits after this one, from the top again where there is none; else to the sending, or to the head
 * of the values where there is nothing to send. */
function next(after) {
  const left = queue();
  if (!left.length) {
    byId("announce").textContent = say("reviewLeft", 0);
    return void byId(byId("review-send").disabled ? "values" : "review-send").focus();
  }
  const names = Object.keys(shown.answer.fields);
  const place = names.indexOf(after);
  const name = left.find((each) => names.indexOf(each) > place) ?? left[0];
  fields.focus(name);
  byId("announce").textContent = say("reviewAt", fieldName(name, shown.answer.document), left.length);
}

/** Enter in a field: it is right as it stands. False where there is no review, so that Enter does what it always does. */
function confirm(name) {
  if (byId("review").hidden || !shown.answer.fields[name].needs_review) return false;
  work.seen.add(name);
  work.sent = null;
  draw(shown);
  next(name);
  return true;
}

async function send() {
  const { answer, corrections } = shown;
  const values = Object.fromEntries([...corrections.keys()].map((name) => [name, typed(shown, name)]));
  try {
    await api.correct(answer.id, values);
    workOf(answer).sent = Object.keys(values).length;
    if (shown.answer !== answer) return;
    draw(shown);
    byId("announce").textContent = say("reviewSent", work.sent);
  } catch (error) {
    failed(error);
  }
}

export function bind() {
  byId("review-next").addEventListener("click", () => next(""));
  byId("review-send").addEventListener("click", send);
  fields.onEnter(confirm);
  fields.onCorrect(() => {
    work.sent = null;
    draw(shown);
  });
}

onTongue(() => draw(shown));
