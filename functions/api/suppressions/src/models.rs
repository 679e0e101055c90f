//! Models of requests and responses.

use domain::people::{Address, By, ConsentCategory, Evidence, Method, Party, Refused, Suppression};
use domain::terms::{Actor, Channel, Fault, FaultCode, SuppressionId};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A refusal for the suppression list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuppressionIn {
    /// Telephone number or e-mail address. No contact has it.
    #[schemars(extend("x-unique" = true))]
    address: Address,
    /// The refused channel. Default: all.
    channel: Option<Channel>,
    /// The refused category. Default: all.
    category: Option<ConsentCategory>,
    /// Party of the wish. Default: `business`. A start word of the customer ends only refusals that are recorded as the
    /// customer's.
    party: Option<Party>,
    /// Time of the refusal. Default: now.
    #[schemars(example = "2026-01-15T09:30:00Z")]
    at: Option<Timestamp>,
    /// Proof, or a reference to it.
    #[schemars(example = "Do Not Call Register, January 2026")]
    evidence: Option<Evidence>,
}

impl SuppressionIn {
    /// The address and its refusal.
    pub(crate) fn into_refusal(self, actor: Actor, now: Timestamp) -> Result<(Address, Refused), Problem> {
        let at = self.at.unwrap_or(now);
        if at > now {
            let detail = "The time is in the future. Give the time of the refusal.";
            return Err(Problem::field("at", Fault::new(FaultCode::InFuture, detail)));
        }
        let refused = Refused {
            at,
            channel: self.channel,
            category: self.category,
            by: By::of_recorded_wish(self.party.unwrap_or(Party::Business), actor),
            actor,
            evidence: self.evidence,
            source: format!("{} put the address on the suppression list", actor.in_words()),
            recorded_at: now,
            left: None,
        };
        Ok((self.address, refused))
    }
}

/// An address on the suppression list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SuppressionOut {
    /// Id of the entry, also in the audit log.
    id: SuppressionId,
    /// Telephone number or e-mail address.
    address: Address,
    /// The refusals, the widest first. At most one for each channel, category and party.
    refusals: Vec<SuppressionRefusal>,
}

/// A refusal of an address on the suppression list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SuppressionRefusal {
    /// The refused channel. `null`: all.
    channel: Option<Channel>,
    /// The refused category. `null`: all.
    category: Option<ConsentCategory>,
    /// Party of the wish.
    party: Party,
    /// Method of recording.
    method: Method,
    /// User or API key that recorded it.
    actor: Actor,
    /// Time of the refusal.
    #[schemars(example = "2026-01-15T09:30:00Z")]
    at: Timestamp,
    /// Time of recording.
    #[schemars(example = "2026-11-20T12:00:00Z")]
    recorded_at: Timestamp,
    /// Proof, or a reference to it.
    #[schemars(example = "Do Not Call Register, January 2026")]
    evidence: Option<Evidence>,
    /// Source, in words.
    #[schemars(example = "an API key put the address on the suppression list")]
    source: String,
}

impl From<Refused> for SuppressionRefusal {
    fn from(refused: Refused) -> Self {
        let Refused {
            at,
            channel,
            category,
            by,
            actor,
            evidence,
            source,
            recorded_at,
            left: _,
        } = refused;
        Self {
            channel,
            category,
            party: by.party(),
            method: by.method(),
            actor,
            at,
            recorded_at,
            evidence,
            source,
        }
    }
}

impl From<Suppression> for SuppressionOut {
    fn from(suppression: Suppression) -> Self {
        Self {
            id: suppression.id,
            address: suppression.address,
            refusals: suppression.refusals.into_iter().map(SuppressionRefusal::from).collect(),
        }
    }
}
