// What the agent must know of the whole answer: problems, warnings, advice about the photo, how far two models agree.
import { make, printed } from "./fields.js";
import { advice, documentName, onTongue, said, say } from "./words.js";

const byId = (id) => document.getElementById(id);
let trouble = null;

/** Show what went wrong, null for nothing. */
export function problem(error) {
  trouble = error;
  byId("problem").hidden = !error;
  byId("problem").textContent = error ? (error.text ?? say("noNetwork")) : "";
}

export function draw({ answer, other }) {
  byId("agreement").hidden = !other;
  if (!answer) return;
  byId("values-title").textContent = documentName(answer.document);
  byId("answered").textContent = say("answeredBy", answer.model);
  const checks = Object.values(answer.quality?.checks ?? {}).map(advice).filter(Boolean);
  const sentences = [...new Set([...answer.warnings.map(said), ...checks])];
  byId("notices").replaceChildren(...sentences.map((sentence) => make("li", "", sentence)));
  if (!other) return;
  const names = Object.keys(answer.fields);
  const same = names.filter((name) => printed(answer.fields[name].value) === printed(other.fields[name]?.value));
  byId("agreement").textContent = say("agree", same.length, names.length);
}

onTongue(() => problem(trouble));
