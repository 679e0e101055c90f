//! The consent of a contact: its refusals and opt-ins, and the ledger of their history.

use api::{Allowed, Api, AuditedReads, Body, Html, Listed, Paging, Path, RACES, permits, require_found};
use axum::extract::State;
use axum::{Extension, Json};
use domain::accounts::Look;
use domain::people::{
    By, Choice, ConsentCategory, ConsentEntry, Contact, Evidence, Method, Party, Scope, Wish, Wording,
};
use domain::terms::{Actor, Channel, ContactId, Fault, FaultCode};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::contacts::{Recorded, TimelinePosition};

use crate::itself;
use crate::proof::ConsentProofOut;

/// Maximum entries of a proof. With the longest texts, they fit in an answer.
const MAX_OF_PROOF: usize = 400;

/// A wish of a contact.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentIn {
    /// `refused`: no messages. `granted`: an opt-in. `lifted`: earlier refusals of the same party no longer hold, without an opt-in.
    choice: Choice,
    /// The channel. Default: all.
    channel: Option<Channel>,
    /// The category. Default: all.
    category: Option<ConsentCategory>,
    /// Party of the wish. Default: `business`. Only the same party can end a refusal; a start word of the customer ends
    /// refusals that are recorded as the customer's.
    party: Option<Party>,
    /// Time of the wish. Default: now. The newest of the same scope and party holds.
    #[schemars(example = "2026-01-15T09:30:00Z")]
    at: Option<Timestamp>,
    /// The text that the person saw.
    wording: Option<Wording>,
    /// Proof, or a reference to it.
    #[schemars(example = "Form 1207, signed in the shop")]
    evidence: Option<Evidence>,
}

/// A refusal or opt-in that a contact holds.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WishOut {
    /// Refusal or opt-in.
    pub(crate) choice: Choice,
    /// The channel. `null`: all.
    pub(crate) channel: Option<Channel>,
    /// The category. `null`: all.
    pub(crate) category: Option<ConsentCategory>,
    /// Party of the wish.
    pub(crate) party: Party,
    /// Method of recording.
    pub(crate) method: Method,
    /// Time of the wish.
    #[schemars(example = "2026-01-15T09:30:00Z")]
    pub(crate) at: Timestamp,
    /// Source of a refusal, in words.
    #[schemars(example = &"asked for no more messages by SMS")]
    pub(crate) source: Option<String>,
}

/// An entry of a contact's consent ledger.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConsentEntryOut {
    /// Id of the entry within the ledger.
    #[schemars(example = "01k9s7vq2m0000000000000000")]
    pub(crate) id: String,
    /// Content of the entry.
    pub(crate) choice: Choice,
    /// The channel. `null`: all.
    pub(crate) channel: Option<Channel>,
    /// The category. `null`: all.
    pub(crate) category: Option<ConsentCategory>,
    /// Party of the wish.
    pub(crate) party: Party,
    /// Method of recording.
    pub(crate) method: Method,
    /// User or API key that recorded it, or created the link to the preference page where it was made. `null`: the customer wrote it or
    /// had the link from a message, or a provider reported it.
    pub(crate) actor: Option<Actor>,
    /// Time of the wish.
    #[schemars(example = "2026-01-15T09:30:00Z")]
    pub(crate) at: Timestamp,
    /// Time of recording.
    #[schemars(example = "2026-11-20T12:00:00Z")]
    pub(crate) recorded_at: Timestamp,
    /// The text that the person saw.
    pub(crate) wording: Option<Wording>,
    /// Proof, such as the id of the customer's message.
    #[schemars(example = "Form 1207, signed in the shop")]
    pub(crate) evidence: Option<Evidence>,
    /// Source, in words.
    #[schemars(example = "asked for no more messages by SMS")]
    pub(crate) source: String,
}

/// The consent of a contact.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConsentOut {
    /// The refusals and consents of the contact, refusals first.
    wishes: Vec<WishOut>,
    /// A page of the ledger, newest first.
    entries: Vec<ConsentEntryOut>,
    /// Value of `cursor` for the next page of the ledger. `null` on the last page.
    next_cursor: Option<String>,
}

impl From<&Wish> for WishOut {
    fn from(wish: &Wish) -> Self {
        Self {
            choice: wish.choice,
            channel: wish.channel,
            category: wish.category,
            party: wish.by.party(),
            method: wish.by.method(),
            at: wish.at,
            source: (!wish.source.is_empty()).then(|| wish.source.clone()),
        }
    }
}

impl From<Recorded> for ConsentEntryOut {
    fn from(recorded: Recorded) -> Self {
        let Recorded { id, entry } = recorded;
        Self {
            id,
            choice: entry.choice,
            channel: entry.channel,
            category: entry.category,
            party: entry.by.party(),
            method: entry.by.method(),
            actor: entry.actor,
            at: entry.at,
            recorded_at: entry.recorded_at.unwrap_or(entry.at),
            wording: entry.wording,
            evidence: entry.evidence,
            source: entry.source,
        }
    }
}

