// The parts of the page beside each other; on a narrow screen one lies over the others.

import { byId } from "./dom.js";

const NARROW = matchMedia("(max-width: 820px)");
const PARTS = ["bar", "menu", "main", "source"];

let over = null;
let before = null;

function settle() {
  const alone = NARROW.matches ? over : null;
  for (const id of PARTS) byId(id).inert = alone !== null && id !== alone;
  // A closed menu on a narrow screen can not be reached with the keyboard either.
  byId("menu").dataset.open = String(over === "menu");
  if (NARROW.matches && over !== "menu") byId("menu").inert = true;
  byId("open-menu").setAttribute("aria-expanded", String(over === "menu"));
  document.body.dataset.source = String(!byId("source").hidden);
}

/** Lay a part over the others where the screen is narrow. */
export function lay(id) {
  over = id;
  settle();
}

/** Take away what lies over the others. */
export function unlay(id) {
  if (over === id) over = null;
  settle();
}

export function openMenu() {
  before = document.activeElement;
  lay("menu");
  byId("close-menu").focus();
}

/** Close the menu; tell whether it was open. */
export function closeMenu() {
  if (over !== "menu") return false;
  unlay("menu");
  if (NARROW.matches) before?.focus();
  return true;
}

export function install() {
  NARROW.addEventListener("change", settle);
  byId("open-menu").addEventListener("click", openMenu);
  byId("close-menu").addEventListener("click", closeMenu);
  settle();
}
