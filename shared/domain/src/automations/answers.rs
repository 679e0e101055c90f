//! Automatic answers to what customers write (docs/decisions/0064-automatic-answers.md): after hours, to words that ask for help, and to
//! stop and start words.
//!
//! [`Heard::calls_for`] says which answer a message calls for, [`Contact::may_be_answered`] whether the person was answered too
//! recently, [`no_way_back`] whether no channel leads back to them, and [`answer_intent`] what is then composed and checked as any other
//! message. [`Heard::ends`] says which earlier answers a message makes unnecessary.

use jiff::{SignedDuration, Timestamp};

use crate::calls::Received;
use crate::destinations::WayOut;
use crate::messages::{
    About, Cause, InboundMessage, Intent, Material, Message, OptFlag, Says, Through, Words, World, compose_message,
    duration_in_words, is_own_number, time_ago, usual_answer,
};
use crate::people::{Contact, Profile, is_answered_by_twilio};
use crate::tenants::{Line, Tenant, TenantConfig, is_business_open, line_by_id, next_opening};
use crate::terms::{
    Answer, Answered, Answers, CancelEvent, Category, Channel, ConnectionId, Fault, Findings, LineId, MAX_ANSWERS,
    MAX_REMEMBERED, Narrowing, Purpose, Reason, Refusal, SmsText, unknown_line_type,
};

/// Maximum characters of a tenant's own texts of answers, in all languages together: they are in the tenant's row.
pub const MAX_CHARACTERS: usize = 10_000;

/// The span of [`MAX_ANSWERS`], and the pause between two answers to words.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Answers {
    /// The pause between two of these answers.
    fn every(&self, answer: Answer) -> SignedDuration {
        match answer {
            Answer::AfterHours => SignedDuration::from_secs(self.after_hours.every_seconds.get().into()),
            Answer::Help | Answer::Stop | Answer::Start => DAY,
        }
    }

    /// Adds the problems of the texts.
    pub(crate) fn review(&self, found: &mut Findings) {
        let mut characters = 0;
        for answer in Answer::ALL {
            let texts = self.text(answer).map(SmsText::texts).unwrap_or_default();
            for (language, words) in texts {
                let field = format!("answers.{}.text", answer.as_str());
                let field = language.map_or_else(|| field.clone(), |language| format!("{field}.{language}"));
                characters += words.chars().count();
                let named = found.text(&field, language, words);
                if let Some(fault) = named.iter().find_map(|source| About::Nothing.lacks(source)) {
                    found.add(field, fault);
                }
            }
        }
        if characters > MAX_CHARACTERS {
            let detail = format!("The texts have {characters} characters together, of at most {MAX_CHARACTERS}.");
            found.add("answers", Fault::length(characters, 0, MAX_CHARACTERS, detail));
        }
    }
}

/// A customer's message, and what its answer depends on.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The tenant with its configuration.
    pub config: &'a TenantConfig,
    pub message: &'a InboundMessage,
    /// The line it was sent to.
    pub line: Option<&'a Line>,
    /// The wish that it is, and whether it changed what the person had wished before.
    pub wish: Option<(OptFlag, bool)>,
    pub now: Timestamp,
}

impl Heard<'_> {
    /// The answer that the message calls for. `None`: people answer it, or nobody.
    pub fn calls_for(&self) -> Option<Answer> {
        let tenant = &self.config.tenant;
        if !tenant.status.is_active() || !self.is_answerable() {
            return None;
        }
        let answers = tenant.answers.clone().unwrap_or_default();
        let Some((flag, changed)) = self.wish else {
            let wanted = answers.after_hours.enabled && self.is_closed() && !self.is_answered_by_provider();
            return wanted.then_some(Answer::AfterHours);
        };
        let (answer, wanted) = match flag {
            OptFlag::Help => (Answer::Help, answers.help.enabled),
            OptFlag::Stop => (Answer::Stop, answers.stop.enabled && changed),
            OptFlag::Start => (Answer::Start, answers.start.enabled && changed),
        };
        (wanted && !self.is_answered_by_provider()).then_some(answer)
    }

    /// Whether an earlier automatic answer that waits is not sent because of the message, which came by this connection: a stop word ends
    /// all but its own confirmation, and what calls for the same answer after hours gets it instead, unless the person may not be answered
    /// or no channel leads back. Whatever calls for none leaves it, and so does a message that was written before the answered one, in
    /// whatever order they arrive. An answer whose attempt is under way is left, too: if it is refused, it must be tried again.
    pub fn ends(&self, waiting: &Message, connection: ConnectionId) -> bool {
        let Some((answered, answer)) = waiting.cause.answered_message() else {
            return false;
        };
        let written = u64::try_from(self.message.at.min(self.now).as_millisecond()).unwrap_or_default();
        if written < answered.own().timestamp_ms() || waiting.is_under_way() {
            return false;
        }
        if self.wish.is_some_and(|(flag, _)| flag == OptFlag::Stop) {
            return waiting.policy.is_cancelled_by(CancelEvent::Stop);
        }
        let back = (self.message.channel, connection);
        let same_way = waiting.plan.iter().all(|leg| (leg.channel, leg.connection) == back);
        let same_line = waiting.line == self.line.map(|line| line.id);
        answer == Answer::AfterHours && same_way && same_line && self.calls_for() == Some(answer)
    }

    /// Whether a person wrote it, to us, and waits for an answer.
    fn is_answerable(&self) -> bool {
        let message = self.message;
        let own = message.from.phone.as_ref();
        let own = own.is_some_and(|phone| is_own_number(self.config, phone));
        message.is_written() && !message.standby && !own && time_left(message.at, self.now).is_positive()
    }

    /// Whether the business was closed when it was written, and still is.
    fn is_closed(&self) -> bool {
        let tenant = &self.config.tenant;
        let own = self.line.and_then(Line::hours);
        let written = self.message.at.min(self.now);
        [written, self.now]
            .into_iter()
            .all(|at| !is_business_open(tenant, own, at))
    }

    /// Whether the provider answers the word itself: it says so by its flag, or it knows the word and the channel is SMS.
    fn is_answered_by_provider(&self) -> bool {
        let message = self.message;
        let known = || message.text.as_deref().is_some_and(is_answered_by_twilio);
        message.opt_flag.is_some() || (message.channel == Channel::Sms && known())
    }
}

