// What stays in this browser: settings, the key where it is to be kept, conversations.

const SETTINGS = "rag.settings";
const KEY = "rag.key";
const CONVERSATIONS = "rag.conversations";
const MOST = 60;

function read(name, otherwise) {
  try {
    const found = JSON.parse(localStorage.getItem(name));
    return found !== null && typeof found === typeof otherwise && Array.isArray(found) === Array.isArray(otherwise)
      ? found
      : otherwise;
  } catch {
    return otherwise; // no storage here, or something else in it
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export const settings = () => read(SETTINGS, {});
export const set = (name, value) => write(SETTINGS, { ...settings(), [name]: value });

/** Return the key that was given here, "" without one. */
export function key() {
  try {
    return sessionStorage.getItem(KEY) || localStorage.getItem(KEY) || "";
  } catch {
    return "";
  }
}

/** Keep a key until the tab is closed, or for good; "" forgets it. */
export function keepKey(given, forGood) {
  try {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
    if (given) (forGood ? localStorage : sessionStorage).setItem(KEY, given);
  } catch {
    // Without storage it must be given again.
  }
}

/** Return the conversations, the newest first: {id, collection, time, turns: [{question, answer}]}. */
export function conversations() {
  const sound = (one) => one && typeof one.id === "string" && Array.isArray(one.turns) && one.turns.length > 0;
  return read(CONVERSATIONS, []).filter(sound);
}

/** Keep a conversation; where there is no room, the oldest go. */
export function keep(conversation) {
  let all = [conversation, ...conversations().filter((one) => one.id !== conversation.id)].slice(0, MOST);
  while (all.length > 0 && !write(CONVERSATIONS, all)) all = all.slice(0, -1);
}

export const forget = (id) => write(CONVERSATIONS, conversations().filter((one) => one.id !== id));
export const forgetAll = () => write(CONVERSATIONS, []);
