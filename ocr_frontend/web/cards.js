// The cards of a picture that shows several: one is read, each of the others is a button away.
import { make } from "./fields.js";
import { documentName, onTongue, say } from "./words.js";

const group = () => document.getElementById("cards");
let shown = { cards: [], card: null };
let chosen = () => {};

/** The listener gets the number of the card wanted, from 1. */
export const onChoose = (listener) => (chosen = listener);

/** Which card an answer is of, and every card's document in reading order (null: not known). One card alone has no names. */
export function told(answer) {
  const left = answer.warnings.find(({ code }) => code === "cards_left_out");
  if (!left) return { card: null, cards: [] };
  const { card, others } = left.params;
  const cards = others.split(", ").map((name) => (name === "?" ? null : name));
  cards.splice(card - 1, 0, answer.document);
  return { card, cards };
}

/** The button that was pressed keeps the focus, also while its card is read. */
export function draw({ cards, card }) {
  shown = { cards, card };
  const at = [...group().children].indexOf(document.activeElement);
  group().hidden = !cards.length;
  group().replaceChildren(...cards.map(button));
  if (at >= 0) group().children[at]?.focus();
}

function button(name, index) {
  const number = index + 1;
  const element = make("button", "quiet", say("cardOf", number, shown.cards.length), make("span", "small", name ? documentName(name) : say("unknownCard")));
  element.type = "button";
  element.setAttribute("aria-pressed", String(number === shown.card));
  element.addEventListener("click", () => chosen(number));
  return element;
}

onTongue(() => {
  group().setAttribute("aria-label", say("cards"));
  draw(shown);
});
