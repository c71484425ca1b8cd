(() => {
  "use strict";
  const parentOrigin = new URLSearchParams(location.search).get("parent");
  const answer = (success) => window.parent.postMessage({ what: "answer", success }, parentOrigin);
  for (const button of document.querySelectorAll("[data-success]")) {
    button.addEventListener("click", () => answer(button.dataset.success === "true"));
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") answer(false); });
  document.querySelector("button").focus();
})();
