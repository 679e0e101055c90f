//! Previews: what a request for a message would do, without doing it.

use std::sync::Arc;

use api::{Api, Body, ContactName, PhoneOut, TemplateOut};
use axum::{Extension, Json, extract::State};
use domain::{
    check::{Check, CheckInput, check},
    compose::{Aspect, Review},
    config::TenantConfig,
    contact::Contact,
    facts::Facts,
    ids::{ConnectionId, ContactId, LineId},
    line_type::by_numbering_plan,
    links::LinkCode,
    message::{Channel, Content, Leg, Message},
    purpose::Purpose,
    refusal::{Reason, Refusal},
    request::MessageRequest,
};
use jiff::Timestamp;
use kit::{Problem, planning::Gathered};
use schemars::JsonSchema;
use serde::Serialize;

use crate::send::{RACES, Sending, Sends, asked, needs, not_oneself, reach, refused, reviewed};

/// What a request for a message would do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessagePreview {
    /// Whether the message would be sent.
    sent: bool,
    /// The decision, in one sentence.
    #[schemars(example = &"WhatsApp at once, SMS if not delivered within 2 min")]
    decision: String,
    /// The decision as a word: `planned` if the message would be sent, otherwise the reason against it: one of `x-codes` at the root of the
    /// document.
    #[schemars(with = "String", example = &"planned")]
    code: Reason,
    /// Facts of the decision.
    facts: Facts,
    /// Contact who would get the message. `null` if one would be created.
    contact: Option<ContactName>,
    /// Number that would get it. `null` if only WhatsApp knows it.
    customer: Option<PhoneOut>,
    /// Line that would send it. `null` if there is none.
    line_id: Option<LineId>,
    /// Earliest time to send it.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    send_at: Timestamp,
    /// Time after which it would not be sent any more.
    #[schemars(example = "2026-11-21T10:00:00Z")]
    valid_until: Timestamp,
    /// Checks of the whole message.
    checks: Vec<PreviewCheck>,
    /// Its channels, in the order in which they would be tried.
    channels: Vec<PreviewChannel>,
}

/// The result of a check.
#[derive(Debug, Serialize, JsonSchema)]
struct Verdict {
    /// Whether the check was passed.
    passed: bool,
    /// What is against it, in one sentence. `null` if nothing is.
    #[schemars(example = &"texted 2 h ago, marketing at most every 24 h")]
    reason: Option<String>,
    /// That reason as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"frequency")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
}

impl Verdict {
    fn of(refusal: Option<Refusal>) -> Self {
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

/// A check of the whole message.
#[derive(Debug, Serialize, JsonSchema)]
struct PreviewCheck {
    /// What is checked.
    check: Aspect,
    /// Its result.
    #[serde(flatten)]
    verdict: Verdict,
}

/// A channel of the message.
#[derive(Debug, Serialize, JsonSchema)]
struct PreviewChannel {
    /// Channel.
    channel: Channel,
    /// Whether it can carry the message now.
    #[serde(flatten)]
    verdict: Verdict,
    /// Time until which it would wait, such as for a paused number. `null` if it would not wait.
    #[schemars(example = "2026-11-20T10:05:00Z")]
    waits_until: Option<Timestamp>,
    /// Connection that would send it. `null` if the channel is left out.
    connection_id: Option<ConnectionId>,
    /// The text that the person would read, of a template with its values. `null` if the channel is left out.
    #[schemars(example = &"Your order is ready, Maya.")]
    text: Option<String>,
    /// Template. `null` for a text.
    template: Option<TemplateOut>,
}

impl MessagePreview {
    /// What composing has found out. The other fields are empty.
    fn of(reviewed: &Review) -> Self {
        let (decision, code, facts) = match &reviewed.outcome {
            Ok(composed) => (&composed.sentence, Reason::Planned, &composed.facts),
            Err(refusal) => (&refusal.sentence, refusal.reason, &refusal.facts),
        };
        let checks = reviewed.checks.iter().map(|(check, verdict)| PreviewCheck {
            check: *check,
            verdict: Verdict::of(verdict.clone().err()),
        });
        Self {
            sent: reviewed.outcome.is_ok(),
            decision: decision.clone(),
            code,
            facts: facts.clone(),
            contact: None,
            customer: None,
            line_id: None,
            send_at: reviewed.not_before,
            valid_until: reviewed.not_before,
            checks: checks.collect(),
            channels: Vec::new(),
        }
    }
}

impl PreviewChannel {
    fn of(channel: Channel, refusal: Option<Refusal>) -> Self {
        Self {
            channel,
            verdict: Verdict::of(refusal),
            waits_until: None,
            connection_id: None,
            text: None,
            template: None,
        }
    }

    /// A channel with its content.
    fn with(leg: Leg, gathered: &Gathered, outlook: Outlook) -> Self {
        let (text, template) = match leg.content {
            Content::Text(text) => (Some(text), None),
            Content::Template(filled) => {
                let text = gathered
                    .material
                    .named(leg.connection, &filled.name)
                    .find(|known| known.language == filled.language)
                    .map(|known| known.text(&filled));
                (text, Some(TemplateOut::from(filled)))
            }
        };
        Self {
            waits_until: outlook.waits_until,
            connection_id: Some(leg.connection),
            text,
            template,
            ..Self::of(leg.channel, outlook.refusal)
        }
    }
}

/// What the check before a send says of a channel.
#[derive(Debug, Default)]
struct Outlook {
    refusal: Option<Refusal>,
    waits_until: Option<Timestamp>,
}

impl From<Check> for Outlook {
    fn from(check: Check) -> Self {
        let (refusal, waits_until) = match check {
            Check::Go | Check::Probe => (None, None),
            Check::Later { until, why } | Check::Wait { until, why } => (Some(why), Some(until)),
            Check::SkipLeg { why } | Check::Never { why } => (Some(why), None),
        };
        Self { refusal, waits_until }
    }
}

/// The message that would be sent, and its channel to look at.
struct Planned<'a> {
    config: &'a TenantConfig,
    message: &'a Message,
    contact: &'a Contact,
    leg: u8,
}

impl Sending {
    /// What the check before the send would say now, or when the message would be sent.
    async fn outlook(&self, api: &Api, who: &Sends, planned: Planned<'_>) -> Result<Outlook, Problem> {
        let Planned {
            config,
            message,
            contact,
            leg,
        } = planned;
        let Some(of_plan) = message.plan.get(usize::from(leg)) else {
            return Ok(Outlook::default());
        };
        let template = match &of_plan.content {
            Content::Template(filled) => Some((filled.name.as_str(), filled.language.as_str())),
            Content::Text(_) => None,
        };
        let read = api
            .store()
            .connection_and_template(who.scope(), of_plan.connection, template);
        let (connection, template) = Box::pin(read).await?;
        let Some(connection) = connection else {
            let sentence = "the connection was deleted";
            return Ok(Outlook {
                refusal: Some(Refusal::new(Reason::NoConnection, sentence)),
                waits_until: None,
            });
        };
        let checked = check(&CheckInput {
            config,
            message,
            leg,
            contact,
            connection: &connection,
            template: template.as_ref(),
            now: message.not_before,
            timers: self.timers(),
            line_type: &by_numbering_plan,
        });
        Ok(Outlook::from(checked))
    }

