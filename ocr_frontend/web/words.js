// The language of the page. Elements with data-say hold one of its sentences; listeners draw the rest anew.
import en from "./words.en.js";
import fr from "./words.fr.js";

const TONGUES = { fr, en };
const listeners = new Set();
// What the service says of its documents and its warnings, in both languages.
let told = { documents: {}, labels: {}, numbers: {}, warnings: {} };
let tongue = first();

export const say = (name, ...given) => (given.length ? TONGUES[tongue][name](...given) : TONGUES[tongue][name]);
/** As its document calls it; where none is named, as the first does that has such a field. */
export const fieldName = (name, document) => (told.labels[document]?.[name] ?? labelled(name))?.[tongue] ?? name;
export const documentName = (name) => told.documents[name]?.[tongue] ?? name;
export const isNumber = (name, document) => told.numbers[document]?.has(name) ?? false;
export const errorText = ({ code, message }) => TONGUES[tongue].errors[code] ?? message;
export const percent = (part) => new Intl.NumberFormat(tongue, { style: "percent" }).format(part);
export const advice = (check) => check.advice?.[tongue];
export const onTongue = (listener) => listeners.add(listener);

/** Takes over the titles, labels and sentences of the service. */
export function learn(documents, warnings) {
  const by = (of) => Object.fromEntries(documents.map((each) => [each.name, of(each)]));
  const numbers = ({ properties }) => Object.entries(properties).filter(([, { type }]) => type.includes("number"));
  told = {
    documents: by(({ titles }) => titles),
    labels: by(({ labels }) => labels),
    numbers: by(({ schema }) => new Set(numbers(schema).map(([name]) => name))),
    warnings,
  };
}

const labelled = (name) => Object.values(told.labels).find((labels) => Object.hasOwn(labels, name))?.[name];

/** A warning in the language of the page, by its code; one whose code is not known is shown as it comes. */
export function said({ code, message, params }) {
  const sentence = told.warnings[code]?.[tongue];
  if (!sentence) return message;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? titled(params[name]) : whole));
}

/** Documents and fields by their titles, several of them too; anything else as it is. */
function titled(value) {
  return String(value).split(", ").map((part) => fieldName(documentName(part))).join(", ");
}

export function speak(name) {
  tongue = name;
  document.documentElement.lang = name;
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.setAttribute("aria-pressed", String(button.dataset.lang === name));
  }
  for (const listener of listeners) listener();
}

export function listen() {
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => speak(button.dataset.lang));
  }
  speak(tongue);
}

/** What the address asks for (?lang=en), else the browser's language. Nothing is stored. */
function first() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked in TONGUES) return asked;
  return navigator.language.startsWith("fr") ? "fr" : "en";
}
