// Elements are made here and nowhere else. Text becomes text nodes only: nothing that a document,
// a file name or a model says is ever parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  supported: "M4.5 10.5l3.500 3.500 7.500-8",
  partial: "M5 10h10",
  contradicted: "M5.500 5.500l9 9M14.500 5.500l-9 9",
  unsupported: "M7.500 7.500a2.500 2.500 0 1 1 3.400 2.300c-.6.3-.9.7-.9 1.400M10 14v.2",
  close: "M5 5l10 10M15 5L5 15",
  up: "M6.500 17V9L9.500 3c1.200 0 2 .8 2 2v3h4.300c.9 0 1.500.8 1.300 1.700l-1.300 6c-.2.8-.8 1.300-1.600 1.300zM3 9h3.500v8H3z",
  down: "M13.500 3v8L10.500 17c-1.200 0-2-.8-2-2v-3H4.200c-.9 0-1.500-.8-1.300-1.700l1.300-6C4.400 3.500 5 3 5.800 3zM17 11h-3.500V3H17z",
  copy: "M7 7V3.500h9.500V13H13M3.500 7H13v9.500H3.500z",
  compare: "M10 3v14M3 5.500h4.500v9H3zM12.500 5.500H17v9h-4.500z",
  pencil: "M3.500 16.500l.8-3.500L13.500 3.800l2.700 2.700L7 15.700z",
  open: "M8 4H4v12h12v-4M11 3.500h5.500V9M16.500 3.500L9 11",
  trash: "M4 5.500h12M8 5V3.500h4V5M5.500 5.500l.8 11h7.400l.8-11",
  before: "M12 4.500L6.500 10l5.500 5.500",
  after: "M8 4.500l5.500 5.500L8 15.500",
  warning: "M10 3.500L17.500 16.500H2.500zM10 8.500v3.500M10 14v.2",
  upload: "M10 13.500V3.500M6 7l4-4 4 4M3.500 13v3.500h13V13",
};

/** Return an element. In `given`, `on` holds listeners, `data` data attributes, `text` the text. */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) made.addEventListener(event, run);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "text") made.textContent = value;
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Return an icon that says nothing to who does not see it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Return a button of an icon, or of an icon and words. */
export function button(name, label, run, { words = false, kind = "icon" } = {}) {
  const content = words ? [icon(name), el("span", { text: label })] : [icon(name)];
  const named = words ? {} : { "aria-label": label, title: label };
  return el("button", { type: "button", class: words ? "quiet small" : kind, ...named, on: { click: run } }, content);
}

export const byId = (id) => document.getElementById(id);

/** Put children in the place of all that an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Tell who listens instead of looking. */
export function announce(text) {
  const line = el("p", { text });
  byId("live").append(line);
  while (byId("live").childElementCount > 12) byId("live").firstElementChild.remove();
}
