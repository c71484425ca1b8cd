// Small conveniences over pages that work without them. No state is kept here but the chosen theme.

const root = document.documentElement;
const all = (selector, from = document) => from.querySelectorAll(selector);
const on = (event, selector, act) =>
  document.addEventListener(event, (e) => {
    const hit = e.target instanceof Element && e.target.closest(selector);
    if (hit) act(hit, e);
  });

// Theme: the form posts without script; with it the page changes at once.
on("click", ".theme button", (button, e) => {
  e.preventDefault();
  const theme = button.value;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax${secure}`;
  for (const other of all(".theme button")) other.setAttribute("aria-pressed", String(other.value === theme));
});

// Dialogs: browsers that do not know command/commandfor yet.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  on("click", "button[commandfor]", (button) => {
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (!(dialog instanceof HTMLDialogElement)) return;
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    else dialog.close();
  });
}
on("click", "dialog[open]", (dialog, e) => {
  if (e.target !== dialog) return;
  const box = dialog.getBoundingClientRect();
  const inside = e.clientX >= box.left && e.clientX <= box.right && e.clientY >= box.top && e.clientY <= box.bottom;
  if (!inside) dialog.close();
});

// Menus close on Escape, on a click elsewhere, and when focus leaves them.
const closeMenus = (except) => {
  for (const menu of all("details.menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (e) => closeMenus(e.target instanceof Element ? e.target.closest("details.menu") : null));
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("focusin", (e) => {
  const open = document.querySelector("details.menu[open]");
  if (open && !open.contains(e.target)) open.open = false;
});

// A form is sent once: the pressed button shows that it is busy. Coming back by the Back button frees it.
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (e.defaultPrevented || form.method === "dialog") return;
  if (form.dataset.sent && form.method === "post") {
    e.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  if (form.method === "post" && e.submitter?.matches(".button")) e.submitter.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", (e) => {
  if (!e.persisted) return;
  for (const form of all("form[data-sent]")) delete form.dataset.sent;
  for (const busy of all('.button[aria-busy="true"]')) busy.removeAttribute("aria-busy");
});

// Filters apply as they are changed.
on("change", "form[data-autosubmit]", (form) => form.requestSubmit());

on("click", "[data-dismiss]", (button) => button.closest(button.dataset.dismiss)?.remove());
on("click", "[data-print]", () => print());
on("click", "[data-copy]", async (button) => {
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.innerText.trim());
  const label = button.querySelector("[data-copied]");
  if (label) label.textContent = label.dataset.copied;
});
// "Select all" above a list of checkboxes: data-check-all names their shared name.
on("change", "[data-check-all]", (box) => {
  for (const other of all(`input[name="${box.dataset.checkAll}"]:not(:disabled)`, box.form ?? document)) other.checked = box.checked;
});

const prepare = () => {
  // Errors are announced where they are: the summary takes the focus.
  document.querySelector("form .error-summary")?.focus();
  // Tables shown as cards keep their table semantics.
  for (const table of all("table.table--stack:not([role])")) {
    table.setAttribute("role", "table");
    for (const part of all("thead, tbody, tfoot", table)) part.setAttribute("role", "rowgroup");
    for (const row of all("tr", table)) row.setAttribute("role", "row");
    for (const cell of all("td", table)) cell.setAttribute("role", "cell");
    for (const head of all("th", table)) head.setAttribute("role", head.closest("thead") ? "columnheader" : "rowheader");
  }
  // A wide table that scrolls can be reached by keyboard.
  for (const box of all(".table-scroll:not([tabindex])")) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
};
prepare();
document.addEventListener("htmx:afterSwap", prepare);
