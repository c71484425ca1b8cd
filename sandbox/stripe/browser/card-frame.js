/* The card field: what is typed stays in this frame; the page gets a payment method's id. */
(() => {
  "use strict";

  const query = new URLSearchParams(location.search);
  const parentOrigin = query.get("parent");
  const form = document.querySelector("form");
  const { cardnumber: number, "exp-date": expiry, cvc, postal } = form.elements;
  const wantsZip = query.get("zip") !== "no";
  for (const [name, variable] of [["color", "--ink"], ["placeholder", "--faint"]]) {
    if (query.get(name)) document.documentElement.style.setProperty(variable, query.get(name));
  }
  if (!wantsZip) postal.remove();

  const tell = (message) => window.parent.postMessage(message, parentOrigin);
  const digits = (field) => field.value.replace(/\D/g, "");

  const luhn = (text) => {
    let total = 0;
    [...text].reverse().forEach((digit, place) => {
      const value = Number(digit) * (1 + (place % 2));
      total += value > 9 ? value - 9 : value;
    });
    return total % 10 === 0;
  };
  const isAmex = () => /^3[47]/.test(digits(number));
  const fullLength = () => (isAmex() ? 15 : 16);

  const problem = () => {
    if (digits(number).length === fullLength() && !luhn(digits(number))) {
      return { code: "invalid_number", message: "Your card number is invalid." };
    }
    const [month, year] = [Number(digits(expiry).slice(0, 2)), 2000 + Number(digits(expiry).slice(2, 4))];
    if (digits(expiry).length === 4) {
      const now = new Date();
      if (month < 1 || month > 12) return { code: "invalid_expiry_month", message: "Your card's expiration date is invalid." };
      if (year * 12 + month < now.getFullYear() * 12 + now.getMonth() + 1) {
        return { code: "invalid_expiry_year_past", message: "Your card's expiration year is in the past." };
      }
    }
    return undefined;
  };

  const missing = () => {
    if (digits(number).length < fullLength()) return { code: "incomplete_number", message: "Your card number is incomplete." };
    if (digits(expiry).length < 4) return { code: "incomplete_expiry", message: "Your card's expiration date is incomplete." };
    if (digits(cvc).length < (isAmex() ? 4 : 3)) return { code: "incomplete_cvc", message: "Your card's security code is incomplete." };
    if (wantsZip && postal.value.trim().length < 5) return { code: "incomplete_zip", message: "Your postal code is incomplete." };
    return undefined;
  };

  const typed = () => {
    const error = problem();
    tell({
      what: "change",
      detail: {
        complete: !error && !missing(),
        empty: [...form.elements].every((field) => !field.value),
        error: error && { type: "validation_error", ...error },
        brand: isAmex() ? "amex" : { 4: "visa", 5: "mastercard", 6: "discover" }[digits(number)[0]] || "unknown",
        value: { postalCode: wantsZip ? postal.value : "" },
      },
    });
    for (const field of form.elements) field.removeAttribute("aria-invalid");
    if (error) (error.code === "invalid_number" ? number : expiry).setAttribute("aria-invalid", "true");
  };

  number.addEventListener("input", () => {
    const text = digits(number).slice(0, fullLength());
    number.value = text.replace(/(.{4})(?=.)/g, "$1 ");
    if (text.length === fullLength() && luhn(text)) expiry.focus();
  });
  expiry.addEventListener("input", (event) => {
    let text = digits(expiry).slice(0, 4);
    if (/^[2-9]/.test(text)) text = `0${text}`.slice(0, 4);
    const removing = event.inputType?.startsWith("delete");
    expiry.value = text.length > 2 || (text.length === 2 && !removing) ? `${text.slice(0, 2)} / ${text.slice(2)}`.trimEnd() : text;
    if (text.length === 4 && !problem()) cvc.focus();
  });
  cvc.addEventListener("input", () => { cvc.value = digits(cvc).slice(0, isAmex() ? 4 : 3); });
  form.addEventListener("input", typed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("focusin", () => tell({ what: "focus" }));
  form.addEventListener("focusout", () => tell({ what: "blur" }));

  const tokenize = async (key, billing) => {
    const error = problem() || missing();
    if (error) return { error: { type: "validation_error", ...error } };
    const body = new URLSearchParams({
      key,
      type: "card",
      "card[number]": digits(number),
      "card[exp_month]": digits(expiry).slice(0, 2),
      "card[exp_year]": `20${digits(expiry).slice(2, 4)}`,
      "card[cvc]": digits(cvc),
    });
    if (wantsZip) body.append("billing_details[address][postal_code]", postal.value.trim());
    if (billing?.name) body.append("billing_details[name]", billing.name);
    if (billing?.email) body.append("billing_details[email]", billing.email);
    try {
      return await (await fetch("/v1/payment_methods", { method: "POST", body })).json();
    } catch {
      return { error: { type: "api_connection_error", message: "We could not reach the payment service. Please try again." } };
    }
  };

  window.addEventListener("message", async (event) => {
    if (event.source !== window.parent || event.origin !== parentOrigin) return;
    const { what, id, key, billing, disabled } = event.data;
    if (what === "tokenize") tell({ what: "result", id, result: await tokenize(key, billing) });
    if (what === "clear") { form.reset(); typed(); }
    if (what === "focus") number.focus();
    if (what === "blur") document.activeElement?.blur();
    if (what === "update") for (const field of form.elements) field.disabled = disabled;
  });

  new ResizeObserver(() => tell({ what: "height", detail: Math.ceil(form.getBoundingClientRect().height) })).observe(form);
  tell({ what: "ready" });
})();
