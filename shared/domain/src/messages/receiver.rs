//! The receiver of a message to a contact who has several numbers or WhatsApp users.

use jiff::Timestamp;

use crate::messages::{Intent, carrier};
use crate::people::{Contact, Window};
use crate::tenants::TenantConfig;
use crate::terms::{Channel, Phone, Purpose, Recipient};

/// Recipient of a message. An answer or reaction to a message goes to whoever had that. A reply goes to whoever was heard last on its line
/// and by its first channel, unless that is WhatsApp, their window is closed, and an SMS goes out instead. By SMS, it goes to whoever was
/// heard last by WhatsApp if nobody wrote by SMS. Other free text goes to the user whose service window is open, all else to the preferred
/// number.
pub(crate) fn receiver_of(intent: &Intent<'_>, contact: &Contact, config: &TenantConfig) -> Recipient {
    let is_reply = intent.purpose == Purpose::Reply;
    let first = intent.says.first();
    let by_sms = first.is_some_and(|says| says.channel == Channel::Sms);
    let follows_window = !by_sms && first.is_some_and(|says| says.words.needs_window());
    let has_sms = intent.says.iter().any(|says| says.channel == Channel::Sms);
    let refers = intent.refers.as_ref().filter(|_| !by_sms);
    let heard = |open_at| {
        // A conversation without a line may have been written to at any number.
        if is_reply && intent.line.is_none() {
            return heard_by_whatsapp(contact, None, open_at);
        }
        let (connection, _) = carrier(config, intent, Channel::WhatsApp)?;
        heard_by_whatsapp(contact, Some(connection.whatsapp_number.as_ref()?), open_at)
    };
    let by_whatsapp = || heard(None).map(|(_, user)| user);
    let texted = || {
        let mut texted = contact.texted.iter();
        let number = texted.find(|known| known.line == intent.line)?.number.clone();
        contact.own_user(Recipient {
            phone: Some(number),
            bsuid: None,
        })
    };
    let by_text = || texted().or_else(|| by_whatsapp().filter(|user| user.phone.is_some()));
    let is_open = |(window, _): &(&Window, Recipient)| window.is_open(intent.not_before);
    let wrote = || match (is_reply, by_sms) {
        (true, true) => by_text(),
        (true, false) if follows_window && has_sms => {
            let by_window = heard(None).filter(is_open).map(|(_, user)| user);
            by_window.or_else(by_text)
        }
        (true, false) => by_whatsapp(),
        (false, _) if follows_window => heard(Some(intent.not_before)).map(|(_, user)| user),
        (false, _) => None,
    };
    let refers = refers.map(|refers| refers.recipient(contact));
    refers.or_else(wrote).unwrap_or_else(|| contact.recipient())
}

