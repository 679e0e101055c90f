//! Replies: what somebody of the team writes in a conversation.

use jiff::Timestamp;
use serde::Deserialize;

use crate::inbox::{Conversation, conversation_window_closes_at, number_written_to};
use crate::messages::{
    Asked, Card, Cause, Declared, Intent, InteractiveUse, Location, MAX_CARDS, MAX_CHANNELS, MediaUse, MessageRequest,
    ReactionUse, Through, receiver_of,
};
use crate::people::Contact;
use crate::tenants::{MAX_FALLBACK_SECONDS, TenantConfig, line_by_id};
use crate::terms::{
    Category, Channel, ConversationId, Fault, FaultCode, FieldProblem, FreeText, MessageId, Purpose, Reason, Refusal,
    SmsText, TemplateUse, UpTo, Whole,
};

/// A reply in a conversation, with `sms_text`, or content of WhatsApp, or both. The content of WhatsApp is one of `template`, `text`, `media`,
/// `interactive`, `location`, `contacts` and `reaction`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReplyIn"))]
#[serde(deny_unknown_fields)]
pub struct ReplyRequest {
    /// Number of the latest happening that the author has seen: `seq` of the conversation as it was shown. If somebody else has replied
    /// since, nothing is sent.
    #[cfg_attr(feature = "schema", schemars(range(max = 9_007_199_254_740_991_u64), example = 1))]
    pub seen: u64,
    /// Template that is sent by WhatsApp, of the category `utility`. Not together with other content of WhatsApp. All but templates need an
    /// open service window.
    #[serde(default)]
    pub template: Option<TemplateUse>,
    /// Free text that is sent by WhatsApp, while the person's service window is open. One text, or one for each language. Values as in
    /// `sms_text`. At most 4,096 characters with them.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = "Yes, we are open until ten."))]
    pub text: Option<FreeText>,
    /// File that is sent by WhatsApp: a picture, video, document, sticker or sound.
    #[serde(default)]
    pub media: Option<MediaUse>,
    /// Text with buttons, a list, a link or a request for the location that is sent by WhatsApp. Not through Twilio.
    #[serde(default)]
    pub interactive: Option<InteractiveUse>,
    /// Place that is sent by WhatsApp.
    #[serde(default)]
    pub location: Option<Location>,
    /// Business cards that are sent by WhatsApp. Not through Twilio.
    #[serde(default)]
    pub contacts: UpTo<MAX_CARDS, Card>,
    /// Reaction by WhatsApp to a message of the person or to the person. Not through Twilio.
    #[serde(default)]
    pub reaction: Option<ReactionUse>,
    /// Message by WhatsApp, from the person or to the person, that the content of WhatsApp answers. Not through Twilio.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub reply_to: Option<MessageId>,
    /// Text of the SMS: one for all, or one for each language. `{{contact.first_name|there}}` stands for a value with its default. At most
    /// 1,600 characters with the values.
    #[serde(default)]
    pub sms_text: Option<SmsText>,
    /// Channels in the order of trying them. Default: those that have content, WhatsApp first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = ["whatsapp"]))]
    pub channels: UpTo<MAX_CHANNELS, Channel>,
    /// Seconds until the next channel is tried if the message was accepted and not delivered. 0: only when the channel
    /// fails. Default: 120.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = 120))]
    pub fallback_after_seconds: Option<Whole<0, MAX_FALLBACK_SECONDS>>,
}

/// A reply in its conversation, ready to be composed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    request: MessageRequest,
    conversation: ConversationId,
}

impl ReplyRequest {
    /// The reply in this conversation.
    pub fn in_conversation(&self, conversation: ConversationId) -> Said {
        let own = self.clone();
        Said {
            request: MessageRequest {
                contact_id: Some(conversation.contact()),
                line_id: conversation.line(),
                template: own.template,
                text: own.text,
                media: own.media,
                interactive: own.interactive,
                location: own.location,
                contacts: own.contacts,
                reaction: own.reaction,
                reply_to: own.reply_to,
                sms_text: own.sms_text,
                channels: own.channels,
                fallback_after_seconds: own.fallback_after_seconds,
                ..MessageRequest::empty(Declared::Utility)
            },
            conversation,
        }
    }

