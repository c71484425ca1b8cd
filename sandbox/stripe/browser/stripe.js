/* A stand-in for Stripe.js: the part of its interface that a card form needs, with the same names, arguments and
   results. The card is typed in a frame of this origin and never enters the page. */
(() => {
  "use strict";

  const BASE = new URL(document.currentScript.src);
  const frameUrl = (name, query) => {
    const url = new URL(name, BASE);
    url.search = new URLSearchParams(query).toString();
    return url.href;
  };
  let frames = 0;

  const failure = (message, more) => ({ error: { type: "validation_error", message, ...more } });

  const flatten = (value, name, into) => {
    if (value === undefined || value === null) return into;
    if (typeof value === "object") {
      for (const [key, one] of Object.entries(value)) flatten(one, name ? `${name}[${key}]` : key, into);
    } else {
      into.append(name, String(value));
    }
    return into;
  };

  const call = async (key, method, path, params) => {
    const body = flatten({ ...params, key }, "", new URLSearchParams());
    const url = new URL(`/v1/${path}`, BASE);
    if (method === "GET") url.search = body.toString();
    try {
      const response = await fetch(url, { method, body: method === "POST" ? body : undefined });
      return await response.json();
    } catch {
      return { error: { type: "api_connection_error", message: "We could not reach the payment service. Please try again." } };
    }
  };

  class CardElement {
    constructor(options) {
      this._options = options || {};
      this._handlers = {};
      this._waiting = new Map();
      this._name = `__privateStripeFrame${++frames}`;
      this._heard = (event) => this._hear(event);
    }

    mount(target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!place) throw new Error(`The selector you specified (${target}) applies to no DOM elements.`);
      const frame = document.createElement("iframe");
      const base = this._options.style?.base || {};
      frame.name = this._name;
      frame.title = "Secure card payment input frame";
      frame.src = frameUrl("card-frame", {
        parent: location.origin,
        zip: this._options.hidePostalCode ? "no" : "yes",
        color: base.color || "",
        placeholder: base["::placeholder"]?.color || "",
      });
      Object.assign(frame.style, { border: "0", width: "100%", height: "44px", display: "block", colorScheme: "light" });
      window.addEventListener("message", this._heard);
      place.replaceChildren(frame);
      place.classList.add("StripeElement");
      this._frame = frame;
      this._place = place;
    }

    unmount() {
      window.removeEventListener("message", this._heard);
      this._frame?.remove();
      this._place?.classList.remove("StripeElement", "StripeElement--focus", "StripeElement--complete", "StripeElement--invalid");
      this._frame = this._place = undefined;
    }

    destroy() { this.unmount(); }
    clear() { this._tell({ what: "clear" }); }
    focus() { this._tell({ what: "focus" }); }
    blur() { this._tell({ what: "blur" }); }
    update(options) { this._options = { ...this._options, ...options }; this._tell({ what: "update", disabled: !!options.disabled }); }
    on(name, handler) { (this._handlers[name] ||= []).push(handler); return this; }
    off(name, handler) { this._handlers[name] = (this._handlers[name] || []).filter((one) => handler && one !== handler); return this; }

    _tell(message) { this._frame?.contentWindow.postMessage(message, BASE.origin); }

    _hear(event) {
      if (!this._frame || event.source !== this._frame.contentWindow || event.origin !== BASE.origin) return;
      const { what, id, result, detail } = event.data;
      if (what === "result") {
        this._waiting.get(id)?.(result);
        this._waiting.delete(id);
      } else if (what === "height") {
        this._frame.style.height = `${detail}px`;
      } else {
        if (what === "change") {
          this._place.classList.toggle("StripeElement--complete", detail.complete);
          this._place.classList.toggle("StripeElement--invalid", !!detail.error);
        }
        if (what === "focus" || what === "blur") this._place.classList.toggle("StripeElement--focus", what === "focus");
        const news = what === "ready" ? this : { elementType: "card", ...detail };
        for (const handler of this._handlers[what] || []) handler(news);
      }
    }

    /* The frame turns what is typed into a payment method and gives back its id. */
    _tokenize(key, billing) {
      if (!this._frame) return Promise.resolve(failure("The card field is not on the page."));
      const id = `${this._name}:${Math.random()}`;
      return new Promise((resolve) => {
        this._waiting.set(id, resolve);
        this._tell({ what: "tokenize", id, key, billing });
      });
    }
  }

  /* The bank's question, in a frame over the page. Resolves to true (authenticated) or false. */
  const challenge = () => new Promise((resolve) => {
    const cover = document.createElement("div");
    const frame = document.createElement("iframe");
    Object.assign(cover.style, { position: "fixed", inset: "0", zIndex: "2147483647", background: "rgba(0,0,0,.5)", display: "grid", placeItems: "center" });
    frame.name = `__privateStripeFrame${++frames}`;
    frame.title = "Your bank: confirm this payment";
    frame.src = frameUrl("challenge", { parent: location.origin });
    Object.assign(frame.style, { border: "0", borderRadius: "12px", width: "min(400px, 92vw)", height: "300px", background: "#fff" });
    cover.append(frame);
    const back = document.activeElement;
    const hear = (event) => {
      if (event.source !== frame.contentWindow || event.origin !== BASE.origin || event.data.what !== "answer") return;
      window.removeEventListener("message", hear);
      cover.remove();
      back?.focus?.();
      resolve(event.data.success);
    };
    window.addEventListener("message", hear);
    frame.addEventListener("load", () => frame.focus());
    document.body.append(cover);
  });

  const makeStripe = (key) => {
    if (!key) throw new Error("Please call Stripe() with your publishable key. You used an empty string.");

    const confirm = async (noun, field, clientSecret, data = {}) => {
      const ident = /^((?:pi|seti)_\w+?)_secret_\w+$/.exec(clientSecret || "")?.[1];
      if (!ident) return failure(`Invalid value for client secret: ${clientSecret}`);
      const params = { client_secret: clientSecret, use_stripe_sdk: true };
      const chosen = data.payment_method;
      if (data.setup_future_usage) params.setup_future_usage = data.setup_future_usage;
      if (typeof chosen === "string") {
        params.payment_method = chosen;
      } else if (chosen?.card instanceof CardElement) {
        const made = await chosen.card._tokenize(key, chosen.billing_details);
        if (made.error) return made;
        params.payment_method = made.id;
      }
      let intent = await call(key, "POST", `${noun}s/${ident}/confirm`, params);
      if (!intent.error && intent.status === "requires_action") {
        const success = await challenge();
        intent = await call(key, "POST", `${noun}s/${ident}/_authenticate`, { client_secret: clientSecret, success });
        const refused = intent.last_payment_error || intent.last_setup_error;
        if (!intent.error && !success && refused) return { error: { ...refused, [noun]: intent } };
      }
      return intent.error ? { error: intent.error } : { [field]: intent };
    };

    const retrieve = async (noun, field, clientSecret) => {
      const ident = (clientSecret || "").split("_secret_")[0];
      const found = await call(key, "GET", `${noun}s/${ident}`, { client_secret: clientSecret });
      return found.error ? { error: found.error } : { [field]: found };
    };

    return {
      elements: () => {
        let card = null;
        return {
          create(type, options) {
            if (type !== "card") throw new Error(`The stand-in has the card Element only, not ${type}.`);
            if (card) throw new Error("Can only create one Element of type card through an Elements instance.");
            card = new CardElement(options);
            return card;
          },
          getElement: (type) => (type === "card" ? card : null),
        };
      },
      confirmCardPayment: (secret, data) => confirm("payment_intent", "paymentIntent", secret, data),
      confirmCardSetup: (secret, data) => confirm("setup_intent", "setupIntent", secret, data),
      retrievePaymentIntent: (secret) => retrieve("payment_intent", "paymentIntent", secret),
      retrieveSetupIntent: (secret) => retrieve("setup_intent", "setupIntent", secret),
      createPaymentMethod: async ({ card, billing_details: billing }) => {
        const made = await card._tokenize(key, billing);
        return made.error ? made : { paymentMethod: made };
      },
    };
  };

  window.Stripe = (key) => makeStripe(key);
  window.Stripe.version = 3;
})();
