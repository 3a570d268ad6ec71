// The devices of the desk, drawn from what the simulator says that they are and know: a row for each, which opens to
// its controls and faults; lights, doors and the one who stands before the kiosk also where they are on a real one.

import { post } from "./api.js";
import { act, choose, toggle } from "./controls.js";
import { make, setText } from "./dom.js";
import { has, say } from "./words.js";

const OPEN = "open-device";
/** Controls with a place of their own on the desk. */
const ELSEWHERE = new Set(["name", "card", "scan_receipt", "scan_torn", "scan_insurance", "scan_text", "picture", "inserted"]);
/** What browsers call the voices' languages. */
const TONGUES = { cmn: "zh-CN", yue: "zh-HK", en: "en-GB" };
const DOORS = ["door_1_open", "door_2_open"];
const PERSON = "M12 2a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zm0 10.5c5 0 8 3 8 7.5v2H4v-2c0-4.5 3-7.5 8-7.5z";

/** A device by its name; an empty one until the simulator has told. */
export const device = (state, name) => state.devices?.find((each) => each.name === name) ?? { name, now: {}, shows: {}, controls: [], faults: [] };

const change = (name, wanted) => post(`/api/devices/${encodeURIComponent(name)}`, wanted);

export class Devices {
  #list = document.getElementById("devices");
  #front = document.getElementById("front");
  #open = sessionStorage.getItem(OPEN) ?? "";
  #rows = new Map();
  /** The latest text of the voice that this page knows. */
  #heard;

  /** Shows every device as it is. */
  show(state) {
    for (const each of state.devices ?? []) this.#row(each);
    this.#showCabinet(device(state, "cabinet"));
    this.#hear(device(state, "speaker").shows.said);
  }

  /** Lets the visitor's own browser read out what the kiosk says. */
  #hear(said) {
    if (!said || !window.speechSynthesis) return;
    const last = said.at(-1) ?? { number: 0 };
    const heard = this.#heard ?? last.number;
    if (last.broken_off) speechSynthesis.cancel();
    if (last.number > heard && last.speaking) {
      speechSynthesis.cancel();
      speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(last.text), { lang: TONGUES[last.language] ?? last.language }));
    }
    this.#heard = last.number;
  }

  #row(each) {
    let row = this.#rows.get(each.name);
    if (!row) {
      row = this.#make(each);
      this.#rows.set(each.name, row);
      this.#list.append(row.element);
    }
    row.last = each;
    const { name, now } = each;
    const word = say(`device_${name}`);
    setText(row.name, word);
    const state = stateOf(each);
    row.light.dataset.light = state.light;
    setText(row.state, state.word);
    row.opener.setAttribute("aria-label", say("details", word));
    toggle(row.plug, "plugged", "", now.plugged, (plugged) => change(name, { plugged }));
    row.plug.firstChild.setAttribute("aria-label", say("plug", word));
    const open = this.#open === name;
    row.opener.setAttribute("aria-expanded", String(open));
    row.body.hidden = !open;
    if (open) showBody(row, each);
  }

  #make({ name }) {
    const row = {
      light: make("i", { class: "light", "aria-hidden": "true" }),
      name: make("span", { class: "device-name" }),
      state: make("span", { class: "sub ellipsis", role: "status" }),
      plug: make("span", { class: "plug" }),
      switches: make("div", { class: "switches" }),
      choices: make("div", { class: "device-choices" }),
      faults: make("div", { class: "chips" }),
      faultTitle: make("legend"),
      number: make("input", { type: "number", class: "mono" }),
      range: make("span", { class: "hint" }),
      note: make("span", { class: "hint" }),
    };
    row.opener = make("button", { type: "button", class: "opener", "aria-controls": `device-${name}`, onclick: () => this.#toggle(name) }, row.light, row.name, row.state, make("i", { class: "chevron", "aria-hidden": "true" }));
    row.numberLine = make("label", { class: "fault-number" }, row.number, row.range);
    row.body = make("div", { id: `device-${name}`, class: "device-body" },
      row.switches, row.choices,
      make("fieldset", {}, row.faultTitle, row.faults, make("p", { class: "fault-foot" }, row.numberLine, row.note)));
    row.element = make("li", { class: "device" }, make("div", { class: "device-head" }, row.opener, row.plug), row.body);
    return row;
  }

  #toggle(name) {
    this.#open = this.#open === name ? "" : name;
    sessionStorage.setItem(OPEN, this.#open);
    for (const [each, row] of this.#rows) {
      const open = each === this.#open;
      row.opener.setAttribute("aria-expanded", String(open));
      row.body.hidden = !open;
      if (open) showBody(row, row.last);
    }
  }

  #showCabinet({ name, now, shows }) {
    if (now.near === undefined) return;
    if (!this.#front.firstChild) this.#front.append(person(), ...DOORS.map(door));
    const [somebody, ...doors] = this.#front.children;
    hand(somebody, now.near, say(now.near ? "somebody" : "nobody"), say("control_near"), () => change(name, { near: !now.near }));
    for (const [at, control] of DOORS.entries()) {
      const open = now[control];
      hand(doors[at], open, say(open ? "door_open" : "door_closed", at + 1), say(`control_${control}`), () => change(name, { [control]: !open }));
    }
    for (const lamp of document.querySelectorAll("[data-lamp]")) {
      const pattern = shows.lights?.[lamp.dataset.lamp] ?? "off";
      lamp.dataset.pattern = pattern;
      lamp.title = say(`lamp_${lamp.dataset.lamp}`, say(`pattern_${pattern}`));
      lamp.setAttribute("aria-label", lamp.title);
    }
  }
}

