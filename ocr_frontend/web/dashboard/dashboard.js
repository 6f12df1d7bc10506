// Asks for the data every two seconds while the page is looked at, and shows it. Text goes in as text, never as markup.
import { between, bytes, count, percentile, seconds, share, sum } from "/dashboard/numbers.js";
import { WORDS } from "/dashboard/words.js";

const EVERY = 2000, WINDOW = 300_000;
const STAGES = ["queue", "decode", "ocr", "prompt", "llm", "validate", "total"];
const page = (id) => document.getElementById(id);
const seen = []; // moments of the window: { at, data }
let language = navigator.language.startsWith("fr") ? "fr" : "en", key = "", asked = 0;
const word = (name) => WORDS[language][name];

function make(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

function facts(id, rows) {
  page(id).replaceChildren(...rows.map(([name, value, bad]) => {
    const number = make("dd", value);
    number.classList.toggle("bad", Boolean(bad));
    return make("div", null, make("dt", name), number);
  }));
}

const row = (cells) => make("tr", null, ...cells.map((cell) => make("td", cell)));

function say(name, bad) {
  page("state").textContent = word(name);
  page("state").classList.toggle("bad", bad);
}

function showFront(now, then, elapsed) {
  const total = sum(now.requests), answered = now.requests["2xx"] ?? 0, failed = now.requests["5xx"] ?? 0;
  const rate = then && elapsed ? Math.max(0, total - sum(then.requests)) / elapsed : 0;
  facts("requests", [
    [word("rate"), count(rate, language)], [word("answered"), count(answered, language)],
    [word("refused_cards"), count(total - answered - failed, language)], [word("failed"), count(failed, language), failed],
    [word("waiting"), count(now.waiting, language)],
  ]);
  page("stages").replaceChildren(...STAGES.filter((name) => now.stages[name]).map((name) => {
    const histogram = between(now.stages[name], then?.stages[name]);
    const times = [0.5, 0.95, 0.99].map((part) => seconds(percentile(histogram, part), language));
    return row([name, ...times, count(histogram.count, language)]);
  }));
}

function showChart() {
  const rates = seen.slice(1).map(({ at, data }, index) => {
    const before = seen[index];
    return [at, Math.max(0, sum(data.front.requests) - sum(before.data.front.requests)) / ((at - before.at) / 1000)];
  });
  const most = Math.max(1, ...rates.map(([, rate]) => rate)), end = Date.now();
  const points = rates.map(([at, rate]) => `${300 - (300 * (end - at)) / WINDOW},${57 - (54 * rate) / most}`);
  document.querySelector("#chart polyline").setAttribute("points", points.join(" "));
}

function showMemory(memory) {
  const most = Math.max(1, ...Object.values(memory));
  page("memory").replaceChildren(...Object.entries(memory).map(([name, size]) => {
    const filled = make("i", null);
    filled.style.width = `${(100 * size) / most}%`;
    const bar = make("div", null, make("span", name), make("div", null, filled), make("span", bytes(size, language)));
    bar.className = "bar";
    return bar;
  }));
}

function showServer(now, then) {
  facts("engine", [
    [word("engine_running"), count(now.running, language)], [word("engine_waiting"), count(now.waiting, language)],
    [word("kv_cache"), share(now.kv_cache, language), now.kv_cache > 0.95],
  ]);
  const rows = now.adapters.map((adapter) => {
    const before = then?.adapters.find((one) => one.adapter === adapter.adapter && one.revision === adapter.revision);
    const p95 = (name) => seconds(percentile(between(adapter[name], before?.[name]), 0.95), language);
    const name = adapter.revision ? `${adapter.adapter}@${adapter.revision}` : adapter.adapter;
    const numbers = [adapter.requests, adapter.errors, adapter.in_flight, adapter.tokens].map((n) => count(n, language));
    return row([name, share(adapter.share, language), ...numbers, p95("first_token"), p95("duration")]);
  });
  page("adapters").replaceChildren(...(rows.length ? rows : [row([word("none")])]));
  const { count: held, capacity, bytes: sizes } = now.tiers;
  facts("tiers", [["slots", "slots"], ["memory", "in_memory"], ["disk", "disk"]].map(([tier, name]) => {
    const of = capacity[tier] ? ` ${word("of")} ${count(capacity[tier], language)}` : "";
    return [word(name), `${count(held[tier] ?? 0, language)}${of} · ${bytes(sizes[tier] ?? 0, language)}`];
  }));
}

function show() {
  document.documentElement.lang = language;
  document.title = word("title");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  page("language").textContent = word("language");
  if (!seen.length) return;
  const last = seen.at(-1), first = seen[0];
  showFront(last.data.front, seen.length > 1 ? first.data.front : null, (last.at - first.at) / 1000);
  showChart();
  showMemory({ ...last.data.front.memory, ...last.data.server?.memory });
  if (last.data.server) showServer(last.data.server, first.data.server);
  say(last.data.server_state, last.data.server_state !== "ok");
}

async function look() {
  if (document.hidden) return;
  const mine = ++asked;
  try {
    const answer = await fetch("/dashboard/data", { headers: key ? { Authorization: `Bearer ${key}` } : {} });
    page("keys").hidden = answer.status !== 401 && answer.status !== 403;
    if (answer.status === 401) return say("wrong_key", true);
    if (answer.status === 403) return say("no_scope", true);
    if (!answer.ok) return say("front_away", true);
    const data = await answer.json();
    if (mine !== asked) return;
    if (data.server_state === "guarded") page("keys").hidden = false;
    seen.push({ at: Date.now(), data });
    while (seen[0].at < Date.now() - WINDOW) seen.shift();
    show();
  } catch {
    say("front_away", true);
  }
}

page("language").addEventListener("click", () => { language = language === "fr" ? "en" : "fr"; show(); });
page("keys").addEventListener("submit", (event) => { event.preventDefault(); key = page("key").value; look(); });
show();
look();
setInterval(look, EVERY);
