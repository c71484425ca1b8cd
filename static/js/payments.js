/* Card forms. One form, <form data-card-form>, saves a card or pays; everything it needs stands in its markup:

   data-publishable-key   Stripe's publishable key
   data-kind              "payment" or "setup"
   data-client-secret     of the intent; or
   data-intent-url        where to POST the form for {"client_secret"}, {"redirect"} or {"error"} when it is submitted
   data-payment-method    a saved card, when the form has no choice of cards
   data-say-busy, -failed, -unavailable   sentences, translated by the page

   Inside: [data-card-element] where a card is typed; [data-card-message] role="alert"; a submit button with
   data-busy-text; perhaps radios name="payment_method" (value "" is "another card") and [data-new-card], shown for it.
   When Stripe has confirmed, the form is posted to its action with "intent": the server fetches it and decides. */
(() => {
  "use strict";

  const cardStyle = (place) => {
    const { color, fontSize } = getComputedStyle(place);
    return { base: { color, fontSize, "::placeholder": { color: getComputedStyle(place.parentElement).color } } };
  };

  const start = (form) => {
    const { kind, publishableKey } = form.dataset;
    const place = form.querySelector("[data-card-element]");
    const message = form.querySelector("[data-card-message]");
    const button = form.querySelector("[type=submit]");
    const newCard = form.querySelector("[data-new-card]");
    const label = button.textContent;
    let busy = false;
    let secret = form.dataset.clientSecret;
    let card = null;

    const say = (text) => { message.textContent = text || ""; };

    const setBusy = (on) => {
      busy = on;
      form.setAttribute("aria-busy", String(on));
      button.setAttribute("aria-disabled", String(on));
      button.disabled = on;
      button.textContent = on ? button.dataset.busyText || label : label;
      card?.update({ disabled: on });
    };

    if (typeof window.Stripe !== "function") {
      say(form.dataset.sayUnavailable);
      button.disabled = true;
      return;
    }
    const stripe = window.Stripe(publishableKey);

    const savedCard = () => {
      const chosen = form.querySelector("[name=payment_method]:checked");
      return chosen ? chosen.value : form.dataset.paymentMethod || "";
    };

    if (place) {
      card = stripe.elements().create("card", { style: cardStyle(place), disableLink: true });
      card.mount(place);
      card.on("change", (event) => say(event.error && event.error.message));
    }
    const showNewCard = () => { if (newCard) newCard.hidden = savedCard() !== ""; };
    form.addEventListener("change", showNewCard);
    showNewCard();

    const askForIntent = async () => {
      const response = await fetch(form.dataset.intentUrl, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
        credentials: "same-origin",
      });
      return response.json();
    };

    /* The intent's id when it is confirmed, or null when something has been said about why not. */
    const confirm = async () => {
      if (!secret) {
        const answer = await askForIntent();
        if (answer.redirect) {
          window.location.assign(answer.redirect);
          return null;
        }
        if (!answer.client_secret) {
          say(answer.error || form.dataset.sayFailed);
          return null;
        }
        secret = answer.client_secret;
      }
      const data = { payment_method: savedCard() || { card } };
      const setup = kind === "setup";
      const result = setup ? await stripe.confirmCardSetup(secret, data) : await stripe.confirmCardPayment(secret, data);
      const found = setup ? result.setupIntent : result.paymentIntent;
      if (found) return found.id;
      /* Finished already, in another tab or by an earlier click: that is no failure. */
      const earlier = setup ? result.error.setup_intent : result.error.payment_intent;
      if (earlier && ["succeeded", "processing"].includes(earlier.status)) return earlier.id;
      say(result.error.message || form.dataset.sayFailed);
      return null;
    };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (busy) return;
      say(form.dataset.sayBusy);
      setBusy(true);
      try {
        const intent = await confirm();
        if (intent) {
          const field = form.elements.intent || form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "intent" }));
          field.value = intent;
          form.submit();
          return;
        }
      } catch {
        say(form.dataset.sayFailed);
      }
      setBusy(false);
      button.focus();
    });
  };

  document.querySelectorAll("form[data-card-form]").forEach(start);

  /* Back to a page kept from before the payment: show it as it is now. */
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("form[data-card-form]")) window.location.reload();
  });
})();
