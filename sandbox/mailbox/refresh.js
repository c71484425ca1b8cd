/* Loads the list again every few seconds, without moving the page or the focus; a paused tab rests. */
(() => {
  "use strict";
  const list = document.getElementById("messages");
  const seconds = Number(list.dataset.every);
  setInterval(async () => {
    if (document.hidden || list.contains(document.activeElement)) return;
    try {
      const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
      const fresh = page.getElementById("messages").innerHTML;
      if (fresh !== list.innerHTML) list.innerHTML = fresh;
    } catch { /* the mailbox is being started again */ }
  }, seconds * 1000);
})();
