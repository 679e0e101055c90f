//! Messages that are not written, for previews and dry runs: the content and time of each channel, with every check and its verdict.

use std::mem;

use domain::accounts::permits::Permit;
use domain::destinations::{Applies, Origin, Sms};
use domain::messages::{
    Check, CheckInput, Composed, Content, IntentReview, Leg, Material, Message, PlanCheck, SendCheck, all_send_checks,
};
use domain::people::Contact;
use domain::tenants::TenantConfig;
use domain::terms::{Channel, ConnectionId, Facts, LineId, Phone, Reason, Refusal, Timers, line_type_by_plan};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::Serialize;
use store::Along;
use store::messages::LegMaterial;

use crate::content::ContentOut;
use crate::context::Api;
use crate::guards::Allowed;
use crate::history::TemplateOut;
use crate::phone::PhoneOut;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether the check was passed.
    passed: bool,
    /// The objection, in one sentence. `null` if there is none.
    #[schemars(example = &"texted 2 h ago, marketing at most every 24 h")]
    reason: Option<String>,
    /// The objection as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"frequency")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
}

impl From<Option<Refusal>> for Verdict {
    /// The verdict with this objection.
    fn from(refusal: Option<Refusal>) -> Self {
        let passed = refusal.is_none();
        let (reason, code, facts) = match refusal {
            Some(Refusal {
                reason,
                facts,
                sentence,
            }) => (Some(sentence), Some(reason), facts),
            None => (None, None, Facts::NONE),
        };
        Self {
            passed,
            reason,
            code,
            facts,
        }
    }
}

impl Verdict {
    /// Removes what is known of the person.
    fn make_general(&mut self) {
        if let Some(reason) = self.code {
            let refusal = Refusal {
                reason,
                facts: mem::take(&mut self.facts),
                sentence: String::new(),
            };
            *self = Self::from(Some(refusal.in_general()));
        }
    }
}

/// A check of the whole message, when it is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MessageCheck {
    /// Kind of check.
    check: PlanCheck,
    /// Result of the check.
    #[serde(flatten)]
    verdict: Verdict,
}

/// A check of a channel, before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SendCheck")]
pub struct SendCheckOutlook {
    /// Kind of check.
    check: SendCheck,
    /// Result of the check.
    #[serde(flatten)]
    verdict: Verdict,
    /// End of the wait that it causes for the channel. `null` if it would not wait.
    #[schemars(example = "2026-11-20T10:05:00Z")]
    waits_until: Option<Timestamp>,
}

/// A rule of the recipient's country for SMS that a message is against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "CountryRule")]
pub(crate) struct CountryRuleOut {
    /// Whether the SMS is refused for it. Otherwise it is sent, and may not arrive, or not as it is.
    refused: bool,
    /// The problem and its remedy, in one sentence.
    #[schemars(example = &"links are not allowed in an SMS to AE: leave the link out, or send it by WhatsApp")]
    reason: String,
    /// `country_rule`.
    #[schemars(with = "String", example = &"country_rule")]
    code: Reason,
    /// Facts of the sentence: `country`, `rule`, and as `sureness` whether the provider's own page says so (`vendor`).
    facts: Facts,
}

impl CountryRuleOut {
    fn of(refused: bool, why: Refusal) -> Self {
        Self {
            refused,
            reason: why.sentence,
            code: why.reason,
            facts: why.facts,
        }
    }

    /// The rules that this SMS is against.
    fn all_of(sms: &Sms<'_>) -> Vec<Self> {
        let broken = sms.broken_rules();
        broken
            .map(|rule| Self::of(rule.applies() == Applies::Refuse, rule.refusal()))
            .collect()
    }

    /// Leaves out the country of the person.
    fn in_general(self) -> Self {
        let why = Refusal {
            reason: self.code,
            facts: self.facts,
            sentence: self.reason,
        };
        Self::of(self.refused, why.in_general())
    }
}

/// A channel of a message that is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelOutlook {
    /// Channel.
    channel: Channel,
    /// Whether it can carry the message at the earliest time to send it.
    #[serde(flatten)]
    verdict: Verdict,
    /// End of the wait, such as for a paused number. `null` if it would not wait.
    #[schemars(example = "2026-11-20T10:05:00Z")]
    waits_until: Option<Timestamp>,
    /// Connection that would send it. `null` if the channel is left out.
    connection_id: Option<ConnectionId>,
    /// Number that would send it, if it is known: the number of the line, or of the WhatsApp connection.
    sender: Option<PhoneOut>,
    /// Letters that would send an SMS instead of a number. Nobody can reply to them. `null`: there are none.
    #[schemars(example = &"SAFFRON")]
    letters: Option<String>,
    /// The text that the person would read, of a template with its values. `null` if the channel is left out.
    #[schemars(example = &"Your order is ready, Maya.")]
    text: Option<String>,
    /// Template. `null` for other content.
    template: Option<TemplateOut>,
    /// Content, with all its parts. `null` if the channel is left out.
    content: Option<ContentOut>,
    /// Checks before it is sent, in order: the first one that fails decides. Empty if the channel is left out.
    checks: Vec<SendCheckOutlook>,
    /// Rules of the recipient's country for SMS that it breaks, also those that do not prevent it.
    country_rules: Vec<CountryRuleOut>,
}

