// The front's HTTP interface. A key, where the service wants one, is kept in this module and nowhere else.
import { errorText, say } from "./words.js";

let key = null;

/** Whether the service keeps what it read, for corrections; known once `state` was asked. */
export let answersKept = false;

/** An answer that is an error: `code` and the sentence to show. */
export class Refused extends Error {
  constructor(error) {
    super(errorText(error));
    this.error = error;
  }

  /** The sentence in the language of now. */
  get text() {
    return this.error.code === "offline" ? say("noNetwork") : errorText(this.error);
  }
}

async function call(path, options = {}) {
  const headers = key ? { ...options.headers, Authorization: `Bearer ${key}` } : { ...options.headers };
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ code: "offline", message: "" });
  }
  if (response.status === 401) {
    await askKey();
    return call(path, options);
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error ?? { code: "internal", message: response.statusText });
  return body;
}

export const models = async () => (await call("models")).models;
export const warnings = async () => await call("v1/warnings");
export const documents = async () => (await call("v1/documents")).documents;

/** `card`: which of several on the picture, from 1; null leaves it to the service. */
export function extract(file, { document, model, card }, signal) {
  const form = new FormData();
  form.append("image", file);
  form.append("document", document);
  form.append("model", model);
  if (card) form.append("card", card);
  return call("v1/extract", { method: "POST", body: form, signal });
}

/** The right values of an answer, by field. */
export function correct(id, fields) {
  const headers = { "Content-Type": "application/json" };
  return call(`v1/results/${encodeURIComponent(id)}`, { method: "PUT", headers, body: JSON.stringify({ fields }) });
}

/** "ready", "away" (alive, cannot answer now) or "offline". */
export async function state() {
  try {
    const answer = await fetch("ready", { cache: "no-store" });
    if (!answer.ok) return "away";
    const told = await answer.json();
    answersKept = told.answers === "kept";
    return told.model_server === "away" ? "away" : "ready";
  } catch {
    return "offline";
  }
}

let asking = null;

/** One dialog at a time, however many calls wait for it. */
function askKey() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key-dialog");
    const input = document.getElementById("key");
    dialog.addEventListener("close", () => {
      key = input.value.trim();
      input.value = "";
      asking = null;
      resolve();
    }, { once: true });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.showModal();
  });
  return asking;
}
