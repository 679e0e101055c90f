//! The meaning of providers' errors: one table for each messaging API, and the treatment of codes in neither.
//!
//! Codes are written as in the documents of providers, without separators, so that a search for one finds it.
//!
//! The code decides. The HTTP status counts only without a known code: Meta sends permanent errors with 500 and throttling
//! with 400.

use crate::terms::ErrorClass::{self, Blocked, Bug, FallBack, RetryAfter, RouteRefused, TenantMustAct, WaitForStatus};
use crate::terms::{Api, Classified, Effect};

/// Stage of the provider's report of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In the response to our request.
    Answer,
    /// Later, as the status `failed` of a message that it had accepted.
    Status,
}

/// Whether a refusal of a message with a file can mean that the provider has deleted the file. WhatsApp says so by the code for media, or
/// by the one for any wrong parameter.
pub const fn is_about_file(api: Api, code: i64) -> bool {
    match api {
        Api::WhatsAppCloud => matches!(code, 100 | 131009 | 131052 | 131053),
        Api::Twilio => false,
    }
}

/// A row: the codes `first..=last`, and their meaning in the response to a request.
struct Row {
    first: i64,
    last: i64,
    means: Classified,
}

const fn codes(
    first: i64,
    last: i64,
    class: ErrorClass,
    effect: Effect,
    first_wait: u32,
    meaning: &'static str,
) -> Row {
    let means = Classified {
        class,
        effect,
        first_wait,
        meaning,
    };
    Row { first, last, means }
}

const fn row(code: i64, class: ErrorClass, effect: Effect, meaning: &'static str) -> Row {
    codes(code, code, class, effect, 0, meaning)
}

/// A temporary error: first wait in seconds.
const fn wait(code: i64, first_wait: u32, effect: Effect, meaning: &'static str) -> Row {
    codes(code, code, RetryAfter, effect, first_wait, meaning)
}

const NONE: Effect = Effect::None;
const UNHEALTHY: Effect = Effect::ConnectionUnhealthy;
const UNREACHABLE: Effect = Effect::Unreachable;

