// What the agent takes along: the values as corrected, and beside them what was read.
import { current, printed } from "./fields.js";
import { fieldName, isNumber } from "./words.js";

const COLUMNS = ["field", "label", "value", "read", "confidence", "corrected"];

/** A number stays one, an empty field is null. */
export function typed(state, name) {
  const value = current(state, name).trim();
  if (value === "") return null;
  const number = Number(value.replace(",", "."));
  return isNumber(name, state.answer.document) && Number.isFinite(number) ? number : value;
}

export function asJson(state) {
  const { answer } = state;
  const names = Object.keys(answer.fields);
  const fields = names.map((name) => {
    const { value, confidence, source, warnings } = answer.fields[name];
    return [name, { value: typed(state, name), read: value, confidence, source, warnings, corrected: state.corrections.has(name) }];
  });
  return JSON.stringify({
    document: answer.document,
    model: answer.model,
    data: Object.fromEntries(names.map((name) => [name, typed(state, name)])),
    fields: Object.fromEntries(fields),
    warnings: answer.warnings,
  }, null, 2);
}

export function asCsv(state) {
  const rows = Object.entries(state.answer.fields).map(([name, field]) => [
    name, fieldName(name, state.answer.document), current(state, name), printed(field.value), printed(field.confidence), String(state.corrections.has(name)),
  ]);
  // The mark at the beginning tells spreadsheets that this is UTF-8.
  return "\ufeff" + [COLUMNS, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}

/** Text read from a picture must not become a formula in a spreadsheet. */
function quoted(value) {
  const safe = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** Save a text as a file; its name says which document, nothing of the person. */
export function save(text, type, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
