// The switches of the desk: network, printer, reader.

import { post } from "./api.js";
import { make, setText } from "./dom.js";
import { say } from "./words.js";

const NETWORK = ["on", "off", "slow", "captive-portal", "error-500", "wrong-certificate", "lose-replies"];
const ENDS_AFTER_ROWS = 200; // a third of a receipt
const FAULTS = [
  "none", "checksum", "garbage", "stale", "truncated", "delay", "pull-early", "pull-mid-read", "unplug-mid-read",
  "chip-hangs", "stuck", "silent", "refused", "not-a-card",
];

/** A row of chips of which exactly one is chosen. `onChoose` answers whether the simulator did it. */
function choose(parent, name, values, word, chosen, onChoose) {
  const shown = [document.documentElement.lang, chosen].join();
  if (parent.dataset.shown === shown) return;
  const turn = async (value) => {
    if (await onChoose(value)) return;
    parent.dataset.shown = "";
    choose(parent, name, values, word, chosen, onChoose);
  };
  parent.dataset.shown = shown;
  const focused = parent.contains(document.activeElement);
  parent.replaceChildren(...values.map((value) => make("label", { class: "choice", "data-value": value },
    make("input", { type: "radio", name, value, checked: value === chosen, onchange: () => turn(value) }),
    make("span", {}, say(word(value))))));
  if (focused) parent.querySelector("input:checked")?.focus();
}

/** A switch that shows what is, not what was pressed: it turns when the simulator says so. */
function toggle(parent, name, on, onTurn) {
  let button = parent.querySelector(`[data-switch="${name}"]`);
  if (!button) {
    button = make("button", { type: "button", class: "switch", role: "switch", "data-switch": name }, make("span", {}), make("i", { "aria-hidden": "true" }));
    parent.append(button);
  }
  button.onclick = () => onTurn(!on);
  button.setAttribute("aria-checked", String(on));
  setText(button.firstChild, say(`sw_${name}`));
}

/** A button for something that happens once. */
function act(parent, name, onPress) {
  let button = parent.querySelector(`[data-act="${name}"]`);
  if (!button) {
    button = make("button", { type: "button", class: "quiet", "data-act": name, onclick: onPress });
    parent.append(button);
  }
  setText(button, say(`act_${name}`));
}

/** Shows every switch as the simulator says it stands. */
export function showControls({ network = {}, printer = {}, reader = {} }) {
  const mode = (typeof network === "string" ? network : network.mode) ?? "on";
  choose(document.getElementById("network"), "network", NETWORK, (value) => `net_${value}`, mode, (value) => post("/api/network", { mode: value }));
  setText(document.getElementById("network-note"), say(`netnote_${mode}`));
  document.querySelector(".network").dataset.mode = mode;

  const switches = document.getElementById("printer-switches");
  const turn = (key) => (on) => post("/api/printer", { [key]: on });
  toggle(switches, "paper", printer.paper !== false, turn("paper"));
  toggle(switches, "cover_open", printer.cover_open === true, turn("cover_open"));
  toggle(switches, "near_end", printer.near_end === true, turn("near_end"));
  toggle(switches, "paced", printer.paced !== false, turn("paced"));

  const fault = reader.fault ?? "none";
  choose(document.getElementById("reader-faults"), "fault", FAULTS, (value) => `fault_${value}`, fault, (value) => post("/api/reader", { fault: value === "none" ? null : value }));
  setText(document.getElementById("fault-note"), say(`faultnote_${fault}`));
  const plugged = reader.plugged !== false;
  toggle(document.getElementById("reader-switches"), "plugged", plugged, (on) => post("/api/reader", { plugged: on }));

  const printerFaults = document.getElementById("printer-faults");
  const printerPlugged = printer.plugged !== false;
  toggle(printerFaults, "printer_plugged", printerPlugged, (on) => post("/api/printer", { plugged: on }));
  act(printerFaults, "ends_soon", () => post("/api/printer", { paper_ends_after_rows: ENDS_AFTER_ROWS }));

  const active = (fault === "none" ? 0 : 1) + (plugged ? 0 : 1) + (printerPlugged ? 0 : 1);
  const count = document.getElementById("fault-count");
  count.hidden = active === 0;
  setText(count, String(active));
}
