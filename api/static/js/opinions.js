// What somebody thinks of an answer: thumbs, what would be right, and a second answer beside it.

import * as api from "./api.js";
import { announce, button, el, fill } from "./dom.js";
import { failure } from "./failures.js";
import { t } from "./i18n.js";

/** Return the row of buttons under an answer. */
export function opinions(shownTurn) {
  const { turn } = shownTurn;
  const row = el("div", { class: "opinions", role: "group" });
  const status = el("span", { class: "muted small", role: "status" });
  const place = el("div");
  const rate = (rating) => async () => {
    if (await sent(status, { answer: turn.answer.id, rating })) {
      turn.rating = rating;
      shownTurn.keep();
      press();
    }
  };
  const up = button("up", t("good"), rate("up"));
  const down = button("down", t("bad"), rate("down"));
  const press = () => {
    up.setAttribute("aria-pressed", String(turn.rating === "up"));
    down.setAttribute("aria-pressed", String(turn.rating === "down"));
  };
  press();
  const correct = button("pencil", t("correct"), () => (place.firstChild ? fill(place) : correction(place, turn, status, correct)));
  const compare = button("compare", t("compare"), () => shownTurn.compare(turn, compare), { words: true });
  const copy = button("copy", t("copy"), async () => {
    await navigator.clipboard.writeText(shownTurn.plain());
    fill(status, t("copied"));
  });
  const asked = turn.answer.id ? [up, down, correct] : [];
  row.append(...asked, ...(navigator.clipboard ? [copy] : []), compare, status);
  return el("div", { class: "opinion" }, row, place);
}

function correction(place, turn, status, from) {
  const words = el("textarea", { rows: "3", maxlength: "20000", dir: "auto", "aria-label": t("correction"), placeholder: t("correction") });
  const none = el("input", { type: "checkbox", on: { change: () => (words.disabled = none.checked) } });
  const done = () => {
    fill(place);
    from.focus();
  };
  const form = el(
    "form", { class: "correction", on: {
      submit: async (event) => {
        event.preventDefault();
        const text = none.checked ? "" : words.value.trim();
        if (!text && !none.checked) return words.focus();
        if (await sent(status, { answer: turn.answer.id, correction: text })) done();
      },
      keydown: (event) => event.key === "Escape" && (event.stopPropagation(), done()),
    } },
    words, el("label", { class: "check" }, none, " ", el("span", { text: t("correction_none") })),
    el("div", { class: "row" }, el("button", { class: "primary small", text: t("send") }), el("button", { type: "button", class: "quiet small", text: t("cancel"), on: { click: done } })),
  );
  fill(place, form);
  words.focus();
}

/** Send an opinion; tell in `status` what came of it, and return whether it was taken. */
export async function sent(status, body) {
  try {
    await api.feedback(body);
    fill(status, t("thanks"));
    announce(t("thanks"));
    return true;
  } catch (error) {
    fill(status, failure(error));
    return false;
  }
}