/// The user heard last by WhatsApp, with their window: by this number of the business, or by any. With a time, only users whose window is
/// open then count. Among several heard at once, as after a merge of windows without a name, the preferred one.
pub(crate) fn heard_by_whatsapp<'a>(
    contact: &'a Contact,
    number: Option<&Phone>,
    open_at: Option<Timestamp>,
) -> Option<(&'a Window, Recipient)> {
    let windows = contact.own_windows().rev();
    let to_number = windows.filter(|(window, _)| number.is_none_or(|number| window.number == *number));
    let open = to_number.filter(|(window, _)| open_at.is_none_or(|at| window.is_open(at)));
    let heard = open.filter(|(window, _)| window.last_heard().is_some());
    heard.max_by_key(|(window, _)| window.last_heard())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::inbox::{ReplyRequest, conversation_window_closes_at};
    use crate::messages::{Asked, MessageRequest, Referred};
    use crate::people::Identity;
    use crate::samples::Case;
    use crate::terms::{ConversationId, LineId};

    const CALLER: &str = "+971501234567";
    const SECOND: &str = "+971501234568";
    /// The WhatsApp number of the only line.
    const OWN: &str = "+97143330000";
    const OTHER: &str = "+97143330001";
    /// A number of another contact of the same person, or of no contact now.
    const STRANGER: &str = "+971501234560";
    const LINE: Option<LineId> = Some(LineId::new(Ulid(1)));

    /// The WhatsApp user with this number or id.
    fn user(name: &str) -> Recipient {
        let phone = name.parse().ok();
        let bsuid = phone.is_none().then(|| name.to_owned());
        Recipient { phone, bsuid }
    }

    /// A contact with two numbers and two ids. Each entry of `wrote`: who wrote by WhatsApp, the business's number, and how many hours ago.
    fn case(wrote: &[(&str, &str, i64)]) -> Case {
        let mut case = Case::new();
        let whatsapp = case.config.connections[1].id;
        case.config.lines = vec![from_value(json!({"id": LINE, "name": "Branch", "whatsapp": whatsapp})).unwrap()];
        case.config.connections[1].whatsapp_number = user(OWN).phone;
        for bsuid in ["AE.1", "AE.2"] {
            case.contact.prefer(&Identity::Bsuid(bsuid.to_owned()));
        }
        for phone in [SECOND, CALLER] {
            case.contact.prefer(&Identity::Phone(phone.parse().unwrap()));
        }
        for (name, number, hours) in wrote {
            let at = case.now - SignedDuration::from_hours(*hours);
            case.contact.open_window(&number.parse().unwrap(), &user(name), at);
        }
        case
    }

    /// Who gets a reply on this line with this content, or a request. `with`: who had the message that it answers.
    fn receiver_of_reply(case: &Case, on: Result<Option<LineId>, &str>, with: Option<&str>, mut body: Value) -> String {
        let mut asked = Asked {
            by: "usr_00000000000000000000000001".parse().unwrap(),
            request: Ulid::from_parts(1, 4),
            contact: case.contact.id,
            to: case.contact.recipient(),
            refers: with.map(|with| Referred {
                provider_ref: "wamid.theirs".parse().unwrap(),
                connection: case.config.connections[1].id,
                line: None,
                with: user(with),
            }),
            now: case.now,
        };
        let to = match on {
            Ok(line) => {
                body["seen"] = json!(1);
                let reply: ReplyRequest = from_value(body).unwrap();
                let said = reply.in_conversation(ConversationId::of(case.contact.id, line));
                said.intent(&asked, None, &case.contact, &case.config).to
            }
            Err(named) => {
                body["category"] = json!("marketing");
                let id = case.contact.id.to_string();
                let field = if named.is_empty() { "contact_id" } else { "phone" };
                body[field] = json!(if named.is_empty() { &id } else { named });
                let request: MessageRequest = from_value(body).unwrap();
                asked.to = request.whom().unwrap().recipient(&case.contact);
                request.intent(&asked, &case.contact, &case.config).to
            }
        };
        to.phone.map(|phone| phone.to_string()).or(to.bsuid).unwrap()
    }

    #[test]
    fn message_reaches_whoever_its_kind_is_for() {
        let (free, sms) = (|| json!({"text": "Yes"}), || json!({"sms_text": "Yes"}));
        let template = || json!({"template": {"name": "hello", "language": "en"}});
        // Who gets a reply by WhatsApp and by SMS, and free text that is no reply.
        for (wrote, line, by_whatsapp, by_sms, asked) in [
            (vec![], LINE, CALLER, CALLER, CALLER),
            (vec![(CALLER, OWN, 2), (SECOND, OWN, 1)], LINE, SECOND, SECOND, SECOND),
            (vec![(CALLER, OWN, 1), (SECOND, OWN, 2)], LINE, CALLER, CALLER, CALLER),
            // A window that is over says who wrote last, too.
            (vec![(SECOND, OWN, 30)], LINE, SECOND, SECOND, CALLER),
            (vec![(CALLER, OWN, 3), ("AE.2", OWN, 1)], LINE, "AE.2", CALLER, "AE.2"),
            (vec![(CALLER, OWN, 2), (SECOND, OTHER, 1)], LINE, CALLER, CALLER, CALLER),
            (vec![(CALLER, OWN, 2), (SECOND, OTHER, 1)], None, SECOND, SECOND, CALLER),
            (vec![(SECOND, OTHER, 1)], LINE, CALLER, CALLER, CALLER),
            (vec![(SECOND, OWN, 2), (STRANGER, OWN, 1)], LINE, SECOND, SECOND, SECOND),
        ] {
            let mut known = case(&wrote);
            let replied = |known: &Case, body| receiver_of_reply(known, Ok(line), None, body);
            for body in [free(), template()] {
                assert_eq!(replied(&known, body), by_whatsapp, "{wrote:?}");
            }
            assert_eq!(replied(&known, sms()), by_sms, "{wrote:?}");
            for (body, to) in [(free(), asked), (template(), CALLER), (sms(), CALLER)] {
                assert_eq!(receiver_of_reply(&known, Err(""), None, body), to, "{wrote:?}");
            }
            assert_eq!(
                receiver_of_reply(&known, Err(SECOND), None, free()),
                SECOND,
                "who is named"
            );
            for (line, number) in [(line, SECOND), (Some(LineId::new(Ulid(2))), CALLER)] {
                known.contact.wrote_by_sms(line, &number.parse().unwrap(), known.now);
                assert_eq!(replied(&known, sms()), SECOND, "{wrote:?}");
                assert_eq!(replied(&known, free()), by_whatsapp, "{wrote:?}");
            }
            // Who is none of the contact's any more is refused by whoever places it, or sends it.
            for with in ["AE.1", STRANGER] {
                assert_eq!(
                    receiver_of_reply(&known, Ok(line), Some(with), free()),
                    with,
                    "who had that message"
                );
            }
        }
    }

    /// An SMS goes out where a closed window keeps WhatsApp back: to whoever texted.
    #[test]
    fn reply_by_both_channels_follows_the_one_that_carries_it() {
        let both = || json!({"text": "Yes", "sms_text": "Yes"});
        for (hours, to) in [(1, SECOND), (72, CALLER)] {
            let mut known = case(&[(SECOND, OWN, hours)]);
            known.contact.wrote_by_sms(LINE, &CALLER.parse().unwrap(), known.now);
            assert_eq!(receiver_of_reply(&known, Ok(LINE), None, both()), to, "{hours} hours");
            known.contact.texted.clear();
            assert_eq!(
                receiver_of_reply(&known, Ok(LINE), None, both()),
                SECOND,
                "nobody texted"
            );
        }
    }

    /// A window was found closed, or an edit or a poll opened none, though it waits for an answer all the same. Free text goes to the other
    /// user then; a reply goes on answering whoever was heard last, by SMS if it can.
    #[test]
    fn closed_window_is_of_one_user_only() {
        let mut found_closed = case(&[(CALLER, OWN, 2), (SECOND, OWN, 1)]);
        found_closed.contact.windows[1].closed_at = Some(found_closed.now);
        let mut edited = case(&[(CALLER, OWN, 1)]);
        let (own, second) = (OWN.parse().unwrap(), user(SECOND));
        edited.contact.heard_by_whatsapp(&own, &second, edited.now);
        let closed_at = Some(found_closed.now);
        for (known, closed_at) in [(found_closed, closed_at), (edited, None)] {
            let free = json!({"text": "Yes"});
            assert_eq!(receiver_of_reply(&known, Err(""), None, free.clone()), CALLER);
            for body in [
                free,
                json!({"sms_text": "Yes"}),
                json!({"text": "Yes", "sms_text": "Yes"}),
            ] {
                assert_eq!(receiver_of_reply(&known, Ok(LINE), None, body), SECOND);
            }
            assert_eq!(
                conversation_window_closes_at(LINE, &known.contact, &known.config),
                closed_at
            );
        }
    }

    #[test]
    fn window_of_a_stranger_opens_nothing() {
        let mut known = case(&[(SECOND, OWN, 30), (STRANGER, OTHER, 1)]);
        let mut other = known.config.connections[1].clone();
        (other.id, other.whatsapp_number) = (known.config.connections[0].id, user(OTHER).phone);
        known.config.connections[0] = other;
        assert!(!known.contact.any_window_open(known.now));
        let closed_at = conversation_window_closes_at(None, &known.contact, &known.config);
        assert_eq!(closed_at, Some(known.now - SignedDuration::from_hours(6)));
    }
}
