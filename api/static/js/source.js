// The panel of a source: its text at the passage, and for a PDF the page as it looks.

import * as api from "./api.js";
import { button, byId, el, fill, icon } from "./dom.js";
import { file } from "./citation.js";
import { failure } from "./failures.js";
import { t } from "./i18n.js";
import { language, line, points, shown } from "./text.js";

const STEP = 6000; // code points that are loaded with "earlier text" and "later text"
const WIDEST = 1600;

let opened = null;

/** Open a source: {collection, document_id, title, source, start, end, quote}; start may be null. */
export async function openSource(where, from, { onOpen, onClose }) {
  close(false);
  const mine = (opened = { where, from, onClose, controller: new AbortController() });
  const panel = byId("source");
  const body = el("div", { class: "source-body" }, el("p", { class: "muted pad", text: t("loading") }));
  const title = el("h2", { tabindex: "-1", dir: "auto", text: line(where.title) || file(where) });
  const about = el("p", { class: "muted small" });
  const tabs = el("div", { class: "tabs" });
  fill(panel, el("div", { class: "source-head" }, el("div", { class: "source-title" }, title, about), button("close", t("close"), () => close())), tabs, body);
  panel.hidden = false;
  onOpen(panel);
  title.focus({ preventScroll: true });
  try {
    const found = await api.text(where.collection, where.document_id, where.start, where.end);
    if (mine !== opened) return;
    const named = line(found.name) === line(found.title) ? "" : line(found.name);
    fill(about, el("bdi", { text: [found.page ? t(`unit.${found.unit}`, { n: found.page }) : "", named].filter(Boolean).join(" · ") }));
    draw(mine, found, tabs, body);
  } catch (error) {
    if (mine === opened) lost(body, where, error.status === 404 ? t("source_gone") : error.status === 422 ? t("source_changed") : failure(error));
  }
}

/** Close the panel; tell whether there was one. */
export function close(focus = true) {
  const was = opened;
  opened = null;
  byId("source").hidden = true;
  if (!was) return false;
  was.controller.abort();
  was.onClose();
  if (focus) was.from?.focus();
  return true;
}

function lost(body, where, told) {
  fill(body, el("div", { class: "pad" }, el("p", { class: "notice" }, icon("warning"), el("span", { text: told })),
    where.quote ? el("blockquote", { class: "words", dir: "auto", text: shown(where.quote) }) : null));
}

function draw(mine, found, tabs, body) {
  const text = textView(mine, found);
  if (!found.drawable) {
    fill(tabs);
    fill(body, text.element);
    return text.reveal();
  }
  const page = pageView(mine, found);
  const choose = tabRow(tabs, body, [["text", t("text"), text], ["page", t("page_image"), page]]);
  choose(0, false);
}

function tabRow(tabs, body, views) {
  const buttons = views.map(([name, words], i) =>
    el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, text: words, on: { click: () => choose(i, true) } }));
  views.forEach(([name, , view]) => {
    view.element.id = `panel-${name}`;
    view.element.setAttribute("role", "tabpanel");
    view.element.setAttribute("aria-labelledby", `tab-${name}`);
  });
  const choose = (i, focus) => {
    buttons.forEach((each, n) => {
      each.setAttribute("aria-selected", String(n === i));
      each.tabIndex = n === i ? 0 : -1;
      views[n][2].element.hidden = n !== i;
    });
    if (focus) buttons[i].focus();
    views[i][2].reveal();
  };
  tabs.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    choose((at + step + buttons.length) % buttons.length, true);
  };
  fill(tabs, el("div", { role: "tablist", "aria-label": t("source") }, buttons));
  fill(body, views.map(([, , view]) => view.element));
  return choose;
}

// -- text ------------------------------------------------------------------------------------

function textView(mine, found) {
  const { where } = mine;
  const state = { start: found.start, end: found.end, text: found.text };
  const marked = where.start === null || where.start === undefined ? null : found.selected;
  const element = el("div", { class: "doc", tabindex: "0", role: "region", "aria-label": t("text") });
  let mark = null;
  const words = () => {
    const cut = (from, to) => shown(points(state.text, from - state.start, to - state.start));
    if (!marked) return [cut(state.start, state.end)];
    mark = el("mark", { tabindex: "-1", text: cut(marked.start, marked.end) });
    return [cut(state.start, marked.start), mark, cut(marked.end, state.end)];
  };
  const show = () => {
    const changed = marked && where.quote && points(state.text, marked.start - state.start, marked.end - state.start) !== where.quote;
    fill(
      element,
      changed ? el("div", {}, el("p", { class: "notice" }, icon("warning"), el("span", { text: t("source_changed") })), el("blockquote", { class: "words", dir: "auto", text: shown(where.quote) })) : null,
      state.start > 0 ? more(t("earlier_text"), () => earlier()) : null,
      el("div", { class: "doc-text", dir: "auto", lang: language(found.language) }, words()),
      state.end < found.length ? more(t("later_text"), () => later()) : null,
    );
  };
  const earlier = async () => {
    const read = await api.text(where.collection, where.document_id, Math.max(0, state.start - STEP), state.start);
    const height = element.scrollHeight;
    state.text = points(read.text, 0, state.start - read.start) + state.text;
    state.start = read.start;
    show();
    element.scrollTop += element.scrollHeight - height;
    element.focus({ preventScroll: true });
  };
  const later = async () => {
    const read = await api.text(where.collection, where.document_id, state.end, Math.min(found.length, state.end + STEP));
    state.text += points(read.text, state.end - read.start, read.end - read.start);
    state.end = read.end;
    show();
    element.focus({ preventScroll: true });
  };
  show();
  return { element, reveal: () => mark?.scrollIntoView({ block: "center" }) };
}

const more = (words, run) => el("p", { class: "more" }, el("button", { type: "button", class: "quiet small", text: words, on: { click: run } }));

// -- pages ------------------------------------------------------------------------------------

function pageView(mine, found) {
  const { where } = mine;
  const canvas = el("canvas", { role: "img" });
  const status = el("p", { class: "muted small", role: "status" });
  const count = el("span", { class: "muted small" });
  let page = found.page ?? 1;
  let drawn = 0;
  const go = (step) => () => {
    page = Math.max(1, Math.min(found.pages, page + step));
    load();
  };
  const before = button("before", t("previous_page"), go(-1));
  const after = button("after", t("next_page"), go(1));
  const element = el("div", { class: "pages" }, el("div", { class: "pager" }, before, count, after), status, el("div", { class: "sheet-of-paper", tabindex: "0", role: "region", "aria-label": t("page_image") }, canvas));
  const load = async () => {
    if (drawn === page) return;
    const wanted = page;
    drawn = page;
    before.disabled = page <= 1;
    after.disabled = page >= found.pages;
    fill(count, t("page_of", { page, pages: found.pages }));
    fill(status, t("loading"));
    const width = Math.round(Math.min(WIDEST, Math.max(400, (element.clientWidth || 700) * devicePixelRatio)));
    try {
      const picture = await api.picture(where.collection, where.document_id, wanted, { width, start: where.start, end: where.end, signal: mine.controller.signal });
      if (wanted !== page) return;
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.getContext("2d").drawImage(picture, 0, 0);
      picture.close();
      canvas.hidden = false;
      canvas.setAttribute("aria-label", t("page_picture", { page: wanted, title: line(found.title) }));
      canvas.dataset.page = String(wanted);
      fill(status);
    } catch (error) {
      drawn = 0;
      canvas.hidden = true;
      if (error.name !== "AbortError") fill(status, failure(error));
    }
  };
  return { element, reveal: load };
}
