//! Reasons: why something is sent or not, and what a set-up lacks. Each is a sentence for people, a code and facts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::terms::{CancelEvent, Fact, Facts, QuietHours};

codes! {
    /// Code of a reason. Codes are added, never changed.
    pub enum Reason {
        // Decisions about calls.
        /// A rule matches the call, so a message follows. Facts whose names begin with a channel are of a channel that is left out.
        FollowUp = "follow_up" [
            "rule", "outcome", "called_number", "channel", "next_channel", "fallback_after_seconds", "delay_seconds",
            "send_at", "time_zone", "whatsapp_problem", "sms_problem"
        ],
        /// The message is sent as requested. Facts whose names begin with a channel are of a channel that is left out.
        Planned = "planned" [
            "channel", "next_channel", "fallback_after_seconds", "delay_seconds", "send_at", "time_zone",
            "whatsapp_problem", "sms_problem"
        ],
        /// The account is suspended.
        Suspended = "suspended" [],
        /// The business called the customer.
        Outbound = "outbound" [],
        /// The caller hid the number.
        Withheld = "withheld" [],
        /// The caller has a SIP address and no telephone number.
        Sip = "sip" [],
        /// The call came from a number of the business itself.
        OwnNumber = "own_number" [],
        /// The outcome of the call is unknown.
        UnknownOutcome = "unknown_outcome" [],
        /// The call was reported too late, or the message could only be sent when it is no longer valid.
        Late = "late" ["call_at", "planned_at", "send_at", "valid_seconds", "quiet_from", "quiet_to", "time_zone"],
        /// The number is never written to (`premium`, `shared_cost`, `satellite`, `invalid`), or is of no allowed country (`country`).
        Destination = "destination" ["rule", "kind", "country"],
        /// The person refused all messages, or those of this kind.
        OptedOut = "opted_out" ["refused_at", "source", "party", "channel", "category"],
        /// Something has happened since that makes the message, or its further channels if one was tried, unnecessary.
        Unnecessary = "unnecessary" ["event", "event_at", "tried"],
        /// No rule matches the call.
        NoRule = "no_rule" ["outcome", "called_number", "new_caller", "open"],
        /// The ground for the message is missing, such as an opt-in.
        NoConsent = "no_consent" ["rule", "needs", "channel"],
        /// The person got a message a short time ago.
        Cooldown = "cooldown" ["rule", "last_at", "cooldown_seconds"],
        /// A cap of the business allows no more messages, or no more money for them, in this hour, day or month.
        CapReached = "cap_reached" ["rule", "maximum", "currency", "period", "purpose", "country", "resets_at"],
        /// Messages of this kind are not sent that often, whatever the rule's cooldown is.
        Frequency = "frequency" ["category", "every_seconds", "last_at", "next_at"],
        /// As many messages to this person may still be sent as can wait, and this one takes the place of none of them.
        TooManyOpen = "too_many_open" ["rule", "maximum"],
        /// An earlier reply of the conversation goes first.
        EarlierReply = "earlier_reply" [],
        /// A reply is not sent again as it is: the conversation may have gone on.
        ReplyAgain = "reply_again" [],
        /// Somebody else of the team has replied since the caller looked.
        ConversationMoved = "conversation_moved" ["seq", "message", "by", "messages"],
        /// The message is skipped or waits because of quiet hours, or of a country's hours without promotion by SMS.
        QuietHours = "quiet_hours" ["planned_at", "send_at", "quiet_from", "quiet_to", "time_zone", "country"],
        /// The template or its values do not fit. Facts whose names begin with a channel are of that channel.
        Template = "template" ["rule", "whatsapp_problem", "sms_problem"],
        /// The content cannot be sent, such as an asset that is not there. Facts whose names begin with a channel are of that channel.
        Content = "content" ["rule", "whatsapp_problem", "sms_problem"],
        /// No channel reaches the person. Facts whose names begin with a channel are of that channel.
        NoChannel = "no_channel" ["rule", "whatsapp_problem", "sms_problem"],

        // Conditions of a rule that a call does not fulfil.
        /// The rule is archived.
        RuleArchived = "rule_archived" [],
        /// The rule is turned off.
        RuleInactive = "rule_inactive" [],
        /// The rule is not for calls with this outcome.
        OtherOutcome = "other_outcome" ["outcome", "expected"],
        /// The rule is for outbound calls, which never get a message.
        OtherDirection = "other_direction" [],
        /// The call was to none of the rule's lines.
        OtherLine = "other_line" ["id"],
        /// The business was open, or closed.
        OtherHours = "other_hours" ["open"],
        /// The caller is new, or known.
        OtherCaller = "other_caller" ["new_caller"],
        /// The telephone rang for too short or too long a time.
        OtherRingTime = "other_ring_time" ["seconds", "minimum", "maximum"],
        /// People talked for too short or too long a time.
        OtherTalkTime = "other_talk_time" ["seconds", "minimum", "maximum"],

        // Channels.
        /// No connection carries the channel.
        NoConnection = "no_connection" [],
        /// The channel did not reach this person a short time ago.
        NotReached = "not_reached" ["failed_at"],
        /// WhatsApp delivers no marketing to this country.
        NoMarketing = "no_marketing" ["country"],
        /// A rule of the recipient's country for SMS is against it: `rule` is its kind, `sureness` says who says so.
        CountryRule = "country_rule" ["country", "rule", "sureness"],
        /// No telephone number of the person is known.
        NoNumber = "no_number" [],
        /// The number is a landline.
        Landline = "landline" [],
        /// The rule has no content for the channel.
        NoContent = "no_content" [],
        /// There is no text in any language.
        NoText = "no_text" [],
        /// There is no such template.
        NoTemplate = "no_template" ["template", "language"],
        /// The template is not approved.
        TemplateNotApproved = "template_not_approved" ["template", "language", "status"],
        /// The provider refused a message because it knows the template otherwise, so the template is read again first.
        TemplateDoubted = "template_doubted" ["template", "language"],
        /// The template is of another category than the message.
        TemplateCategory = "template_category" ["template", "actual", "expected"],
        /// The template needs a value.
        ValueMissing = "value_missing" ["template", "variable"],
        /// The template has no such variable.
        ValueUnexpected = "value_unexpected" ["template", "variable"],
        /// The stored definition of the template is broken.
        TemplateBroken = "template_broken" ["template"],
        /// The template has no id at Twilio, which WhatsApp through Twilio needs.
        NoContentSid = "no_content_sid" ["template"],
        /// WhatsApp refuses such a value: it is empty, has a line break or tab, or four spaces in a row.
        ValueRefused = "value_refused" ["variable", "unfit"],
        /// The text is too long.
        TextTooLong = "text_too_long" ["part", "characters", "maximum"],
        /// The text is empty.
        TextEmpty = "text_empty" [],
        /// Nothing is known for a value, and it has no default.
        ValueUnknown = "value_unknown" ["source"],
        /// A placeholder in the text is not valid.
        WrongPlaceholder = "wrong_placeholder" [],
        /// A file of the tenant's cannot be sent: it does not exist, is not ready, or is of another kind.
        AssetUnusable = "asset_unusable" ["asset", "state", "kind"],
        /// The channel carries no such content: only text can be sent by SMS.
        WrongContent = "wrong_content" ["channel"],
        /// WhatsApp through Twilio carries no such content, or no replies to a message.
        NotCarriedByTwilio = "not_carried_by_twilio" ["content", "connection"],
        /// The file is larger than those that Twilio passes on to WhatsApp.
        TooLargeForTwilio = "too_large_for_twilio" ["bytes", "maximum_bytes"],
        /// The message that is answered or reacted to belongs to another WhatsApp number of the business.
        OtherNumber = "other_number" ["connection"],
        /// The asset is being uploaded to WhatsApp.
        AssetUploading = "asset_uploading" ["asset"],
        /// WhatsApp shows no caption with files of this kind, or no such file above a text.
        WrongFileKind = "wrong_file_kind" ["kind"],
        /// The file is no voice message.
        NotVoice = "not_voice" [],
        /// The connection no longer carries the channel.
        NotCarried = "not_carried" ["connection", "channel"],
        /// Nobody is named to whom it could be sent.
        NoRecipient = "no_recipient" [],
        /// The person has not written by WhatsApp in the last 24 hours.
        WindowClosed = "window_closed" ["closed_at"],
        /// Another app, or Meta's business agent, answers the person on this WhatsApp number, so nothing is answered or followed up there by itself.
        AnsweredElsewhere = "answered_elsewhere" ["since_at"],
        /// The number is paused: it was too fast or is restricted.
        Paused = "paused" ["connection", "until_at"],
        /// The person has got as many messages by WhatsApp as it takes in a short time.
        PairRate = "pair_rate" ["until_at"],
        /// The number sends as many messages per second as it may, and others go first.
        Throughput = "throughput" ["connection", "per_second"],
        /// The provider refuses the connection.
        ConnectionBroken = "connection_broken" ["connection", "since_at"],

        // Campaigns.
        /// The message's campaign is paused.
        CampaignPaused = "campaign_paused" [],
        /// The message's campaign was resumed.
        CampaignResumed = "campaign_resumed" [],
        /// The message's campaign was cancelled, or deleted.
        CampaignCancelled = "campaign_cancelled" [],
        /// The contact was merged into another, which gets the message if it may.
        ContactMerged = "contact_merged" ["contact"],
        /// Another contact of the same person gets the message.
        SamePerson = "same_person" ["contact"],
        /// The campaign's tag or one of its segments was deleted, or the field of a segment was.
        SegmentUnusable = "segment_unusable" ["segment", "tag"],
        /// Too many of the campaign's messages have failed.
        FailureRate = "failure_rate" ["percent"],
        /// Too many people have refused further messages after the campaign's.
        OptOutRate = "opt_out_rate" ["percent"],
        /// Meta has rated the quality of the campaign's template, or of the number that sends it, as low.
        LowQuality = "low_quality" ["template", "language", "connection"],
        /// WhatsApp refuses the campaign's template by its route, such as for terms that nobody has accepted.
        RouteRefused = "route_refused" ["provider_code"],

        // Ends and remarks of messages and calls.
        /// The provider refused the message or gave it up, with this code.
        ProviderRefused = "provider_refused" ["provider_code"],
        /// The provider did not accept the message, and gave no code; or it could not be asked.
        NotAccepted = "not_accepted" [],
        /// The provider did not say whether it accepted the message, or its list shows that it did not.
        Unconfirmed = "unconfirmed" ["channel", "not_taken", "next"],
        /// The contact was deleted.
        ContactDeleted = "contact_deleted" [],
        /// The number or id was taken off the contact.
        RecipientRemoved = "recipient_removed" [],
        /// Newer messages to this person replace it, or its further channels if one was tried.
        Replaced = "replaced" ["tried"],
        /// The message neither failed nor was blocked, so it is not sent again.
        NotFailed = "not_failed" ["state"],
        /// The message is an automatic answer, which is not sent again.
        AutomaticAnswer = "automatic_answer" [],
        /// Nothing of the message is left to cancel.
        NothingLeft = "nothing_left" ["state"],
        /// Reports of the provider are still in the queue.
        AwaitsReports = "awaits_reports" [],
        /// The call was decided again because its outcome was reported later.
        DecidedAgain = "decided_again" ["before"],
        /// The caller left a recording.
        Recording = "recording" ["seconds"],
        /// It was reported later that the call was answered.
        AnsweredAfterAll = "answered_after_all" [],
        /// The customer asked for no more messages, for messages again, or for help.
        Asked = "asked" ["word", "channel"],
        /// The unsent part of a follow-up is cancelled because the customer wrote first.
        FollowUpCancelled = "follow_up_cancelled" [],
        /// The customer's message is not answered automatically: the same answer was given a short time ago.
        AnsweredAlready = "answered_already" ["answer", "last_at", "every_seconds"],
        /// The customer's message is not answered automatically: this person got the most answers of a day.
        AnsweredOften = "answered_often" ["answer", "maximum"],
        /// The message is stored shortened.
        StoredShortened = "stored_shortened" [],
        /// Somebody sent the message on the business's own phone.
        SentByPhone = "sent_by_phone" [],
        /// Another app that shares the WhatsApp number sent the message, or Meta's business agent did.
        SentElsewhere = "sent_elsewhere" [],
        /// The customer wrote to another app that shares the WhatsApp number, or to Meta's business agent, which answers.
        WroteElsewhere = "wrote_elsewhere" [],

        // The set-up.
        /// The country of the business is not set.
        NoCountry = "no_country" [],
        /// No language is set.
        NoLanguage = "no_language" [],
        /// The telephone number is not set that messages name.
        NoOwnNumber = "no_own_number" [],
        /// No business hours are set.
        NoHours = "no_hours" [],
        /// The business is closed all week.
        NeverOpen = "never_open" [],
        /// No connection reports calls.
        NoCalls = "no_calls" [],
        /// A line has a problem: `problem` is the code of a fault of the field.
        LineProblem = "line_problem" ["line", "field", "problem"],
        /// A connection has no credentials to verify webhooks.
        NoWebhookSecret = "no_webhook_secret" ["connection"],
        /// The last test of a connection failed.
        TestFailed = "test_failed" ["connection"],
        /// The provider did not answer the last test of a connection.
        TestUnclear = "test_unclear" ["connection"],
        /// A connection has not been tested since its last change.
        NotTested = "not_tested" ["connection"],
        /// No connection sends by this channel.
        NoSender = "no_sender" ["channel"],
        /// No active rule uses this channel.
        ChannelUnused = "channel_unused" ["channel"],
        /// There is no template.
        NoTemplates = "no_templates" [],
        /// No template is approved.
        NoneApproved = "none_approved" [],
        /// No rule is active.
        NoActiveRule = "no_active_rule" [],
        /// A rule is not valid: `problem` is the code of a fault of the field.
        RuleInvalid = "rule_invalid" ["rule", "field", "problem"],
        /// An active rule cannot use a channel. Facts whose names begin with the channel are of the problem.
        RuleObstacle = "rule_obstacle" ["rule", "whatsapp_problem", "sms_problem"],

        // The review of a rule.
        /// A line has no sender of its own for a channel of the rule, so another connection sends.
        LineWithoutSender = "line_without_sender" ["line", "channel"],
        /// Nearly all messages of the rule would be skipped because of quiet hours.
        AlwaysQuiet = "always_quiet" ["quiet_from", "quiet_to", "time_zone"],
        /// The business is never open, or never closed, so that no call matches.
        HoursNever = "hours_never" ["hours"],
        /// Another rule is tried before and matches all calls of this one.
        Unreached = "unreached" ["rule", "id"],
        /// The drip of the rule has not begun, or is paused.
        DripNotRunning = "drip_not_running" ["state"],

        // The lint of a template.
        /// Words of a template are those of an offer, so that it may be counted as marketing.
        LooksLikeMarketing = "looks_like_marketing" ["word"],
        /// Words of a template are those of a one-time code, for which WhatsApp has a category of its own.
        LooksLikeCode = "looks_like_code" ["word"],

        /// Another reason, which the sentence says.
        Other = "other" [],
    }
}

