// What lies under the document camera: a made-up paper, a picture that the visitor brings, or what the visitor's own
// camera sees. Pictures are made smaller here, and none leaves this machine.

import { post, toast } from "./api.js";
import { choose } from "./controls.js";
import { device } from "./devices.js";
import { make } from "./dom.js";
import { say } from "./words.js";

const NAME = "document-camera";
const PATH = `/api/devices/${NAME}`;
const LONGEST = 1600; // pixels of a brought picture
const FRAME = { width: 1280, height: 720 };
const FRAME_EVERY = 100; // milliseconds between two frames of the visitor's camera
const QUALITY = 0.9;

export class Camera {
  #mat = document.getElementById("mat");
  #choices = document.getElementById("mat-choices");
  #file = document.getElementById("mat-file");
  #shown = "";
  #brought = 0;
  #video = null;
  #timer = 0;
  #sending = false;

  constructor() {
    this.#file.onchange = () => this.#file.files.length && this.#bring(this.#file.files[0]);
  }

  /** Shows the camera as the simulator says it is. */
  show(state) {
    const { now, controls } = device(state, NAME);
    const known = controls.find(({ name }) => name === "picture")?.choices ?? [];
    const chosen = now.picture ?? "none";
    choose(this.#choices, "camera-picture", ["none", ...known], (value) => say(`choice_${value}`), chosen, (value) => this.#lay(value));
    if (chosen !== "webcam") this.#stopWebcam();
    const shown = JSON.stringify([chosen, now.fault?.name, this.#brought, Boolean(this.#video)]);
    if (!known.length || shown === this.#shown) return;
    this.#shown = shown;
    const picture = this.#video ?? make("img", { src: `${PATH}/picture?${encodeURIComponent(shown)}`, alt: say(`choice_${chosen}`) });
    this.#mat.replaceChildren(picture);
  }

  async #lay(value) {
    if (value === "own") {
      this.#file.value = "";
      this.#file.click();
      return this.#brought > 0 && post(PATH, { picture: "own" });
    }
    if (value === "webcam") return this.#startWebcam();
    return post(PATH, { picture: value === "none" ? null : value });
  }

  async #bring(file) {
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
      const jpeg = await jpegOf(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
      if (await send("picture", jpeg)) this.#brought += 1;
    } catch {
      toast(say("failed", say("no_picture")));
    }
  }

  async #startWebcam() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: FRAME });
      const video = make("video", { muted: true, playsinline: true });
      video.srcObject = stream;
      await video.play();
      // First the choice: what is shown before it would end the stream again.
      if (!(await post(PATH, { picture: "webcam" }))) throw new Error("refused");
      this.#video = video;
      this.#timer = setInterval(() => this.#frame(video), FRAME_EVERY);
      return true;
    } catch {
      toast(say("failed", say("no_webcam")));
      return false;
    }
  }

  async #frame(video) {
    if (this.#sending || !video.videoWidth) return;
    this.#sending = true;
    if (!(await send("frame", await jpegOf(video, FRAME.width, FRAME.height)))) this.#stopWebcam();
    this.#sending = false;
  }

  #stopWebcam() {
    if (!this.#video) return;
    clearInterval(this.#timer);
    for (const track of this.#video.srcObject.getTracks()) track.stop();
    this.#video = null;
  }
}

async function jpegOf(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}

async function send(place, jpeg) {
  try {
    const answer = await fetch(`${PATH}/${place}`, { method: "POST", body: jpeg });
    if (answer.ok) return true;
    toast(say("failed", (await answer.json()).error));
  } catch {
    toast(say("failed", say("unreachable")));
  }
  return false;
}
