// A question and its answer: while it is made, when it is there, and when it failed.

import { announce, el, fill, icon } from "./dom.js";
import { between, claimItem, claimList, conflictNotes, nearestList, sourceList } from "./claims.js";
import { label } from "./citation.js";
import { failure } from "./failures.js";
import { opinions } from "./opinions.js";
import { number, t } from "./i18n.js";
import { beginning, line, shown } from "./text.js";

let count = 0;

/** What is on the page of one question. `open(citation, from)` opens a source. */
export class Turn {
  constructor(turn, { open, compare, keep }) {
    Object.assign(this, { turn, open, compare, keep, claims: 0, states: new Map() });
    const id = `turn-${++count}`;
    this.list = el("ol", { class: "claims", role: "list" });
    this.status = el("p", { class: "status" });
    this.body = el("div", { class: "answer", "aria-busy": "false" });
    this.title = el("h2", { class: "question", id, dir: "auto", text: shown(turn.question) });
    this.element = el("article", { class: "turn", "aria-labelledby": id }, this.title, this.body);
    if (turn.answer) this.show();
  }

  /** Begin: nothing is known yet. */
  begin() {
    this.cited = new Map();
    this.claims = 0;
    fill(this.list);
    fill(this.body, this.list, this.status);
    this.body.setAttribute("aria-busy", "true");
    this.say(t("searching"));
  }

  say(text) {
    fill(this.status, el("span", { class: "pulse", "aria-hidden": "true" }), el("span", { text, dir: "auto" }));
  }

  /** Take an event of the stream. */
  take(name, value) {
    if (name === "hits") this.#hits(value.hits);
    else if (name === "citation") this.cited.set(value.n, value);
    else if (name === "claim") this.#claim(value);
    else if (name === "answer") this.#answer(value);
  }

  #hits(hits) {
    const titles = [...new Set(hits.map((hit) => beginning(line(hit.title), 40)))].slice(0, 3).join("; ");
    const text = hits.length ? t("reading", { count: hits.length, titles }) : t("searching");
    this.say(text);
    announce(text);
  }

  #claim({ claim, citations }) {
    for (const citation of citations) this.cited.set(citation.n, citation);
    const cited = claim.citations.map((n) => this.cited.get(n)).filter(Boolean);
    this.list.append(claimItem(claim, cited, this.open));
    this.claims += 1;
    this.say(t("writing"));
    announce(t("claim_said", { text: shown(claim.text), verdict: t(`verdict.${claim.verdict}`), score: number(claim.score, 2) }));
  }

  #answer(answer) {
    this.turn.answer = answer;
    this.keep();
    // What was read so far stays where it is: focus and selection with it.
    const kept = this.claims === answer.claims.length && !between(answer).length && !answer.abstained;
    this.show(kept ? this.list : null);
    announce(answer.abstained ? `${t("abstained")}. ${shown(answer.answer)}` : t("answer_ready", { claims: answer.claims.length, sources: answer.citations.length }));
  }

  /** Show the answer whole. */
  show(list = null) {
    const { answer } = this.turn;
    const parts = answer.abstained ? this.#abstained(answer) : this.#answered(answer, list);
    const searched = answer.question !== answer.asked
      ? el("p", { class: "muted small", dir: "auto", text: t("searched_as", { question: shown(answer.question) }) }) : null;
    const wanted = [searched, ...parts, this.#about(answer), opinions(this)].filter(Boolean);
    if (list) {
      for (const child of [...this.body.children]) if (child !== list) child.remove();
      const at = wanted.indexOf(list);
      this.body.prepend(...wanted.slice(0, at));
      this.body.append(...wanted.slice(at + 1));
    } else fill(this.body, wanted);
    this.body.setAttribute("aria-busy", "false");
  }

  #answered(answer, list) {
    return [list ?? claimList(answer, this.open), ...conflictNotes(answer, this.open), sourceList(answer, this.open, this.states)];
  }

  #abstained(answer) {
    const why = answer.reason && t(`reason.${answer.reason}`);
    return [
      el("div", { class: "abstained" }, el("p", { class: "abstained-head" }, icon("unsupported"), el("span", { text: t("abstained") })),
        el("p", { class: "abstained-text", dir: "auto", text: shown(answer.answer) }), why ? el("p", { class: "muted", text: why }) : null),
      ...conflictNotes(answer, this.open), sourceList(answer, this.open, this.states), nearestList(answer, this.open),
    ];
  }

  #about(answer) {
    const seconds = answer.timings?.total;
    const told = answer.abstained ? t("trace") : t(`method.${answer.method}`);
    return el("details", { class: "about small" }, el("summary", {}, el("span", { text: told })),
      el("h4", { class: "small-title", text: t("trace") }),
      el("ol", {}, answer.trace.map((step) => el("li", { text: shown(step) }))),
      seconds ? el("p", { text: t("seconds", { seconds: number(seconds, 1) }) }) : null);
  }

  /** Tell what became of the sources since an answer was kept. */
  tell(states) {
    this.states = new Map(states.map(({ citation, state }) => [citation, state]));
    if ([...this.states.values()].some((state) => state !== "unchanged")) this.show();
  }

  /** Tell that nothing, or no more, comes. */
  fail(error, again) {
    const told = failure(error);
    fill(this.status);
    this.body.setAttribute("aria-busy", "false");
    this.body.append(el("div", { class: "failed", role: "alert" }, el("p", {}, icon("warning"), el("span", { text: told })),
      el("button", { type: "button", class: "quiet small", text: t("retry"), on: { click: again } })));
  }

  /** Tell that it was stopped by who asked. */
  stop(again) {
    fill(this.status, el("span", { text: t("stopped") }), " ", el("button", { type: "button", class: "quiet small", text: t("retry"), on: { click: again } }));
    this.body.setAttribute("aria-busy", "false");
    announce(t("stopped"));
  }

  /** Return question and answer as plain text, with the quotes. */
  plain() {
    const { answer } = this.turn;
    const quotes = answer.citations.map((cited) => `[${cited.n}] ${label(cited)}\n    “${shown(cited.quote)}”`);
    return [shown(answer.asked), shown(answer.answer), ...quotes].join("\n\n");
  }
}

