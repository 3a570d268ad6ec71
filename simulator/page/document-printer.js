// The A4 printer: its pages come out into a tray, can be enlarged, read as the PDF that they were, and taken away.

import { device } from "./devices.js";
import { keepList, make, setText } from "./dom.js";
import { clock, has, say } from "./words.js";

const SHOWN = 3; // pages that lie in sight
const REMEMBERED = "taken-print-outs";

export class DocumentPrinter {
  #tray = document.getElementById("a4-tray");
  #viewer = document.getElementById("a4-viewer");
  #taken = new Set(JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "[]"));
  #state = {};
  #pages = [];
  #viewed = null;

  constructor() {
    document.getElementById("a4-older").addEventListener("click", () => this.#step(-1));
    document.getElementById("a4-newer").addEventListener("click", () => this.#step(1));
    document.getElementById("a4-take").addEventListener("click", () => {
      this.#take(this.#viewed.key);
      this.#viewer.close();
    });
    document.getElementById("a4-taken").addEventListener("click", () => {
      const taken = this.#pages.filter(({ key }) => this.#taken.has(key));
      if (taken.length) this.#view(taken.at(-1));
    });
    this.#viewer.addEventListener("click", (event) => event.target === this.#viewer && this.#viewer.close());
    this.#viewer.addEventListener("close", () => (this.#viewed = null));
  }

  /** Shows printer and tray as the simulator says they are. */
  show(state) {
    this.#state = state;
    const { now, shows } = device(state, "document-printer");
    const { light, word } = lightOf(now, shows);
    document.getElementById("a4-light").dataset.light = light;
    setText(document.getElementById("a4-state"), word);
    // Each print-out by its number and time: a simulator that was started anew counts from one again.
    this.#pages = (shows.print_outs ?? []).flatMap((out) => Array.from({ length: out.pages }, (_, at) => ({ ...out, page: at + 1, key: `${out.at_ms}-${out.id}` })));
    this.#draw();
  }

  #draw() {
    const lying = this.#pages.filter(({ key }) => !this.#taken.has(key)).slice(-SHOWN);
    keepList(this.#tray, lying, ({ key, page }) => `${key}-${page}`, (page) => this.#sheet(page));
    if (!lying.length) this.#tray.replaceChildren(make("p", { class: "empty" }, say("a4_empty")));
    const taken = new Set(this.#pages.filter(({ key }) => this.#taken.has(key)).map(({ key }) => key)).size;
    const button = document.getElementById("a4-taken");
    button.hidden = taken === 0;
    setText(button, say("a4_taken", taken));
    if (this.#viewed) this.#showViewed();
  }

  #sheet(page) {
    const torn = !page.complete && !page.in_progress;
    return make("div", { class: `sheet ${torn ? "torn" : ""}` },
      make("button", { type: "button", class: "sheet-open", "aria-label": say("a4_open", page.id, page.page), "data-focus": `a4-${page.key}-${page.page}`, onclick: () => this.#view(page) },
        make("img", { alt: "", draggable: "false", src: picture(page) })),
      torn ? make("span", { class: "paper-note" }, say("a4_torn")) : null,
      make("button", { type: "button", class: "paper-tear", "aria-label": `${say("a4_take")} ${page.id}`, onclick: () => this.#take(page.key) }, say("a4_take")));
  }

  // A print-out is taken as a whole, with the pages that are still to come.
  #take(key) {
    this.#taken.add(key);
    sessionStorage.setItem(REMEMBERED, JSON.stringify([...this.#taken].slice(-200)));
    this.#draw();
  }

  #view(page) {
    this.#viewed = page;
    this.#showViewed();
    if (!this.#viewer.open) this.#viewer.showModal();
  }

  #at() {
    return this.#pages.findIndex(({ key, page }) => key === this.#viewed?.key && page === this.#viewed.page);
  }

  #step(by) {
    const next = this.#pages[this.#at() + by];
    if (next) this.#view(next);
  }

  #showViewed() {
    const at = this.#at();
    const page = this.#pages[at];
    if (!page) return this.#viewer.close();
    const title = say("a4_at", page.id, page.page, clock(page.at_ms));
    const image = document.getElementById("a4-image");
    if (image.getAttribute("src") !== picture(page)) image.src = picture(page);
    image.alt = title;
    setText(document.getElementById("a4-title"), title);
    document.getElementById("a4-pdf").href = `/api/print-outs/${page.id}.pdf`;
    document.getElementById("a4-older").disabled = at === 0;
    document.getElementById("a4-newer").disabled = at === this.#pages.length - 1;
    document.getElementById("a4-take").hidden = this.#taken.has(page.key);
  }
}

function lightOf(now, shows) {
  if (now.plugged === false) return { light: "off", word: say("a4_off") };
  if (now.fault && has(`fault_${now.fault.name}`)) return { light: "error", word: say(`fault_${now.fault.name}`) };
  if (now.cover_open) return { light: "error", word: say("word_cover") };
  if (now.paper === false) return { light: "error", word: say("word_no-paper") };
  if (shows.printing) return { light: "reading", word: say("a4_printing") };
  return { light: "ok", word: say("a4_ok") };
}

const picture = ({ id, page, at_ms }) => `/api/print-outs/${id}-${page}.png?at=${at_ms}`;
