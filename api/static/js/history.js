// The conversations that this browser keeps: to go on with one, and to delete them.

import { button, byId, el, fill } from "./dom.js";
import { day, t } from "./i18n.js";
import * as storage from "./storage.js";
import { beginning, line } from "./text.js";

/** List the conversations. `choose` is given the one to go on with, `gone` the id of a deleted one. */
export function drawHistory({ current, choose, gone }) {
  const all = storage.conversations();
  byId("no-history").hidden = all.length > 0;
  byId("forget-all").hidden = all.length === 0;
  fill(byId("history"), all.map((one) => entry(one, one.id === current, choose, gone)));
}

function entry(one, current, choose, gone) {
  const title = beginning(one.turns[0].question, 60);
  const facts = [line(one.collection), day(one.time)].filter(Boolean).join(" · ");
  const name = el("button", { type: "button", class: "entry", "aria-current": current ? "true" : null, on: { click: () => choose(one) } },
    el("span", { class: "entry-title", dir: "auto", text: title }), el("span", { class: "muted small", text: facts }));
  const forget = () => {
    storage.forget(one.id);
    gone(one.id);
    byId("new-conversation").focus();
  };
  return el("li", {}, name, button("trash", t("forget_one", { title }), forget));
}

/** Delete all of them at the second time of asking; tell whether that was it. */
export function forgetAll() {
  const asked = byId("forget-all");
  if (asked.dataset.sure !== "true") {
    asked.dataset.sure = "true";
    asked.textContent = t("forget_all_sure");
    return false;
  }
  calm();
  storage.forgetAll();
  byId("new-conversation").focus();
  return true;
}

/** Ask again before anything is deleted. */
export function calm() {
  const asked = byId("forget-all");
  delete asked.dataset.sure;
  asked.textContent = t("forget_all");
}
