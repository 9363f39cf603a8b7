// Two answers to one question, side by side, and which of them is better.

import * as api from "./api.js";
import { byId, button, el, fill } from "./dom.js";
import { failure } from "./failures.js";
import { sent } from "./opinions.js";
import { t } from "./i18n.js";
import { Turn } from "./turn.js";
import { shown } from "./text.js";

const LOOSER = 0.4;
const STRICTER = 0.35;

/** Return how the second answer may be asked for: [name, what is asked otherwise]. */
function ways(about, answer) {
  const stricter = Math.min(1, about.strictness + STRICTER);
  const looser = Math.max(0, about.strictness - LOOSER);
  const other = answer.method === "quoted" ? ["written", { quote_only: false }] : ["quotes", { quote_only: true }];
  return [...(about.writes ? [other] : []), ["stricter", { strictness: stricter }], ["looser", { strictness: looser }]];
}

/** Open the two answers; `body` is what the first was asked with. */
export function compare(turn, { about, body, open, from }) {
  const dialog = byId("compare");
  const choices = ways(about, turn.answer);
  const choice = el("select", { "aria-label": t("compare_with") }, choices.map(([name], i) => el("option", { value: String(i), text: t(`compare.${name}`) })));
  const ask = el("button", { type: "button", class: "primary small", text: t("compare_ask") });
  const status = el("p", { class: "muted small", role: "status" });
  const sides = el("div", { class: "sides" });
  const stopping = { controller: null };
  const show = (citation) => (dialog.close(), open(citation, from));
  const first = side(t("compare_first"), turn, show);
  const second = side(t("compare_second"), { question: turn.question, answer: null }, show);
  fill(sides, first.element, second.element);
  ask.addEventListener("click", () => run({ ...body, ...choices[Number(choice.value)][1] }, { first, second, ask, status, stopping }));
  fill(
    dialog,
    el("div", { class: "sheet-head" }, el("h2", { id: "compare-title", text: t("compare_title") }), button("close", t("close"), () => dialog.close())),
    el("p", { class: "compare-question", dir: "auto", text: shown(turn.question) }),
    el("div", { class: "row" }, el("span", { class: "muted", text: t("compare_with") }), choice, ask), status, sides,
  );
  dialog.onclose = () => {
    stopping.controller?.abort();
    fill(dialog);
    if (!byId("source").contains(document.activeElement)) from.focus();
  };
  dialog.showModal();
  choice.focus();
}

function side(title, turn, open) {
  const better = el("button", { type: "button", class: "quiet small", text: t("compare_better"), disabled: true });
  const view = new Turn(turn, { open, compare: () => {}, keep: () => {} });
  view.title.remove();
  view.element.removeAttribute("aria-labelledby");
  view.element.querySelector(".opinion")?.remove();
  const element = el("section", { class: "side", "aria-label": title }, el("h3", { class: "small-title", text: title }), view.element, better);
  return { turn, view, better, element };
}

async function run(body, { first, second, ask, status, stopping }) {
  stopping.controller?.abort();
  const mine = (stopping.controller = new AbortController());
  fill(status);
  second.turn.answer = null;
  second.better.disabled = first.better.disabled = true;
  second.view.begin();
  try {
    for await (const [name, value] of api.ask(body, mine.signal)) second.view.take(name, value);
  } catch (error) {
    if (error.name !== "AbortError") fill(status, failure(error));
    return;
  }
  second.view.element.querySelector(".opinion")?.remove();
  if (second.turn.answer.answer === first.turn.answer.answer) return fill(status, t("compare_same"));
  if (!first.turn.answer.id || !second.turn.answer.id) return;
  for (const [one, other] of [[first, second], [second, first]]) {
    one.better.disabled = false;
    one.better.onclick = async () => {
      const told = { answer: one.turn.answer.id, preferred_to: other.turn.answer.id };
      if (await sent(status, told)) {
        one.better.disabled = other.better.disabled = true;
        one.element.dataset.better = "true";
        delete other.element.dataset.better;
      }
    };
  }
  ask.blur();
}
