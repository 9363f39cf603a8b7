// An answer's text, claim by claim: its words, its markers, and what checking it came to.

import { el, icon } from "./dom.js";
import { marker, label, place, file } from "./citation.js";
import { number, t } from "./i18n.js";
import { beginning, line, points, shown } from "./text.js";

const VERDICTS = ["supported", "partial", "unsupported", "contradicted"];

/** Return a claim with its citations; where one quotes it to the letter, its words are a document's. */
export function claimItem(claim, cited, open) {
  const quoted = cited.some((citation) => line(citation.quote) === line(claim.text));
  const [words, last] = parted(shown(claim.text));
  const text = el("p", { class: quoted ? "claim-text words" : "claim-text", dir: "auto" }, el("span", { text: words }),
    el("span", { class: "last" }, el("span", { text: last }), cited.map((citation) => marker(citation, open))));
  return el("li", { class: "claim", data: { verdict: known(claim.verdict) } }, text, verdict(claim));
}

// A line does not break between the last word, in Chinese the last two letters, and its marker.
function parted(text) {
  const at = text.search(/(?:[^\s\u2e80-\u9fff\u3000-\u30ff\uff00-\uffef]{1,20}|[^\s]{1,2})$/u);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

const known = (name) => (VERDICTS.includes(name) ? name : "unsupported");

function verdict(claim) {
  const name = known(claim.verdict);
  const share = Math.max(0, Math.min(1, claim.score));
  const filled = el("span", { class: "filled" });
  filled.style.width = `${share * 100}%`;
  return el(
    "p", { class: "verdict", title: t(`verdict_note.${name}`) },
    icon(name), el("span", { class: "verdict-name", text: t(`verdict.${name}`) }),
    el("span", { class: "strength", "aria-hidden": "true" }, el("span", { class: "meter" }, filled), el("span", { class: "score", text: number(share, 2) })),
    el("span", { class: "hidden", text: t("score", { score: number(share, 2) }) }),
  );
}

/** Return what stands in an answer's text between its claims, with where: [[before claim i, text]]. */
export function between(answer) {
  const found = [];
  let at = 0;
  const add = (i, start, end) => {
    const text = line(points(answer.answer, start, end));
    if (text) found.push([i, text]);
  };
  answer.claims.forEach((claim, i) => {
    add(i, at, claim.start);
    at = claim.end;
  });
  add(answer.claims.length, at, Array.from(answer.answer).length);
  return found;
}

/** Return the list of an answer's claims, with what stands between them. */
export function claimList(answer, open) {
  const list = el("ol", { class: "claims", role: "list" });
  const rest = between(answer);
  const notes = (i) => rest.filter(([before]) => before === i).map(([, text]) => el("li", { class: "claim-note", dir: "auto", text: shown(text) }));
  const byNumber = new Map(answer.citations.map((citation) => [citation.n, citation]));
  answer.claims.forEach((claim, i) => {
    const cited = claim.citations.map((n) => byNumber.get(n)).filter(Boolean);
    list.append(...notes(i), claimItem(claim, cited, open));
  });
  list.append(...notes(answer.claims.length));
  return list;
}

/** Return the list of an answer's sources; `states` tells of each n what became of it since. */
export function sourceList(answer, open, states = new Map()) {
  if (!answer.citations.length) return null;
  const items = answer.citations.map((citation) => {
    const more = [place(citation), file(citation) === line(citation.title) ? "" : file(citation)].filter(Boolean).join(" · ");
    const also = citation.also_in?.length ? ` · ${t("also_in", { names: citation.also_in.map(line).join(", ") })}` : "";
    const state = states.get(citation.n);
    const made = el(
      "button", { type: "button", class: "source-row", on: { click: () => open(citation, made) } },
      el("span", { class: "n", text: String(citation.n) }),
      el("span", { class: "source-name" },
        el("bdi", { class: "title", text: line(citation.title) || file(citation) }),
        el("bdi", { class: "muted small", text: more + also }),
        state && state !== "unchanged" ? el("span", { class: "stale small", text: t(`state.${state}`) }) : null),
    );
    return el("li", {}, made);
  });
  return el("section", { class: "sources" }, el("h3", { class: "small-title", text: t("sources") }), el("ol", { role: "list" }, items));
}

/** Return what is told of sources that contradict each other. */
export function conflictNotes(answer, open) {
  const byNumber = new Map(answer.citations.map((citation) => [citation.n, citation]));
  return answer.conflicts.map((conflict) =>
    el("div", { class: "conflict" }, el("p", { class: "conflict-head" }, icon("warning"), el("span", { text: t("conflict") })),
      el("ul", { role: "list" }, conflict.citations.map((n, i) =>
        el("li", { dir: "auto" }, byNumber.has(n) ? marker(byNumber.get(n), open) : null, " ",
          el("span", { text: t("conflict_says", { n: byNumber.has(n) ? label(byNumber.get(n)) : n, words: shown(conflict.says[i]) }) }))))));
}

/** Return the passages that come nearest to a question which is not answered. */
export function nearestList(answer, open) {
  if (!answer.nearest.length) return null;
  const items = answer.nearest.map((hit) => {
    const cited = { ...hit, quote: hit.text, n: null };
    const made = el(
      "button", { type: "button", class: "nearest", on: { click: () => open(cited, made) } },
      el("span", { class: "nearest-head" }, el("bdi", { class: "title", text: line(hit.title) || file(hit) }),
        el("bdi", { class: "muted small", text: [place(hit), line(hit.section)].filter(Boolean).join(" · ") })),
      el("span", { class: "words", dir: "auto", text: beginning(hit.text, 180) }),
    );
    return el("li", {}, made);
  });
  return el("section", { class: "sources" }, el("h3", { class: "small-title", text: t("nearest") }), el("ol", { role: "list" }, items));
}
