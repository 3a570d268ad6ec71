// Keeps the operators' inbox fresh: fetches the part of the page that changes and puts it in place.
"use strict";
(() => {
  const part = document.getElementById("part");
  const live = document.getElementById("live");
  let shown = "";

  async function refresh() {
    try {
      const answer = await fetch("/city/part" + location.search, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (html !== shown) {
        part.innerHTML = html;
        shown = html;
      }
      live.className = "live";
      live.textContent = "实时更新";
    } catch {
      live.className = "live lost";
      live.textContent = "连接中断，正在重试";
    }
  }

  async function loop() {
    if (!document.hidden) await refresh();
    setTimeout(loop, 2000);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  setTimeout(loop, 2000);
})();