/// Meta's Cloud API. The first row that contains the code counts.
#[rustfmt::skip]
const WHATSAPP: &[Row] = &[
    row(0, TenantMustAct, UNHEALTHY, "the access token is not valid"),
    row(190, TenantMustAct, UNHEALTHY, "the access token is not valid or has expired"),
    row(3, TenantMustAct, UNHEALTHY, "the access token lacks a permission"),
    row(10, TenantMustAct, UNHEALTHY, "the access token lacks a permission"),
    codes(200, 299, TenantMustAct, UNHEALTHY, 0, "the access token lacks a permission"),
    row(131005, TenantMustAct, UNHEALTHY, "the access token lacks a permission"),
    row(131042, TenantMustAct, UNHEALTHY, "WhatsApp has a problem with the account's payment method"),
    row(131045, TenantMustAct, UNHEALTHY, "the WhatsApp number is not registered"),
    row(133010, TenantMustAct, UNHEALTHY, "the WhatsApp number is not registered"),
    row(131037, TenantMustAct, UNHEALTHY, "the WhatsApp number's display name is not approved"),
    // Locked accounts stay locked for days, so this message does not wait.
    row(131031, FallBack, UNHEALTHY, "the WhatsApp account is locked"),
    row(368, FallBack, UNHEALTHY, "the WhatsApp account is blocked for violating a policy"),
    wait(4, 60, Effect::PauseNumber(60), "too many calls to WhatsApp by this app"),
    wait(80007, 60, Effect::PauseNumber(60), "too many calls to WhatsApp by this account"),
    wait(130429, 5, Effect::Throttle(5), "the WhatsApp number sends too fast"),
    // One message in six seconds to one person; those to others are not delayed.
    wait(131056, 6, Effect::PacePerson, "too many messages to this person in a short time"),
    wait(131057, 60, Effect::PauseNumber(60), "the WhatsApp number is being upgraded"),
    wait(2_494_100, 60, Effect::PauseNumber(60), "the WhatsApp number is being upgraded"),
    wait(132069, 60, NONE, "the flow is throttled"),
    wait(133016, 60, Effect::PauseNumber(60), "the WhatsApp number was registered too often"),
    row(131048, FallBack, Effect::PauseNumber(3600), "WhatsApp limits the number because people reported or blocked it"),
    row(131064, FallBack, NONE, "WhatsApp limits the account because its templates had wrong categories"),
    row(131049, FallBack, NONE, "WhatsApp held it back: the person gets too much marketing"),
    row(131050, Blocked, Effect::MarketingOptOut, "the person stopped marketing messages"),
    row(130472, FallBack, NONE, "the person is part of a WhatsApp experiment without marketing"),
    row(130497, FallBack, NONE, "WhatsApp does not let this business message that country"),
    row(131026, FallBack, UNREACHABLE, "WhatsApp cannot deliver to this number"),
    row(131047, FallBack, Effect::WindowClosed, "more than 24 hours have passed since the person last wrote by WhatsApp"),
    row(131021, Blocked, NONE, "sender and recipient are the same number"),
    row(131030, Bug, NONE, "the WhatsApp test number may not message this person"),
    row(131051, Bug, NONE, "WhatsApp does not know this type of message"),
    row(131052, FallBack, NONE, "WhatsApp could not fetch the media"),
    row(131053, FallBack, NONE, "WhatsApp did not accept the media"),
    row(131062, FallBack, NONE, "this message needs a telephone number"),
    // Nobody has seen these but 131063 on a page of Meta's: `docs/decisions/0102-route-of-marketing.md`.
    row(131055, RouteRefused, NONE, "the template is not marketing any more"),
    row(131061, RouteRefused, NONE, "a template with a maximum price needs Meta's terms for marketing messages"),
    row(131063, RouteRefused, NONE, "marketing needs Meta's terms for marketing messages"),
    row(134100, RouteRefused, NONE, "the template is not marketing any more"),
    row(134101, RouteRefused, NONE, "WhatsApp prepares the template for marketing messages, which takes some minutes"),
    row(134102, RouteRefused, NONE, "Meta's terms for marketing messages are not accepted, or the template is not ready for them"),
    row(131008, Bug, NONE, "a parameter of the request is missing"),
    row(131009, Bug, NONE, "a parameter of the request has an invalid value"),
    row(100, Bug, NONE, "a parameter of the request is invalid"),
    row(33, Bug, NONE, "the WhatsApp number was deleted"),
    row(135000, Bug, NONE, "the request is invalid"),
    row(132000, Bug, NONE, "the number of values does not fit the template"),
    row(132012, Bug, NONE, "a value's format does not fit the template"),
    row(132018, Bug, NONE, "the values do not fit the template"),
    row(132001, FallBack, NONE, "the template does not exist or is not approved in this language"),
    row(132005, FallBack, NONE, "the template is too long once its values are filled in"),
    row(132007, FallBack, NONE, "the template's content violates a policy"),
    row(132015, FallBack, NONE, "the template is paused"),
    row(132016, FallBack, NONE, "the template is disabled"),
    row(132068, FallBack, NONE, "the flow is blocked"),
    row(137000, Bug, NONE, "the identity hash differs"),
    codes(138000, 138013, Bug, NONE, 0, "an error of WhatsApp calls"),
    row(139200, FallBack, NONE, "WhatsApp blocked sending without a template"),
    row(1, WaitForStatus, NONE, "WhatsApp had an unknown error"),
    row(2, WaitForStatus, NONE, "WhatsApp is not available"),
    row(131000, WaitForStatus, NONE, "WhatsApp had an unknown error"),
    row(131016, WaitForStatus, NONE, "WhatsApp is overloaded"),
    codes(2_388_000, 2_388_999, Bug, NONE, 0, "the definition of the template is invalid"),
    codes(2_494_000, 2_494_999, Bug, NONE, 0, "an error of managing WhatsApp numbers"),
];