fn wishes(contact: &Contact) -> Vec<WishOut> {
    contact.consent.all().map(WishOut::from).collect()
}

impl ConsentIn {
    /// The entry for the ledger.
    fn entry(self, actor: Actor, now: Timestamp) -> Result<ConsentEntry, Problem> {
        let party = self.party.unwrap_or(Party::Business);
        let allows = self.choice == Choice::Granted || (self.choice == Choice::Lifted && party == Party::Customer);
        if allows && self.wording.is_none() && self.evidence.is_none() {
            let detail = "Say how the customer agreed: give `evidence`, or the `wording` that the customer saw.";
            return Err(Problem::field("evidence", Fault::requires(&["wording"], detail)));
        }
        let at = self.at.unwrap_or(now);
        if at > now {
            let detail = "The time is in the future. Give the time of the wish.";
            return Err(Problem::field("at", Fault::new(FaultCode::InFuture, detail)));
        }
        let said = match (party, self.choice) {
            (Party::Customer, Choice::Refused) => "the customer wants no such messages",
            (Party::Customer, Choice::Granted) => "the customer agreed",
            (Party::Customer, Choice::Lifted) => "the customer no longer refuses them",
            (Party::Business, Choice::Refused) => "no such messages",
            (Party::Business, Choice::Granted) => "an opt-in",
            (Party::Business, Choice::Lifted) => "the refusal no longer holds",
        };
        let scope = Scope {
            channel: self.channel,
            category: self.category,
        };
        let source = format!("{} recorded: {said}", actor.in_words());
        let wish = Wish::new(self.choice, scope, By::of_recorded_wish(party, actor), &source, at);
        Ok(ConsentEntry {
            actor: Some(actor),
            recorded_at: (now > at).then_some(now),
            wording: self.wording,
            evidence: self.evidence,
            ..ConsentEntry::of(&wish)
        })
    }
}

pub(crate) async fn get_consent(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    paging: Paging,
) -> Result<Json<ConsentOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let after = paging.position::<TimelinePosition>()?;
    let contact = require_found(store.contact(scope, contact_id)).await?;
    itself(contact_id, &contact)?;
    let page = store.consent_page(scope, &contact, after, paging.limit(), who.now());
    let Listed { items, next_cursor } = Listed::of(page.await?, ConsentEntryOut::from);
    Ok(Json(ConsentOut {
        wishes: wishes(&contact),
        entries: items,
        next_cursor,
    }))
}

pub(crate) async fn record_consent(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Body(input): Body<ConsentIn>,
) -> Result<Json<ConsentEntryOut>, Problem> {
    let entry = input.entry(who.actor(), who.now())?;
    // A repeated request writes the same entry.
    let (store, scope, id) = (api.store(), who.scope(), who.ulid());
    let entry = &entry;
    let recorded = RACES.until_won(|| async move {
        itself(contact_id, &require_found(store.contact(scope, contact_id)).await?)?;
        let contact = store.record_consent(scope, contact_id, id, entry).await?;
        contact.ok_or_else(|| Problem::not_found().into())
    });
    recorded.await?;
    Ok(Json(ConsentEntryOut::from(Recorded {
        id: id.to_string().to_ascii_lowercase(),
        entry: entry.clone(),
    })))
}

pub(crate) async fn get_consent_proof(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Extension(reads): Extension<AuditedReads>,
    Path(contact_id): Path<ContactId>,
) -> Result<Json<ConsentProofOut>, Problem> {
    proof_of(&api, &who, &reads, contact_id).await.map(Json)
}

pub(crate) async fn get_consent_proof_page(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Extension(reads): Extension<AuditedReads>,
    Path(contact_id): Path<ContactId>,
) -> Result<Html, Problem> {
    let proof = proof_of(&api, &who, &reads, contact_id).await?;
    Ok(proof.page())
}

async fn proof_of(
    api: &Api,
    who: &Allowed<permits::ContactsRead>,
    reads: &AuditedReads,
    contact_id: ContactId,
) -> Result<ConsentProofOut, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let contact = require_found(store.contact(scope, contact_id)).await?;
    itself(contact_id, &contact)?;
    let ledger = store.consent_ledger(scope, &contact, MAX_OF_PROOF, who.now());
    let ((entries, more), tenant) = tokio::try_join!(ledger, store.tenant(scope))?;
    reads.record(api, who, Look::ConsentProof, contact_id).await?;
    Ok(ConsentProofOut {
        tenant_id: scope.tenant(),
        tenant_name: tenant.map(|tenant| tenant.name).unwrap_or_default(),
        contact_id,
        generated_at: who.now(),
        wishes: wishes(&contact),
        entries: entries.into_iter().map(ConsentEntryOut::from).collect(),
        complete: !more,
        phones: contact.phones,
        emails: contact.emails,
        whatsapp_user_ids: contact.bsuids,
    })
}
