// Citations: the marker in a text, and the card with the quote that hovering, focus or a tap shows.

import { byId, el, fill } from "./dom.js";
import { t } from "./i18n.js";
import { language, line, shown } from "./text.js";

const LINGER = 180; // ms in which the pointer may go from the marker to the card

let owner = null;
let timer = 0;

/** Return where a citation or a passage stands: "page 3". */
export const place = (cited) => (cited.page === null || cited.page === undefined ? "" : t(`unit.${cited.unit}`, { n: cited.page }));

/** Return the name of a citation's file, which for an upload is its title. */
export const file = (cited) => (/^[0-9a-f]{24}\.\w+$/.test(cited.source) ? line(cited.title) : line(cited.source));

/** Return title and place: "Retrieval with citations, page 3". */
export const label = (cited) => [line(cited.title) || file(cited), place(cited)].filter(Boolean).join(", ");

/** Return the marker of a citation; `open` opens its source. */
export function marker(citation, open) {
  const made = el("button", {
    type: "button", class: "cite", text: String(citation.n),
    "aria-label": t("cite", { n: citation.n, title: label(citation) }),
    on: {
      pointerenter: (event) => event.pointerType === "mouse" && show(made, citation, open),
      pointerleave: leave,
      focus: () => made.matches(":focus-visible") && show(made, citation, open),
      blur: leave,
      click: (event) => {
        const tapped = event.pointerType === "touch" || (event.detail > 0 && matchMedia("(hover: none)").matches);
        // The first tap shows the quote, a second one opens the source.
        if (tapped && owner !== made) show(made, citation, open);
        else pass(open, citation, made);
      },
    },
  });
  return made;
}

function pass(open, citation, from) {
  hide();
  open(citation, from);
}

function leave() {
  clearTimeout(timer);
  timer = setTimeout(hide, LINGER);
}

/** Hide the card. */
export function hide() {
  clearTimeout(timer);
  owner?.removeAttribute("aria-describedby");
  owner = null;
  byId("quote").hidden = true;
}

/** Tell whether the card was there to hide. */
export function dismissed() {
  const there = owner !== null;
  hide();
  return there;
}

function show(from, citation, open) {
  clearTimeout(timer);
  if (owner === from) return;
  owner?.removeAttribute("aria-describedby");
  owner = from;
  const card = byId("quote");
  fill(
    card,
    el("p", { class: "quote-head" }, el("span", { class: "n", text: String(citation.n) }), el("span", { text: label(citation), dir: "auto" })),
    el("blockquote", { id: "quote-text", dir: "auto", lang: language(citation.language), text: shown(citation.quote) }),
    el("button", { type: "button", class: "quiet small", tabindex: "-1", text: t("open_source"), on: { click: () => pass(open, citation, from) } }),
  );
  from.setAttribute("aria-describedby", "quote-text");
  card.hidden = false;
  put(card, from.getBoundingClientRect());
}

/** On a page that moves: a marker that is reached keeps its card, for reaching it may move the page. */
function moved() {
  const card = byId("quote");
  const reached = owner && (owner === document.activeElement || owner.matches(":hover") || card.matches(":hover"));
  if (reached) put(card, owner.getBoundingClientRect());
  else hide();
}

function put(card, at) {
  const gap = 8;
  const { offsetWidth: width, offsetHeight: height } = card;
  const left = Math.max(gap, Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - gap));
  const above = at.top - height - gap;
  const below = at.bottom + gap;
  const lowest = innerHeight - height - gap;
  // Under the marker, over it where there is no room, and always on the screen.
  const top = below <= lowest ? below : above >= gap ? above : Math.max(gap, lowest);
  card.style.left = `${left}px`;
  card.style.top = `${top}px`;
}

/** Make the card stay while the pointer is on it, and go when the page moves or is clicked. */
export function install() {
  const card = byId("quote");
  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerleave", leave);
  byId("main").addEventListener("scroll", moved, { passive: true });
  document.addEventListener("pointerdown", (event) => {
    if (owner && !card.contains(event.target) && !owner.contains(event.target)) hide();
  });
}