    /// The fault of what its author claims to have seen of the conversation.
    pub fn wrong_seen(&self, conversation: &Conversation) -> Option<FieldProblem> {
        (self.seen > conversation.seq).then(|| {
            let detail = format!("Only {} things have happened in the conversation.", conversation.seq);
            FieldProblem::new("seen", Fault::out_of_range(0_u64, conversation.seq, detail))
        })
    }
}

impl Said {
    /// The reply as a message that somebody asks for.
    pub const fn request(&self) -> &MessageRequest {
        &self.request
    }

    /// Problems of the reply. Empty: none.
    pub fn problems(&self, config: &TenantConfig) -> Vec<FieldProblem> {
        let mut found = self.request.problems_of_content();
        if let Some(line) = self
            .conversation
            .line()
            .filter(|line| line_by_id(&config.lines, *line).is_none())
        {
            let detail = "The line of this conversation was deleted. Reply on another one, or send a message.";
            let fault = Fault::new(FaultCode::NotFound, detail).and("id", line.to_string());
            found.push(FieldProblem::new("", fault));
        }
        if self.request.attachment().is_some() && self.request.sms_text.is_some() {
            let detail = "A reply with an attachment goes by WhatsApp only, since an SMS would go without the file.";
            found.push(FieldProblem::new(
                "sms_text",
                Fault::new(FaultCode::NotApplicable, detail),
            ));
        }
        found
    }

    /// The cause of its message. `asked`: who writes it, in which request. The contact may be another since the conversation began.
    pub fn cause(&self, asked: &Asked) -> Cause {
        Cause::Written {
            conversation: ConversationId::of(asked.contact, self.conversation.line()),
            by: asked.by,
            request: asked.request,
        }
    }

    /// The category: only templates are sent to whoever has not written lately.
    pub const fn category(&self) -> Category {
        if self.request.template.is_some() {
            Category::Utility
        } else {
            Category::Service
        }
    }

