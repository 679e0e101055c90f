//! English.

use super::{Notice, Other, Words, named};

pub(crate) const ENGLISH: Words = Words {
    lang: "en",
    dir: "ltr",
    version: "en-2026-11",
    other: Other {
        lang: "ar",
        name: "العربية",
    },
    title: named("Messages from ", ""),
    intro: named("Tick the messages that you want from ", ", then save."),
    number: named("This page is for your number ", "."),
    channels: ["WhatsApp", "Text messages (SMS)"],
    topics: [
        named("I want offers and news from ", " by WhatsApp."),
        named(
            "I want updates from ",
            " by WhatsApp about my calls, orders and appointments.",
        ),
        named("I want offers and news from ", " by text message."),
        named(
            "I want updates from ",
            " by text message about my calls, orders and appointments.",
        ),
    ],
    withheld: named("", " does not send you these messages."),
    save: "Save my choices",
    stop_title: "Stop everything",
    stop_text: named(
        "",
        " then sends you no more messages by WhatsApp or SMS, except replies to what you write and codes that you ask for.",
    ),
    stop: "Stop all messages",
    stopped: named(
        "You have stopped all messages from ",
        ". If you want some again, tick them and save.",
    ),
    without_title: "Without this page",
    without: named("Reply STOP to a message from ", " at any time to stop all messages."),
    without_replies: named(
        "Reply STOP by WhatsApp to ",
        " at any time, or call, to stop all messages. Replies to SMS do not arrive.",
    ),
    network: named("To stop promotion by SMS alone, text ", "."),
    saved: "Your choices are saved.",
    changed: "Your choices have changed since you opened this page, so nothing was saved. Check them and save again.",
    no_link: Notice {
        title: "This link does not work",
        text: "It has expired or is not complete. Open the newest link that you got. To stop messages, reply STOP to one of them, or call if no reply is possible.",
    },
    too_many: Notice {
        title: "Too many attempts",
        text: "Nothing was changed. Wait a while, then open the link again. To stop messages at once, reply STOP to one of them, or call if no reply is possible.",
    },
    wrong: Notice {
        title: "That did not work",
        text: "Nothing was changed. Open the link again and repeat your choice.",
    },
    unavailable: Notice {
        title: "Not available at the moment",
        text: "Try again in a few minutes. To stop messages at once, reply STOP to one of them, or call if no reply is possible.",
    },
};
