// Keeps the keeper's page fresh, rings while somebody waits, and says "I am coming". The sound is made here, of nothing:
// no file is fetched. Browsers stay silent until a page was touched once, hence the button.
"use strict";
(() => {
  const part = document.getElementById("part");
  const live = document.getElementById("live");
  const button = document.getElementById("sound");
  const title = document.title;
  const EVERY_MS = 2000;
  let shown = part.innerHTML;
  let speaker = null;
  let sending = false;

  const ringing = () => Number(document.getElementById("calls")?.dataset.ringing ?? 0);
  const audible = () => speaker !== null && speaker.state === "running";

  function listen() {
    speaker ??= new AudioContext();
    return speaker.resume().then(follow, follow);
  }

  // Two rising notes, twice.
  function ring() {
    if (!audible()) return;
    [659, 880, 659, 880].forEach((pitch, n) => {
      const from = speaker.currentTime + n * 0.28;
      const note = speaker.createOscillator();
      const loudness = speaker.createGain();
      note.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.0001, from);
      loudness.gain.exponentialRampToValueAtTime(0.6, from + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, from + 0.26);
      note.connect(loudness).connect(speaker.destination);
      note.start(from);
      note.stop(from + 0.28);
    });
    navigator.vibrate?.([250, 150, 250]);
  }

  // What the page looks and sounds like now; a state for who looks at it from outside.
  function follow() {
    button.hidden = audible();
    document.documentElement.dataset.sound = audible() ? "on" : "off";
    if (ringing() === 0) document.title = title;
  }

  async function refresh() {
    if (sending) return;
    try {
      const answer = await fetch("/keeper/part", { cache: "no-store" });
      // Signed out meanwhile: the door is another page.
      if (answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (!sending && html !== shown) {
        part.innerHTML = html;
        shown = html;
      }
      live.className = "live";
      live.textContent = "实时更新";
    } catch {
      live.className = "live lost";
      live.textContent = "连接中断，收不到求助，正在重试";
    }
    follow();
  }

  part.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    for (const come of form.querySelectorAll("button")) come.disabled = true;
    sending = true;
    // The answer is the list; whatever it was, the next look shows how things are.
    await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => {});
    sending = false;
    shown = "";
    await refresh();
  });

  button.addEventListener("click", () => listen().then(ring));
  // Any touch does: nobody has to know what the button is for.
  document.addEventListener("pointerdown", () => listen());
  // A telephone on duty does not go dark.
  const wake = () => { if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {}); };
  document.addEventListener("visibilitychange", () => { wake(); refresh(); });

  setInterval(() => { if (ringing() > 0) ring(); }, 2400);
  setInterval(() => {
    if (ringing() > 0) document.title = document.title === title ? `【有人求助】${title}` : title;
  }, 1000);
  const loop = () => refresh().finally(() => setTimeout(loop, EVERY_MS));
  setTimeout(loop, EVERY_MS);
  wake();
  // Where the browser lets a page sound by itself, nobody has to touch anything.
  listen();
  follow();
})();