    async fn preview(&self, api: &Api, who: &Sends, request: &MessageRequest) -> Result<MessagePreview, Problem> {
        let config = self.config(api, who).await?;
        let problems = request.problems(&config, who.now());
        let (true, Some(whom)) = (problems.is_empty(), request.whom()) else {
            return Err(problems.into());
        };
        let (id, new) = (who.ulid(), ContactId::new(who.ulid()));
        let (config, whom) = (&*config, &whom);
        let previewed = RACES.until_won(|| async move {
            let now = who.now();
            let to = Box::pin(reach(api, who, whom, new)).await?;
            let asked = asked(who, id, whom, &to.person.contact);
            not_oneself(config, whom, &asked)?;
            let intent = request.intent(&asked, config);
            let needs = needs(config, &to.person, &intent, now);
            // Nobody's link: it is as long as any, and leads nowhere.
            let gathered = self.gather(who.scope(), &needs, || Ok(LinkCode::of([0; 32])), now);
            let gathered = Box::pin(gathered).await?;
            let reviewed = reviewed(config, &to.person, &intent, &gathered, now).map_err(refused)?;
            let contact = to.new.is_none().then(|| ContactName::from(&to.person));
            let shown = MessagePreview {
                contact,
                customer: asked.to.phone.clone().map(PhoneOut::from),
                line_id: intent.line,
                valid_until: now + Purpose::Api.row().validity,
                ..MessagePreview::of(&reviewed)
            };
            let channels = self.channels(api, who, (config, &to.person.contact), reviewed, &gathered);
            let channels = Box::pin(channels).await?;
            Ok(MessagePreview { channels, ..shown })
        });
        previewed.await
    }

    /// The channels, each as the check before a send sees it.
    async fn channels(
        &self,
        api: &Api,
        who: &Sends,
        (config, contact): (&TenantConfig, &Contact),
        reviewed: Review,
        gathered: &Gathered,
    ) -> Result<Vec<PreviewChannel>, Problem> {
        let message = reviewed.outcome.ok();
        let message = message.map(|composed| composed.message(String::new(), who.now(), self.timers()));
        let (mut shown, mut place) = (Vec::with_capacity(reviewed.channels.len()), 0);
        for (channel, leg) in reviewed.channels {
            let leg = match leg {
                Ok(leg) => leg,
                Err(refusal) => {
                    shown.push(PreviewChannel::of(channel, Some(refusal)));
                    continue;
                }
            };
            let mut outlook = Outlook::default();
            if let Some(message) = &message {
                let planned = Planned {
                    config,
                    message,
                    contact,
                    leg: place,
                };
                outlook = Box::pin(self.outlook(api, who, planned)).await?;
            }
            place += 1;
            shown.push(PreviewChannel::with(leg, gathered, outlook));
        }
        Ok(shown)
    }
}

pub(crate) async fn preview_message(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Body(request): Body<MessageRequest>,
) -> Result<Json<MessagePreview>, Problem> {
    Box::pin(sending.preview(&api, &who, &request)).await.map(Json)
}
