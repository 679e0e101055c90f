//! Content that the team can send in a conversation now.

use std::sync::Arc;

use api::{Api, LineName, Path, RACES, Showing, require_found};
use axum::extract::State;
use axum::{Extension, Json};
use domain::inbox::{Offer, Offers, ReplyRequest, conversation_window_closes_at, team_writes_first};
use domain::messages::{Needs, Whom};
use domain::terms::{ConversationId, Facts, FreeText, Reason, Refusal, SmsText};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::Serialize;
use store::inbox::OnLine;

use crate::reply::offers;
use crate::send::{Sending, Sends, addressable, needs, request_as_cause, world};
use crate::visibility::reason_for;

/// Content that can be sent in a conversation now, on its line.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConversationOffers {
    /// Time of the answer.
    at: Timestamp,
    /// Line that sends it. `null`: the number that the customer wrote to.
    line: Option<LineName>,
    /// Whether the customer has never written, so that no reply is possible. `POST /api/v1/conversations` with `contact_id`, `line_id`,
    /// the category `utility` and a `basis` starts the conversation.
    starts: bool,
    /// End of the service window on this line: until then, the customer can get free text by WhatsApp. `null`: there was none since
    /// the customer wrote, if at all.
    window_closes_at: Option<Timestamp>,
    /// Free text by WhatsApp.
    text: OfferedContent,
    /// Text by SMS.
    sms_text: OfferedContent,
    /// Templates that can be sent by WhatsApp, at most ten, the complete ones first. Empty for callers who may not read templates and contacts.
    templates: Vec<Offer>,
}

/// Whether content of a kind can be sent.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OfferedContent")]
pub(crate) struct OfferedContent {
    /// `planned` if it can be sent, otherwise the reason against it: one of `x-codes` at the root of the document.
    #[schemars(with = "String", example = &"planned")]
    code: Reason,
    /// The reason against it, in one sentence. `null`: there is none.
    #[schemars(example = &"the customer has not written within 24 hours")]
    reason: Option<String>,
    /// Facts of the reason.
    facts: Facts,
}

impl OfferedContent {
    fn of(who: &Sends, verdict: Result<(), Refusal>) -> Self {
        let refusal = verdict.map_err(|refusal| reason_for(who, refusal)).err();
        Self {
            code: refusal.as_ref().map_or(Reason::Planned, |refusal| refusal.reason),
            reason: refusal.as_ref().map(|refusal| refusal.sentence.clone()),
            facts: refusal.map(|refusal| refusal.facts).unwrap_or_default(),
        }
    }
}

pub(crate) async fn get_conversation_offers(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Path(id): Path<ConversationId>,
) -> Result<Json<ConversationOffers>, Problem> {
    let (api, who, sending) = (&api, &who, &*sending);
    let config = &*sending.config(api, who).await?;
    let (ulid, whom) = (who.ulid(), &Whom::Contact(id.contact()));
    let some = || SmsText::One("1".to_owned());
    let texts = &[
        ReplyRequest {
            text: Some(FreeText(some())),
            ..ReplyRequest::default()
        },
        ReplyRequest {
            sms_text: Some(some()),
            ..ReplyRequest::default()
        },
    ];
    let offered = RACES.until_won(|| async move {
        let (scope, now) = (who.scope(), who.now());
        let on = Some(OnLine(id.line()));
        let nothing = Needs::default();
        let read = api.store().known_with(scope, id.contact(), &nothing, on);
        let (person, along) = Box::pin(read).await?;
        let person = person.ok_or_else(Problem::not_found)?;
        require_found(api.store().conversation_along(scope, id, &along)).await?;
        let contact = &person.contact;
        addressable(whom, contact)?;
        let asked = &request_as_cause(who, ulid, whom, contact);
        // Other messages to this person may stand against it.
        let said = texts[0].in_conversation(id);
        let needs = needs(config, &person, &said.request().intent(asked, contact, config), now);
        let gathered = sending.gather(scope, &needs, || api.secret(), &along, now);
        let gathered = Box::pin(gathered).await?;
        let [text, sms_text] = {
            let world = &world(config, &person, &gathered, now);
            let offers = Offers {
                conversation: id,
                asked,
                world,
            };
            texts
                .each_ref()
                .map(|content| OfferedContent::of(who, offers.verdict(content)))
        };
        Ok(ConversationOffers {
            at: now,
            line: id.line().map(|line| Showing::of(config.lines.clone()).line(line)),
            starts: team_writes_first(contact),
            window_closes_at: conversation_window_closes_at(id.line(), contact, config),
            text,
            sms_text,
            templates: Box::pin(offers(api, who, id, asked, &person, config, gathered)).await?,
        })
    });
    Box::pin(offered).await.map(Json)
}