/// Time that is left for an answer to what was written then.
fn time_left(written: Timestamp, now: Timestamp) -> SignedDuration {
    let waited = now.duration_since(written).max(SignedDuration::ZERO);
    Purpose::AutoReply.row().validity - waited
}

impl Contact {
    /// Whether the person may get this answer from this line now.
    ///
    /// # Errors
    /// The refusal: they were answered too recently, or too often.
    pub fn may_be_answered(
        &self,
        answer: Answer,
        line: Option<LineId>,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let every = tenant.answers.clone().unwrap_or_default().every(answer);
        let same = |known: &&Answered| known.answer == answer && (answer != Answer::AfterHours || known.line == line);
        let last = self.answered.iter().filter(same).map(|known| known.at).max();
        if let Some(last) = last.filter(|last| now < *last + every) {
            let sentence = format!(
                "not answered automatically: answered {}, once in {}",
                time_ago(last, now),
                duration_in_words(every)
            );
            let refusal = Refusal::new(Reason::AnsweredAlready, sentence).and("answer", answer.as_str());
            return Err(refusal.and("last_at", last).and("every_seconds", every.as_secs()));
        }
        let most = match answer {
            Answer::AfterHours | Answer::Start => MAX_ANSWERS,
            Answer::Help => MAX_ANSWERS + 1,
            Answer::Stop => return Ok(()),
        };
        let counts = |known: &&Answered| known.answer != Answer::Stop && now < known.at + DAY;
        let lately = self.answered.iter().filter(counts).count();
        if lately >= most {
            let sentence = format!(
                "not answered automatically: {lately} answers within {}",
                duration_in_words(DAY)
            );
            let refusal = Refusal::new(Reason::AnsweredOften, sentence).and("answer", answer.as_str());
            return Err(refusal.and("maximum", most));
        }
        Ok(())
    }

    /// Records that this answer was planned now.
    pub fn note_answer(&mut self, answer: Answer, line: Option<LineId>, now: Timestamp) {
        self.answered.retain(|known| now < known.at + DAY);
        self.answered.push(Answered { answer, at: now, line });
        let oldest = self.answered.len().saturating_sub(MAX_REMEMBERED);
        self.answered.drain(..oldest);
    }

    /// Forgets an answer that never went out, so that the next message gets one. Returns whether there was one.
    pub(crate) fn forget_answer(&mut self, ended: &Message) -> bool {
        let Some((_, answer)) = ended.cause.answered_message().filter(|_| ended.nothing_went_out()) else {
            return false;
        };
        let before = self.answered.len();
        self.answered
            .retain(|known| (known.answer, known.at) != (answer, ended.created_at));
        self.answered.len() < before
    }
}

/// The texts of an answer to this message, in order of preference: the tenant's own, then the usual one, which has no
/// value that may be unknown.
pub fn answer_texts(received: &Received, answer: Answer, tenant: &Tenant, contact: &Contact) -> Vec<SmsText> {
    let own = tenant
        .answers
        .as_ref()
        .and_then(|answers| answers.text(answer))
        .cloned();
    let languages = contact.language.iter().chain(&tenant.languages);
    let message = &received.message;
    let way_out = WayOut::by(message.channel, message.from.recipient().country());
    let usual = usual_answer(answer, languages.map(String::as_str), way_out);
    own.into_iter().chain([SmsText::One(usual)]).collect()
}

/// The reason why no channel leads back to whoever wrote this, if none does. Composing finds the same, whatever the text needs.
pub fn no_way_back(
    received: &Received,
    answer: Answer,
    config: &TenantConfig,
    contact: &Contact,
    now: Timestamp,
) -> Option<Refusal> {
    let (text, profile) = (
        answer_texts(received, answer, &config.tenant, contact).pop()?,
        Profile::default(),
    );
    let world = World {
        line_type: &unknown_line_type,
        ..World::of(config, contact, &profile, Material::NONE, &[], now)
    };
    let refused = compose_message(&answer_intent(received, answer, &text, config, contact, now), &world).err();
    refused.filter(|why| {
        matches!(
            why.reason,
            Reason::NoChannel | Reason::WindowClosed | Reason::AnsweredElsewhere
        )
    })
}

/// Time left to send an answer: the rest of its purpose's validity, and after hours at most until the business opens.
fn validity(received: &Received, answer: Answer, config: &TenantConfig, now: Timestamp) -> SignedDuration {
    let left = time_left(received.message.at, now);
    if answer != Answer::AfterHours {
        return left;
    }
    let line = received.line.and_then(|id| line_by_id(&config.lines, id));
    let opens = next_opening(&config.tenant, line.and_then(Line::hours), now);
    opens.map_or(left, |opens| left.min(opens.duration_since(now)))
}

