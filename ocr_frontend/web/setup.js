// Which document and which models: what the service says it has.
import * as api from "./api.js";
import { make } from "./fields.js";
import { documentName, learn, onTongue, say } from "./words.js";

const byId = (id) => document.getElementById(id);
let known = { documents: [], models: [] };

export async function load() {
  const [documents, warnings, models] = await Promise.all([api.documents(), api.warnings(), api.models()]);
  known = { documents, models };
  learn(documents, warnings);
  draw();
}

export const chosen = () => ({
  document: byId("document").value || "auto",
  model: byId("model").value,
  other: byId("other").value,
});

/** A model that reads the chosen document, where the one that is chosen does not: an adapter before a base model. */
function fit() {
  const reads = known.documents.find(({ name }) => name === chosen().document)?.models ?? [];
  if (!reads.length || reads.includes(chosen().model)) return;
  const able = known.models.filter(({ id }) => reads.includes(id));
  choose("model", (able.find((model) => model.has_adapter && !isRevision(model)) ?? able[0])?.id ?? chosen().model);
}

/** Drawn anew in another language; what was chosen stays. */
function draw() {
  const before = chosen();
  byId("document").replaceChildren(option("auto", say("auto")), ...known.documents.map(({ name }) => option(name, documentName(name))));
  byId("model").replaceChildren(...groups());
  byId("other").replaceChildren(option("", say("nobody")), ...groups());
  choose("document", before.document);
  choose("model", before.model || firstModel());
  choose("other", before.other);
}

const isRevision = ({ id }) => id.includes("@");
const firstModel = () => (known.models.find((model) => model.has_adapter && !isRevision(model)) ?? known.models[0])?.id ?? "";

function groups() {
  const parts = [
    ["adapters", (model) => model.has_adapter && !isRevision(model)],
    ["revisions", (model) => model.has_adapter && isRevision(model)],
    ["bases", (model) => !model.has_adapter],
  ];
  return parts.flatMap(([name, belongs]) => {
    const members = known.models.filter(belongs);
    if (!members.length) return [];
    const group = make("optgroup", "", ...members.map(({ id }) => option(id, id)));
    group.label = say(name);
    return [group];
  });
}

function option(value, text) {
  const element = make("option", "", text);
  element.value = value;
  return element;
}

function choose(id, value) {
  byId(id).value = value;
  if (byId(id).selectedIndex < 0) byId(id).selectedIndex = 0;
}

byId("document").addEventListener("change", fit);
onTongue(draw);