/// Twilio, for SMS and for WhatsApp.
#[rustfmt::skip]
const TWILIO: &[Row] = &[
    row(20003, TenantMustAct, UNHEALTHY, "Twilio refuses the credentials"),
    row(30002, TenantMustAct, UNHEALTHY, "the Twilio account is suspended"),
    wait(20429, 5, Effect::PauseNumber(5), "too many requests to Twilio"),
    wait(30001, 10, Effect::PauseNumber(10), "Twilio's queue for the number is full"),
    wait(63018, 10, Effect::Throttle(10), "the WhatsApp number sends too fast"),
    row(20500, WaitForStatus, NONE, "Twilio had an internal error"),
    row(20503, WaitForStatus, NONE, "Twilio is not available"),
    row(21211, FallBack, UNREACHABLE, "not a valid number"),
    row(21217, FallBack, UNREACHABLE, "not a valid number"),
    row(21614, FallBack, UNREACHABLE, "not a mobile number"),
    row(21635, FallBack, UNREACHABLE, "a landline"),
    row(30005, FallBack, UNREACHABLE, "the number does not exist"),
    row(30006, FallBack, UNREACHABLE, "a landline, or a network that carries no SMS"),
    row(63003, FallBack, UNREACHABLE, "WhatsApp cannot deliver to this number"),
    row(63024, FallBack, UNREACHABLE, "not a WhatsApp number"),
    // Only one country or sender fails: the connection as a whole works, so nothing waits for it.
    row(21408, FallBack, NONE, "SMS to that country is not enabled at Twilio"),
    row(30034, FallBack, NONE, "the number is not registered for business SMS in the United States"),
    row(21606, FallBack, NONE, "the sender cannot reach this number"),
    row(21612, FallBack, NONE, "the sender cannot reach this number"),
    row(21212, FallBack, NONE, "Twilio does not take this sender"),
    row(21657, FallBack, NONE, "these letters are not registered for the country, or none are taken there"),
    row(30042, FallBack, NONE, "the network does not take these letters as a sender"),
    // A person who refused on one channel is not followed to another.
    row(21610, Blocked, Effect::ChannelOptOut, "the person wrote STOP to this sender"),
    row(63014, Blocked, Effect::ChannelOptOut, "the person blocked the WhatsApp number"),
    row(63033, Blocked, Effect::MarketingOptOut, "the person stopped marketing messages"),
    row(21617, Bug, NONE, "the SMS is longer than 1600 characters"),
    row(30003, FallBack, NONE, "the phone could not be reached"),
    row(30004, FallBack, NONE, "the network blocks the message"),
    row(30007, FallBack, NONE, "the network filtered it as spam"),
    row(30008, FallBack, NONE, "the network gave no reason"),
    row(63016, FallBack, Effect::WindowClosed, "more than 24 hours have passed since the person last wrote by WhatsApp"),
    row(63049, FallBack, NONE, "WhatsApp held it back: the person gets too much marketing, or is in the United States"),
    row(63032, FallBack, NONE, "the person is part of a WhatsApp experiment without marketing"),
    row(63005, FallBack, NONE, "WhatsApp did not accept the content"),
    row(63013, FallBack, NONE, "the content violates a policy of WhatsApp"),
    row(63021, FallBack, NONE, "the content is invalid"),
    // Another channel carries no file, so it can be faster than another attempt with a link that was just signed.
    row(12_300, FallBack, NONE, "the file has a content type that Twilio does not take"),
    row(21620, FallBack, NONE, "the link to the file is not valid"),
    row(63019, FallBack, NONE, "the file could not be downloaded"),
    row(63054, RouteRefused, NONE, "Meta's terms for marketing messages are not accepted, or the template is not ready for them"),
    row(63062, RouteRefused, NONE, "Meta's terms for marketing messages are not accepted"),
    row(63027, FallBack, NONE, "the template does not exist in this language"),
    row(63028, Bug, NONE, "the number of values does not fit the template"),
    row(63040, FallBack, NONE, "the template was rejected"),
    row(63041, FallBack, NONE, "the template is paused"),
    row(63042, FallBack, NONE, "the template is disabled"),
    row(21654, Bug, NONE, "the id of the template is missing"),
    row(21656, Bug, NONE, "the values of the template are not valid"),
    row(92005, Bug, NONE, "the id of the template is missing"),
    row(11_200, Bug, NONE, "our webhook failed"),
];

/// The meaning of a code in the table of an API.
fn look_up_code(api: Api, code: i64) -> Option<Classified> {
    let table = match api {
        Api::WhatsAppCloud => WHATSAPP,
        Api::Twilio => TWILIO,
    };
    let row = table.iter().find(|row| (row.first..=row.last).contains(&code))?;
    Some(row.means)
}

/// Meaning and consequence of an error, for every possible code and status.
pub fn classify_error(api: Api, stage: Stage, http: Option<u16>, code: Option<i64>) -> Classified {
    let known = code.and_then(|code| look_up_code(api, code));
    let answer = known.unwrap_or_else(|| unknown(http, code));
    match stage {
        Stage::Answer => answer,
        // The provider accepted the message before it gave up: a second send on this channel would be a second accepted
        // message for the same cause. Errors that are temporary in a response are therefore final in a status.
        Stage::Status => Classified {
            class: match answer.class {
                RetryAfter | WaitForStatus => FallBack,
                class @ (FallBack | RouteRefused | Blocked | TenantMustAct | Bug) => class,
            },
            ..answer
        },
    }
}