    /// Without a line, content for WhatsApp goes out by the number that the person wrote to.
    fn through(&self, contact: &Contact, config: &TenantConfig, now: Timestamp) -> Option<Through<'static>> {
        let by_whatsapp = self.conversation.line().is_none() && self.request.has_content_of_whatsapp();
        let connection = number_written_to(contact, config).filter(|_| by_whatsapp && contact.any_window_open(now))?;
        Some(Through {
            connection: connection.id,
            number: None,
        })
    }

    /// A refusal as its author is told: whoever has not written for a day gets no free text by WhatsApp, but a template.
    pub fn refusal_for_author(&self, refusal: Refusal, contact: &Contact, config: &TenantConfig) -> Refusal {
        let late = refusal.reason == Reason::NoConsent && self.category() == Category::Service;
        let ever_wrote = contact.last_inbound_at.is_some();
        if !(late && ever_wrote && self.request.has_content_of_whatsapp()) {
            return refusal;
        }
        let closed_at = conversation_window_closes_at(self.conversation.line(), contact, config);
        Refusal::new(Reason::WindowClosed, refusal.sentence).and_if("closed_at", closed_at)
    }

    /// The intent of the message, to whoever [`receiver_of`] says. `after`: the reply that goes first.
    pub fn intent<'a>(
        &'a self,
        asked: &'a Asked,
        after: Option<MessageId>,
        contact: &Contact,
        config: &TenantConfig,
    ) -> Intent<'a> {
        let request = self.request.intent(asked, contact, config);
        let mut intent = Intent {
            cause: self.cause(asked),
            purpose: Purpose::Reply,
            category: self.category(),
            // Not another one, even if it is the only one.
            line: self.conversation.line(),
            through: self.through(contact, config, asked.now),
            after,
            by: "the reply".to_owned(),
            ..request
        };
        intent.to = receiver_of(&intent, contact, config);
        intent
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use ulid::Ulid;

    use super::*;
    use crate::inbox::{Happening, TeamMessage, What};
    use crate::messages::{Behind, Composed, MAX_WAITING, Message, Needs, SendOutcome, compose_message};
    use crate::samples::{Case, message_of, timers};
    use crate::terms::{LineId, Phone};

    const AGENT: &str = "usr_00000000000000000000000001";
    const TELL_AFTER: Option<SignedDuration> = Some(SignedDuration::from_mins(10));
    const HOUR: SignedDuration = SignedDuration::from_hours(1);
    const OTHER: &str = "usr_00000000000000000000000002";

    fn reply(body: &Value) -> ReplyRequest {
        let mut whole = json!({"seen": 1});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    fn by_whatsapp(at: Timestamp, message: MessageId) -> TeamMessage {
        TeamMessage {
            at,
            message,
            channel: Channel::WhatsApp,
        }
    }

    /// A case whose customer wrote an hour ago, by WhatsApp to a number of the business.
    fn wrote(channel: Channel) -> Case {
        let mut case = Case::new();
        let at = case.now - HOUR;
        case.contact.last_inbound_at = Some(at);
        if channel == Channel::WhatsApp {
            let number: Phone = "+447700900999".parse().unwrap();
            for connection in &mut case.config.connections {
                connection.whatsapp_number = Some(number.clone());
            }
            case.contact.open_window(&number, &case.contact.recipient(), at);
        }
        case
    }

    /// The id of a message from the contact of the case, or to them.
    fn message_id(case: &Case, number: u64) -> MessageId {
        MessageId::new(case.contact.id, Ulid::from_parts(number, 6))
    }

    fn conversation(case: &Case) -> Conversation {
        let what = What::Inbound(message_id(case, 5), Channel::WhatsApp);
        Conversation::from_happening(
            ConversationId::of(case.contact.id, None),
            Happening {
                at: case.now - HOUR,
                what,
            },
            TELL_AFTER,
        )
    }

    fn asked_by_agent(case: &Case, request: u64) -> Asked {
        Asked {
            by: AGENT.parse().unwrap(),
            request: Ulid::from_parts(request, 4),
            contact: case.contact.id,
            to: case.contact.recipient(),
            refers: None,
            now: case.now,
        }
    }

    /// The message that follows from a reply in this conversation, beside these other ones.
    fn compose_answer(
        case: &Case,
        conversation: &Conversation,
        reply: &ReplyRequest,
        open: &[Message],
    ) -> Result<Composed, Refusal> {
        let said = reply.in_conversation(conversation.id());
        let asked = asked_by_agent(case, 1);
        case.with_world(|_, world| {
            let after = conversation.goes_first(case.now);
            let intent = said.intent(&asked, after, world.contact, world.config);
            compose_message(&intent, &crate::messages::World { open, ..*world })
        })
    }

    #[test]
    fn free_text_is_for_whoever_wrote_within_a_day() {
        let free = reply(&json!({"text": "Yes", "channels": ["whatsapp"]}));
        let sms = reply(&json!({"sms_text": "Yes"}));
        let composed = |case: &Case, reply| compose_answer(case, &conversation(case), reply, &[]);
        let message = composed(&wrote(Channel::WhatsApp), &free).unwrap();
        assert_eq!(
            (message.policy.purpose(), message.policy.category()),
            (Purpose::Reply, Category::Service)
        );
        assert_eq!(message.cause.requested_by(), Some(AGENT.parse().unwrap()));
        assert!(composed(&wrote(Channel::Sms), &sms).is_ok());
        // WhatsApp knows nothing of an SMS.
        assert!(composed(&wrote(Channel::Sms), &free).is_err());
        let mut late = wrote(Channel::WhatsApp);
        late.now += HOUR * 24;
        for (reply, told) in [(&free, Reason::WindowClosed), (&sms, Reason::NoConsent)] {
            let refusal = composed(&late, reply).unwrap_err();
            let said = reply.in_conversation(conversation(&late).id());
            assert_eq!(refusal.reason, Reason::NoConsent);
            let for_author = said.refusal_for_author(refusal, &late.contact, &late.config);
            assert_eq!(for_author.reason, told);
        }
    }

    #[test]
    fn stop_is_obeyed_until_the_person_writes_again() {
        let reply = reply(&json!({"sms_text": "Yes"}));
        let mut case = wrote(Channel::Sms);
        let stop = crate::messages::OptFlag::Stop;
        case.contact.wish(stop, "wrote STOP", case.now - HOUR);
        let refused = compose_answer(&case, &conversation(&case), &reply, &[]).unwrap_err();
        assert_eq!(refused.reason, Reason::OptedOut);
        case.contact.last_inbound_at = Some(case.now);
        assert!(compose_answer(&case, &conversation(&case), &reply, &[]).is_ok());
    }

    #[test]
    fn reply_waits_behind_the_one_before_it() {
        let case = wrote(Channel::Sms);
        let next = reply(&json!({"sms_text": "Yes"}));
        let mut conversation = conversation(&case);
        let first = compose_answer(&case, &conversation, &next, &[]).unwrap();
        assert_eq!(first.behind, None);
        let mut first = message_of(first, case.now);
        let by = AGENT.parse().unwrap();
        let sent = TeamMessage {
            at: case.now,
            message: first.id,
            channel: Channel::Sms,
        };
        conversation.reply(by, 1, sent, TELL_AFTER);
        let second = |first: &Message, conversation: &Conversation, case: &Case| {
            compose_answer(case, conversation, &next, std::slice::from_ref(first))
        };
        let message = first.id;
        let behind = |place| Some(Behind { message, place });
        let of = second(&first, &conversation, &case).unwrap();
        assert_eq!(of.behind, behind(1));
        // It is read before the reply is composed.
        let said = next.in_conversation(conversation.id());
        let needs = case.with_world(|_, world| {
            let asked = asked_by_agent(&case, 2);
            let after = conversation.goes_first(case.now);
            Needs::of(&said.intent(&asked, after, world.contact, world.config), world)
        });
        assert_eq!(needs.open, [first.id]);
        let mut waiting = first.clone();
        waiting.behind = behind(MAX_WAITING - 1);
        let refused = second(&waiting, &conversation, &case).unwrap_err();
        assert_eq!(refused.reason, Reason::TooManyOpen);
        // Nothing waits for a reply that went out, or that cannot be sent any more.
        first.claim(0, "claim".to_owned(), case.now, &timers());
        assert_eq!(second(&first, &conversation, &case).unwrap().behind, behind(1));
        let accepted = SendOutcome::Accepted {
            provider_ref: "SM1".to_owned().try_into().unwrap(),
            segments: None,
        };
        assert!(first.record(1, accepted, case.now, &timers()));
        assert_eq!(second(&first, &conversation, &case).unwrap().behind, None);
        let mut late = case;
        late.now += HOUR * 24;
        assert_eq!(conversation.goes_first(late.now), None);
    }

    #[test]
    fn reply_takes_the_place_of_a_cancelled_one() {
        let case = wrote(Channel::Sms);
        let composed = compose_answer(&case, &conversation(&case), &reply(&json!({"sms_text": "Yes"})), &[]);
        let mut middle = message_of(composed.unwrap(), case.now);
        let first = Behind {
            message: message_id(&case, 1),
            place: 3,
        };
        middle.behind = Some(first);
        assert_eq!(
            middle.ahead().map(|ahead| (ahead.message, ahead.place)),
            Some((middle.id, 4))
        );
        let mut under_way = middle.clone();
        assert!(middle.cancel(Refusal::new(Reason::Replaced, "not sent")));
        assert_eq!(middle.ahead(), Some(first));
        under_way.claim(0, "claim".to_owned(), case.now, &timers());
        under_way.cancel(Refusal::new(Reason::Replaced, "not sent"));
        assert!(under_way.is_yet_to_go(), "its request may still be under way");
    }

    #[test]
    fn without_a_line_it_leaves_from_the_number_written_to() {
        let mut case = wrote(Channel::WhatsApp);
        let line = json!({"id": "line_00000000000000000000000001", "name": "Branch", "number": "+97143330000"});
        case.config.lines = vec![serde_json::from_value(line).unwrap()];
        let mut other = case.config.connections[0].clone();
        other.id = "conn_00000000000000000000000009".parse().unwrap();
        other.carries = vec![Channel::WhatsApp];
        for connection in &mut case.config.connections {
            connection.whatsapp_number = None;
        }
        case.config.connections.push(other.clone());
        let reply = reply(&json!({"text": "Yes"}));
        let composed = compose_answer(&case, &conversation(&case), &reply, &[]).unwrap();
        assert_eq!((composed.line, composed.legs[0].connection), (None, other.id));
    }

    #[test]
    fn what_crosses_a_reply_still_waits() {
        let case = Case::new();
        let by = AGENT.parse().unwrap();
        let said = |at| by_whatsapp(at, message_id(&case, 3));
        let wrote = Happening {
            at: case.now - HOUR / 2,
            what: What::Inbound(message_id(&case, 6), Channel::WhatsApp),
        };
        let mut crossed = conversation(&case);
        crossed.note(wrote, TELL_AFTER);
        let mut seen = crossed.clone();
        crossed.reply(by, 1, said(case.now), TELL_AFTER);
        assert_eq!((crossed.waiting_since, crossed.unread), (Some(wrote.at), 1));
        assert!(crossed.first_response.is_some() && crossed.due_at().is_some());
        seen.reply(by, 2, said(case.now), TELL_AFTER);
        assert_eq!((seen.waiting_since, seen.unread, seen.due_at()), (None, 0, None));
        // One's own earlier reply is nothing that waits.
        seen.reply(by, 2, said(case.now), TELL_AFTER);
        assert_eq!((seen.waiting_since, seen.read_seq), (None, 4));
    }

    #[test]
    fn newer_replies_of_others_are_noticed() {
        let case = Case::new();
        let mut conversation = conversation(&case);
        let [own, other] = [AGENT, OTHER].map(|by| by.parse().unwrap());
        let said = |number: u64| by_whatsapp(case.now, message_id(&case, number));
        assert!(!conversation.has_moved(own, 0), "nobody has replied");
        conversation.reply(own, 1, said(1), TELL_AFTER);
        assert!(!conversation.has_moved(own, 1), "one's own reply is no surprise");
        assert!(conversation.has_moved(other, 1) && !conversation.has_moved(other, 2));
        conversation.reply(other, 2, said(2), TELL_AFTER);
        conversation.reply(other, 2, said(3), TELL_AFTER);
        conversation.reply(own, 4, said(4), TELL_AFTER);
        assert!(conversation.has_moved(own, 3), "hidden by one's own");
        assert!(!conversation.has_moved(own, 4));
        assert_eq!(
            (conversation.unread, conversation.read_seq, conversation.seq),
            (0, 5, 5)
        );
        let of_future = reply(&json!({"seen": 6, "text": "Yes"}));
        assert_eq!(of_future.wrong_seen(&conversation).unwrap().code, FaultCode::OutOfRange);
        assert!(
            reply(&json!({"seen": 5, "text": "Yes"}))
                .wrong_seen(&conversation)
                .is_none()
        );
    }

    #[test]
    fn wrong_content_and_a_deleted_line_are_named() {
        let case = Case::new();
        let id = ConversationId::of(case.contact.id, Some(LineId::new(Ulid::from_parts(9, 9))));
        let fields = |body: Value, id: ConversationId| {
            let problems = reply(&body).in_conversation(id).problems(&case.config);
            problems.into_iter().map(|one| one.field).collect::<Vec<_>>()
        };
        let no_line = ConversationId::of(case.contact.id, None);
        assert_eq!(fields(json!({}), no_line), ["template"]);
        assert_eq!(
            fields(
                json!({"text": "Yes", "location": {"latitude": 1, "longitude": 2}}),
                no_line
            ),
            ["location"]
        );
        assert_eq!(fields(json!({"text": "Yes"}), id), [""]);
        assert!(fields(json!({"text": "Yes"}), no_line).is_empty());
    }
}
