// The receipt strip: paper rises out of the printer as it prints, can be enlarged and torn off.

import { device } from "./devices.js";
import { make, setText } from "./dom.js";
import { clock, say } from "./words.js";

const HANGING = 4; // untorn receipts shown at the printer
const REMEMBERED = "torn-receipts";

export class Printer {
  #strip = document.getElementById("strip");
  #torn = new Set(JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "[]"));
  #receipts = [];
  #papers = new Map();
  #viewer = document.getElementById("viewer");
  #viewed = null;

  constructor() {
    document.getElementById("torn").addEventListener("click", () => {
      const torn = this.#receipts.filter(({ id }) => this.#torn.has(id));
      if (torn.length) this.#view(torn.at(-1).id);
    });
    document.getElementById("viewer-older").addEventListener("click", () => this.#step(-1));
    document.getElementById("viewer-newer").addEventListener("click", () => this.#step(1));
    document.getElementById("viewer-tear").addEventListener("click", () => {
      this.#tear(this.#viewed);
      this.#viewer.close();
    });
    this.#viewer.addEventListener("click", (event) => event.target === this.#viewer && this.#viewer.close());
    this.#viewer.addEventListener("close", () => (this.#viewed = null));
  }

  /** The printer's own light and word. */
  showState(state) {
    const { now: printer, shows } = device(state, "receipt-printer");
    const word = printer.plugged === false ? "off" : printer.cover_open ? "cover" : printer.paper === false ? "empty" : shows.printing ? "printing" : printer.near_end ? "near" : "ok";
    document.getElementById("printer-light").dataset.light = { ok: "ok", printing: "reading", near: "warn", off: "off" }[word] ?? "error";
    setText(document.getElementById("printer-state"), say(`printer_${word}`));
    document.getElementById("lid").classList.toggle("open", printer.cover_open === true);
  }

  /** What has been printed so far, oldest first. */
  show(receipts) {
    this.#receipts = receipts.map((receipt) => ({ ...receipt, id: String(receipt.id) }));
    this.#draw();
  }

  /** Again, in another language. */
  redraw() {
    for (const paper of this.#papers.values()) this.#name(paper);
    this.#draw();
  }

  #draw() {
    const hanging = this.#receipts.filter(({ id, height }) => !this.#torn.has(id) && height > 0).slice(-HANGING);
    const wanted = new Set(hanging.map(({ id }) => id));
    for (const [id, paper] of this.#papers) {
      if (!wanted.has(id)) {
        paper.element.remove();
        this.#papers.delete(id);
      }
    }
    for (const receipt of hanging) this.#paper(receipt);
    this.#strip.querySelector(".empty")?.remove();
    if (!hanging.length) this.#strip.append(make("p", { class: "empty" }, say("no_receipts")));

    const torn = this.#receipts.filter(({ id }) => this.#torn.has(id)).length;
    const button = document.getElementById("torn");
    button.hidden = torn === 0;
    setText(button, say("torn", torn));
    if (this.#viewed) this.#showViewed();
  }

  #paper(receipt) {
    let paper = this.#papers.get(receipt.id);
    if (!paper) {
      const image = make("img", { alt: "", draggable: "false" });
      const open = make("button", { type: "button", class: "paper-open", onclick: () => this.#view(receipt.id) }, image);
      const tear = make("button", { type: "button", class: "paper-tear", onclick: () => this.#tear(receipt.id) });
      const note = make("span", { class: "paper-note", hidden: true });
      paper = { element: make("div", { class: "paper" }, open, tear, note), image, open, tear, note, rows: 0, receipt, loading: false };
      this.#papers.set(receipt.id, paper);
      this.#strip.append(paper.element);
    }
    paper.receipt = receipt;
    this.#name(paper);
    const printing = receipt.in_progress ?? (!receipt.complete && !receipt.cut);
    paper.element.classList.toggle("printing", printing);
    paper.note.hidden = printing || receipt.complete;
    paper.element.classList.toggle("cut", receipt.cut === true);
    this.#grow(paper);
  }

  #name(paper) {
    const { id, at_ms } = paper.receipt;
    paper.open.setAttribute("aria-label", say("enlarge", `${id} ${clock(at_ms)}`));
    setText(paper.tear, say("tear"));
    setText(paper.note, say("unfinished"));
    paper.tear.setAttribute("aria-label", `${say("tear")} ${id}`);
  }

  // Loads the picture of what is printed by now; while it loads, the earlier one stays.
  async #grow(paper) {
    if (paper.loading || paper.rows === paper.receipt.height) return;
    paper.loading = true;
    const { height } = paper.receipt;
    const next = new Image();
    next.src = picture(paper.receipt);
    const loaded = await next.decode().then(() => true, () => false);
    paper.loading = false;
    if (loaded) {
      paper.image.src = next.src;
      paper.rows = height;
      if (paper.receipt.height !== height) this.#grow(paper);
    }
  }

  // The size is known before the picture is there, so the paper does not jump; while a strip prints, the
  // earlier picture stays until the longer one has come.
  async #showLarge(receipt, source, title) {
    const image = document.getElementById("viewer-image");
    if (image.dataset.receipt !== receipt.id) image.removeAttribute("src");
    image.dataset.receipt = receipt.id;
    image.alt = title;
    if (image.getAttribute("src") === source) return;
    const next = new Image();
    next.src = source;
    const loaded = await next.decode().then(() => true, () => false);
    if (!loaded || image.dataset.receipt !== receipt.id || this.#viewed !== receipt.id) return;
    image.width = next.naturalWidth;
    image.height = next.naturalHeight;
    image.src = source;
  }

  #tear(id) {
    this.#torn.add(id);
    sessionStorage.setItem(REMEMBERED, JSON.stringify([...this.#torn].slice(-500)));
    const paper = this.#papers.get(id);
    if (!paper || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#draw();
    paper.element.classList.add("tearing");
    paper.element.addEventListener("animationend", () => this.#draw(), { once: true });
  }

  #view(id) {
    this.#viewed = id;
    this.#showViewed();
    if (!this.#viewer.open) this.#viewer.showModal();
  }

  #step(by) {
    const at = this.#receipts.findIndex(({ id }) => id === this.#viewed) + by;
    if (this.#receipts[at]) this.#view(this.#receipts[at].id);
  }

  #showViewed() {
    const at = this.#receipts.findIndex(({ id }) => id === this.#viewed);
    const receipt = this.#receipts[at];
    if (!receipt) return this.#viewer.close();
    const title = say("receipt_at", receipt.id, clock(receipt.at_ms));
    const source = picture(receipt);
    this.#showLarge(receipt, source, title);
    setText(document.getElementById("viewer-title"), title);
    document.getElementById("viewer-open").href = source;
    document.getElementById("viewer-older").disabled = at === 0;
    document.getElementById("viewer-newer").disabled = at === this.#receipts.length - 1;
    document.getElementById("viewer-tear").hidden = this.#torn.has(receipt.id);
  }
}

const picture = ({ id, height }) => `/api/receipts/${encodeURIComponent(id)}.png?rows=${height}`;
