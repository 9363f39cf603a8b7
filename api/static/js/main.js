// The page: a conversation with one collection, and what lies around it.

import * as api from "./api.js";
import * as citation from "./citation.js";
import { compare } from "./compare.js";
import { openDocuments } from "./documents.js";
import { announce, byId, el, fill } from "./dom.js";
import { failure } from "./failures.js";
import * as frame from "./frame.js";
import * as i18n from "./i18n.js";
import { calm, drawHistory, forgetAll } from "./history.js";
import { openPreferences } from "./preferences.js";
import { close as closeSource, openSource } from "./source.js";
import * as storage from "./storage.js";
import { points } from "./text.js";
import { Turn } from "./turn.js";

const { t } = i18n;
const REMEMBERED = 10; // earlier turns that a follow-up is told of

const state = { about: null, collection: null, collections: [], conversation: null, views: [], running: null, language: "en" };

// -- conversations ------------------------------------------------------------------------------

function fresh() {
  const id = Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36)).join("");
  return { id, collection: state.collection, time: Date.now(), turns: [] };
}

/** Show a conversation, a new one by default. */
function converse(conversation = fresh()) {
  state.running?.abort();
  closeSource(false);
  citation.hide();
  state.conversation = conversation;
  if (conversation.collection && conversation.collection !== state.collection) select(conversation.collection);
  redraw();
  showHistory();
  frame.closeMenu();
}

function redraw() {
  const kept = state.conversation.turns.filter((turn) => turn.answer);
  state.views = kept.map((turn) => view(turn));
  fill(byId("turns"), state.views.map((each) => each.element));
  byId("welcome").hidden = kept.length > 0;
  byId("main").dataset.empty = String(kept.length === 0);
  state.views.forEach(refreshSources);
  if (kept.length) raise(state.views.at(-1).element, "instant");
}

function view(turn) {
  return new Turn(turn, {
    open: (cited, from) => open({ ...cited, collection: state.conversation.collection }, from),
    keep: () => keep(),
    compare: (asked, from) => compare(asked, {
      about: state.about, from, body: body(asked.question, before(asked)),
      open: (cited, source) => open({ ...cited, collection: state.conversation.collection }, source),
    }),
  });
}

/** Ask what became of the sources of an answer that was kept. */
async function refreshSources(shown) {
  const { answer } = shown.turn;
  if (!answer.id || !answer.citations.length || answer.fresh) return;
  try {
    shown.tell((await api.answer(answer.id)).sources);
  } catch {
    // Answers are kept for some days only; this one is shown as it was.
  }
}

function keep() {
  const conversation = { ...state.conversation, time: Date.now(), turns: state.conversation.turns.filter((turn) => turn.answer) };
  if (conversation.turns.length) storage.keep(conversation);
  showHistory();
}

const showHistory = () =>
  drawHistory({ current: state.conversation?.id, choose: converse, gone: (id) => (id === state.conversation.id ? converse() : showHistory()) });

// -- asking --------------------------------------------------------------------------------------

function before(turn) {
  const { turns } = state.conversation;
  const at = turns.indexOf(turn);
  const earlier = (at < 0 ? turns : turns.slice(0, at)).filter((each) => each.answer).slice(-REMEMBERED);
  return earlier.map(({ answer }) => ({ question: points(answer.asked, 0, 4000), answer: points(answer.answer, 0, 20000) }));
}

function body(question, history) {
  const { about } = state;
  const chosen = { quote_only: byId("quote-only").checked, strictness: Number(byId("strictness").value) };
  const otherwise = Object.entries(chosen).filter(([name, value]) => value !== about[name]);
  return { question, collection: state.collection, history, ...Object.fromEntries(otherwise) };
}

async function ask(question) {
  if (!question || state.running || !state.about) return;
  if (!state.conversation.turns.length) state.conversation.collection = state.collection;
  const turn = { question, answer: null };
  const asked = body(question, before(turn));
  state.conversation.turns.push(turn);
  const shown = view(turn);
  state.views.push(shown);
  byId("welcome").hidden = true;
  byId("main").dataset.empty = "false";
  byId("turns").append(shown.element);
  await run(shown, asked);
}

