// What went wrong, in the words of the page.

import { has, t } from "./i18n.js";
import { shown } from "./text.js";

/** Return what is told of an error; the server's own words where there are none of ours. */
export function failure(error) {
  if (error.wait) return t("error.busy", { seconds: error.wait });
  if (has(`error.${error.code}`)) return t(`error.${error.code}`);
  return shown(error.message) || t("error");
}
