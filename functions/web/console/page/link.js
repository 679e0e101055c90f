// Pages behind the links in mails, for a function that was built without the console. Nothing happens before somebody presses
// the button: mail programs open links, too.
"use strict";

const AR = (navigator.language || "").startsWith("ar");
const say = (english, arabic) => (AR ? arabic : english);

const PAGES = {
  "/verify-email": {
    ask: say(
      "To finish signing up your business, enter the password that you chose at sign-up. If this was not you, close this page.",
      "لفتح حساب نشاطك أدخل كلمة المرور التي اخترتها عند التسجيل. إن لم تكن أنت، فأغلق هذه الصفحة.",
    ),
    post: "/api/v1/auth/verify-email",
    password: "current-password",
    // The browser keeps the session; no token stays in the page.
    more: { session: "cookie" },
    done: () => say("Your business is signed up. You can log in now.", "تم فتح حساب نشاطك. يمكنك تسجيل الدخول الآن."),
  },
  "/reset-password": {
    ask: say("Choose a new password.", "اختر كلمة مرور جديدة."),
    post: "/api/v1/auth/reset-password",
    password: "new-password",
    done: () => say("Your password has been changed. Log in with it.", "تم تغيير كلمة المرور. سجّل الدخول بها."),
  },
  "/accept-invitation": {
    ask: say(
      "Join the business that invited you. If you have no account yet, enter your name and choose a password.",
      "انضم إلى النشاط الذي دعاك. إن لم يكن لديك حساب فاكتب اسمك واختر كلمة مرور.",
    ),
    post: "/api/v1/users/invitations/accept",
    name: true,
    password: "new-password",
    done: (answer) => say(`You now belong to ${answer.business}. Log in.`, `أنت الآن عضو في ${answer.business}. سجّل الدخول.`),
  },
};

const page = PAGES[location.pathname];
const token = new URLSearchParams(location.search).get("token");
const form = document.querySelector("form");
const answer = document.getElementById("answer");
const optional = location.pathname === "/accept-invitation";

if (AR) {
  document.documentElement.lang = "ar";
  document.documentElement.dir = "rtl";
  document.querySelector("#name-field span").textContent = "الاسم";
  document.querySelector("#password-field span").textContent = "كلمة المرور";
  form.querySelector("button").textContent = "متابعة";
}

if (location.pathname === "/account/notifications") {
  answer.textContent = say(
    "Which of these mails you get is a preference of your account. Choose it on the site where your business uses Ringback, or with the operation update_me.",
    "الرسائل التي تصلك من هذا النوع من تفضيلات حسابك. اخترها حيث يستخدم نشاطك Ringback أو بالعملية update_me.",
  );
} else if (!page) {
  answer.textContent = say("Log in on the site where your business uses Ringback.", "سجّل الدخول حيث يستخدم نشاطك Ringback.");
} else if (!token) {
  answer.textContent = say("The link is incomplete. Open it from the mail again.", "الرابط ناقص. افتحه من الرسالة مجددا.");
} else {
  // The token must not stay in the history.
  history.replaceState(null, "", location.pathname);
  document.getElementById("ask").textContent = page.ask;
  document.getElementById("name-field").hidden = !page.name;
  document.getElementById("password-field").hidden = !page.password;
  form.elements.password.required = Boolean(page.password) && !optional;
  form.elements.password.autocomplete = page.password || "off";
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

async function send() {
  const button = form.querySelector("button");
  button.disabled = true;
  const body = { token, ...page.more };
  for (const field of ["name", "password"]) {
    const value = form.elements[field].value;
    if (page[field] && value) body[field] = value;
  }
  try {
    const response = await fetch(page.post, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const said = text ? JSON.parse(text) : {};
    if (response.ok) {
      form.hidden = true;
      answer.textContent = page.done(said);
      return;
    }
    const fields = (said.errors || []).map((error) => error.detail);
    answer.textContent = [said.detail, ...fields].filter(Boolean).join(" ");
  } catch {
    answer.textContent = say("Ringback did not answer. Try again.", "لم يُجب Ringback. حاول مجددا.");
  }
  button.disabled = false;
}