/// A code that only a newer version knows is another reason: its sentence remains.
impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(Self::named(&word).unwrap_or(Self::Other))
    }
}

impl Reason {
    /// Whether a message blocked for this reason is unwanted by the person or the business, or needed by nobody now. Otherwise somebody has
    /// to mend something.
    pub const fn is_meant(self) -> bool {
        matches!(
            self,
            Self::OptedOut
                | Self::NoConsent
                | Self::Unnecessary
                | Self::AnsweredElsewhere
                | Self::Cooldown
                | Self::Frequency
                | Self::QuietHours
                | Self::Destination
                | Self::ContactDeleted
                | Self::ContactMerged
                | Self::RecipientRemoved
                | Self::SamePerson
                | Self::CampaignCancelled
        )
    }
}

/// The code and the facts of a stored sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    pub code: Reason,
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

impl From<Reason> for Because {
    fn from(code: Reason) -> Self {
        Self {
            code,
            facts: Facts::NONE,
        }
    }
}

/// Why something is not done, or not yet; also a remark on what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, for machines.
    pub reason: Reason,
    /// The facts of the sentence.
    pub facts: Facts,
    /// The reason, for people: one sentence.
    pub sentence: String,
}

impl Refusal {
    /// A refusal without facts.
    pub fn new(reason: Reason, sentence: impl Into<String>) -> Self {
        Self {
            reason,
            facts: Facts::NONE,
            sentence: sentence.into(),
        }
    }

