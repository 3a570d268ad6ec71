// The social-security card's reader: a slot in which a card stands or none, and the cards beside it.

import { post } from "./api.js";
import { choose } from "./controls.js";
import { device } from "./devices.js";
import { setText } from "./dom.js";
import { has, say } from "./words.js";

const NAME = "social-security-card-reader";

export class Slot {
  #place = document.getElementById("slot");
  #choices = document.getElementById("slot-choices");

  /** Shows the slot as the simulator says it is. */
  show(state) {
    const { now, shows, controls } = device(state, NAME);
    const { fault, plugged, inserted } = now;
    const known = controls.find(({ name }) => name === "inserted")?.choices ?? [];
    choose(this.#choices, "slot-card", ["none", ...known], (value) => say(`choice_${value}`), inserted ?? "none", (value) => post(`/api/devices/${NAME}`, { inserted: value === "none" ? null : value }));
    this.#choices.setAttribute("aria-label", say("control_inserted"));
    this.#place.dataset.inserted = String(Boolean(inserted));
    this.#place.dataset.plugged = String(plugged !== false);
    this.#place.title = shows.why ?? "";
    document.getElementById("slot-light").dataset.light = plugged === false ? "off" : fault ? "error" : inserted ? "card" : "ok";
    const broken = plugged === false ? say("word_off") : fault && has(`fault_${fault.name}`) ? say(`fault_${fault.name}`) : "";
    setText(document.getElementById("slot-state"), broken);
  }
}