/// The intent of an answer: on the customer's channel, and from the number that they wrote to. A later message makes it
/// unnecessary only if that got the same answer, which the contact remembers.
pub fn answer_intent<'a>(
    received: &'a Received,
    answer: Answer,
    text: &'a SmsText,
    config: &TenantConfig,
    contact: &Contact,
    now: Timestamp,
) -> Intent<'a> {
    let message = &received.message;
    let words = match message.channel {
        Channel::WhatsApp => Words::Free(text),
        Channel::Sms => Words::Text(text),
    };
    let to = contact.own_user(message.from.recipient()).unwrap_or_default();
    let cause = Cause::Answered {
        inbound: received.id,
        answer,
    };
    let (purpose, by) = (answer.purpose(), "the automatic answer");
    Intent {
        narrowing: Narrowing {
            validity: Some(validity(received, answer, config, now)),
            ..Narrowing::default()
        },
        line: received.line,
        through: Some(Through {
            connection: received.connection,
            number: message.to.as_ref(),
        }),
        says: vec![Says {
            channel: message.channel,
            words,
        }],
        ..Intent::new(cause, purpose, Category::Service, to, by, now)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;
    use crate::messages::{Check, CheckInput, Composed, Content, Delivery, SendOutcome, check_send};
    use crate::people::{Sign, Window};
    use crate::samples::{NOON, at, config, connections, contact, message_of, timers};
    use crate::tenants::TenantStatus;
    use crate::terms::Fact;

    /// A Sunday: the sample business is closed.
    const CLOSED: &str = "2026-11-22T12:00:00+04";

    /// A Monday morning.
    const OPEN: &str = "2026-11-23T10:00:00+04";

    fn answering(answers: Value) -> TenantConfig {
        let mut config = config();
        config.tenant.answers = Some(serde_json::from_value(answers).unwrap());
        config.connections[0].sms_numbers = vec!["+97143330000".parse().unwrap(), "+97143330009".parse().unwrap()];
        config.connections[1].whatsapp_number = Some("+97143330000".parse().unwrap());
        config
    }

    fn all() -> TenantConfig {
        answering(json!({
            "after_hours": {"enabled": true}, "stop": {"enabled": true}, "start": {"enabled": true},
        }))
    }

    /// A message of the sample contact by this channel.
    fn inbound_message(channel: Channel, text: &str, when: Timestamp) -> InboundMessage {
        let written = json!({
            "channel": channel, "provider_ref": "wamid.1", "from": {"phone": "+971501234567"},
            "at": when, "kind": "text", "text": text, "opens_window": channel == Channel::WhatsApp,
        });
        serde_json::from_value(written).unwrap()
    }

    /// A message to no line. The provider's flag or its text is a wish that changes something.
    fn heard_message<'a>(config: &'a TenantConfig, message: &'a InboundMessage, now: Timestamp) -> Heard<'a> {
        let text = message.text.as_deref();
        let wish = message
            .opt_flag
            .or_else(|| crate::people::wish_in_text(text?, &config.tenant));
        Heard {
            config,
            message,
            line: None,
            wish: wish.map(|flag| (flag, true)),
            now,
        }
    }

    fn calls_for(config: &TenantConfig, message: &InboundMessage, now: Timestamp) -> Option<Answer> {
        heard_message(config, message, now).calls_for()
    }

    /// The line Bar, with these business hours.
    fn bar(business_hours: &Value) -> Line {
        let line = json!({"id": "line_00000000000000000000000001", "name": "Bar", "business_hours": business_hours});
        serde_json::from_value(line).unwrap()
    }

    #[test]
    fn help_is_on_and_the_rest_is_off_by_default() {
        let now = at(CLOSED);
        for (text, answer) in [
            ("Hello", None),
            ("HELP", Some(Answer::Help)),
            ("مساعدة", Some(Answer::Help)),
            ("STOP", None),
            ("START", None),
        ] {
            let message = inbound_message(Channel::WhatsApp, text, now);
            assert_eq!(calls_for(&config(), &message, now), answer, "{text}");
        }
    }

    #[test]
    fn each_switch_turns_its_answer_on() {
        let now = at(CLOSED);
        for (text, answer) in [
            ("Hello", Answer::AfterHours),
            ("HELP", Answer::Help),
            ("إيقاف", Answer::Stop),
            ("ابدأ", Answer::Start),
        ] {
            let message = inbound_message(Channel::WhatsApp, text, now);
            assert_eq!(calls_for(&all(), &message, now), Some(answer), "{text}");
            let mut suspended = all();
            suspended.tenant.status = TenantStatus::Suspended;
            assert_eq!(calls_for(&suspended, &message, now), None, "{text}");
        }
        let off = answering(json!({"help": {"enabled": false}}));
        assert_eq!(
            calls_for(&off, &inbound_message(Channel::WhatsApp, "HELP", now), now),
            None
        );
    }

    /// The cap is for what may be repeated: nobody is left without help, or without a word that they are left alone.
    #[test]
    fn cap_is_one_higher_for_help_and_none_for_stop() {
        let (tenant, now) = (all().tenant, at(CLOSED));
        let mut person = contact();
        let given = |person: &mut Contact, answer, line: Option<u8>| {
            let line = line.map(|line| format!("line_{line:026}").parse().unwrap());
            let may = person.may_be_answered(answer, line, &tenant, now);
            if may.is_ok() {
                person.note_answer(answer, line, now);
            }
            may.map_err(|why| (why.reason, why.facts.get("maximum").cloned()))
        };
        assert_eq!(given(&mut person, Answer::Stop, None), Ok(()));
        for line in 1..=4 {
            assert_eq!(given(&mut person, Answer::AfterHours, Some(line)), Ok(()), "{line}");
        }
        let often = |most: usize| Err((Reason::AnsweredOften, Some(Fact::from(most))));
        assert_eq!(given(&mut person, Answer::AfterHours, Some(5)), often(4));
        assert_eq!(given(&mut person, Answer::Start, None), often(4));
        assert_eq!(given(&mut person, Answer::Help, None), Ok(()));
        assert_eq!(person.answered.len(), MAX_REMEMBERED);
        assert_eq!(given(&mut person, Answer::Start, None), often(4));
        let again = given(&mut person, Answer::Stop, None).map_err(|(reason, _)| reason);
        assert_eq!(again, Err(Reason::AnsweredAlready));
        person.answered.retain(|known| known.answer != Answer::Stop);
        assert_eq!(given(&mut person, Answer::Stop, None), Ok(()));
        person.answered.retain(|known| known.answer != Answer::Help);
        person.answered.push(Answered {
            answer: Answer::Start,
            at: now,
            line: None,
        });
        assert_eq!(given(&mut person, Answer::Help, None), often(5));
    }

    /// A wish that repeats a confirmed one.
    #[test]
    fn word_that_changes_nothing_is_not_confirmed() {
        let (config, now) = (all(), at(CLOSED));
        for (flag, text) in [(OptFlag::Stop, "STOP"), (OptFlag::Start, "START")] {
            let message = inbound_message(Channel::WhatsApp, text, now);
            let unchanged = Heard {
                wish: Some((flag, false)),
                ..heard_message(&config, &message, now)
            };
            assert_eq!(unchanged.calls_for(), None, "{text}");
        }
    }

    /// It is no start word of ours.
    #[test]
    fn yes_by_sms_after_hours_is_left_to_twilio() {
        let now = at(CLOSED);
        assert_eq!(calls_for(&all(), &inbound_message(Channel::Sms, "Yes", now), now), None);
        for (channel, text) in [(Channel::Sms, "Yes please"), (Channel::WhatsApp, "Yes")] {
            let message = inbound_message(channel, text, now);
            assert_eq!(calls_for(&all(), &message, now), Some(Answer::AfterHours), "{text}");
        }
    }

    /// Twilio answers its own words by SMS, and whatever it flags.
    #[test]
    fn word_that_the_provider_answers_is_not_answered_twice() {
        let now = at(OPEN);
        let sms = |text: &str| calls_for(&all(), &inbound_message(Channel::Sms, text, now), now);
        for text in ["STOP", "stop.", "Unsubscribe", "START", "unstop", "HELP", "info"] {
            assert_eq!(sms(text), None, "{text}");
        }
        assert_eq!(sms("مساعدة"), Some(Answer::Help));
        assert_eq!(sms("إيقاف"), Some(Answer::Stop));
        for flag in [OptFlag::Stop, OptFlag::Start, OptFlag::Help] {
            for channel in [Channel::Sms, Channel::WhatsApp] {
                let mut message = inbound_message(channel, "كفاية", now);
                message.opt_flag = Some(flag);
                assert_eq!(calls_for(&all(), &message, now), None, "{flag:?}");
            }
        }
    }

    #[test]
    fn only_what_a_person_wrote_to_us_is_answered() {
        let now = at(CLOSED);
        let answered = |change: fn(&mut InboundMessage)| {
            let mut message = inbound_message(Channel::WhatsApp, "Hello", now);
            change(&mut message);
            calls_for(&all(), &message, now).is_some()
        };
        assert!(answered(|_| {}));
        assert!(answered(|message| message.kind = "image".to_owned()));
        // A reaction, an edit, a notice of the platform.
        assert!(!answered(|message| message.opens_window = false));
        assert!(!answered(|message| message.standby = true));
        assert!(!answered(
            |message| message.from.phone = Some("+97143330009".parse().unwrap())
        ));
        let late = |minutes: i64| {
            let message = inbound_message(Channel::WhatsApp, "Hello", now - SignedDuration::from_mins(minutes));
            calls_for(&all(), &message, now).is_some()
        };
        assert!(late(14) && !late(15));
    }

    #[test]
    fn only_a_closed_business_answers_after_hours() {
        let answered = |config: &TenantConfig, written_at: Timestamp, now: Timestamp| {
            calls_for(config, &inbound_message(Channel::Sms, "Hello", written_at), now).is_some()
        };
        let (closed, open) = (at(CLOSED), at(OPEN));
        assert!(answered(&all(), closed, closed) && !answered(&all(), open, open));
        // It opens at nine, and closes at one.
        let (nine, one) = (at("2026-11-23T09:00:00+04"), at("2026-11-23T13:00:00+04"));
        let minute = SignedDuration::from_mins(1);
        assert!(!answered(&all(), nine - minute, nine + minute));
        assert!(!answered(&all(), one - minute, one + minute));
        assert!(answered(&all(), one, one + minute));
        let mut always = all();
        always.tenant.business_hours = None;
        assert!(!answered(&always, closed, closed));
        // A clock that is ahead.
        assert!(answered(&all(), closed + SignedDuration::from_hours(1), closed));
    }

    #[test]
    fn hours_of_the_line_decide() {
        let line = bar(&json!({"sunday": [{"from": "10:00", "to": "14:00"}]}));
        let (config, now) = (all(), at(CLOSED));
        let message = inbound_message(Channel::Sms, "Hello", now);
        let elsewhere = heard_message(&config, &message, now);
        assert_eq!(elsewhere.calls_for(), Some(Answer::AfterHours));
        let there = Heard {
            line: Some(&line),
            ..elsewhere
        };
        assert_eq!(there.calls_for(), None);
    }

    fn received_message(message: InboundMessage, connection: usize) -> Received {
        let delivery = Delivery {
            received_at: message.at,
            place: 0,
        };
        Received {
            id: Received::id_of(contact().id, "whatsapp", &message, delivery),
            connection: config().connections[connection].id,
            line: None,
            message,
            remarks: vec![],
            recovered: 0,
            answers_after: vec![],
            templates: vec![],
            answer: None,
            correlation_id: "cor".to_owned(),
            keep_until: None,
        }
    }

    fn compose_answer(
        config: &TenantConfig,
        received: &Received,
        contact: &Contact,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Composed, Refusal> {
        let text = answer_texts(received, answer, &config.tenant, contact).remove(0);
        let world = World {
            config,
            material: Material::NONE,
            contact,
            profile: &Profile::default(),
            open: &[],
            now,
            line_type: &unknown_line_type,
        };
        compose_message(&answer_intent(received, answer, &text, config, contact, now), &world)
    }

    /// The sample contact, who wrote by WhatsApp or SMS.
    fn writer(channel: Channel, when: Timestamp) -> Contact {
        let mut writer = contact();
        writer.last_inbound_at = Some(when);
        if channel == Channel::WhatsApp {
            writer.open_window(&"+97143330000".parse().unwrap(), &writer.recipient(), when);
        }
        writer
    }

    fn text_of(composed: &Composed) -> &str {
        match &composed.legs[0].content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answer_goes_out_where_the_customer_wrote() {
        let now = at(CLOSED);
        let sms = received_message(inbound_message(Channel::Sms, "Hello", now), 0);
        let to = Some("+97143330009".parse().unwrap());
        let sms = Received {
            message: InboundMessage {
                to,
                ..sms.message.clone()
            },
            ..sms
        };
        let message = compose_answer(&all(), &sms, &writer(Channel::Sms, now), Answer::AfterHours, now).unwrap();
        let [leg] = &message.legs[..] else {
            panic!("{message:?}")
        };
        assert_eq!((leg.channel, leg.connection), (Channel::Sms, sms.connection));
        assert_eq!(leg.sender, sms.message.to);
        assert_eq!(message.policy.purpose(), Purpose::AutoReply);

        let whatsapp = received_message(inbound_message(Channel::WhatsApp, "Hello", now), 1);
        let open = writer(Channel::WhatsApp, now);
        let message = compose_answer(&all(), &whatsapp, &open, Answer::AfterHours, now).unwrap();
        assert_eq!(message.legs[0].connection, whatsapp.connection);
        // No other connection answers for one that is gone.
        let mut less = all();
        less.connections.remove(1);
        let refused = compose_answer(&less, &whatsapp, &open, Answer::AfterHours, now).unwrap_err();
        assert_eq!(refused.reason, Reason::NoChannel);
        let closed = compose_answer(&all(), &whatsapp, &writer(Channel::Sms, now), Answer::AfterHours, now);
        assert_eq!(closed.unwrap_err().reason, Reason::WindowClosed);
    }

    /// Something of a conversation on a number that several responders share, and its time in seconds.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Shared {
        Wrote(i64),
        Signed(Sign, i64),
    }

    use Shared::{Signed, Wrote};

    /// A number after the hours of its business, before anybody has said anything on it.
    struct SharedNumber {
        config: TenantConfig,
        person: Contact,
        heard: Vec<Shared>,
    }

    impl SharedNumber {
        const MINUTES: i64 = 60;

        fn new() -> Self {
            let (config, mut person) = (all(), contact());
            person.last_inbound_at = Some(at(CLOSED));
            let heard = Vec::new();
            Self { config, person, heard }
        }

        fn time(second: i64) -> Timestamp {
            at(CLOSED) + SignedDuration::from_secs(second)
        }

        fn now() -> Timestamp {
            Self::time(10 * Self::MINUTES)
        }

        /// Hears it, and says whether it is answered automatically.
        fn hears(&mut self, one: Shared) -> bool {
            self.heard.push(one);
            let number = "+97143330000".parse().unwrap();
            let (when, standby) = match one {
                Wrote(second) => (Self::time(second), false),
                Signed(Sign::Copied, second) => (Self::time(second), true),
                Signed(sign, second) => {
                    let user = self.person.recipient();
                    self.person.answered_by(&number, &user, sign, Self::time(second));
                    return false;
                }
            };
            let message = InboundMessage {
                standby,
                ..inbound_message(Channel::WhatsApp, "Hello", when)
            };
            self.person.last_inbound_at = self.person.last_inbound_at.max(Some(when));
            self.person.hears_by_whatsapp(&number, &message, when);
            calls_for(&self.config, &message, Self::now()).is_some() && self.answer(message).is_ok()
        }

        fn answer(&self, message: InboundMessage) -> Result<Composed, Refusal> {
            let received = received_message(message, 1);
            compose_answer(&self.config, &received, &self.person, Answer::AfterHours, Self::now())
        }

        /// Whether the latest sign that was heard is another responder's: of a second, its own, unless the conversation was passed to us.
        fn is_others(&self) -> bool {
            let place = |one: &Shared| match *one {
                Wrote(second) | Signed(Sign::Received | Sign::Answered, second) => (second, 0),
                Signed(Sign::Copied, second) => (second, 1),
                Signed(Sign::Passed, second) => (second, 2),
                Signed(Sign::Taken, second) => (second, 3),
            };
            self.heard
                .iter()
                .map(place)
                .max()
                .is_some_and(|(_, place)| place % 2 == 1)
        }

        /// Checks what is promised once all of it is known.
        fn check(&self) {
            let window = self.person.windows.first().and_then(Window::closes_at);
            let last = |is_meant: fn(&Shared) -> bool| {
                let meant = self.heard.iter().filter(|one| is_meant(one));
                let seconds = meant.map(|one| match one {
                    Wrote(second) | Signed(_, second) => *second,
                });
                seconds.max()
            };
            let (wrote, copied) = (
                last(|one| matches!(one, Wrote(_))),
                last(|one| matches!(one, Signed(Sign::Copied, _))),
            );
            let passed = last(|one| matches!(one, Signed(Sign::Passed, _)));
            // Messages to another responder count once the conversation is passed to us.
            let opened = wrote.max(copied.filter(|copied| Some(*copied) <= passed));
            let closes_at = opened.map(|second| Self::time(second) + crate::people::SERVICE_WINDOW);
            assert_eq!(window, closes_at, "the window of {:?}", self.heard);
            let refused = self
                .answer(inbound_message(Channel::WhatsApp, "Hello", at(CLOSED)))
                .err();
            let refused = refused.is_some_and(|why| why.reason == Reason::AnsweredElsewhere);
            assert_eq!(refused, self.is_others(), "an answer after {:?}", self.heard);
        }
    }

    /// Copies, a conversation that passes to and fro, and messages, in any order.
    #[test]
    fn nobody_is_answered_twice_and_a_copy_opens_no_window_of_ours() {
        let all = [
            Wrote(10),
            Signed(Sign::Copied, 10),
            Signed(Sign::Taken, 20),
            Signed(Sign::Copied, 30),
            Signed(Sign::Passed, 30),
            Signed(Sign::Answered, 40),
        ];
        let mut orders = vec![vec![]];
        for one in all {
            let inserted = orders.iter().flat_map(|order: &Vec<Shared>| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, one);
                    longer
                })
            });
            orders = inserted.collect();
        }
        assert_eq!(orders.len(), 720);
        for order in orders {
            let mut shared = SharedNumber::new();
            for one in order {
                let answered = shared.hears(one);
                assert!(!answered || !shared.is_others(), "answered twice: {:?}", shared.heard);
                assert!(
                    !answered || matches!(one, Wrote(_)),
                    "a copy is answered: {:?}",
                    shared.heard
                );
            }
            shared.check();
        }
    }

    fn any_shared_event() -> impl Strategy<Value = Shared> {
        let sign = select(vec![Sign::Answered, Sign::Copied, Sign::Passed, Sign::Taken]);
        let signed = (sign, 0..8_i64).prop_map(|(sign, second)| Signed(sign, second));
        prop_oneof![1 => (0..8_i64).prop_map(Wrote), 3 => signed]
    }

    proptest! {
        /// Signs of every kind, in one second or several, as often as they are delivered.
        #[test]
        fn repeated_reports_of_who_answers_change_nothing(
            once in proptest::collection::vec(any_shared_event(), 1..8),
            again in proptest::collection::vec(proptest::sample::Index::arbitrary(), 0..8),
        ) {
            let mut shared = SharedNumber::new();
            for one in &once {
                shared.hears(*one);
                shared.check();
            }
            let before = shared.person.windows.first().map(|window| (window.ours_at, window.elsewhere(SharedNumber::now()).map(|found| found.at)));
            for again in again {
                let answered = shared.hears(*again.get(&once));
                prop_assert!(!answered || !shared.is_others());
                shared.check();
            }
            let after = shared.person.windows.first().map(|window| (window.ours_at, window.elsewhere(SharedNumber::now()).map(|found| found.at)));
            prop_assert_eq!(before, after);
        }
    }

    /// Nobody reports that a conversation is given back.
    #[test]
    fn another_responder_counts_for_a_day() {
        let mut shared = SharedNumber::new();
        shared.hears(Signed(Sign::Taken, 0));
        shared.hears(Signed(Sign::Copied, 60));
        let (number, user) = ("+97143330000".parse().unwrap(), shared.person.recipient());
        let found = |second| shared.person.elsewhere(&number, &user, SharedNumber::time(second));
        let since = SharedNumber::time(0) + SignedDuration::from_millis(2);
        assert_eq!(found(61).map(|found| found.since), Some(since));
        assert!(found(DAY.as_secs() + 59).is_some() && found(DAY.as_secs() + 60).is_none());
    }

    /// From another one, it would be the beginning of another conversation.
    #[test]
    fn sms_is_answered_from_the_number_written_to_or_a_service() {
        let now = at(CLOSED);
        let mut sms = received_message(inbound_message(Channel::Sms, "Hello", now), 0);
        sms.message.to = Some("+97143330008".parse().unwrap());
        let open = writer(Channel::Sms, now);
        let mut config = all();
        let refused = compose_answer(&config, &sms, &open, Answer::AfterHours, now).unwrap_err();
        assert_eq!(refused.reason, Reason::NoChannel);
        config.connections[0].messaging_service = true;
        let message = compose_answer(&config, &sms, &open, Answer::AfterHours, now).unwrap();
        assert_eq!(message.legs[0].sender, None);
        // The provider need not say where it was written to.
        sms.message.to = None;
        assert!(compose_answer(&all(), &sms, &open, Answer::AfterHours, now).is_ok());
    }

    #[test]
    fn only_a_missing_way_back_is_one() {
        let (now, config) = (at(CLOSED), all());
        let none = |received: &Received, contact: &Contact, answer| {
            let why = no_way_back(received, answer, &config, contact, now);
            why.map(|why| why.reason)
        };
        let (sms, open) = (
            received_message(inbound_message(Channel::Sms, "Hello", now), 0),
            writer(Channel::Sms, now),
        );
        assert_eq!(none(&sms, &open, Answer::AfterHours), None);
        let mut other = sms;
        other.message.to = Some("+97143330008".parse().unwrap());
        assert_eq!(none(&other, &open, Answer::Help), Some(Reason::NoChannel));
        let whatsapp = received_message(inbound_message(Channel::WhatsApp, "Hello", now), 1);
        assert_eq!(none(&whatsapp, &open, Answer::Help), Some(Reason::WindowClosed));
        // Other reasons are those of other checks.
        let mut stopped = open;
        stopped.wish(OptFlag::Stop, "wrote STOP", now);
        assert_eq!(none(&other, &stopped, Answer::Help), None);
    }

    #[test]
    fn usual_texts_are_in_the_language_of_the_contact() {
        let now = at(CLOSED);
        let whatsapp = received_message(inbound_message(Channel::WhatsApp, "Hello", now), 1);
        let said = |languages: &[&str], own: Option<&str>, answer: Answer| {
            let mut config = all();
            config.tenant.languages = languages.iter().map(|tag| (*tag).to_owned()).collect();
            let mut open = writer(Channel::WhatsApp, now);
            open.language = own.map(str::to_owned);
            text_of(&compose_answer(&config, &whatsapp, &open, answer, now).unwrap()).to_owned()
        };
        for answer in [Answer::AfterHours, Answer::Help, Answer::Start] {
            let (english, arabic) = (said(&["en", "ar"], None, answer), said(&["ar"], None, answer));
            assert!(english.starts_with("Marina Dental: ") && arabic.starts_with("Marina Dental: "));
            assert!(english.is_ascii() && !arabic.is_ascii());
            assert_eq!(said(&["en"], Some("ar-AE"), answer), arabic);
            assert_eq!(said(&["ar"], Some("en-GB"), answer), english);
            assert_eq!(said(&["fr"], Some("de"), answer), english);
        }
        assert!(said(&["en"], None, Answer::Help).contains("STOP"));
        // By SMS, nobody in the Emirates can reply.
        let sms = received_message(inbound_message(Channel::Sms, "HELP", now), 0);
        let text = answer_texts(&sms, Answer::Help, &all().tenant, &writer(Channel::Sms, now)).remove(0);
        assert!(
            matches!(&text, SmsText::One(text) if text.ends_with("text 7726.")),
            "{text:?}"
        );
    }

    #[test]
    fn own_texts_replace_the_usual_ones() {
        let config =
            answering(json!({"help": {"text": {"en": "Call {{tenant.phone}}.", "ar": "اتصل على {{tenant.phone}}."}}}));
        let now = at(OPEN);
        let whatsapp = received_message(inbound_message(Channel::WhatsApp, "HELP", now), 1);
        let mut open = writer(Channel::WhatsApp, now);
        let said = |open: &Contact| {
            let composed = compose_answer(&config, &whatsapp, open, Answer::Help, now).unwrap();
            text_of(&composed).to_owned()
        };
        assert_eq!(said(&open), "Call +97143330000.");
        open.language = Some("ar".to_owned());
        assert_eq!(said(&open), "اتصل على +97143330000.");
        let texts = answer_texts(&whatsapp, Answer::Help, &config.tenant, &open);
        assert_eq!(texts.len(), 2, "the usual text stands behind it");
    }

    /// Only that refusal lets it pass, and nothing else passes.
    #[test]
    fn stop_is_confirmed_once_and_nothing_else_is_sent() {
        use crate::people::{By, Choice, Scope, Wish};

        let now = at(OPEN);
        let stop = received_message(inbound_message(Channel::WhatsApp, "STOP", now), 1);
        let stopped = |by: By| {
            let mut stopped = writer(Channel::WhatsApp, now);
            stopped.record(Wish::new(Choice::Refused, Scope::ALL, by, "said so", now));
            stopped
        };
        let refused = |contact: &Contact, answer| compose_answer(&all(), &stop, contact, answer, now).err();
        assert_eq!(refused(&stopped(By::Keyword), Answer::Stop), None);
        for answer in [Answer::AfterHours, Answer::Help, Answer::Start] {
            let why = refused(&stopped(By::Keyword), answer).map(|why| why.reason);
            assert_eq!(why, Some(Reason::OptedOut), "{answer:?}");
        }
        for by in [By::Page, By::Provider, By::Told, By::User, By::Key, By::Import] {
            assert!(refused(&stopped(by), Answer::Stop).is_some(), "{by:?}");
        }
        let mut narrow = stopped(By::Keyword);
        let whatsapp = Scope {
            channel: Some(Channel::WhatsApp),
            category: None,
        };
        narrow.record(Wish::new(Choice::Refused, whatsapp, By::Page, "said so", now));
        assert!(refused(&narrow, Answer::Stop).is_some());
    }

    fn planned_answer(answer: Answer, now: Timestamp) -> (Message, Contact) {
        let whatsapp = received_message(inbound_message(Channel::WhatsApp, "Hello", now), 1);
        let mut open = writer(Channel::WhatsApp, now);
        if answer == Answer::Stop {
            open.wish(OptFlag::Stop, "wrote STOP", now);
        }
        let composed = compose_answer(&all(), &whatsapp, &open, answer, now).unwrap();
        let message = message_of(composed, now);
        open.opens(&message, vec![]);
        open.note_answer(answer, None, now);
        (message, open)
    }

    /// Whoever writes again before it went out gets the answer to that.
    #[test]
    fn cancelled_answer_is_forgotten_and_a_sent_one_is_not() {
        let now = at(CLOSED);
        let (mut message, mut open) = planned_answer(Answer::AfterHours, now);
        assert_eq!(
            message.cause.answered_message().map(|(_, answer)| answer),
            Some(Answer::AfterHours)
        );
        assert_eq!(open.open_to(CancelEvent::Inbound), [message.id]);
        assert!(
            open.may_be_answered(Answer::AfterHours, None, &all().tenant, now)
                .is_err()
        );
        let mut sent = message.clone();
        assert!(message.cancel("the customer wrote"));
        let mut cancelled = open.clone();
        assert!(cancelled.close(&message), "the contact is written");
        assert_eq!(cancelled.answered, []);
        assert_eq!(
            cancelled.may_be_answered(Answer::AfterHours, None, &all().tenant, now),
            Ok(())
        );

        sent.claim(0, "claim".to_owned(), now, &timers());
        assert!(sent.cancel("the customer wrote"));
        assert!(!open.close(&sent));
        assert_eq!(open.answered.len(), 1);
    }

    /// Whether a text by WhatsApp, changed, ends the waiting answer.
    fn ends(waiting: &Message, text: &str, now: Timestamp, change: impl FnOnce(&mut InboundMessage)) -> bool {
        let config = all();
        let mut message = inbound_message(Channel::WhatsApp, text, now);
        change(&mut message);
        heard_message(&config, &message, now).ends(waiting, config.connections[1].id)
    }

    /// Whoever is not answered by the later message keeps the answer to the earlier one.
    #[test]
    fn answer_gives_way_only_to_one_that_replaces_it() {
        let (closed, open) = (at(CLOSED), at(OPEN));
        let second = SignedDuration::from_secs(1);
        let (after_hours, _) = planned_answer(Answer::AfterHours, closed);
        let ended = |text: &str| ends(&after_hours, text, closed + second, |_| {});
        assert!(ended("Are you open?") && ended("STOP"));
        assert!(!ended("HELP") && !ended("START"));
        let changes: [fn(&mut InboundMessage); 3] = [
            |message| message.opens_window = false,
            |message| message.standby = true,
            |message| message.channel = Channel::Sms,
        ];
        for change in changes {
            assert!(!ends(&after_hours, "Are you open?", closed + second, change));
        }
        // In opening hours it calls for none. The check before the send finds the answer too late then.
        assert!(!ends(&after_hours, "Are you open?", open, |_| {}));
        // Written before, and processed after.
        assert!(!ends(&after_hours, "Are you open?", closed + second, |message| {
            message.at = closed - second;
        }));
        for (answer, stopped) in [(Answer::Help, true), (Answer::Start, true), (Answer::Stop, false)] {
            let (waiting, _) = planned_answer(answer, closed);
            for text in ["Are you open?", "HELP", "START"] {
                assert!(!ends(&waiting, text, closed + second, |_| {}), "{answer:?}: {text}");
            }
            assert_eq!(ends(&waiting, "STOP", closed + second, |_| {}), stopped);
        }
    }

    /// If the provider refuses it, it is tried again.
    #[test]
    fn answer_under_way_is_left() {
        let now = at(CLOSED);
        let (mut message, _) = planned_answer(Answer::AfterHours, now);
        message.claim(0, "claim".to_owned(), now, &timers());
        assert!(!ends(&message, "Are you open?", now, |_| {}));
        let reason = "no answer".to_owned();
        message.record(1, SendOutcome::Unknown { reason }, now, &timers());
        assert!(!ends(&message, "STOP", now, |_| {}));
    }

    #[test]
    fn answer_is_not_sent_too_late() {
        let now = at(CLOSED);
        let (message, open) = planned_answer(Answer::AfterHours, now);
        let connections = connections();
        let checked = |later: i64| {
            check_send(&CheckInput {
                campaign: None,
                config: &all(),
                message: &message,
                leg: 0,
                contact: &open,
                open: &[],
                connection: &connections[1],
                template: None,
                asset: None,
                now: now + SignedDuration::from_mins(later),
                timers: &timers(),
                line_type: &unknown_line_type,
            })
        };
        assert_eq!(checked(14), Check::Go);
        assert!(matches!(checked(15), Check::Never { .. }));
        // The time counts from the writing.
        let earlier = now - SignedDuration::from_mins(10);
        let late = received_message(inbound_message(Channel::WhatsApp, "Hello", earlier), 1);
        let waits = writer(Channel::WhatsApp, earlier);
        let late = compose_answer(&all(), &late, &waits, Answer::AfterHours, now).unwrap();
        assert_eq!(late.policy.validity(), SignedDuration::from_mins(5));
    }

    /// Nobody is told that the business is closed when it is open.
    #[test]
    fn answer_after_hours_is_valid_until_the_business_opens() {
        let nine = at("2026-11-23T09:00:00+04");
        let written_at = nine - SignedDuration::from_mins(5);
        let message = received_message(inbound_message(Channel::WhatsApp, "Hello", written_at), 1);
        let open = writer(Channel::WhatsApp, written_at);
        let valid = |config: &TenantConfig, message: &Received, answer, now| {
            let composed = compose_answer(config, message, &open, answer, now);
            composed
                .map(|composed| composed.policy.validity())
                .map_err(|why| why.reason)
        };
        let minutes = |minutes| Ok::<_, Reason>(SignedDuration::from_mins(minutes));
        let valid_at = |now| valid(&all(), &message, Answer::AfterHours, now);
        assert_eq!(valid_at(written_at), minutes(5));
        assert_eq!(valid_at(nine - SignedDuration::from_mins(2)), minutes(2));
        assert_eq!(valid_at(nine), Err(Reason::Late));
        assert_eq!(valid(&all(), &message, Answer::Help, nine), minutes(10));
        // A line has hours of its own.
        let line = bar(&json!({"monday": [{"from": "08:58", "to": "14:00"}]}));
        let mut config = all();
        let to_line = Received {
            line: Some(line.id),
            ..message.clone()
        };
        config.lines = vec![line];
        assert_eq!(valid(&config, &to_line, Answer::AfterHours, written_at), minutes(3));
        config.tenant.business_hours = Some(serde_json::from_value(json!({})).unwrap());
        config.tenant.holidays = Vec::new().into();
        assert_eq!(valid(&config, &message, Answer::AfterHours, written_at), minutes(15));
    }

    #[test]
    fn texts_are_reviewed_by_field() {
        let fields = |answers: Value| -> Vec<String> {
            let problems = answering(answers).tenant.problems();
            problems.into_iter().map(|problem| problem.field).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(
            fields(json!({"help": {"text": "{{tenant.name}} {{preferences.link|}}"}})),
            none
        );
        assert_eq!(
            fields(json!({"help": {"text": "{{contact.nme}}"}})),
            ["answers.help.text"]
        );
        assert_eq!(
            fields(json!({"after_hours": {"text": {"en": "{{call.time}}", "english": "Closed"}}})),
            ["answers.after_hours.text.en", "answers.after_hours.text.english"]
        );
        let long = "x".repeat(2_000);
        let many: serde_json::Map<String, Value> = ["en", "ar", "fr", "de", "es"]
            .map(|language| (language.to_owned(), json!(long)))
            .into_iter()
            .collect();
        assert_eq!(fields(json!({"stop": {"text": many}})), none);
        assert_eq!(
            fields(json!({"stop": {"text": many}, "start": {"text": "!"}})),
            ["answers"]
        );
        for wrong in [
            json!({"after_hours": {"every_seconds": 60}}),
            json!({"after_hours": {"every_seconds": 86_401}}),
            json!({"help": {"text": ""}}),
            json!({"help": {"every_seconds": 3_600}}),
            json!({"pause": {"enabled": true}}),
        ] {
            assert!(serde_json::from_value::<Answers>(wrong.clone()).is_err(), "{wrong}");
        }
        let help: crate::terms::Help = serde_json::from_value(json!({"text": "Hello"})).unwrap();
        assert!(help.enabled);
    }

    #[derive(Debug, Clone, Copy)]
    struct Writes {
        after_minutes: i64,
        line: Option<u8>,
        flag: Option<OptFlag>,
    }

    fn writes() -> impl Strategy<Value = Vec<Writes>> {
        let flags = select(vec![OptFlag::Stop, OptFlag::Start, OptFlag::Help]);
        let one = (0_i64..600, option::of(1_u8..3), option::weighted(0.2, flags));
        let one = one.prop_map(|(after_minutes, line, flag)| Writes {
            after_minutes,
            line,
            flag,
        });
        prop::collection::vec(one, 1..60)
    }

    proptest! {
        /// Whenever somebody writes, on whatever lines and whatever the hours are.
        #[test]
        fn nobody_is_answered_too_often_or_by_an_open_business(
            writes in writes(),
            opens in 0_i8..24,
            closes in 0_i8..24,
            every in 3_600_u32..=86_400,
        ) {
            let mut config = all();
            let span = json!([{"from": format!("{opens:02}:00"), "to": format!("{closes:02}:00")}]);
            let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let hours: serde_json::Map<String, Value> = days.map(|day| (day.to_owned(), span.clone())).into_iter().collect();
            config.tenant.business_hours = Some(serde_json::from_value(Value::Object(hours)).unwrap());
            config.tenant.holidays = Vec::new().into();
            let answers = config.tenant.answers.as_mut().unwrap();
            answers.after_hours.every_seconds = crate::terms::Period::nearest(every);
            let mut person = contact();
            let mut now = at(NOON);
            let mut given: Vec<Answered> = Vec::new();
            for Writes { after_minutes, line, flag } in writes {
                now = now.checked_add(after_minutes.minutes()).unwrap();
                let line: Option<LineId> = line.map(|line| format!("line_{line:026}").parse().unwrap());
                let message = inbound_message(Channel::WhatsApp, "Hello", now);
                let wish = flag.map(|flag| (flag, true));
                let heard = Heard { config: &config, message: &message, line: None, wish, now };
                let Some(answer) = heard.calls_for() else {
                    prop_assert!(flag.is_none() && is_business_open(&config.tenant, None, now));
                    continue;
                };
                prop_assert!(flag.is_some() || !is_business_open(&config.tenant, None, now));
                let pause = config.tenant.answers.as_ref().unwrap().every(answer);
                let same = |known: &&Answered| known.answer == answer && (flag.is_some() || known.line == line);
                let recent = given.iter().filter(same).any(|known| now < known.at + pause);
                let most = match answer {
                    Answer::AfterHours | Answer::Start => MAX_ANSWERS,
                    Answer::Help => MAX_ANSWERS + 1,
                    Answer::Stop => usize::MAX,
                };
                let counted = given.iter().filter(|known| known.answer != Answer::Stop && now < known.at + DAY);
                let full = counted.count() >= most;
                let may = person.may_be_answered(answer, line, &config.tenant, now).is_ok();
                prop_assert_eq!(may, !recent && !full);
                if may {
                    person.note_answer(answer, line, now);
                    given.push(Answered { answer, at: now, line });
                }
                prop_assert!(person.answered.len() <= MAX_REMEMBERED);
            }
        }
    }
}