    /// Adds a fact. The table of codes must know it.
    pub fn and(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        debug_assert!(
            self.reason.facts().contains(&name),
            "{} has no fact {name}",
            self.reason
        );
        self.facts = self.facts.and(name, fact);
        self
    }

    /// Adds a fact, if it is known.
    pub fn and_if(self, name: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        match fact {
            Some(fact) => self.and(name, fact),
            None => self,
        }
    }

    /// A refusal by an event that makes a message unnecessary.
    pub fn since(event: CancelEvent, sentence: impl Into<String>) -> Self {
        Self::new(Reason::Unnecessary, sentence).and("event", event.as_str())
    }

    /// Adds these quiet hours as facts.
    pub fn within(self, quiet: &QuietHours) -> Self {
        let this = self.and("quiet_from", quiet.from.to_string());
        this.and("quiet_to", quiet.to.to_string())
    }

    /// The code and the facts of a channel with this name, to stand beside other channels'.
    pub fn of_channel(&self, channel: &str) -> Facts {
        let problem = Facts::of("problem", self.reason.as_str()).with(self.facts.clone());
        Facts::NONE.with_prefixed(channel, problem)
    }

    /// Removes what is known of the person. The code with its meaning and the codes of channels stay. For people who may not read contacts.
    pub fn in_general(self) -> Self {
        let means = self.reason.means();
        let first = means.split_once(". ").map_or(means, |(first, _)| first);
        Self {
            facts: self.facts.problems(),
            sentence: first.trim_end_matches('.').to_owned(),
            ..self
        }
    }