async function run(shown, asked) {
  const mine = new AbortController();
  const again = () => run(shown, asked);
  busy(mine);
  shown.begin();
  raise(shown.element, matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");
  try {
    for await (const [name, value] of api.ask(asked, mine.signal)) shown.take(name, value);
    if (!shown.turn.answer) throw new api.Refused(0, "network", "");
  } catch (error) {
    if (error.name === "AbortError") shown.stop(again);
    else {
      shown.fail(error, again);
      if (error.status === 401) askForKey(error);
    }
  } finally {
    if (state.running === mine) busy(null);
  }
}

/** Scroll until a turn is at the top. */
function raise(element, behavior) {
  const main = byId("main");
  main.scrollTo({ top: main.scrollTop + element.getBoundingClientRect().top - main.getBoundingClientRect().top, behavior });
}

function busy(controller) {
  state.running = controller;
  byId("stop").hidden = controller === null;
  byId("send").hidden = controller !== null;
}

// -- collections -----------------------------------------------------------------------------------

async function loadCollections() {
  const { collections, default: standard } = await api.collections();
  state.collections = collections;
  const names = collections.map((one) => one.name);
  if (standard && !names.includes(standard)) names.unshift(standard);
  const wanted = [state.collection, storage.settings().collection, standard, names[0]];
  state.collection = wanted.find((name) => names.includes(name)) ?? null;
  fill(byId("collection"), names.map((name) => el("option", { value: name, text: name, selected: name === state.collection })));
  tellEmpty();
}

function tellEmpty() {
  const found = state.collections.find((one) => one.name === state.collection);
  byId("welcome-empty").hidden = false;
  byId("welcome-empty").textContent = found?.documents ? t("documents_count", { count: i18n.number(found.documents) }) : t("welcome_empty");
}

/** Ask another collection from now on. */
function select(name) {
  state.collection = name;
  storage.set("collection", name);
  byId("collection").value = name;
  tellEmpty();
}

async function choose(name) {
  state.collection = name;
  storage.set("collection", name);
  await loadCollections();
  converse();
}

// -- what lies beside it ------------------------------------------------------------------------------

function open(where, from) {
  openSource({ ...where, collection: where.collection ?? state.collection }, from, {
    onOpen: () => frame.lay("source"),
    onClose: () => frame.unlay("source"),
  });
}

const showDocuments = () => state.about && openDocuments({ collection: state.collection, about: state.about, open, choose, changed: loadCollections });

const showPreferences = (told = "", needed = false) =>
  openPreferences({ language: state.language, told, needed, useLanguage, useKey: start });

function askForKey(error) {
  showPreferences(storage.key() && error.status === 401 ? t("key_wrong") : t("key_needed"), true);
}

async function useLanguage(code) {
  state.language = code;
  storage.set("language", code);
  await i18n.use(code);
  tellService();
  if (state.about) tellEmpty();
  showHistory();
  calm();
  if (!state.running) redraw();
  if (byId("settings").open) showPreferences();
}

function tellService() {
  const host = state.about?.sends_to;
  byId("sends").hidden = !host;
  byId("sends").textContent = host ? t("sends_to", { host }) : "";
  byId("strictness-value").textContent = i18n.number(Number(byId("strictness").value), 2);
}

async function start() {
  try {
    state.about = await api.about();
    await loadCollections();
  } catch (error) {
    state.about = null;
    if (error.status === 401) return askForKey(error);
    byId("welcome-empty").hidden = false;
    byId("welcome-empty").textContent = failure(error);
    announce(failure(error));
    return;
  }
  byId("quote-only").checked = state.about.quote_only;
  byId("quote-only").closest("label").hidden = !state.about.writes;
  byId("strictness").value = String(state.about.strictness);
  tellService();
}

// -- the page itself -----------------------------------------------------------------------------------

function grow() {
  const field = byId("question");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight * 0.4)}px`;
}

function listen() {
  const field = byId("question");
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = field.value.trim();
    if (!question || state.running || !state.about) return;
    field.value = "";
    grow();
    ask(question);
  });
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    // While a word is being composed (Chinese, Japanese), Enter chooses it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  });
  byId("stop").addEventListener("click", () => (state.running?.abort(), field.focus()));
  byId("strictness").addEventListener("input", tellService);
  byId("collection").addEventListener("change", (event) => (select(event.target.value), converse()));
  byId("new-conversation").addEventListener("click", () => (converse(), field.focus()));
  byId("forget-all").addEventListener("click", () => forgetAll() && converse());
  byId("forget-all").addEventListener("blur", calm);
  byId("open-documents").addEventListener("click", showDocuments);
  byId("open-settings").addEventListener("click", () => showPreferences());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (citation.dismissed() || frame.closeMenu() || closeSource()) event.preventDefault();
  });
  // A file that misses its place is not opened in place of the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
}

async function main() {
  const wanted = storage.settings().language;
  state.language = wanted in i18n.LANGUAGES ? wanted : i18n.preferred();
  await i18n.use(state.language);
  frame.install();
  citation.install();
  listen();
  converse();
  await start();
  state.conversation.collection = state.collection;
  document.body.dataset.ready = "true";
  if (!document.querySelector("dialog[open]") && matchMedia("(hover: hover)").matches) byId("question").focus();
}

main();
