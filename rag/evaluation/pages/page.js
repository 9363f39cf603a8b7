"use strict";
// Marks of a person on verdicts: kept in this browser, saved as claims that `rag eval checker` reads.
(() => {
  const data = document.getElementById("claims");
  if (!data) return;
  const { run, claims } = JSON.parse(data.textContent);
  const known = new Map(claims.map((claim) => [claim.id, claim]));
  const key = `rag-report:${run}`;
  const save = document.getElementById("save");
  const clear = document.getElementById("clear");
  const count = document.getElementById("count");
  const forms = [...document.querySelectorAll(".form[data-claim]")];
  const idOf = (form) => claims[Number(form.dataset.claim)].id;

  const stored = () => {
    try {
      const found = JSON.parse(localStorage.getItem(key) || "{}");
      return found && typeof found === "object" ? found : {};
    } catch {
      return {};
    }
  };
  let marks = stored();

  const keep = () => {
    try {
      localStorage.setItem(key, JSON.stringify(marks));
      return true;
    } catch {
      return false; // a browser may forbid it for files
    }
  };

  const labelled = () => Object.entries(marks).filter(([id, mark]) => mark.label && known.has(id));

  const tell = (kept) => {
    const n = labelled().length;
    const told = n === 0 ? "No verdict is marked." : n === 1 ? "1 verdict is marked." : `${n} verdicts are marked.`;
    count.textContent = kept ? told : `${told} This browser does not keep them: save before you leave.`;
    save.disabled = clear.disabled = n === 0;
  };

  const show = () => {
    for (const form of forms) {
      const mark = marks[idOf(form)] || {};
      form.querySelector("select").value = mark.label || "";
      form.querySelector("textarea").value = mark.note || "";
      if (mark.label || mark.note) form.closest("details").open = true;
      form.closest(".claim").classList.toggle("marked", Boolean(mark.label));
    }
  };

  for (const form of forms) {
    form.addEventListener("input", () => {
      const label = form.querySelector("select").value;
      const note = form.querySelector("textarea").value;
      if (label || note) marks[idOf(form)] = { label, note };
      else delete marks[idOf(form)];
      form.closest(".claim").classList.toggle("marked", Boolean(label));
      tell(keep());
    });
  }

  if (save) {
    save.addEventListener("click", () => {
      const lines = labelled().map(([id, mark]) => {
        const { claim, sources, verdict, lang, cluster } = known.get(id);
        return JSON.stringify({ id, claim, sources, label: mark.label, note: mark.note, verdict, lang, cluster });
      });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "application/jsonl" }));
      link.download = `${run}-marks.jsonl`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    clear.addEventListener("click", () => {
      if (!confirm("Forget all marks of this report?")) return;
      marks = {};
      const kept = keep();
      show();
      tell(kept);
    });
    show();
    tell(true);
  }
})();