/// A message that is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MessageOutlook {
    /// Line that would send it. `null` if there is none.
    line_id: Option<LineId>,
    /// Earliest time to send it.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    send_at: Timestamp,
    /// Deadline for sending it.
    #[schemars(example = "2026-11-21T10:00:00Z")]
    valid_until: Timestamp,
    /// Checks of the whole message.
    checks: Vec<MessageCheck>,
    /// Its channels, in the order of the attempts.
    channels: Vec<ChannelOutlook>,
}

/// Data for checking a message that is not written.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The tenant with its configuration.
    pub config: &'a TenantConfig,
    /// The templates that it is composed of.
    pub material: &'a Material,
    pub contact: &'a Contact,
    /// The line that would send it.
    pub line: Option<LineId>,
    /// Time of planning.
    pub now: Timestamp,
    pub timers: &'a Timers,
}

impl ChannelOutlook {
    fn left_out(channel: Channel, refusal: Refusal) -> Self {
        Self {
            channel,
            verdict: Verdict::from(Some(refusal)),
            waits_until: None,
            connection_id: None,
            sender: None,
            letters: None,
            text: None,
            template: None,
            content: None,
            checks: Vec::new(),
            country_rules: Vec::new(),
        }
    }

    /// A channel of a message with its content, as far as the checks let it pass. `planned`: the message, unless it is refused.
    fn of(leg: Leg, setting: &Setting<'_>, checked: Checked, planned: Option<&Composed>) -> Self {
        let mut connections = setting.config.connections.iter();
        let connection = connections.find(|known| known.id == leg.connection).zip(planned);
        let sms = connection
            .and_then(|(connection, message)| connection.sms_of(&leg, &message.to, message.policy.category()));
        let country_rules = sms.as_ref().map(CountryRuleOut::all_of).unwrap_or_default();
        // Also of one that is not checked.
        let against = checked.against.or_else(|| sms.as_ref()?.refusal_by_rules());
        let letters = match sms {
            Some(Sms {
                origin: Origin::Letters { sender, .. },
                ..
            }) => Some(sender.to_owned()),
            _ => None,
        };
        let sender = leg.sender.clone().filter(|_| letters.is_none());
        let sender = sender.or_else(|| whatsapp_number(leg.connection, leg.channel, setting.config));
        let mut shown = Self {
            channel: leg.channel,
            verdict: Verdict::from(against),
            waits_until: checked.waits_until,
            connection_id: Some(leg.connection),
            sender: sender.map(PhoneOut::from),
            letters,
            text: None,
            template: None,
            content: None,
            checks: checked.checks,
            country_rules,
        };
        shown.say(Some(leg), setting.material);
        shown
    }

    /// Shows what this leg says, or nothing without one.
    fn say(&mut self, leg: Option<Leg>, material: &Material) {
        self.content = leg.as_ref().map(ContentOut::from);
        (self.text, self.template) = match leg.map(|leg| (leg.connection, leg.content)) {
            Some((connection, Content::Template(filled))) => {
                let text = material
                    .template_versions(connection, &filled.name)
                    .find(|known| known.language == filled.language)
                    .map(|known| known.text(&filled));
                (text, Some(TemplateOut::from(filled)))
            }
            Some((_, other)) => (other.words().map(str::to_owned), None),
            None => (None, None),
        };
    }
}

impl MessageOutlook {
    /// A message that was reviewed and is not written, without checks of its channels before they are sent.
    pub fn of_review(setting: Setting<'_>, review: IntentReview) -> Self {
        Self::of(setting, review, Vec::new())
    }

    /// The outlook of a reviewed message, with these checks of the channels that are not left out.
    fn of(setting: Setting<'_>, review: IntentReview, checked: Vec<Checked>) -> Self {
        let mut checked = checked.into_iter();
        let planned = review.planned.as_ref().ok();
        // Beside another channel, an SMS that its country refuses is not planned, and so not checked.
        let is_left_out = |leg: &Leg| planned.is_some_and(|composed| composed.refused_sms.as_ref() == Some(leg));
        let channels = review.channels.into_iter().map(|(channel, leg)| match leg {
            Ok(leg) => {
                let own = (!is_left_out(&leg)).then(|| checked.next()).flatten();
                ChannelOutlook::of(leg, &setting, own.unwrap_or_default(), planned)
            }
            Err(refusal) => ChannelOutlook::left_out(channel, refusal),
        });
        let checks = review.checks.into_iter().map(|(check, verdict)| MessageCheck {
            check,
            verdict: Verdict::from(verdict.err()),
        });
        Self {
            line_id: setting.line,
            send_at: review.not_before,
            valid_until: review.valid_until,
            channels: channels.collect(),
            checks: checks.collect(),
        }
    }

