use super::{Notice, Other, Words, sentence_with_name};

pub(crate) const ENGLISH: Words = Words {
    lang: "en",
    dir: "ltr",
    version: "en-2026-11",
    other: Other {
        lang: "ar",
        name: "العربية",
    },
    title: sentence_with_name("Messages from ", ""),
    intro: sentence_with_name("Tick the messages that you want from ", ", then save."),
    number: sentence_with_name("This page is for your number ", "."),
    channels: ["WhatsApp", "Text messages (SMS)"],
    topics: [
        sentence_with_name("I want offers and news from ", " by WhatsApp."),
        sentence_with_name(
            "I want updates from ",
            " by WhatsApp about my calls, orders and appointments.",
        ),
        sentence_with_name("I want offers and news from ", " by text message."),
        sentence_with_name(
            "I want updates from ",
            " by text message about my calls, orders and appointments.",
        ),
    ],
    withheld: sentence_with_name("", " does not send you these messages."),
    save: "Save my choices",
    stop_title: "Stop everything",
    stop_text: sentence_with_name(
        "",
        " then sends you no more messages by WhatsApp or SMS, except replies to what you write and codes that you ask for.",
    ),
    stop: "Stop all messages",
    stopped: sentence_with_name(
        "You have stopped all messages from ",
        ". If you want some again, tick them and save.",
    ),
    without_title: "Without this page",
    without: sentence_with_name("Reply STOP to a message from ", " at any time to stop all messages."),
    without_replies: sentence_with_name(
        "Reply STOP by WhatsApp to ",
        " at any time, or call, to stop all messages. Replies to SMS do not arrive.",
    ),
    network: sentence_with_name("To stop promotion by SMS alone, text ", "."),
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
