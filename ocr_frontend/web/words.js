// The language of the page. Elements with data-say hold one of its sentences; listeners draw the rest anew.
import en from "./words.en.js";
import fr from "./words.fr.js";

const TONGUES = { fr, en };
const listeners = new Set();
let tongue = first();

export const say = (name, ...given) => (given.length ? TONGUES[tongue][name](...given) : TONGUES[tongue][name]);
export const fieldName = (name) => TONGUES[tongue].fields[name] ?? name;
export const documentName = (name) => TONGUES[tongue].documents[name] ?? name;
export const errorText = ({ code, message }) => TONGUES[tongue].errors[code] ?? message;
export const percent = (part) => new Intl.NumberFormat(tongue, { style: "percent" }).format(part);
export const advice = (check) => check.advice?.[tongue];
export const onTongue = (listener) => listeners.add(listener);

/** A sentence of the service in the language of the page; one that is not known stays as it is. */
export function said(sentence) {
  for (const [pattern, other] of TONGUES[tongue].said) {
    if (pattern.test(sentence)) {
      return sentence.replace(pattern, other).replace(/cni-\d{4}-\w+/g, documentName);
    }
  }
  return sentence;
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
