// Language, colours and the key.

import { byId, button, el, fill } from "./dom.js";
import { LANGUAGES, t } from "./i18n.js";
import * as storage from "./storage.js";

const THEMES = ["auto", "light", "dark"];

/** Show the colours that were chosen. */
export function useTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** Open the dialog; `told` says why, "" where its user wanted it. */
export function openPreferences({ language, told = "", needed = false, useLanguage, useKey }) {
  const dialog = byId("settings");
  const languages = el("select", { on: { change: () => useLanguage(languages.value) } },
    Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code, text: name, lang: code, selected: code === language })));
  const chosen = storage.settings().theme ?? "auto";
  const themes = el("select", { on: { change: () => (storage.set("theme", themes.value), useTheme(themes.value)) } },
    THEMES.map((name) => el("option", { value: name, text: t(`theme.${name}`), selected: name === chosen })));
  fill(
    dialog,
    el("div", { class: "sheet-head" }, el("h2", { id: "settings-title", text: t("settings") }), button("close", t("close"), () => dialog.close())),
    told ? el("p", { class: "notice", role: "alert", text: told }) : null,
    el("label", { class: "line" }, el("span", { text: t("language") }), languages),
    el("label", { class: "line" }, el("span", { text: t("theme") }), themes),
    keyForm(dialog, useKey),
  );
  if (!dialog.open) dialog.showModal();
  if (needed) byId("key").focus();
}

function keyForm(dialog, useKey) {
  const key = el("input", { type: "password", id: "key", autocomplete: "off", spellcheck: "false", value: storage.key() });
  const remember = el("input", { type: "checkbox" });
  const keep = (value) => {
    storage.keepKey(value, remember.checked);
    dialog.close();
    useKey();
  };
  return el(
    "form", { class: "key", on: { submit: (event) => (event.preventDefault(), keep(key.value.trim())) } },
    el("label", { for: "key", text: t("key") }), key,
    el("label", { class: "check" }, remember, " ", el("span", { text: t("key_remember") })),
    el("p", { class: "muted small", text: t("key_note") }),
    el("div", { class: "row" }, el("button", { class: "primary small", text: t("save") }),
      el("button", { type: "button", class: "quiet small", text: t("key_forget"), on: { click: () => keep("") } })),
  );
}
