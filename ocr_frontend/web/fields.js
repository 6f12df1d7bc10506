// One row a field: its value, how sure it is, what speaks against it; the second model's value where two are compared.
import { fieldName, onTongue, percent, said, say } from "./words.js";

const byId = (id) => document.getElementById(id);
const LOW = 0.6; // below it, a value is more doubt than value
let shown = { answer: null, other: null, corrections: new Map() };
let lighting = () => {};
let entered = () => false;
let corrected = () => {};

export const onLight = (listener) => (lighting = listener);
/** Enter in a field; the listener says whether that was all. */
export const onEnter = (listener) => (entered = listener);
export const onCorrect = (listener) => (corrected = listener);
export const printed = (value) => (value === null || value === undefined ? "" : String(value));

/** What stands in the field now: the correction, else what was read. */
export const current = (state, name) => state.corrections.get(name) ?? printed(state.answer.fields[name].value);

export function draw(state) {
  shown = state;
  const list = byId("fields");
  list.replaceChildren();
  byId("values").classList.toggle("two", Boolean(state.other));
  if (!state.answer) return;
  if (state.other) list.append(make("div", "columns", make("span", "", state.answer.model), make("span", "", state.other.model)));
  for (const name of Object.keys(state.answer.fields)) list.append(row(name));
}

export function focus(name) {
  byId(`field-${name}`)?.focus();
}

function row(name) {
  const field = shown.answer.fields[name];
  const input = make("input");
  Object.assign(input, { id: `field-${name}`, value: current(shown, name), placeholder: say("empty"), spellcheck: false });
  input.autocomplete = "off";
  input.setAttribute("aria-describedby", `sure-${name} notes-${name}`);
  const label = make("label", "", fieldName(name, shown.answer.document));
  label.htmlFor = input.id;
  const notes = make("ul", "notes");
  notes.id = `notes-${name}`;
  const whole = make("div", "field", label, sureness(name, field), input, notes);
  whole.dataset.name = name;
  if (shown.other) whole.insertBefore(second(name, input), notes);
  input.addEventListener("input", () => correct(name, input.value));
  input.addEventListener("keydown", (event) => onKey(event, name));
  whole.addEventListener("focusin", () => lightRow(name));
  whole.addEventListener("pointerenter", () => lightRow(name));
  refresh(whole, name);
  return whole;
}

function sureness(name, { confidence, source, needs_review: review }) {
  const known = typeof confidence === "number";
  const level = !known ? "none" : confidence < LOW ? "low" : review ? "fair" : "good";
  const bar = make("i");
  bar.style.setProperty("--part", known ? confidence : 0);
  const gauge = make("span", "gauge", bar);
  gauge.setAttribute("aria-hidden", "true");
  const number = make("span", "number", known ? percent(confidence) : "–");
  number.setAttribute("aria-hidden", "true");
  const words = known ? say("sure", percent(confidence)) + (level === "low" ? `, ${say("check")}` : "") : say("unknownSure");
  const whole = make("div", "sure", gauge, number, make("span", "unseen", words));
  if (source === "mrz") whole.prepend(make("span", "tag", say("zone")));
  whole.id = `sure-${name}`;
  whole.dataset.level = level;
  return whole;
}

function second(name, input) {
  const value = printed(shown.other.fields[name]?.value);
  const differs = value !== printed(shown.answer.fields[name].value);
  const whole = make("div", differs ? "second differs" : "second", make("span", "", value || say("empty")));
  if (differs) {
    const take = make("button", "quiet", say("take"));
    take.type = "button";
    take.setAttribute("aria-label", `${say("take")}: ${fieldName(name, shown.answer.document)}, ${value || say("empty")}`);
    take.addEventListener("click", () => {
      input.value = value;
      correct(name, value);
      input.focus();
    });
    whole.append(take);
  }
  return whole;
}

function correct(name, value) {
  if (value === printed(shown.answer.fields[name].value)) shown.corrections.delete(name);
  else shown.corrections.set(name, value);
  refresh(byId("fields").querySelector(`[data-name="${CSS.escape(name)}"]`), name);
  corrected();
}

/** The notes under a value, and whether it counts as corrected. */
function refresh(whole, name) {
  const field = shown.answer.fields[name];
  const notes = field.warnings.map((warning) => make("li", "", said(warning)));
  whole.classList.toggle("corrected", shown.corrections.has(name));
  if (shown.corrections.has(name)) {
    const undo = make("button", "quiet", say("undo"));
    undo.type = "button";
    undo.addEventListener("click", () => {
      shown.corrections.delete(name);
      byId(`field-${name}`).value = printed(field.value);
      refresh(whole, name);
      corrected();
      focus(name);
    });
    const was = say("was", printed(field.value) || say("empty"));
    notes.unshift(make("li", "was", make("span", "tag", say("corrected")), make("span", "", was), undo));
  }
  whole.querySelector(".notes").replaceChildren(...notes);
}

/** Enter goes on to the next field, as on a form of paper. */
function onKey(event, name) {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  event.preventDefault();
  if (event.key === "Escape") return void document.activeElement.blur();
  if (entered(name)) return;
  const names = Object.keys(shown.answer.fields);
  focus(names[(names.indexOf(name) + 1) % names.length]);
}

function lightRow(name) {
  for (const whole of byId("fields").querySelectorAll(".field")) whole.classList.toggle("lit", whole.dataset.name === name);
  lighting(name);
}

export function make(tag, classes = "", ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children);
  return element;
}

onTongue(() => draw(shown));