/// An error without a code, or with an unknown one.
fn unknown(http: Option<u16>, code: Option<i64>) -> Classified {
    let (class, effect, first_wait, meaning) = match (http, code) {
        (Some(429), _) => (RetryAfter, Effect::PauseNumber(10), 10, "too many requests"),
        (Some(401 | 403), None) => (TenantMustAct, UNHEALTHY, 0, "the provider refuses the credentials"),
        (Some(408), _) => (WaitForStatus, NONE, 0, "the provider gave up waiting"),
        // Refused for an unknown reason. Nothing went out, and the same request would be refused again, so the customer is
        // reached on the next channel while somebody looks the code up.
        (Some(400..=499), _) => (FallBack, NONE, 0, "the provider refused it with a code we do not know"),
        // A server error, no response, or an unreadable one: the message may have gone out.
        _ => (
            WaitForStatus,
            NONE,
            0,
            "the provider's answer does not tell whether it accepted the message",
        ),
    };
    Classified {
        class,
        effect,
        first_wait,
        meaning,
    }
}

/// Codes that say of a message's template that the provider knows it otherwise than we do: by other variables, in another state, or not
/// at all.
const TEMPLATES: [(Api, i64); 10] = [
    (Api::WhatsAppCloud, 132000),
    (Api::WhatsAppCloud, 132001),
    (Api::WhatsAppCloud, 132012),
    (Api::WhatsAppCloud, 132015),
    (Api::WhatsAppCloud, 132016),
    (Api::Twilio, 63027),
    (Api::Twilio, 63028),
    (Api::Twilio, 63040),
    (Api::Twilio, 63041),
    (Api::Twilio, 63042),
];

/// Whether a code puts the template of the message in doubt.
pub fn doubts_template(api: Api, code: i64) -> bool {
    TEMPLATES.contains(&(api, code))
}

/// Whether a code is in the table of its API. An unknown one raises an alert, once per code.
pub fn is_known_error(api: Api, code: i64) -> bool {
    look_up_code(api, code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_http_status() {
        let lost = classify_error(Api::WhatsAppCloud, Stage::Answer, Some(500), Some(3));
        assert_eq!(lost.class, TenantMustAct);
        let slow = classify_error(Api::WhatsAppCloud, Stage::Answer, Some(400), Some(80007));
        assert_eq!((slow.class, slow.effect), (RetryAfter, Effect::PauseNumber(60)));
        let none = classify_error(Api::Twilio, Stage::Answer, Some(503), None);
        assert_eq!(none.class, WaitForStatus);
        let html = classify_error(Api::WhatsAppCloud, Stage::Answer, Some(502), None);
        assert_eq!(html.class, WaitForStatus);
    }

    #[test]
    fn unknown_code_falls_back_to_the_next_channel() {
        let answer = classify_error(Api::WhatsAppCloud, Stage::Answer, Some(400), Some(987_654));
        assert_eq!(answer.class, FallBack);
        let status = classify_error(Api::WhatsAppCloud, Stage::Status, None, Some(987_654));
        assert_eq!(status.class, FallBack);
        assert!(!is_known_error(Api::WhatsAppCloud, 987_654));
        assert!(is_known_error(Api::Twilio, 63016));
    }

    /// Twilio fetches files by links, and says at once or later that it could not.
    #[test]
    fn twilios_codes_for_files_lead_to_the_next_channel() {
        for code in [12_300, 21620, 63019] {
            assert!(is_known_error(Api::Twilio, code), "{code}");
            for stage in [Stage::Answer, Stage::Status] {
                let found = classify_error(Api::Twilio, stage, Some(400), Some(code));
                assert_eq!((found.class, found.effect), (FallBack, NONE), "{code}");
                assert!(found.meaning.contains("file"), "{code}");
            }
        }
    }

    #[test]
    fn each_code_is_in_its_table_once() {
        for table in [WHATSAPP, TWILIO] {
            for (index, row) in table.iter().enumerate() {
                let again = table[..index].iter().any(|before| {
                    before.first == row.first && before.last == row.last
                        || (row.first..=row.last).contains(&before.first) && row.first == row.last
                });
                assert!(!again, "{}", row.first);
            }
        }
    }

    #[test]
    fn every_retry_class_has_a_first_wait() {
        for row in WHATSAPP.iter().chain(TWILIO) {
            assert_eq!(row.means.class == RetryAfter, row.means.first_wait > 0, "{}", row.first);
        }
    }
}
