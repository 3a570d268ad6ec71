// Four made-up cards and the reader. A click lays a card or takes it away; dragging does the same.

import { post } from "./api.js";
import { device } from "./devices.js";
import { make, setText } from "./dom.js";
import { has, say } from "./words.js";

const DRAG_STARTS = 6; // pixels before a press is a drag
const PORTRAIT = "M24 6a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 23C14 29 6 35 5 48h38c-1-13-9-19-19-19z";

// Shown until the simulator names its cards.
const PLACEHOLDERS = ["ordinary", "rare-name", "elder", "expired"].map((id) => ({ id }));

export class Desk {
  #desk = document.getElementById("cards");
  #pad = document.getElementById("pad");
  #reader = document.getElementById("reader");
  #state = {};
  #shown = "";
  #drag = null;
  #laid = { card: null, reads: 0 };

  /** Shows the cards and the reader as the simulator says they are. */
  show(state) {
    this.#state = state;
    const cards = state.cards?.length ? state.cards : PLACEHOLDERS;
    const { card: onReader } = device(state, "id-card-reader").now;
    const shown = JSON.stringify([cards, onReader, document.documentElement.lang]);
    if (shown !== this.#shown && !this.#drag) {
      this.#shown = shown;
      const focus = document.activeElement?.matches("[data-card]:focus-visible") ? document.activeElement.dataset.card : null;
      this.#desk.replaceChildren(...cards.map((card) => make("div", { class: "berth" }, card.id === onReader ? null : this.#draw(card))));
      const laid = cards.find((card) => card.id === onReader);
      this.#pad.querySelector(".card")?.remove();
      if (laid) this.#pad.append(this.#draw(laid));
      if (focus) document.querySelector(`[data-card="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
    }
    this.#showReader();
  }

  // The reader counts what it read; more than when the card was laid means that this card was read.
  #light() {
    const { now, shows } = device(this.#state, "id-card-reader");
    const { card = null } = now;
    const reads = shows.reads ?? 0;
    if (card !== this.#laid.card) this.#laid = { card, reads };
    if (now.plugged === false) return "off";
    if (!card) return "idle";
    return reads > this.#laid.reads ? "ok" : "card";
  }

  #showReader() {
    const { fault: broken, card, plugged } = device(this.#state, "id-card-reader").now;
    const light = this.#light();
    this.#reader.dataset.light = light;
    setText(document.getElementById("pad-hint"), card ? "" : say("pad_empty"));
    const fault = plugged && broken ? say("reader_fault", say(`fault_${broken.name}`)) : null;
    const word = light === "idle" && card ? "reader_card" : `reader_${light}`;
    setText(document.getElementById("reader-state"), fault ?? say(word));
    document.getElementById("reader-light").dataset.light = fault && light !== "ok" ? "error" : light;
  }

  #draw(card) {
    const laid = card.id === device(this.#state, "id-card-reader").now.card;
    const name = card.name ?? "";
    const field = (label, value, kind = "") => value ? make("span", { class: `field ${kind}` }, make("b", {}, say(label)), make("span", {}, value)) : null;
    const portrait = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    portrait.setAttribute("viewBox", "0 0 48 48");
    portrait.setAttribute("class", "portrait");
    portrait.innerHTML = `<path d="${PORTRAIT}"/>`;
    const kind = has(`card_${card.id}`) ? say(`card_${card.id}`) : card.id;
    const element = make("button", {
      type: "button",
      class: `card ${card.expired || card.id === "expired" ? "old" : ""}`,
      "data-card": card.id,
      "aria-pressed": String(laid),
      "aria-label": say(laid ? "pull" : "lay", `${name} ${kind}`),
      // A mouse or finger is handled as press and drag; this is the keyboard's way.
      onclick: (event) => event.detail === 0 && this.#put(laid ? null : card.id),
    },
      make("span", { class: "card-head" }, make("span", {}, say("card_sample")), make("em", {}, kind)),
      make("span", { class: "fields" },
        field("card_name", name, "name"),
        make("span", { class: "pair" }, field("card_sex", card.sex), field("card_birth", card.birth)),
        field("card_valid", card.valid_to, "valid"),
        field("card_number", card.number, "number")),
      portrait);
    element.addEventListener("pointerdown", (event) => this.#press(event, element, card.id, laid));
    return element;
  }

  #put(card) {
    return post("/api/devices/id-card-reader", { card });
  }

  #press(event, element, id, laid) {
    if (event.button !== 0) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const box = element.getBoundingClientRect();
    this.#drag = { id, laid, element, ghost: null, x: event.clientX, y: event.clientY, dx: event.clientX - box.left, dy: event.clientY - box.top, box };
    const move = (moved) => this.#move(moved);
    const end = (ended) => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", end);
      element.removeEventListener("pointercancel", end);
      this.#drop(ended);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
  }

  #move(event) {
    const drag = this.#drag;
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_STARTS) return;
      drag.ghost = drag.element.cloneNode(true);
      drag.ghost.classList.add("ghost");
      drag.ghost.style.width = `${drag.box.width}px`;
      drag.ghost.style.height = `${drag.box.height}px`;
      document.body.append(drag.ghost);
      drag.element.classList.add("lifted");
    }
    drag.ghost.style.transform = `translate(${event.clientX - drag.dx}px, ${event.clientY - drag.dy}px) rotate(-2deg)`;
    this.#pad.classList.toggle("over", this.#isOverPad(event));
  }

  #isOverPad(event) {
    const box = this.#reader.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top - 20 && event.clientY <= box.bottom;
  }

  async #drop(event) {
    const drag = this.#drag;
    this.#drag = null;
    this.#pad.classList.remove("over");
    drag.element.classList.remove("lifted");
    drag.ghost?.remove();
    const cancelled = event.type === "pointercancel";
    const onPad = drag.ghost ? this.#isOverPad(event) : !drag.laid;
    if (!cancelled && onPad !== drag.laid) await this.#put(onPad ? drag.id : null);
    this.show(this.#state);
  }
}
