// The page's own words, in one file a language.

export const LANGUAGES = { en: "English", zh: "中文", ru: "Русский", hu: "Magyar" };

let words = {};
let current = "en";

/** Return the language that the browser's user reads, of those there are. */
export function preferred(wanted = navigator.languages ?? []) {
  for (const tag of wanted) {
    const code = tag.toLowerCase().split("-")[0];
    if (code in LANGUAGES) return code;
  }
  return "en";
}

/** Load the words of a language. */
export async function use(code) {
  const response = await fetch(`/static/lang/${code}.json`);
  if (!response.ok) throw new Error(`no words in ${code}`);
  words = await response.json();
  current = code;
  document.documentElement.lang = code === "zh" ? "zh-Hans" : code;
  translate(document);
}

/** Return the words of a name, with values in the place of {names}. */
export function t(name, values = {}) {
  const found = words[name] ?? name;
  return found.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

export const has = (name) => name in words;

/** Put the words into what HTML names them by. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const element of root.querySelectorAll("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
}

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(current, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const day = (time) => new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));

export const bytes = (count) =>
  count < 1e6
    ? new Intl.NumberFormat(current, { style: "unit", unit: "kilobyte", maximumFractionDigits: 1 }).format(count / 1e3)
    : new Intl.NumberFormat(current, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(count / 1e6);