    /// For callers who may not read contacts: removes what the verdicts know of the person, and shows the content of `anybody`, the
    /// review of this message for nobody in particular.
    pub fn in_general(mut self, anybody: &IntentReview, material: &Material) -> Self {
        for check in &mut self.checks {
            check.verdict.make_general();
        }
        for shown in &mut self.channels {
            shown.verdict.make_general();
            for check in &mut shown.checks {
                check.verdict.make_general();
            }
            let rules = mem::take(&mut shown.country_rules).into_iter();
            shown.country_rules = rules.map(CountryRuleOut::in_general).collect();
            let mut legs = anybody.channels.iter().filter(|_| shown.connection_id.is_some());
            let leg = legs.find_map(|(channel, leg)| leg.as_ref().ok().filter(|_| *channel == shown.channel));
            shown.say(leg.cloned(), material);
        }
        self
    }
}

fn whatsapp_number(sender: ConnectionId, channel: Channel, config: &TenantConfig) -> Option<Phone> {
    let mut connections = config.connections.iter().filter(|_| channel == Channel::WhatsApp);
    connections.find(|known| known.id == sender)?.whatsapp_number.clone()
}

/// The verdicts of the check before a send.
#[derive(Debug, Default)]
struct Checked {
    checks: Vec<SendCheckOutlook>,
    /// The first of them that is against it.
    against: Option<Refusal>,
    waits_until: Option<Timestamp>,
}

impl Checked {
    fn note(&mut self, check: SendCheck, verdict: Check) {
        let (refusal, waits_until) = match verdict {
            Check::Go | Check::Probe => (None, None),
            Check::Later { until, why } | Check::Wait { until, why } => (Some(why), Some(until)),
            Check::SkipLeg { why } | Check::Never { why } => (Some(why), None),
        };
        if self.against.is_none() {
            (self.against, self.waits_until) = (refusal.clone(), waits_until);
        }
        self.checks.push(SendCheckOutlook {
            check,
            verdict: Verdict::from(refusal),
            waits_until,
        });
    }
}

impl Api {
    /// Checks a message that was reviewed and is not written, with each connection and its template as they are now. Shows every check
    /// with its verdict. One request for each channel.
    pub async fn outlook<P: Permit>(
        &self,
        who: &Allowed<P>,
        setting: Setting<'_>,
        review: IntentReview,
    ) -> Result<MessageOutlook, Problem> {
        let planned = review.planned.as_ref().ok().cloned();
        let message = planned.map(|composed| composed.message(String::new(), setting.now, setting.timers));
        let mut checked = Vec::new();
        if let Some(message) = &message {
            for leg in (0..).take(message.plan.len()) {
                checked.push(Box::pin(self.check_leg(who, &setting, message, leg)).await?);
            }
        }
        Ok(MessageOutlook::of(setting, review, checked))
    }

    /// The verdicts of the check before a send, at the earliest time.
    async fn check_leg<P: Permit>(
        &self,
        who: &Allowed<P>,
        setting: &Setting<'_>,
        message: &Message,
        leg: u8,
    ) -> Result<Checked, Problem> {
        let mut checked = Checked::default();
        let Some(planned) = message.plan.get(usize::from(leg)) else {
            return Ok(checked);
        };
        let nothing = Along::default();
        let read = self.store().leg_material(who.scope(), planned, None, &nothing);
        let LegMaterial {
            connection,
            template,
            asset,
            campaign: _,
        } = Box::pin(read).await?;
        let Some(mut connection) = connection else {
            checked.against = Some(Refusal::new(Reason::NoConnection, "the connection was deleted"));
            return Ok(checked);
        };
        // The message may be one of the past. The end of a pause stays in the row.
        connection.paused_until = connection.paused_until.filter(|until| who.now() < *until);
        let input = CheckInput {
            config: setting.config,
            message,
            leg,
            contact: setting.contact,
            // Those are checked when it is planned, which is now.
            open: &[],
            connection: &connection,
            template: template.as_ref(),
            asset: asset.as_ref().map(|asset| &asset.value),
            campaign: None,
            now: message.not_before,
            timers: setting.timers,
            line_type: &line_type_by_plan,
        };
        // What is shown is of no campaign.
        let of_its_own = all_send_checks(&input).filter(|(aspect, _)| *aspect != SendCheck::Campaign);
        for (check, verdict) in of_its_own {
            checked.note(check, verdict);
        }
        Ok(checked)
    }
}
