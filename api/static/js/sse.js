// Server-sent events from a response. EventSource can send neither a body nor a key.

/** Yield the events of a response as [name, value of its JSON]. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(block) {
  let name = "message";
  const data = [];
  for (const each of block.split(/\r?\n/)) {
    const colon = each.indexOf(":");
    if (colon <= 0) continue; // a comment, or nothing
    const value = each.slice(colon + 1).replace(/^ /, "");
    if (each.startsWith("event")) name = value;
    else if (each.startsWith("data")) data.push(value);
  }
  return data.length ? [name, JSON.parse(data.join("\n"))] : null;
}