/** A light and a word for the whole device. */
function stateOf({ name, now, shows }) {
  if (now.plugged === false) return { light: "off", word: say("word_off") };
  if (now.fault) return { light: "error", word: faultWord(now.fault.name) };
  if (now.paper === false) return { light: "error", word: say("word_no-paper") };
  if (now.cover_open) return { light: "error", word: say("word_cover") };
  if (now.near_end) return { light: "warn", word: say("word_near-end") };
  if (DOORS.some((door) => now[door])) return { light: "warn", word: say("word_open") };
  if (now.power) return { light: { mains: "ok", battery: "warn" }[now.power] ?? "error", word: say(`choice_${now.power}`) };
  if (now.inserted) return { light: "ok", word: say(`choice_${now.inserted}`) };
  if (name === "cabinet") return { light: "ok", word: say(now.near ? "word_near" : "word_far") };
  const said = shows?.said?.at(-1);
  if (said?.speaking) return { light: "ok", word: say("word_saying", said.text) };
  return { light: "ok", word: say("word_ok") };
}

function showBody(row, each) {
  const { name, now, controls, faults } = each;
  for (const { name: control, kind, choices, none } of controls) {
    const word = say(`control_${control}`);
    if (ELSEWHERE.has(control)) continue;
    if (kind === "switch") toggle(row.switches, control, word, now[control], (on) => change(name, { [control]: on }));
    else if (kind === "press") act(row.switches, control, word, () => change(name, { [control]: true }));
    else choice(row.choices, name, control, none ? ["none", ...choices] : choices, now[control] ?? "none");
  }
  row.switches.hidden = !row.switches.firstChild;
  row.choices.hidden = !row.choices.firstChild;
  showFaults(row, name, now.fault, faults);
}

function choice(parent, device, control, choices, chosen) {
  let field = parent.querySelector(`[data-control="${control}"]`);
  if (!field) {
    field = make("fieldset", { "data-control": control }, make("legend"), make("div", { class: "chips" }));
    parent.append(field);
  }
  setText(field.firstChild, say(`control_${control}`));
  const post = (value) => change(device, { [control]: value === "none" ? null : value });
  choose(field.lastChild, `${device}-${control}`, choices, (value) => say(`choice_${value}`), chosen, post);
}

function showFaults(row, name, fault, faults) {
  const chosen = fault?.name ?? "none";
  setText(row.faultTitle, say("faults"));
  choose(row.faults, `${name}-fault`, ["none", ...faults.map((known) => known.name)], faultWord, chosen, (value) => change(name, { fault: value === "none" ? null : value }));
  const note = `note_${name}_${chosen}`;
  setText(row.note, say(has(note) ? note : `note_${chosen}`));
  const scale = faults.find((known) => known.name === chosen)?.number;
  row.numberLine.hidden = !scale;
  if (!scale) return;
  const unit = say(`number_${scale.unit}`);
  setText(row.range, `${unit} (${say("number_range", scale.least, scale.most)})`);
  row.number.setAttribute("aria-label", say("number_label", faultWord(chosen), unit));
  Object.assign(row.number, { min: scale.least, max: scale.most });
  if (document.activeElement !== row.number) row.number.value = fault.number;
  row.number.onchange = async () => {
    const done = await change(name, { fault: { name: chosen, number: row.number.valueAsNumber } });
    if (!done) row.number.value = fault.number;
  };
}

const faultWord = (name) => (has(`fault_${name}`) ? say(`fault_${name}`) : name);

function person() {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.innerHTML = `<path d="${PERSON}"/>`;
  return make("button", { type: "button", class: "hand person", role: "switch" }, picture, make("span", {}));
}

const door = () => make("button", { type: "button", class: "hand door", role: "switch" }, make("i", { "aria-hidden": "true" }, make("b")), make("span", {}));

function hand(button, on, word, label, onPress) {
  button.setAttribute("aria-checked", String(on));
  button.setAttribute("aria-label", label);
  setText(button.lastChild, word);
  button.onclick = onPress;
}
