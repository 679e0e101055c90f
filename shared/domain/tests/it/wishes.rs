//! Texts that count as a wish about messages, and texts that do not: by the kind of message, in words, near misses and languages.

use domain::messages::{InboundMessage, OptFlag};
use domain::people::{is_stop_label, wish_in_message};
use domain::tenants::Tenant;
use serde_json::{from_value, json};

use Verdict::{Help, No, Start, Stop};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Stop,
    Start,
    Help,
    No,
}

/// Kind of message, its text, and the verdict. Buttons have the payload behind `|`; those of `offer` stand below a marketing template.
#[rustfmt::skip]
const TABLE: &[(&str, &str, Verdict)] = &[
    // Kinds of messages: what somebody typed.
    ("text", "STOP", Stop), ("sms", "STOP", Stop), ("mms", "STOP", Stop), ("caption", "STOP", Stop), ("edit", "STOP", Stop),
    ("document", "STOP", Stop), ("text", "START", Start), ("sms", "START", Start), ("caption", "START", Start), ("edit", "START", Start),
    ("text", "HELP", Help), ("sms", "Info", Help), ("mms", "مساعدة", Help), ("caption", "Please stop", Stop), ("edit", "إيقاف", Stop),
    // Kinds of messages: others' words.
    ("place", "Stop", No), ("card", "Stop", No), ("order", "Stop", No), ("reaction", "STOP", No), ("unsupported", "STOP", No),
    ("document", "no more texts.pdf", No), ("document", "Stop.docx", No), ("text", "no more texts", Stop), ("document", "no more texts", Stop),
    ("flagged stop", "Enough", Stop), ("flagged start", "Liked “Hello”", Start), ("flagged help", "STOP", Stop), ("flagged help", "What is this?", Help),
    // Buttons and rows.
    ("button", "Cancel|Cancel", No), ("button", "Stop|Stop", No), ("button", "Stop|STOP", No), ("row", "Start|start", No),
    ("row", "Info|info", No), ("row", "Stop|row_3", No), ("button", "No, thanks|STOP", Stop), ("button", "Nothing more|opt_out", Stop),
    ("button", "Leave|unsubscribe", Stop), ("row", "Nothing more|stop_promotions", Stop), ("button", "Leave|إيقاف", Stop),
    ("button", "Leave|cancel", No), ("button", "Leave|إلغاء", No), ("button", "Yes|START", No), ("button", "Yes|help", No),
    ("button", "Non|no more texts", No), ("button", "no more texts|no more texts", No), ("button", "Stop promotions|Stop promotions", No),
    ("button", "Stop by|stop_by_at_five", No), ("button", "Stop|", No),
    ("row", "Sent|{\"opt\":\"out\"}", No),
    ("offer", "Stop promotions|Stop promotions", Stop), ("offer", "إيقاف العروض الترويجية|إيقاف العروض الترويجية", Stop),
    ("offer", "إيقاف العروض|إيقاف العروض", Stop), ("offer", "Stop|Stop", Stop), ("offer", "Unsubscribe|", Stop), ("offer", "Stop|later", Stop),
    ("offer", "Cancel|Cancel", No), ("offer", "إلغاء|إلغاء", No), ("offer", "Start|START", No), ("offer", "Help|help", No),
    ("offer", "no more texts|no more texts", No), ("offer", "Shop now|shop", No),
    // Words, however they are typed.
    ("text", "Stop", Stop), ("text", " stop. ", Stop), ("text", "stop!!!", Stop), ("text", "“Stop”", Stop), ("text", "Stop 🙏", Stop),
    ("text", "S\u{200F}TOP", Stop), ("text", "ＳＴＯＰ", Stop), ("text", "Opt-out", Stop), ("text", "STOP ALL", Stop), ("text", "stopall", Stop),
    ("text", "S.T.O.P.", Stop), ("text", "*STOP*", Stop), ("text", "unsubscribe", Stop), ("text", "Stop promotions", Stop),
    ("text", "stop texting me", Stop), ("text", "STOP MESSAGE", Stop), ("text", "Cancel", Stop), ("text", "end", Stop),
    ("text", "QUIT", Stop), ("text", "revoke.", Stop), ("text", "unstop", Start), ("text", "Subscribe", Start), ("text", "help?", Help),
    // Politeness.
    ("sms", "Stop. Thank you", Stop), ("sms", "please stop", Stop), ("sms", "Stop pls", Stop), ("sms", "Kindly stop", Stop),
    ("sms", "Please stop, thanks!", Stop), ("sms", "Hi, please stop messages. Thank you very much", Stop), ("sms", "Please unsubscribe me", Stop),
    ("sms", "Opt out please", Stop), ("sms", "pls stop sending messages", Stop),
    ("sms", "Dear Sir, stop sending me these messages", Stop), ("sms", "No thanks. Stop", Stop), ("sms", "Please \"stop\"", Stop),
    ("sms", "STOP merci", Stop), ("sms", "stop, por favor", Stop),
    ("sms", "Good morning, stop", Stop), ("sms", "Hey stop it please", Stop), ("sms", "Ok stop", Stop), ("sms", "Sorry, stop. Bye", Stop),
    ("sms", "stop promotion", Stop), ("sms", "Stop promotional texts", Stop), ("sms", "stop all the messages", Stop),
    ("sms", "Unsubscribe from all messages", Stop), ("sms", "opt out of promotional messages please", Stop),
    ("sms", "Please unsubscribe me from your offers", Stop), ("sms", "unsubscribe all", Stop), ("sms", "Wrong number, stop", Stop),
    ("sms", "Good morning", No), ("sms", "Wrong number", No), ("sms", "Ok", No), ("sms", "Sorry, stop by at five", No),
    ("sms", "Please cancel", No), ("sms", "Cancel, thanks", No), ("sms", "please end", No), ("sms", "Please quit", No),
    ("sms", "Please start", No), ("sms", "START please", No), ("sms", "Help please", No), ("sms", "Thank you", No), ("sms", "Please", No),
    // Repetitions.
    ("sms", "STOP STOP", Stop), ("sms", "stop stop stop!", Stop), ("sms", "Stop. Stop messages please", Stop), ("sms", "STOP UNSUBSCRIBE", Stop),
    ("sms", "cancel cancel", No), ("sms", "start start", No), ("sms", "STOP START", No),
    // Signatures.
    ("sms", "Stop. - Maya", Stop), ("sms", "STOP\n\nSent from my iPhone", Stop), ("sms", "Stop\nMaya Haddad", Stop),
    ("sms", "Please stop. Thanks, Maya", Stop), ("sms", "Stop — Maya", Stop), ("sms", "stop\n- maya", Stop), ("sms", "STOP - J. SMITH", Stop),
    ("sms", "Stop\nKind regards\nMaya", Stop), ("sms", "Stop\nMaya\n\nGet Outlook for iOS", Stop), ("sms", "توقف شكرا\nمايا", Stop),
    ("sms", "إيقاف\n\nأُرسلت من الـ iPhone", Stop),
    ("sms", "Cancel\n\nSent from my iPhone", No), ("sms", "START - Maya", No), ("sms", "Stop - wait", No), ("sms", "Stop - Wait", No),
    ("sms", "STOP - WRONG NUMBER", Stop), ("sms", "Stop Maya!", No), ("sms", "Stop-Motion", No), ("sms", "Stop\nCall me tomorrow", No),
    ("sms", "Stop - Maya?", No), ("sms", "Stop\nSTART", No), ("sms", "stop\nat the shop", No), ("sms", "Stop. The bus left", No),
    ("sms", "توقف\nالسيارة عندكم", No), ("sms", "توقف - غدا", No), ("sms", "إيقاف\nمتى؟", No), ("sms", "إيقاف، شكراً - علي", Stop), ("sms", "إيقاف - علي", No),
    ("sms", "توقف\nسيارتي خربانة", No), ("sms", "توقف - بكرة", No), ("sms", "توقف\nكم السعر", No), ("sms", "لا ترسل رسائل\nكلمني", No),
    ("sms", "Stop - Next Week", No), ("sms", "STOP - MONDAY", No), ("sms", "Stop\nReschedule", No), ("sms", "Stop - Change Date", No),
    ("sms", "STOP\nCAR BROKEN", No), ("sms", "STOP\nMAYA", Stop), ("sms", "STOP THANKS MAYA HADDAD", Stop),
    ("sms", "please stop. thanks, maya", Stop), ("sms", "please stop. thanks, not today", No), ("sms", "stop - maya", No),
    ("sms", "Stop. Sent from my iPhone", Stop), ("sms", "Stop\nSent from Yahoo Mail on Android", Stop), ("sms", "Stop sent from Dubai", No),
    ("sms", "Stop\nSent from my office, the parcel has arrived", No), ("sms", "Stop\nSent from my iPhone?", No),
    ("sms", "Stop\nSent via DHL!", No), ("sms", "Stop Maya sent from Dubai", No),
    // Near misses.
    ("text", "", No), ("text", "👍", No), ("text", "yes", No), ("text", "please don't stop", No), ("text", "Don't stop", No),
    ("text", "stop by tomorrow", No), ("text", "please stop by", No), ("text", "can you stop at the shop", No), ("text", "Can you stop?", No),
    ("text", "the bus stop", No), ("text", "non stop", No), ("text", "Non-stop", No), ("text", "stop it", Stop), ("text", "full stop", No),
    ("text", "please cancel my appointment", No), ("text", "the end of the week", No), ("text", "Stop messages about cake, offers are fine", No),
    ("text", "thanks for stopping by", No), ("text", "I want to stop smoking", No), ("text", "Nonstop please", No),
    // Quotations.
    ("text", "Liked “20% off. Reply STOP for no more texts.”", No), ("text", "“Reply STOP for no more texts.” What is this?", No),
    ("text", "Liked “20% off. Reply STOP for no more texts.”\nSTOP", Stop), ("text", "STOP\n> 20% off. Reply STOP to end.", Stop),
    ("text", "Liked “Open until ten.” Please, no more texts", Stop), ("text", "I said \"no more texts\"!", Stop),
    ("text", "“See you at five.”\nCancel", No), ("text", "“Reply START.”\nStart when?", No), ("text", "> no more texts\nOk", No),
    ("text", "Why did you say \"text me again\"?", No), ("text", "You said \"text me again\"", No), ("text", "\"text me again\"", No),
    ("text", "Text me again, please", Start), ("text", "“See you.”\nPlease text me again", Start), ("text", "\"Encore\"", No),
    ("text", "What does \"no more texts\" mean?", No), ("text", "ما معنى «no more texts»؟", No), ("text", "\"no more texts\"?", No),
    ("text", "“No more texts”", Stop), ("text", "\"Arrêt\"", Stop), ("text", "\"Stop\"?", No), ("text", "> no more texts", No),
    ("text", "> START", No), ("text", "\"START\"", No), ("text", "> CANCEL", No), ("text", "\"Cancel\"", No), ("text", "“Help”", No),
    ("text", "> STOP\nthanks", No), ("text", "> STOP", No), ("text", " > STOP", No), ("text", "START\n> Reply START", No),
    ("text", "> Hello\nSTOP", Stop), ("text", "\"Stop\"\nthanks", Stop),
    ("text", "Stop \"Mall of the Emirates\"", No), ("text", "توقف «مول الإمارات»", No), ("text", "Arrêt \"Mall\"", No), ("text", "Hi \"Marina Dental\", stop", Stop),
    ("text", "Thanks \"Marina\"\nStop", Stop), ("text", "Please stop «Mall»", No),
    ("text", "Stop.\n\"20% off. Reply STOP\"", Stop), ("text", "Liked \"", No), ("text", "Loved ”", No), ("text", "👍 to \"", No),
    // Arabic.
    ("text", "إيقاف", Stop), ("text", "ايقاف", Stop), ("text", "إِيقَاف", Stop), ("text", "إيقـــاف", Stop), ("text", "توقف!", Stop),
    ("text", "توقف عن الإرسال", Stop), ("text", "من فضلك توقف", Stop), ("text", "توقف لو سمحت", Stop), ("text", "رجاءً إيقاف الرسائل", Stop),
    ("text", "الرجاء التوقف عن إرسال الرسائل", Stop), ("text", "توقف شكراً", Stop), ("text", "إيقاف إيقاف", Stop), ("text", "أوقفوا الرسائل، شكرا لكم", Stop),
    ("text", "إلغاء الإشتراك", Stop), ("text", "الغاء الاشتراك من فضلك", Stop), ("text", "لا تراسلني", Stop), ("text", "وقف الرسائل", Stop),
    ("text", "إلغاء", Stop), ("text", "قف", Stop), ("text", "وقف", Stop), ("text", "لا ترسل", Stop), ("text", "ستوب", Stop),
    ("text", "إلغاء من فضلك", No), ("text", "قف لو سمحت", No), ("text", "وقف شكرا", No), ("text", "لا ترسل شكرا", No), ("text", "ابدأ من فضلك", No),
    ("text", "هل يمكن إيقاف السيارة عندكم", No), ("text", "لا توقف", No), ("text", "مرحبا", No), ("text", "شكرا", No), ("text", "موقف الباص", No),
    ("text", "السلام عليكم ورحمة الله وبركاته، إيقاف", Stop), ("text", "صباح الخير توقف بليز", Stop), ("text", "إيقاف وشكراً", Stop),
    ("text", "إيقاف كل الرسائل", Stop), ("text", "أوقف جميع الرسائل", Stop), ("text", "إلغاء اشتراك", Stop), ("text", "إيقاف الاشتراك", Stop),
    ("text", "إلغاء الرسائل", Stop), ("text", "لا ترسل لي رسائل", Stop), ("text", "الرجاء عدم الإرسال", Stop), ("text", "توقفي", Stop),
    ("text", "وشكرا", No), ("text", "صباح الخير", No), ("text", "إلغاء الموعد", No),
    ("text", "أبدا", No), ("text", "أبداً", No), ("text", "أبدًا!", No), ("text", "ابدا", No), ("text", "ابدا\u{654}", Start),
    ("text", "ابدأ!", Start), ("text", "ابدأ", Start), ("text", "إبدأ", Start), ("text", "اشترك", Start),
    // Other languages: the tenant's own words, as they are.
    ("text", "Arrêt", Stop), ("text", "arret !", Stop), ("text", "un arrêt de bus", No), ("text", "Arrêt s'il vous plaît", No),
    ("text", "कृपया मैसेज बंद करें।", Stop), ("text", "Encore", Start), ("text", "Encore, merci", No), ("text", "stops", No),
];

