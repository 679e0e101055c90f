//! The proof of a contact's consent: one document for an authority, as JSON and as a page.

use api::Html;
use domain::people::{Choice, ConsentCategory, Method, Party};
use domain::terms::{Channel, ContactId, Email, Phone, TenantId};
use jiff::Timestamp;
use kit::html::escape_html;
use schemars::JsonSchema;
use serde::Serialize;

use crate::consent::{ConsentEntryOut, WishOut};

/// Proof of the consent of a contact.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConsentProofOut {
    /// The tenant.
    pub(crate) tenant_id: TenantId,
    /// Name of the tenant.
    #[schemars(example = &"Saffron Bakery")]
    pub(crate) tenant_name: String,
    /// The contact.
    pub(crate) contact_id: ContactId,
    /// Its telephone numbers.
    pub(crate) phones: Vec<Phone>,
    /// Its e-mail addresses.
    pub(crate) emails: Vec<Email>,
    /// Ids that WhatsApp gives the person towards the business.
    #[schemars(example = ["AE.13491208655302741918"])]
    pub(crate) whatsapp_user_ids: Vec<String>,
    /// Time of the document.
    #[schemars(example = "2026-11-20T12:00:00Z")]
    pub(crate) generated_at: Timestamp,
    /// The refusals and consents of the contact, refusals first.
    pub(crate) wishes: Vec<WishOut>,
    /// Entries of the ledger, newest first.
    pub(crate) entries: Vec<ConsentEntryOut>,
    /// False if the ledger has older entries.
    pub(crate) complete: bool,
}

/// On paper, the ledger's head is repeated on each sheet, and no entry is divided.
const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#111;background:#fff}\
                     table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.3em .5em;text-align:start;\
                     vertical-align:top;overflow-wrap:anywhere}th{background:#eee}thead{display:table-header-group}\
                     tr{break-inside:avoid}h2{break-after:avoid}@page{margin:15mm}@media print{body{margin:0;max-width:none}}";

impl ConsentProofOut {
    /// The proof as a page to be read, printed or kept as a file.
    pub(crate) fn page(&self) -> Html {
        let addresses = |all: Vec<&str>| {
            if all.is_empty() {
                "none".to_owned()
            } else {
                all.join(", ")
            }
        };
        let facts = [
            ("Business", format!("{} ({})", self.tenant_name, self.tenant_id)),
            ("Contact", self.contact_id.to_string()),
            (
                "Telephone numbers",
                addresses(self.phones.iter().map(Phone::as_str).collect()),
            ),
            (
                "E-mail addresses",
                addresses(self.emails.iter().map(Email::as_str).collect()),
            ),
            (
                "WhatsApp user ids",
                addresses(self.whatsapp_user_ids.iter().map(String::as_str).collect()),
            ),
            ("Time of this document", self.generated_at.to_string()),
        ];
        let wishes = self.wishes.iter().map(|wish| {
            let source = wish.source.clone().unwrap_or_default();
            let scope = scope(wish.channel, wish.category);
            row(&[
                choice(wish.choice),
                &scope,
                party(wish.party),
                method(wish.method),
                &time(wish.at),
                &source,
            ])
        });
        let entries = self.entries.iter().map(|entry| {
            let wording = entry.wording.as_ref();
            let wording = wording.map(|known| format!("{} (version {})", known.text.as_str(), known.version.as_str()));
            let actor = entry.actor.map_or_else(String::new, |actor| format!(", {actor}"));
            row(&[
                &time(entry.at),
                &time(entry.recorded_at),
                entry_choice(entry),
                &scope(entry.channel, entry.category),
                party(entry.party),
                &format!("{}{actor}", method(entry.method)),
                &wording.unwrap_or_default(),
                entry.evidence.as_ref().map_or("", |evidence| evidence.as_str()),
                &entry.source,
            ])
        });
        let facts: String = facts.iter().map(|(name, value)| row(&[name, value])).collect();
        let rest = if self.complete {
            "These are all entries."
        } else {
            "These are the newest entries; the ledger has older ones."
        };
        Html(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Proof of consent</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>Proof of consent</h1>\n<table>\n<tbody>\n{facts}</tbody>\n</table>\n\
             <h2>What holds</h2>\n{}<h2>Ledger, newest first</h2>\n{}<p>{rest}</p>\n</body>\n</html>\n",
            table(
                &["Choice", "Messages", "Whose wish", "Method", "Time", "Source"],
                wishes
            ),
            table(
                &[
                    "Time",
                    "Recorded",
                    "Choice",
                    "Messages",
                    "Whose wish",
                    "Method",
                    "Wording",
                    "Evidence",
                    "Source",
                ],
                entries,
            ),
        ))
    }
}

fn table(head: &[&str], rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() {
        return "<p>Nothing.</p>\n".to_owned();
    }
    let head: String = head.iter().map(|name| format!("<th>{name}</th>")).collect();
    format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

/// Texts may be of either direction of writing.
fn row(cells: &[&str]) -> String {
    let cells = cells
        .iter()
        .map(|cell| format!("<td dir=\"auto\">{}</td>", escape_html(cell)));
    format!("<tr>{}</tr>\n", cells.collect::<String>())
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn scope(channel: Option<Channel>, category: Option<ConsentCategory>) -> String {
    let category = category.map_or("all messages", ConsentCategory::as_str);
    match channel {
        Some(channel) => format!("{category} by {}", channel.name()),
        None => category.to_owned(),
    }
}

const fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::Refused => "refused",
        Choice::Granted => "granted",
        Choice::Lifted => "refusal lifted",
    }
}

/// The word for an entry of the ledger. An import lifts no refusals: it ends opt-ins.
fn entry_choice(entry: &ConsentEntryOut) -> &'static str {
    match (entry.choice, entry.method) {
        (Choice::Lifted, Method::Import) => "opt-in ended",
        (other, _) => choice(other),
    }
}

const fn party(party: Party) -> &'static str {
    match party {
        Party::Customer => "the customer's",
        Party::Business => "the business's",
    }
}

const fn method(method: Method) -> &'static str {
    match method {
        Method::Keyword => "keyword",
        Method::PreferencePage => "preference page",
        Method::Provider => "provider",
        Method::Api => "API",
        Method::Import => "import",
    }
}