    /// The sentence, and what is stored beside it.
    pub fn split(self) -> (String, Option<Because>) {
        let because = Because {
            code: self.reason,
            facts: self.facts,
        };
        (
            self.sentence,
            Some(because).filter(|because| because.code != Reason::Other),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// A sentence alone. Another code says more.
impl From<&str> for Refusal {
    fn from(sentence: &str) -> Self {
        Self::new(Reason::Other, sentence)
    }
}

impl From<String> for Refusal {
    fn from(sentence: String) -> Self {
        Self::new(Reason::Other, sentence)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn reason_of_a_newer_version_is_another_one() {
        let json = json!({"code": "cooldown", "facts": {"cooldown_seconds": 60}});
        let because: Because = from_value(json.clone()).unwrap();
        assert_eq!(because.code, Reason::Cooldown);
        assert_eq!(to_value(&because).unwrap(), json);
        let newer: Because = from_value(json!({"code": "from_the_future"})).unwrap();
        assert_eq!(newer.code, Reason::Other);
    }

    #[test]
    fn reason_in_general_names_nothing_of_the_person() {
        let refusal = Refusal::new(Reason::OptedOut, "wrote STOP 2 h ago").and("source", "keyword");
        let general = refusal.in_general();
        assert_eq!(
            (general.reason, general.facts, &*general.sentence),
            (
                Reason::OptedOut,
                Facts::NONE,
                "The person refused all messages, or those of this kind"
            )
        );
        let channel = Refusal::new(Reason::NotReached, "failed 2 h ago").and("failed_at", "2026-11-20T10:00:00Z");
        let whole = Refusal {
            facts: channel.of_channel("sms"),
            ..Refusal::new(Reason::NoChannel, "SMS: failed 2 h ago")
        };
        let general = whole.in_general();
        assert_eq!(general.facts, Facts::of("sms_problem", "not_reached"));
        assert_eq!(general.sentence, "No channel reaches the person");
    }

    #[test]
    fn every_reason_and_fact_is_a_word() {
        let word = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        // Reasons of a channel are named in a `problem` beside their own facts.
        let of_a_field = [Reason::LineProblem, Reason::RuleInvalid];
        for reason in Reason::ALL {
            assert!(
                of_a_field.contains(reason) || !reason.facts().contains(&"problem"),
                "{reason}"
            );
            assert_eq!(Reason::named(reason.as_str()), Some(*reason), "listed once");
            assert!(word(&reason.as_str()) && reason.facts().iter().all(word), "{reason}");
            assert!(reason.facts().len() <= Facts::MAX, "{reason}");
            assert!(reason.means().ends_with('.'), "{reason}");
        }
    }
}