fn tenant() -> Tenant {
    from_value(json!({
        "id": "tnt_00000000000000000000000001", "name": "Marina Dental", "time_zone": "Asia/Dubai", "default_region": "AE",
        "languages": ["en", "ar", "fr"], "stop_words": ["no more texts", "arrêt", "मैसेज बंद"], "start_words": ["encore", "text me again"],
    }))
    .unwrap()
}

/// A message of a kind of [`TABLE`], and whether it answers a marketing template.
fn message(how: &str, text: &str) -> (InboundMessage, bool) {
    let sms = matches!(how, "sms" | "mms" | "reaction") || how.starts_with("flagged");
    let kind = match how {
        "sms" | "flagged stop" | "flagged start" | "flagged help" => "text",
        "mms" => "media",
        "caption" => "image",
        "place" => "location",
        "card" => "contacts",
        "row" => "interactive",
        "offer" => "button",
        kind => kind,
    };
    let (text, payload) = text.split_once('|').unwrap_or((text, ""));
    let message = from_value(json!({
        "channel": if sms { "sms" } else { "whatsapp" }, "provider_ref": "wamid.1", "from": {"phone": "+971501234567"},
        "at": "2026-11-20T12:00:00Z", "kind": kind, "text": text, "payload": (!payload.is_empty()).then_some(payload),
        "opt_flag": how.strip_prefix("flagged "),
    }));
    (message.unwrap(), how == "offer")
}

#[test]
fn wishes_are_told_from_everything_else() {
    let tenant = tenant();
    let verdict = |how: &str, text: &str| {
        let (message, marketing) = message(how, text);
        // As it is called: nobody looks for the template of what no label says.
        match wish_in_message(&message, marketing && is_stop_label(&message), &tenant) {
            Some(OptFlag::Stop) => Stop,
            Some(OptFlag::Start) => Start,
            Some(OptFlag::Help) => Help,
            None => No,
        }
    };
    let wrong: Vec<String> = TABLE
        .iter()
        .map(|(how, text, expected)| (how, text, *expected, verdict(how, text)))
        .filter(|(.., expected, found)| expected != found)
        .map(|(how, text, expected, found)| format!("{how} {text:?}: {expected:?} expected, {found:?} found"))
        .collect();
    assert!(wrong.is_empty(), "of {}:\n{}", TABLE.len(), wrong.join("\n"));
}
