// Text as documents have it: offsets count code points, JavaScript's strings count half of some.

// What steers a terminal or turns the direction of what stands beside it is shown as a mark.
const STEERING = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Return text as it may be shown. */
export const shown = (text) => String(text ?? "").replace(STEERING, "\ufffd");

/** Return a name on one line. */
export const line = (text) => shown(text).replace(/\s+/g, " ").trim();

/** Return text[start:end] in code points. */
export const points = (text, start, end) => Array.from(text).slice(start, end).join("");

/** Return the beginning of a text, cut at a blank. */
export function beginning(text, longest) {
  const whole = line(text);
  const letters = Array.from(whole);
  if (letters.length <= longest) return whole;
  const cut = letters.slice(0, longest).join("");
  const blank = cut.lastIndexOf(" ");
  return (blank > longest * 0.6 ? cut.slice(0, blank) : cut) + " …";
}

/** Return a language that an element may be marked with, null for anything else. */
export const language = (code) => (/^[a-z]{2,3}$/.test(code ?? "") ? code : null);
