// The documents of a collection: what is there, adding files, deleting, a new collection.

import * as api from "./api.js";
import { announce, button, byId, el, fill, icon } from "./dom.js";
import { failure } from "./failures.js";
import { bytes, number, t } from "./i18n.js";
import { language, line, shown } from "./text.js";

/** Open the dialog. `changed` is called when there are other documents or collections. */
export function openDocuments({ collection, about, open, changed, choose }) {
  const dialog = byId("documents");
  const may = (scope) => about.scopes.includes(scope);
  const status = el("p", { class: "muted small", role: "status" });
  const list = el("ul", { class: "files", role: "list" });
  const foot = el("div");
  const jobs = el("div", { class: "jobs" });
  const stopping = new AbortController();
  const context = { dialog, collection, list, foot, status, jobs, changed, open, writes: may("write"), signal: stopping.signal };
  fill(
    dialog,
    el("div", { class: "sheet-head" }, el("h2", { id: "documents-title", text: t("documents_of", { collection: collection ?? "" }) }), button("close", t("close"), () => dialog.close())),
    may("write") ? dropZone(context, about) : null, jobs, status, list, foot,
    may("admin") ? newCollection(dialog, choose, status) : null,
  );
  dialog.onclose = () => {
    stopping.abort();
    fill(dialog);
  };
  dialog.showModal();
  return load(context);
}

/** Show the documents behind a place in the list, or the list anew: what is shown stays until that has come. */
async function load(context, after = null) {
  const { list, foot, status, collection } = context;
  try {
    const found = await api.documents(collection, after);
    const rows = found.documents.map((each) => row(context, each));
    after === null ? fill(list, ...rows) : list.append(...rows);
    fill(status, found.total ? t("documents_count", { count: number(found.total) }) : t("documents_none"));
    fill(foot, found.next ? el("button", { type: "button", class: "quiet small", text: t("more"), on: { click: () => load(context, found.next) } }) : null);
  } catch (error) {
    fill(foot);
    if (after === null) fill(list);
    fill(status, error.status === 404 ? t("documents_none") : failure(error));
  }
}

function row(context, each) {
  const facts = [each.name === each.title ? "" : line(each.name), each.pages ? t("pages", { count: number(each.pages) }) : "", bytes(each.bytes)];
  const where = { document_id: each.id, title: each.title, source: each.source, start: null, end: null };
  const item = el("li", {});
  const name = el("button", { type: "button", class: "file", on: { click: () => (context.dialog.close(), context.open(where, byId("open-documents"))) } },
    el("bdi", { class: "title", lang: language(each.language), text: line(each.title) }), el("bdi", { class: "muted small", text: facts.filter(Boolean).join(" · ") }));
  const trash = button("trash", t("delete_document", { name: line(each.title) }), () => sure());
  const plain = () => fill(item, name, context.writes ? trash : null);
  const sure = () => {
    const yes = el("button", { type: "button", class: "danger small", text: t("delete"), on: { click: () => gone() } });
    const no = el("button", { type: "button", class: "quiet small", text: t("keep"), on: { click: () => (plain(), trash.focus()) } });
    fill(item, el("span", { class: "sure", dir: "auto", text: t("delete_sure", { name: line(each.title) }) }), yes, no);
    no.focus();
  };
  const gone = async () => {
    try {
      const deleted = await api.remove(context.collection, each.id);
      if (deleted.returns) announce(t("returns"));
      await load(context);
      if (deleted.returns) context.status.append(" ", t("returns"));
      context.changed();
    } catch (error) {
      plain();
      fill(context.status, failure(error));
    }
  };
  plain();
  return item;
}

// -- adding files -------------------------------------------------------------------------------

function dropZone(context, about) {
  const input = el("input", { type: "file", multiple: true, id: "files", class: "hidden", accept: about.uploads.kinds.join(",") });
  const take = (files) => files.length && send(context, [...files]);
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  const zone = el("div", { class: "drop" }, input,
    el("label", { class: "primary", for: "files" }, icon("upload"), el("span", { text: t("add_files") })),
    el("span", { class: "muted small", text: t("drop_files", { size: bytes(about.uploads.megabytes * 1e6) }) }));
  const stop = (event) => event.preventDefault();
  zone.addEventListener("dragover", (event) => (stop(event), (zone.dataset.over = "true")));
  zone.addEventListener("dragleave", () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    stop(event);
    delete zone.dataset.over;
    take(event.dataTransfer.files);
  });
  return zone;
}

async function send(context, files) {
  const bar = el("progress", { max: "1", value: "0", "aria-label": t("add_files") });
  const told = el("p", { class: "small", role: "status" });
  const notes = el("ul", { class: "small notes" });
  const names = files.map((file) => line(file.name)).join(", ");
  context.jobs.prepend(el("div", { class: "job" }, el("p", { class: "job-names", dir: "auto", text: names }), bar, told, notes));
  const note = (name, reason) => notes.append(el("li", { dir: "auto", text: t("file_failed", { name: line(name), reason: shown(reason) }) }));
  try {
    const { job, refused } = await api.upload(context.collection, files, (share) => {
      bar.value = share / 2;
      fill(told, t("uploading", { percent: Math.round(share * 100) }));
    });
    refused.forEach((each) => note(each.name, each.reason));
    await follow(context, job, { bar, told, note });
  } catch (error) {
    if (error.name === "AbortError") return;
    bar.remove();
    fill(told, t("job_failed", { message: failure(error) }));
  }
}

async function follow(context, job, { bar, told, note }) {
  fill(told, t("queued"));
  for await (const [name, value] of api.job(job.id, context.signal)) {
    if (name === "progress") {
      const share = value.total_bytes ? value.done_bytes / value.total_bytes : 0;
      bar.value = 0.5 + share / 2;
      fill(told, value.state === "queued" ? t("queued") : t("ingesting", { percent: Math.round(share * 100) }));
    } else if (name === "failed") {
      bar.remove();
      fill(told, t("job_failed", { message: shown(value.error?.message) }));
    } else if (name === "done") {
      const { added, updated, unchanged, failed, skipped } = value.report.documents;
      bar.value = 1;
      failed.forEach((each) => note(each.source, each.error));
      skipped.forEach((each) => note(each.source, each.reason));
      await load(context);
      fill(told, t("job_done", { added, updated, unchanged }));
      announce(told.textContent);
      context.changed();
    }
  }
}

// -- collections --------------------------------------------------------------------------------

function newCollection(dialog, choose, status) {
  const name = el("input", { type: "text", required: true, maxlength: "64", pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*", "aria-label": t("name"), placeholder: t("name"), autocomplete: "off", spellcheck: "false" });
  const make = async (event) => {
    event.preventDefault();
    try {
      await api.createCollection(name.value.trim());
      dialog.close();
      await choose(name.value.trim());
    } catch (error) {
      fill(status, failure(error));
    }
  };
  return el("details", { class: "new-collection" }, el("summary", { text: t("new_collection") }),
    el("form", { class: "row", on: { submit: make } }, name, el("button", { class: "primary small", text: t("create") })));
}
