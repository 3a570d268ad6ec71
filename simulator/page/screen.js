// The kiosk's screen: patches in, touches and keys out.

const HEADER = 9; // u16 x, y, w, h and the byte that ends a frame
const MOST_WAITING = 256;

// Keys that have no text of their own, as the kiosk's toolkit names them.
const KEYS = {
  Backspace: "\b", Enter: "\n", Escape: "\u001b", Delete: "\u007f",
  ArrowUp: "\uF700", ArrowDown: "\uF701", ArrowLeft: "\uF702", ArrowRight: "\uF703",
  Home: "\uF729", End: "\uF72B",
};

export class Screen {
  #canvas = document.getElementById("screen");
  #glass = document.getElementById("glass");
  #keys = document.getElementById("keys");
  #ink = this.#canvas.getContext("2d", { alpha: false });
  #waiting = [];
  #pressed = false;
  #move = null;
  #send;
  #onFrame;

  /** `send(message)` goes to the kiosk; `onFrame()` is called after each complete frame. */
  constructor(send, onFrame) {
    this.#send = send;
    this.#onFrame = onFrame;
    this.#listenToFingers();
    this.#listenToKeys();
    new ResizeObserver(() => this.#fit()).observe(document.querySelector(".stage"));
    this.#fit();
  }

  /** A screen of another size. */
  resize(width, height) {
    if (!width || !height) return;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#fit();
  }

  /** One patch. The screen changes when its frame is complete, so that no half page is seen. */
  patch(buffer) {
    if (buffer.byteLength < HEADER) return;
    const view = new DataView(buffer);
    const [x, y, w, h] = [0, 2, 4, 6].map((at) => view.getUint16(at, true));
    if (w && h && buffer.byteLength === HEADER + w * h * 4) {
      this.#waiting.push({ x, y, image: new ImageData(new Uint8ClampedArray(buffer, HEADER), w, h) });
    }
    if (view.getUint8(8) === 0 && this.#waiting.length < MOST_WAITING) return;
    for (const { x, y, image } of this.#waiting) this.#ink.putImageData(image, x, y);
    this.#waiting = [];
    this.#onFrame();
  }

  #fit() {
    const stage = document.querySelector(".stage");
    const style = getComputedStyle(stage);
    const taken = (name) => parseFloat(style.getPropertyValue(name));
    const room = {
      w: stage.clientWidth - taken("--wings") - taken("--frame") * 2,
      h: stage.clientHeight - taken("--below"),
    };
    const scale = Math.max(0.1, Math.min(room.w / this.#canvas.width, room.h / this.#canvas.height));
    this.#glass.style.width = `${Math.floor(this.#canvas.width * scale)}px`;
    this.#glass.style.height = `${Math.floor(this.#canvas.height * scale)}px`;
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    return {
      x: Math.round(((event.clientX - box.left) * this.#canvas.width) / box.width),
      y: Math.round(((event.clientY - box.top) * this.#canvas.height) / box.height),
    };
  }

  #listenToFingers() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.#pressed) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.#pressed = true;
      this.#keys.focus({ preventScroll: true });
      this.#placeKeys(event);
      this.#ripple(event);
      this.#send({ type: "touch", phase: "press", ...this.#point(event) });
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.#pressed) return;
      // At most one move a frame: a fast mouse reports a thousand a second.
      if (!this.#move) requestAnimationFrame(() => this.#flushMove());
      this.#move = this.#point(event);
    });
    canvas.addEventListener("pointerup", (event) => this.#release(this.#point(event)));
    // A cancelled touch ends outside of everything, so that nothing is activated.
    canvas.addEventListener("pointercancel", () => this.#release({ x: -1, y: -1 }));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #flushMove() {
    if (this.#move && this.#pressed) this.#send({ type: "touch", phase: "move", ...this.#move });
    this.#move = null;
  }

  #release(point) {
    if (!this.#pressed) return;
    this.#flushMove();
    this.#pressed = false;
    this.#send({ type: "touch", phase: "release", ...point });
  }

  #ripple(event) {
    const box = this.#glass.getBoundingClientRect();
    const ring = document.createElement("i");
    ring.className = "ripple";
    ring.style.left = `${event.clientX - box.left}px`;
    ring.style.top = `${event.clientY - box.top}px`;
    ring.addEventListener("animationend", () => ring.remove());
    this.#glass.append(ring);
  }

  // A canvas cannot be typed into with an input method, so an invisible text area holds the focus. It lies
  // where the finger was, and the candidate window appears there.
  #placeKeys(event) {
    const box = this.#glass.getBoundingClientRect();
    this.#keys.style.left = `${event.clientX - box.left}px`;
    this.#keys.style.top = `${event.clientY - box.top}px`;
  }

  #listenToKeys() {
    const keys = this.#keys;
    const give = () => {
      if (keys.value) this.#send({ type: "key", text: keys.value });
      keys.value = "";
    };
    keys.addEventListener("input", (event) => {
      if (!event.isComposing) give();
    });
    keys.addEventListener("compositionend", give);
    keys.addEventListener("keydown", (event) => {
      // Tab is left alone: the page must not become a trap for the keyboard.
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
      event.preventDefault();
      this.#send({ type: "key", text: KEYS[event.key] });
    });
    const focused = (yes) => () => this.#glass.classList.toggle("focused", yes && keys.matches(":focus-visible"));
    keys.addEventListener("focus", focused(true));
    keys.addEventListener("blur", focused(false));
  }
}
