//! Previews: the effect of a request for a message, without sending it.

use std::sync::Arc;

use api::{Api, Body, ContactName, MessageOutlook, PhoneOut, RACES, Setting};
use axum::extract::State;
use axum::{Extension, Json};
use domain::messages::{Asked, Intent, IntentReview, MessageRequest, Needs, Referred, Subject, Whom};
use domain::people::{Contact, Identity, Person, Profile};
use domain::tenants::TenantConfig;
use domain::terms::{ContactId, Facts, Reason, Refusal};
use flows::messages::Gathered;
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::Serialize;

use crate::send::{
    Sending, Sends, addressable, find_referred_message, lead_to, not_oneself, problem_of_refusal, reach,
    request_as_cause, review_message, world,
};
use crate::visibility::may_read_contacts;

/// The effect of a request for a message.
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
    /// Contact who would get the message, without the name for a caller who may not read contacts. `null` if one would be created.
    contact: Option<ContactName>,
    /// Number that would get it. `null` if only WhatsApp knows it, or if the caller may not read contacts and named another recipient.
    customer: Option<PhoneOut>,
    /// The message.
    #[serde(flatten)]
    message: MessageOutlook,
}

impl MessagePreview {
    /// For a caller who may not read contacts.
    fn in_general(self, whom: &Whom, anybody: &IntentReview, setting: &Setting<'_>) -> Self {
        let decision = Refusal {
            reason: self.code,
            facts: self.facts,
            sentence: self.decision,
        };
        let Refusal { facts, sentence, .. } = decision.in_general();
        Self {
            decision: sentence,
            facts,
            contact: self.contact.map(ContactName::without_name),
            customer: self
                .customer
                .filter(|_| matches!(whom, Whom::Known(Identity::Phone(_)))),
            message: self.message.in_general(anybody, setting.material),
            ..self
        }
    }
}

/// Reviews the message for nobody in particular: with placeholders, and in the language of people whose own is unknown.
fn for_anybody(
    config: &TenantConfig,
    request: &MessageRequest,
    asked: &Asked,
    contact: &Contact,
    gathered: &Gathered,
) -> Result<IntentReview, Refusal> {
    // Ids at WhatsApp contain numbers, so the message that it refers to is shown with its own id.
    let refers = asked.refers.clone().zip(request.refers_to());
    let refers = refers.and_then(|(refers, (_, id))| {
        let provider_ref = id.to_string().parse().ok()?;
        Some(Referred { provider_ref, ..refers })
    });
    let asked = Asked {
        refers,
        ..asked.clone()
    };
    let intent = Intent {
        subject: Subject::Anybody,
        ..request.intent(&asked, contact, config)
    };
    let anybody = Person {
        contact: Contact {
            language: None,
            ..contact.clone()
        },
        profile: Profile::default(),
    };
    review_message(config, &anybody, &intent, gathered, asked.now)
}

/// The rows that composing reads to show the message, also if it is refused.
fn needs(config: &TenantConfig, person: &Person, intent: &Intent<'_>, now: Timestamp) -> Needs {
    let nothing = Gathered::default();
    Needs::of_any_intent(intent, &world(config, person, &nothing, now))
}

impl Sending {
    async fn preview(&self, api: &Api, who: &Sends, request: &MessageRequest) -> Result<MessagePreview, Problem> {
        let whom = request.whom();
        let (config, lead) = self.start(api, who, whom.as_ref()).await?;
        let problems = request.problems(&config, who.now());
        let (true, Some(whom)) = (problems.is_empty(), whom) else {
            return Err(problems.into());
        };
        let (id, new) = (who.ulid(), ContactId::new(who.ulid()));
        let (config, whom) = (&*config, &whom);
        let read = || Box::pin(lead_to(api, who, whom));
        let previewed = RACES.until_won_from(lead, read, |lead| async move {
            let now = who.now();
            let to = Box::pin(reach(api, who, whom, lead, new, &Needs::default(), None)).await?;
            addressable(whom, &to.person.contact)?;
            let mut asked = request_as_cause(who, id, whom, &to.person.contact);
            asked.refers = Box::pin(find_referred_message(api, who, request, &to.person.contact)).await??;
            let intent = request.intent(&asked, &to.person.contact, config);
            not_oneself(config, whom, &intent.to)?;
            let needs = needs(config, &to.person, &intent, now);
            // Nobody's link: it is as long as any, and leads nowhere.
            let gathered = self.gather(who.scope(), &needs, || Ok([0; 32]), &to.along, now);
            let gathered = Box::pin(gathered).await?;
            let reviewed = review_message(config, &to.person, &intent, &gathered, now).map_err(problem_of_refusal)?;
            let (decision, code, facts) = reviewed.decision();
            let setting = Setting {
                config,
                material: &gathered.material,
                contact: &to.person.contact,
                line: intent.line,
                now,
                timers: self.timers(),
            };
            let preview = MessagePreview {
                sent: reviewed.outcome().is_ok(),
                decision,
                code,
                facts,
                contact: to.new.is_none().then(|| ContactName::from(&to.person)),
                customer: intent.to.phone.clone().map(PhoneOut::from),
                message: Box::pin(api.outlook(who, setting, reviewed)).await?,
            };
            if may_read_contacts(who) {
                return Ok(preview);
            }
            let anybody =
                for_anybody(config, request, &asked, &to.person.contact, &gathered).map_err(problem_of_refusal)?;
            Ok(preview.in_general(whom, &anybody, &setting))
        });
        previewed.await
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
