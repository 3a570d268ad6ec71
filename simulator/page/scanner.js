// The code scanner beside the strip: what is held before it is sent as a real one sends it.

import { post } from "./api.js";
import { act } from "./controls.js";
import { device } from "./devices.js";
import { setText } from "./dom.js";
import { has, say } from "./words.js";

const NAME = "code-scanner";
const CODES = ["scan_receipt", "scan_torn", "scan_insurance"];

export class Scanner {
  #form = document.getElementById("scanner");
  #window = document.getElementById("scan-window");
  #codes = document.getElementById("scan-codes");
  #text = document.getElementById("scan-text");
  #scans = null;

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#text.value) hold({ scan_text: this.#text.value });
    });
  }

  /** Its light and word, and a flash for each scan. */
  show(state) {
    const { now, shows } = device(state, NAME);
    const { fault, plugged } = now;
    document.getElementById("scanner-light").dataset.light = plugged === false ? "off" : fault ? "error" : "ok";
    const word = plugged === false ? say("word_off") : fault && has(`fault_${fault.name}`) ? say(`fault_${fault.name}`) : "";
    setText(document.getElementById("scanner-state"), word);
    this.#form.dataset.plugged = String(plugged !== false);
    for (const code of CODES) act(this.#codes, code, say(`control_${code}`), () => hold({ [code]: true }));
    this.#text.placeholder = say("control_scan_text");
    if (this.#scans !== null && shows.scans > this.#scans) this.#flash();
    this.#scans = shows.scans ?? null;
  }

  #flash() {
    this.#window.classList.remove("scanning");
    void this.#window.offsetWidth; // Begins again when it has not ended.
    this.#window.classList.add("scanning");
  }
}

const hold = (what) => post(`/api/devices/${NAME}`, what);
