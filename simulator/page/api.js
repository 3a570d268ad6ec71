// The way to the simulator: one WebSocket that comes back by itself, and plain POSTs for the switches.

import { say } from "./words.js";

const FIRST_WAIT = 250;
const LONGEST_WAIT = 3000;

/** The live link. Calls `on.binary(buffer)`, `on.message(object)`, `on.link(connected)`. */
export class Link {
  #socket = null;
  #wait = FIRST_WAIT;
  #on;

  constructor(on) {
    this.#on = on;
    this.#open();
  }

  #open() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.#on.link(true);
    };
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return this.#on.binary(data);
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        return; // Not ours; the next one may be.
      }
      this.#on.message(message);
    };
    socket.onclose = () => {
      this.#on.link(false);
      setTimeout(() => this.#open(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    };
    this.#socket = socket;
  }

  /** Sends if the link is up; what a finger did while it was down is not replayed later. */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

/** Posts to the simulator; says so on the page when it did not work. Answers whether it did. */
export async function post(path, body = {}) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) return true;
    const problem = await answer.json().catch(() => ({}));
    toast(say("failed", problem.error ?? `${answer.status}`));
  } catch {
    toast(say("failed", say("unreachable")));
  }
  return false;
}

/** Gets JSON, or null. */
export async function get(path) {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** A sentence at the edge of the page that goes away by itself. */
export function toast(sentence) {
  const element = document.createElement("p");
  element.textContent = sentence;
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), 5000);
}
