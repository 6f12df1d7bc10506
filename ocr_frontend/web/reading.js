// What is read now: the picture, its cards, the answer for the one in hand, and what the agent corrected in it.
import * as api from "./api.js";
import * as cards from "./cards.js";
import * as setup from "./setup.js";

// `cards`: what stands on the picture where it is several cards; `card`: which of them is shown or wanted, from 1.
export const state = { file: null, answer: null, other: null, corrections: new Map(), cards: [], card: null };
// By card, as it was left: to look at another one loses no correction.
const kept = new Map();
let running = null;
let listeners = {};

/** `changed`: the state is another; `busy` gets whether a reading runs, `answered` each answer that comes, `done` the state, `failed` an error or null. */
export const on = (given) => (listeners = given);

export const corrected = () => [...kept.values()].some(({ corrections }) => corrections.size);

export function take(file) {
  Object.assign(state, { file, cards: [], card: null });
  read();
}

/** From the beginning, the card in hand first. */
export function read() {
  if (!state.file) return;
  kept.clear();
  readCard();
}

/** The next reading is of the card that is the chosen document, whichever that is. */
export const anyCard = () => (state.card = null);

/** Another card of the picture: as it was left, or read now. */
export function turn(card) {
  if (card === state.card && (state.answer || running)) return;
  state.card = card;
  if (!kept.has(card)) return void readCard();
  running?.abort();
  running = null;
  Object.assign(state, kept.get(card));
  listeners.failed(null);
  listeners.busy(false);
  listeners.changed();
  listeners.done(state);
}

/** With the model chosen, then with the one to compare with: one after the other, for honest timings. */
async function readCard() {
  running?.abort();
  const mine = (running = new AbortController());
  const { document: named, model, other } = setup.chosen();
  Object.assign(state, { answer: null, other: null, corrections: new Map() });
  listeners.changed();
  listeners.failed(null);
  listeners.busy(true);
  try {
    const wanted = { document: state.cards[state.card - 1] ?? named, model, card: state.card };
    const answer = await extract(wanted, mine.signal);
    keep({ answer, ...cards.told(answer) });
    if (other) {
      const same = { document: answer.document, model: other, card: state.card };
      keep({ other: await extract(same, mine.signal) });
    }
    listeners.done(state);
  } catch (error) {
    if (error.name !== "AbortError") listeners.failed(error);
  } finally {
    if (running === mine) {
      running = null;
      listeners.busy(false);
    }
  }
}

async function extract(wanted, signal) {
  const answer = await api.extract(state.file, wanted, signal);
  signal.throwIfAborted(); // it came as somebody turned to another card
  listeners.answered(answer);
  return answer;
}

function keep(news) {
  const { card, answer, other, corrections } = Object.assign(state, news);
  kept.set(card, { answer, other, corrections });
  listeners.changed();
}
