// The service, as its own clients know it (docs/service.md).

import { key } from "./storage.js";
import { events } from "./sse.js";

/** A refusal or failure: `code` is for programs, `message` from the server, `wait` in seconds. */
export class Refused extends Error {
  constructor(status, code, message, wait = null) {
    super(message);
    Object.assign(this, { status, code, wait });
  }
}

const authorization = () => (key() ? { Authorization: `Bearer ${key()}` } : {});

async function send(method, path, { body, signal } = {}) {
  const headers = { ...authorization(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  let response;
  try {
    response = await fetch(path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit", cache: "no-store", redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "network", String(error.message));
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response) {
  const wait = Number(response.headers.get("Retry-After")) || null;
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // No body of ours: a proxy's, perhaps.
  }
  return new Refused(response.status, error.code ?? "network", error.message ?? `HTTP ${response.status}`, wait);
}

const json = async (...given) => (await send(...given)).json();
const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
};
const document_ = (id) => `/v1/documents/${encodeURIComponent(id)}`;

export const about = () => json("GET", "/v1/about");
export const collections = () => json("GET", "/v1/collections");
export const createCollection = (name) => json("POST", "/v1/collections", { body: { name } });
export const documents = (collection, after) => json("GET", `/v1/documents${query({ collection, after })}`);
export const text = (collection, id, start, end) => json("GET", `${document_(id)}${query({ collection, start, end })}`);
export const remove = (collection, id) => json("DELETE", `${document_(id)}${query({ collection })}`);
export const answer = (id) => json("GET", `/v1/answers/${encodeURIComponent(id)}`);
export const feedback = (body) => json("POST", "/v1/feedback", { body });

/** Return a page of a PDF as pixels. */
export async function picture(collection, id, page, { width, start, end, signal }) {
  const path = `${document_(id)}/pages/${page}${query({ collection, width, start, end })}`;
  return createImageBitmap(await (await send("GET", path, { signal })).blob());
}

/** Yield the events of an answer that is being made. */
export async function* ask(body, signal) {
  const response = await send("POST", "/v1/ask", { body: { ...body, stream: true }, signal });
  for await (const [name, value] of events(response)) {
    if (name === "error") throw new Refused(200, value.error.code, value.error.message);
    yield [name, value];
  }
}

/** Yield the events of a job. */
export async function* job(id, signal) {
  yield* events(await send("GET", `/v1/jobs/${encodeURIComponent(id)}/events`, { signal }));
}

/** Send files; `progress` is told the share that was sent. fetch tells nobody how far it is. */
export function upload(collection, files, progress) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/v1/documents${query({ collection })}`);
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Refused(0, "network", ""));
    request.onload = () => {
      if (request.status === 202) return resolve(request.response);
      const error = request.response?.error ?? {};
      reject(new Refused(request.status, error.code ?? "network", error.message ?? "", Number(request.getResponseHeader("Retry-After")) || null));
    };
    request.send(form);
  });
}
