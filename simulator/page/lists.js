// What waits in the terminal, what the city has, and the processes.

import { post } from "./api.js";
import { keepList, make, setText } from "./dom.js";
import { clock, has, say } from "./words.js";

const MOST_ROWS = 100;

const pill = (word, state) => make("span", { class: "pill", "data-state": state }, word);
const kindTag = (kind) => make("span", { class: `tag ${kind === "rating" ? "rating" : ""}` }, has(`kind_${kind}`) ? say(`kind_${kind}`) : kind ?? "");
const short = (id) => (id ?? "").slice(0, 8); // a rating has no number of its own
const nothing = (sentence) => [{ nothing: sentence }];

/** The terminal's queue, newest first. */
export function showQueue({ records = [], waiting, acknowledged }) {
  const newest = [...records].sort((a, b) => (b.seq ?? 0) - (a.seq ?? 0));
  const open = records.filter(({ state }) => state !== "delivered").length;
  setText(document.getElementById("queue-count"), say("queue_tally", waiting ?? open, acknowledged ?? records.length - open));
  const rows = newest.length ? newest.slice(0, MOST_ROWS) : nothing(say("queue_empty"));
  keepList(document.getElementById("queue"), rows, (record) => record.nothing ? "nothing" : `${record.case_id ?? record.seq}`, (record) => {
    if (record.nothing) return make("li", { class: "empty" }, record.nothing);
    const state = record.state === "delivered" ? "delivered" : "queued";
    const trouble = state === "queued" && record.failures ? say("tries", record.failures, record.last_error ?? "") : "";
    const print = record.print && record.kind !== "rating" && has(`print_${record.print}`) ? say(`print_${record.print}`) : "";
    return make("li", { "data-state": state },
      make("span", { class: "seq mono" }, record.seq ?? ""),
      make("span", { class: "main" }, make("span", { class: "mono number" }, record.case_number ?? short(record.case_id)), make("span", { class: "sub" }, kindTag(record.kind), make("span", { class: "ellipsis", title: trouble || null }, trouble || (record.item ?? "")))),
      make("span", { class: "side" }, pill(say(`state_${state}`), state), make("span", { class: "sub" }, [print, clock(record.finalised_at_ms)].filter(Boolean).join(" · "))));
  });
}

/** The city's inbox, newest first. */
export function showInbox({ records = [], available = true }) {
  const newest = [...records].sort((a, b) => (b.received_at_ms ?? 0) - (a.received_at_ms ?? 0) || (b.id ?? 0) - (a.id ?? 0));
  setText(document.getElementById("inbox-count"), available ? say("inbox_tally", records.length) : say("inbox_away"));
  const rows = newest.length ? newest.slice(0, MOST_ROWS) : nothing(say(available ? "inbox_empty" : "inbox_away"));
  keepList(document.getElementById("inbox"), rows, (record) => record.nothing ? "nothing" : `${record.id ?? record.case_id}`, (record) => {
    if (record.nothing) return make("li", { class: "empty" }, record.nothing);
    const person = typeof record.person === "string" ? record.person : [record.person?.name, record.person?.number].filter(Boolean).join(" ");
    const status = record.status ?? "received";
    const sub = [person, record.reason ?? record.summary].filter(Boolean).join(" · ");
    const item = !sub || (record.summary && record.kind !== "rating") ? "" : record.item; // the summary is its title
    return make("li", { "data-state": status },
      make("span", { class: "main" }, make("span", { class: "mono number" }, record.case_number ?? short(record.case_id)), make("span", { class: "sub" }, kindTag(record.kind), make("span", { class: "ellipsis", title: sub || null }, sub || (record.item ?? "")))),
      make("span", { class: "side" }, pill(has(`status_${status}`) ? say(`status_${status}`) : status, status), make("span", { class: "sub" }, [item, clock(record.received_at_ms)].filter(Boolean).join(" · "))));
  });
}

/** The processes, with what a supervisor can do to them. */
export function showProcesses({ processes = [] }) {
  keepList(document.getElementById("processes"), processes, ({ name }) => name, ({ name, pid, restarts = 0, running, wanted = true, last_exit }) => {
    const state = running ? "running" : wanted ? "down" : "stopped";
    const act = (verb, word) => make("button", { type: "button", class: "quiet", "data-focus": `${name}/${word}`, "aria-label": say(`${word}_label`, name), onclick: () => post(`/api/process/${encodeURIComponent(name)}/${verb}`) }, say(word));
    return make("li", { "data-state": state, title: last_exit },
      make("i", { class: "light", "data-light": { running: "ok", down: "error", stopped: "off" }[state], "aria-hidden": "true" }),
      make("span", { class: "main" },
        make("span", {}, make("span", { class: "mono" }, name), has(`proc_${name}`) ? make("small", {}, say(`proc_${name}`)) : null),
        make("span", { class: "sub" },
          make("span", {}, [say(`proc_${state}`), restarts ? say("restarts", restarts) : ""].filter(Boolean).join(" · ")),
          running && pid ? make("span", { class: "pid" }, `PID ${pid}`) : null)),
      make("span", { class: "acts" }, wanted ? act("kill", "kill") : null, wanted ? act("stop", "stop") : act("start", "start")));
  });
}
