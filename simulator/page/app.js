// The page: one link to the simulator, and the parts that show what it says.

import { Link } from "./api.js";
import { Camera } from "./camera.js";
import { showControls } from "./controls.js";
import { Desk } from "./desk.js";
import { Devices } from "./devices.js";
import { DocumentPrinter } from "./document-printer.js";
import { setText } from "./dom.js";
import { refreshElements } from "./elements.js";
import { showInbox, showProcesses, showQueue } from "./lists.js";
import { Printer } from "./printer.js";
import { Scanner } from "./scanner.js";
import { Screen } from "./screen.js";
import { Slot } from "./slot.js";
import { onLanguage, say, sayAll, switchLanguage } from "./words.js";

const RESTART_SHOWN_AFTER = 250; // a restart shorter than this need not flash

let connected = false;
let state = {};
let queue = {};
let inbox = {};
let link = null;
let veilTimer = 0;

const camera = new Camera();
const desk = new Desk();
const devices = new Devices();
const documentPrinter = new DocumentPrinter();
const printer = new Printer();
const scanner = new Scanner();
const slot = new Slot();
const screen = new Screen((message) => link?.send(message), () => refreshElements());

function showState() {
  setText(document.getElementById("terminal"), state.terminal ?? "");
  setText(document.getElementById("nameplate"), state.terminal ?? "");
  setText(document.getElementById("place"), state.place ?? "");
  document.querySelector(".where .warm").hidden = state.demo === false;
  for (const [id, address] of [["city", state.city_url], ["keeper", state.keeper_url]]) {
    const link = document.getElementById(id);
    link.hidden = !address;
    if (address) link.href = address;
  }
  desk.show(state);
  camera.show(state);
  slot.show(state);
  printer.showState(state);
  documentPrinter.show(state);
  devices.show(state);
  scanner.show(state);
  showControls(state);
  showProcesses(state);
  showVeil();
}

// Why the glass cannot be used now, if so.
function veilReason() {
  if (!connected) return "link";
  if (state.screen?.connected !== false) return null;
  const kiosk = state.processes?.find(({ name }) => name === "kiosk-app");
  return kiosk?.wanted === false ? "stopped" : "start";
}

function showVeil() {
  clearTimeout(veilTimer);
  const veil = document.getElementById("veil");
  const reason = veilReason();
  if (!reason) {
    veil.hidden = true;
    return;
  }
  veilTimer = setTimeout(() => {
    veil.hidden = false;
    veil.dataset.reason = reason;
    setText(document.getElementById("veil-title"), say(`veil_${reason}`));
    setText(document.getElementById("veil-more"), say(`veil_${reason}_more`));
  }, veil.hidden ? RESTART_SHOWN_AFTER : 0);
}

function showLink() {
  const pill = document.getElementById("link");
  pill.dataset.state = connected ? "delivered" : "dead_letter";
  setText(pill, say(connected ? "link_up" : "link_down"));
  document.body.classList.toggle("away", !connected);
}

const HEARD = {
  screen(message) {
    screen.resize(message.width, message.height);
  },
  state(message) {
    state = message;
    if (state.screen) screen.resize(state.screen.width, state.screen.height);
    showState();
  },
  queue(message) {
    queue = message;
    showQueue(queue);
  },
  inbox(message) {
    inbox = message;
    showInbox(inbox);
  },
  receipts(message) {
    printer.show(message.receipts ?? []);
  },
};

document.getElementById("language").addEventListener("click", switchLanguage);
sayAll();
onLanguage(() => {
  setText(document.getElementById("language"), say("language"));
  showLink();
  showState();
  showQueue(queue);
  showInbox(inbox);
  printer.redraw();
  refreshElements(0);
});

link = new Link({
  link(up) {
    connected = up;
    showLink();
    showVeil();
  },
  binary: (buffer) => screen.patch(buffer),
  message: (message) => HEARD[message.type]?.(message),
});
