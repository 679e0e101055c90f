//! People during the storm who are two contacts each: a user merges the contacts, separates them again, or erases the person, while
//! they call and write and software sends them messages. Requests are repeated with one idempotency key, and workers of erasures are
//! killed.
//!
//! A merged contact has both histories, each call and message once; after the undoing, each contact has its own. Of an erased person
//! nothing is left, nothing more is sent, and whoever calls again is somebody new, who still refuses what the person refused.

use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::{
    Timestamp,
    people::{Choice, ConsentCategory, ConsentEntry, Erased, Identity},
    terms::{Channel, ContactId, MessageId, OperationId, OperationState, Phone},
};
use futures::future::try_join_all;
use jiff::SignedDuration;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use store::TenantScope;

use super::{
    Ground, Size,
    check::Outbox,
    shop::{self, MESSAGES, Shop, agreed_text, until},
};
use crate::{endpoints::Tenant, play::Customer, process::running_functions, random::Random};

/// Share of the storm when people begin.
const BEGIN: f64 = 0.4;

/// A message that is planned just before an erasure is due after the first of these times, and before both are over, in milliseconds:
/// about as long as the erasure takes.
const SOON_MS: (usize, usize) = (3_000, 12_000);

/// Kills of the workers of an erasure, and the pause before each.
const STRIKES: u32 = 4;
const STRIKE_EVERY: Duration = Duration::from_millis(250);

/// Maximum duration, on a busy machine, of a request that was under way when the erasure began.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(20);

/// Fate of the two contacts of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// The second one is merged into the first one.
    Merged,
    Undone,
    /// The first one is erased.
    Erased,
    /// The second one is merged into the first one, which is then erased.
    MergedAndErased,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Merged, Self::Undone, Self::Erased, Self::MergedAndErased];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Undone => "merged and separated",
            Self::Erased => "erased",
            Self::MergedAndErased => "merged and erased",
        }
    }
}

/// The choices for a person, made before the storm.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    fate: Fate,
    numbers: [Phone; 2],
    /// A word that no other person has in the name.
    name: String,
    /// Time from the last message's planning to its sending.
    soon: SignedDuration,
}

/// The choices for this number of people. Each fate meets some of them.
fn plans(count: usize, random: &mut Random) -> Result<Vec<Plan>> {
    let numbers: Vec<Phone> = random.phones(2 * count)?.into_iter().collect();
    let fates = Fate::ALL.into_iter().cycle();
    let (pairs, _) = numbers.as_chunks::<2>();
    let plans = pairs.iter().zip(fates).map(|(numbers, fate)| {
        anyhow::Ok(Plan {
            fate,
            numbers: numbers.clone(),
            name: format!("q{}", random.letters(10)),
            soon: SignedDuration::from_millis(i64::try_from(SOON_MS.0 + random.below(SOON_MS.1))?),
        })
    });
    plans.collect()
}

/// Something that a person did, or that was done for them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A call, by the telephone system's id.
    Call(String),
    /// A text that they wrote.
    Text(String),
    /// A message that software requested, by its id.
    Message(String),
}

impl What {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "calls",
            Self::Text(_) => "texts",
            Self::Message(_) => "requested messages",
        }
    }
}

/// Something that happened once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    what: What,
    /// The contact whose partition has it, unless that depends on who was faster.
    of: Option<ContactId>,
}

impl Fact {
    /// The contacts whose partitions have it, once for each row.
    fn rows(&self, customers: &[&Customer]) -> Vec<ContactId> {
        let mut rows = Vec::new();
        for customer in customers {
            match &self.what {
                What::Call(id) => {
                    let own = customer.calls.iter().filter(|call| call.provider_call_id == *id);
                    rows.extend(own.map(|call| call.id.contact()));
                }
                What::Text(text) => {
                    let own = customer.received.iter();
                    let own = own.filter(|received| received.message.text.as_ref() == Some(text));
                    rows.extend(own.map(|received| received.id.contact()));
                }
                What::Message(id) => {
                    let own = customer.messages.iter().filter(|message| message.id.to_string() == *id);
                    rows.extend(own.map(|message| message.id.contact()));
                }
            }
        }
        rows
    }

    /// Describes the fault if it is not found once, and where it should be.
    fn find_defect(&self, customers: &[&Customer]) -> Option<String> {
        let rows = self.rows(customers);
        let holds = matches!(rows.as_slice(), [own] if self.of.is_none_or(|of| of == *own));
        (!holds).then(|| format!("{self:?} is found in {rows:?}"))
    }
}

/// A person after the storm.
#[derive(Debug, Clone)]
pub(super) struct Lived {
    fate: Fate,
    numbers: [Phone; 2],
    name: String,
    contacts: [ContactId; 2],
    /// Everything that happened, except to contacts that were erased before it.
    facts: Vec<Fact>,
    /// The contact that was erased, if one was.
    pub(super) gone: Option<Gone>,
}

/// A contact that was erased.
#[derive(Debug, Clone)]
pub(super) struct Gone {
    /// Its data just before.
    before: Customer,
    /// Everything that had happened to it.
    facts: Vec<Fact>,
    /// The message that was planned last, and when it was due.
    late: Option<(MessageId, Timestamp)>,
    /// The operation. `None` if it was over before the request for it was answered.
    operation: Option<OperationId>,
    /// Beginning of the erasure, at the latest.
    at: Timestamp,
    /// Statuses of the answers to a request for another message to it.
    refused: Vec<u16>,
    /// Processes that were killed while they erased.
    pub(super) struck: u32,
}

impl Gone {
    /// The contact, and those that were merged into it.
    pub(super) fn contacts(&self) -> impl Iterator<Item = ContactId> + '_ {
        self.before.contact.ids()
    }

    fn has(&self, id: ContactId) -> bool {
        self.before.contact.is(id)
    }

    /// Whether a message was due only once the erasure had begun.
    fn is_kept_back(&self, id: MessageId) -> bool {
        self.late.is_some_and(|(late, due)| late == id && due > self.at)
    }
}

/// Lets people live, spread over the storm.
pub(super) async fn live(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Lived>> {
    let plans = plans(size.people, &mut Random::new(seed))?;
    let shop = Shop { ground, tenant };
    let all = plans.into_iter().enumerate().map(|(place, plan)| async move {
        tokio::time::sleep(size.storm.mul_f64(BEGIN * place as f64 / size.people as f64)).await;
        let what = format!("{} is {}", plan.name, plan.fate.as_str());
        let strikes = if size.kills_leased { STRIKES } else { 0 };
        Box::pin(Life { shop, plan, strikes }.live()).await.context(what)
    });
    try_join_all(all).await
}

/// A contact with its first known number.
struct Known {
    id: ContactId,
    phone: Phone,
}

/// A person and a business.
struct Life<'a> {
    shop: Shop<'a>,
    plan: Plan,
    strikes: u32,
}

impl Life<'_> {
    async fn live(self) -> Result<Lived> {
        let [one, two] = &self.plan.numbers;
        let arrived = tokio::try_join!(Box::pin(self.arrives(one)), Box::pin(self.arrives(two)));
        let ((first, mut facts), (second, of_second)) = arrived?;
        facts.extend(of_second);
        let mut gone = None;
        match self.plan.fate {
            Fate::Merged => {
                Box::pin(self.merge_contacts(&first, &second, &mut facts)).await?;
            }
            Fate::Undone => {
                let merge = Box::pin(self.merge_contacts(&first, &second, &mut facts)).await?;
                Box::pin(self.undo_merge(&first, &second, &merge, &mut facts)).await?;
            }
            Fate::Erased => {
                let (own, others): (Vec<Fact>, Vec<Fact>) =
                    facts.into_iter().partition(|fact| fact.of == Some(first.id));
                facts = others;
                gone = Some(Box::pin(self.erase_contact(&first, own)).await?);
                facts.extend(self.comes_back(one).await?);
            }
            Fate::MergedAndErased => {
                Box::pin(self.merge_contacts(&first, &second, &mut facts)).await?;
                gone = Some(Box::pin(self.erase_contact(&first, std::mem::take(&mut facts))).await?);
                for number in [one, two] {
                    facts.extend(self.comes_back(number).await?);
                }
            }
        }
        Ok(Lived {
            fate: self.plan.fate,
            contacts: [first.id, second.id],
            facts,
            gone,
            numbers: self.plan.numbers,
            name: self.plan.name,
        })
    }

    fn key(&self, what: &str) -> String {
        format!("{}-{what}", self.plan.name)
    }

    /// A contact is created, calls, writes, gets a message, and refuses offers.
    async fn arrives(&self, phone: &Phone) -> Result<(Known, Vec<Fact>)> {
        let contact = json!({ "name": format!("Person {}", self.plan.name), "phones": [phone] });
        let created = self.request_repeatedly("/api/v1/contacts", phone.as_str(), &contact, 201, "/id");
        let id: ContactId = created.await?.parse()?;
        let (of, path) = (Some(id), format!("/api/v1/contacts/{id}/consent"));
        let refusal = json!({ "choice": "refused", "category": "marketing" });
        let refused = format!("refused-{phone}");
        let (call, text, message, _) = tokio::try_join!(
            Box::pin(self.calls(phone, of)),
            Box::pin(self.writes(phone, "Hello", of)),
            Box::pin(self.asks("first", json!({ "contact_id": id }), of)),
            Box::pin(self.request_repeatedly(&path, &refused, &refusal, 200, "/id")),
        )?;
        let phone = phone.clone();
        Ok((Known { id, phone }, vec![call, text, message]))
    }

    /// The text at this place of the answers to a request, which is sent several times at once.
    async fn request_repeatedly(
        &self,
        path: &str,
        what: &str,
        body: &Value,
        status: u16,
        place: &str,
    ) -> Result<String> {
        let answers = self.shop.answers(path, &self.key(what), Some(body), 1).await?;
        agreed_text(&answers, status, place)
    }

    /// They call, and the call is decided.
    async fn calls(&self, from: &Phone, of: Option<ContactId>) -> Result<Fact> {
        let what = What::Call(self.shop.place_call(from).await?);
        let fact = Fact { what, of };
        self.until_stored(&fact).await?;
        Ok(fact)
    }

    /// They write, and the message is stored.
    async fn writes(&self, from: &Phone, word: &str, of: Option<ContactId>) -> Result<Fact> {
        let fact = self.wrote(from, word, of).await?;
        self.until_stored(&fact).await?;
        Ok(fact)
    }

    /// Waits until one of the person's contacts has it.
    async fn until_stored(&self, fact: &Fact) -> Result<()> {
        until("what a customer did", async || {
            let customers = customers(self.shop, &self.plan.numbers).await?;
            let customers: Vec<&Customer> = customers.iter().collect();
            Ok((!fact.rows(&customers).is_empty()).then_some(()))
        })
        .await
    }

    /// They write. Meta delivers a message until it is accepted.
    async fn wrote(&self, from: &Phone, word: &str, of: Option<ContactId>) -> Result<Fact> {
        let text = format!("{word} from {} at {from}", self.plan.name);
        let written = json!({
            "tenant": self.shop.tenant.id, "from": from, "channel": Channel::WhatsApp, "text": text, "repeat": 3,
        });
        self.shop.ground.play.post("/replies", &written).await?;
        let what = What::Text(text);
        Ok(Fact { what, of })
    }

    /// Software requests a message to them. `to`: whom it names.
    async fn asks(&self, what: &str, to: Value, of: Option<ContactId>) -> Result<Fact> {
        let what = format!("{what}-{to}").replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
        let id = self
            .request_repeatedly(MESSAGES, &what, &shop::message(to), 201, "/id")
            .await?;
        let what = What::Message(id);
        Ok(Fact { what, of })
    }

    /// The second contact is merged into the first one while both call, write and get messages. Returns the merge's id.
    async fn merge_contacts(&self, first: &Known, second: &Known, facts: &mut Vec<Fact>) -> Result<String> {
        let path = format!("/api/v1/contacts/{}/merge", first.id);
        let body = json!({ "contact_id": second.id });
        let (merge, call, text, message) = tokio::try_join!(
            Box::pin(self.request_repeatedly(&path, "merge", &body, 200, "/merge/id")),
            Box::pin(self.calls(&second.phone, None)),
            Box::pin(self.writes(&first.phone, "Merging", Some(first.id))),
            Box::pin(self.asks("merging", json!({ "phone": second.phone }), None)),
        )?;
        facts.extend([call, text, message]);
        // Whatever comes now from either number is the survivor's.
        facts.push(self.calls(&second.phone, Some(first.id)).await?);
        Ok(merge)
    }

    /// The merge is undone while both call and write.
    async fn undo_merge(&self, first: &Known, second: &Known, merge: &str, facts: &mut Vec<Fact>) -> Result<()> {
        let path = format!("/api/v1/contacts/{}/unmerge", first.id);
        let body = json!({ "merge_id": merge });
        let (_, call, text) = tokio::try_join!(
            Box::pin(self.request_repeatedly(&path, "unmerge", &body, 200, "/other/id")),
            Box::pin(self.calls(&second.phone, None)),
            Box::pin(self.writes(&first.phone, "Separating", Some(first.id))),
        )?;
        facts.extend([call, text]);
        let to = json!({ "phone": second.phone });
        facts.push(self.calls(&second.phone, Some(second.id)).await?);
        facts.push(self.asks("separated", to, Some(second.id)).await?);
        Ok(())
    }

    /// A contact is erased: a moment after a message to it was planned, which is due about then.
    async fn erase_contact(&self, known: &Known, facts: Vec<Fact>) -> Result<Gone> {
        let Shop { ground, tenant } = self.shop;
        let due = Timestamp::now() + self.plan.soon;
        let late = shop::message(json!({ "contact_id": known.id, "send_at": due }));
        let answers = self.shop.answers(MESSAGES, &self.key("late"), Some(&late), 1).await?;
        // Who dies before writing it comes too late for it.
        let too_late = answers.iter().all(|answer| answer.status == 422);
        let late: Option<(MessageId, Timestamp)> = match too_late {
            true => None,
            false => Some((agreed_text(&answers, 201, "/id")?.parse()?, due)),
        };
        let before = ground.play.customer(&tenant.id, &known.phone).await?;
        let before = before.context("the contact is not erased yet")?;
        let path = format!("/api/v1/contacts/{}/erase", known.id);
        let answers = self.shop.answers(&path, &self.key("erase"), None, 1).await?;
        let at = Timestamp::now();
        // Whoever asks again after a function died may find that nobody is left.
        let over = answers.iter().all(|answer| answer.status == 404);
        let operation: Option<OperationId> = match over {
            true => None,
            false => Some(agreed_text(&answers, 202, "/id")?.parse()?),
        };
        let struck = match self.plan.fate {
            Fate::Erased => self.strike().await?,
            _ => 0,
        };
        let again = shop::message(json!({ "contact_id": known.id }));
        let refused = self.shop.answers(MESSAGES, &self.key("again"), Some(&again), 1).await?;
        Ok(Gone {
            before,
            facts,
            late,
            operation,
            at,
            refused: refused.iter().map(|answer| answer.status).collect(),
            struck,
        })
    }

    /// Kills the workers of erasures some times. Returns the number of processes.
    async fn strike(&self) -> Result<u32> {
        let ground = self.shop.ground;
        let worker = ground.function("erase_contact")?;
        let mut struck = 0;
        for _ in 0..self.strikes {
            tokio::time::sleep(STRIKE_EVERY).await;
            let running = running_functions(&ground.place.data)?.into_iter();
            for (pid, _) in running.filter(|(_, function)| *function == worker) {
                // It may have ended already.
                struck += u32::from(kill_process(pid, Signal::KILL).is_ok());
            }
        }
        Ok(struck)
    }

    /// An erased person calls and writes again. Nobody waits for it: both wait for the end of the erasure.
    async fn comes_back(&self, phone: &Phone) -> Result<[Fact; 2]> {
        let call = What::Call(self.shop.place_call(phone).await?);
        let text = self.wrote(phone, "Again", None).await?;
        Ok([Fact { what: call, of: None }, text])
    }
}

/// The contacts that have these numbers, each once.
async fn customers(Shop { ground, tenant }: Shop<'_>, numbers: &[Phone]) -> Result<Vec<Customer>> {
    let mut customers: Vec<Customer> = Vec::new();
    for number in numbers {
        let found = ground.play.customer(&tenant.id, number).await?;
        let new = found.filter(|found| customers.iter().all(|known| known.contact.id != found.contact.id));
        customers.extend(new);
    }
    Ok(customers)
}

impl Lived {
    /// The contacts that the person is now.
    pub(super) async fn customers(&self, ground: &Ground<'_>, tenant: &Tenant) -> Result<Vec<Customer>> {
        customers(Shop { ground, tenant }, &self.numbers).await
    }
}

/// Number of people by fate.
pub(super) fn summary(lived: &[Lived]) -> String {
    let count = |fate: Fate| lived.iter().filter(|lived| lived.fate == fate).count();
    let counts = Fate::ALL.map(|fate| format!("{} {}", count(fate), fate.as_str()));
    counts.join(", ")
}

/// Checks who the person is now, and what happened to each contact. Returns what is wrong.
pub(super) fn check(lived: &Lived, customers: &[Customer]) -> Vec<String> {
    let customers: Vec<&Customer> = customers.iter().collect();
    let mut broken = identity(lived, &customers);
    broken.extend(lived.facts.iter().filter_map(|fact| fact.find_defect(&customers)));
    match &lived.gone {
        None => {
            broken.extend(surplus(lived, &customers));
            let entries = customers.iter().flat_map(|customer| &customer.consent);
            broken.extend(ledger(entries, lived.contacts.len()));
        }
        Some(gone) => {
            let before = [&gone.before];
            broken.extend(gone.facts.iter().filter_map(|fact| fact.find_defect(&before)));
            broken.extend(ledger(gone.before.consent.iter(), gone.contacts().count()));
            let others = customers.iter();
            let others = others.filter(|customer| lived.contacts.contains(&customer.contact.id));
            broken.extend(others.filter_map(|other| ledger(other.consent.iter(), 1)));
            let refused = &gone.refused;
            if refused.is_empty() || refused.iter().any(|status| *status != 404) {
                broken.push(format!("a message to the erased contact was answered {refused:?}"));
            }
        }
    }
    let of = |what: String| format!("{} was {}: {what}", lived.name, lived.fate.as_str());
    broken.into_iter().map(of).collect()
}

/// Whether the person is the contacts that they should be.
fn identity(lived: &Lived, customers: &[&Customer]) -> Vec<String> {
    let [first, second] = lived.contacts;
    let contacts = customers.iter().map(|customer| &customer.contact);
    let are = contacts.map(|contact| (contact.id, contact.aliases.as_slice()));
    let are: Vec<(ContactId, &[ContactId])> = are.collect();
    let (alone, merged): (&[ContactId], &[ContactId]) = (&[], &[second]);
    let holds = match lived.fate {
        Fate::Merged => are == [(first, merged)],
        Fate::Undone => are == [(first, alone), (second, alone)],
        Fate::Erased => matches!(are.as_slice(), [(new, []), (other, [])] if *new != first && *other == second),
        Fate::MergedAndErased => {
            let mut ids = are.iter().map(|(id, _)| id);
            !are.is_empty() && ids.all(|id| !lived.contacts.contains(id))
        }
    };
    let mut broken = Vec::new();
    if !holds {
        broken.push(format!("of {:?}, the contacts are now {are:?}", lived.contacts));
    }
    // Also whoever came back.
    for customer in customers {
        if customer.contact.marketing_opted_out().is_none() {
            broken.push(format!("{} does not refuse offers any more", customer.contact.id));
        }
    }
    broken
}

/// Events that happened more often than they should. Of a person who was erased, nobody knows which events were delivered before.
fn surplus(lived: &Lived, customers: &[&Customer]) -> Vec<String> {
    let sum = |of: fn(&Customer) -> usize| -> usize { customers.iter().map(|customer| of(customer)).sum() };
    let requested = |customer: &Customer| {
        let causes = customer.messages.iter().map(|message| message.cause.requested_by());
        causes.flatten().count()
    };
    let found = [
        ("calls", sum(|customer| customer.calls.len())),
        ("texts", sum(|customer| customer.received.len())),
        ("requested messages", sum(requested)),
    ];
    let wrong = found.into_iter().filter_map(|(kind, found)| {
        let expected = lived.facts.iter().filter(|fact| fact.what.kind() == kind).count();
        (found != expected).then(|| format!("there are {found} {kind} instead of {expected}"))
    });
    wrong.collect()
}

/// However often it was asked for, the ledger has each refusal once, and nothing else.
fn ledger<'a>(entries: impl Iterator<Item = &'a ConsentEntry>, expected: usize) -> Option<String> {
    let entries: Vec<&ConsentEntry> = entries.collect();
    let refuses = |entry: &&&ConsentEntry| {
        entry.choice == Choice::Refused && entry.category == Some(ConsentCategory::Marketing) && entry.actor.is_some()
    };
    let holds = entries.len() == expected && entries.iter().filter(refuses).count() == expected;
    (!holds).then(|| format!("the ledger should have {expected} refusals of offers: {entries:?}"))
}

/// Finds what is left of an erased person where nothing may be, and what was sent to them afterwards. Rows that are found are deleted.
pub(super) async fn find_leftovers(
    ground: &Ground<'_>,
    tenant: &Tenant,
    lived: &Lived,
    gone: &Gone,
    outbox: &Outbox,
) -> Result<Vec<String>> {
    let scope = access::operator::scope(tenant.id.parse()?);
    let (store, now) = (&ground.play.store, Timestamp::now());
    let mut left = sent_afterwards(gone, outbox);
    if let Some(id) = gone.operation {
        let operation = store.operation(&scope, id, now).await?.map(|found| found.value);
        let state = operation.map(|operation| operation.state);
        if state != Some(OperationState::Done) {
            left.push(format!("the erasure {id} is {state:?}"));
        }
    }
    for id in gone.contacts() {
        if let Some(contact) = store.contact(&scope, id).await? {
            left.push(format!("{id} leads to {contact:?}"));
        }
        let rows = Box::pin(rows_of(ground, &scope, id)).await?;
        if rows != Erased::default() {
            left.push(format!("erasing {id} once more finds {rows:?}"));
        }
    }
    for identity in gone.before.contact.known_by() {
        left.extend(leads(ground, &scope, gone, &identity).await?);
    }
    let shop = Shop { ground, tenant };
    let found = shop.get(&format!("/api/v1/contacts?name={}", lived.name)).await?;
    if found.status != 200 || gone.contacts().any(|id| found.body.contains(&id.to_string())) {
        left.push(format!("a search for the name finds {}", found.body));
    }
    let contacts = gone.contacts().map(|id| format!("contacts/{id}"));
    let calls = gone.before.calls.iter().map(|call| format!("calls/{}", call.id));
    let messages = gone.before.messages.iter();
    let messages = messages.map(|message| format!("messages/{}", message.id));
    for path in contacts.chain(calls).chain(messages) {
        let answer = shop.get(&format!("/api/v1/{path}")).await?;
        if answer.status != 404 {
            left.push(format!("{path} is answered {}", answer.status));
        }
    }
    let of = |what: String| format!("{} was {}: {what}", lived.name, lived.fate.as_str());
    Ok(left.into_iter().map(of).collect())
}

/// Rows that another erasure finds in the partition of a contact.
async fn rows_of(ground: &Ground<'_>, scope: &TenantScope, id: ContactId) -> Result<Erased> {
    let store = &ground.play.store;
    let mut rows = store.erase_history_page(scope, id, &[]).await?.erased;
    rows.add(&store.erase_alias_rows(scope, id).await?);
    Ok(rows)
}

/// Describes the fault of an erased person's identity, which leads to somebody else at most, and is remembered.
async fn leads(ground: &Ground<'_>, scope: &TenantScope, gone: &Gone, identity: &Identity) -> Result<Option<String>> {
    let store = &ground.play.store;
    let leads = match store.contact_of(scope, identity).await {
        Ok(found) => found.map(|contact| contact.id),
        Err(error) if error.is_gone() || error.is_conflict() => {
            return Ok(Some(format!("{identity:?} leads to an erased contact")));
        }
        Err(error) => return Err(error.into()),
    };
    let remembered = store.is_erased(scope, identity).await?;
    let wrong = leads.is_some_and(|id| gone.has(id)) || !remembered;
    Ok(wrong.then(|| format!("{identity:?} leads to {leads:?}, and it is remembered as erased: {remembered}")))
}

/// Messages to an erased person that were sent although the erasure had begun.
fn sent_afterwards(gone: &Gone, outbox: &Outbox) -> Vec<String> {
    let own = outbox.iter().filter(|((message, _), _)| gone.has(message.contact()));
    let mut broken = Vec::new();
    for ((message, channel), sent) in own {
        for sent in sent {
            if gone.is_kept_back(*message) || sent.accepted_at > gone.at + UNDER_WAY {
                let (way, then, begun) = (channel.name(), sent.accepted_at, gone.at);
                broken.push(format!(
                    "{message} was sent by {way} at {then}, and the erasure had begun at {begun}"
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::people::{Scope, Wish, Wishes};

    use super::*;

    const FIRST: &str = "01m7w3h8g0yee2bzz05vbpakr3";
    const SECOND: &str = "01m7w3h8g0yee2bzz05vbpakr4";
    const NEW: &str = "01m7w3h8g0yee2bzz05vbpakr5";
    const OWN: &str = "01m7w3h8g18hg3h1n2etht86ah";

    fn id(contact: &str) -> ContactId {
        format!("ctc_{contact}").parse().expect("an id")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_763_629_200 + second).expect("a time")
    }

    /// A message that was requested for this contact.
    fn message(contact: &str) -> domain::messages::Message {
        serde_json::from_value(json!({
            "id": format!("msg_{contact}{OWN}"),
            "cause": { "requested": { "contact": id(contact), "by": format!("key_{OWN}"), "request": OWN.to_uppercase() } },
            "policy": { "purpose": "api", "category": "utility", "fallback_after_seconds": 0 },
            "to": { "phone": "+971501234567" },
            "plan": [{
                "channel": "sms", "connection": "conn_01hq5bakery0000000000000t1", "content": { "text": "Hello" },
            }],
            "not_before": at(0), "created_at": at(0), "correlation_id": "1", "version": 1,
        }))
        .expect("a message of the domain")
    }

    fn refusal() -> ConsentEntry {
        serde_json::from_value(json!({
            "at": at(0), "choice": "refused", "category": "marketing", "by": "key", "source": "said so",
            "actor": format!("key_{OWN}"),
        }))
        .expect("an entry of the ledger")
    }

    /// A contact that refuses offers, with a message to each of these contacts, which it is or was.
    fn customer(contact: &str, messages: &[&str]) -> Customer {
        let mut known = domain::people::Contact::new(id(contact), at(0));
        let refusal = refusal();
        let (choice, by, at) = (refusal.choice, refusal.by, refusal.at);
        known.record(Wish::new(choice, Scope::MARKETING, by, "said so", at));
        known.aliases = messages.iter().filter(|of| **of != contact).map(|of| id(of)).collect();
        Customer {
            contact: known,
            calls: Vec::new(),
            messages: messages.iter().map(|of| message(of)).collect(),
            received: Vec::new(),
            consent: vec![refusal; messages.len()],
        }
    }

    fn fact(contact: &str) -> Fact {
        Fact {
            what: What::Message(message(contact).id.to_string()),
            of: Some(id(contact)),
        }
    }

    fn person_after_storm(fate: Fate, facts: &[&str]) -> Lived {
        let number = |text: &str| -> Phone { text.parse().expect("a number") };
        Lived {
            fate,
            numbers: ["+971501234567", "+971501234568"].map(number),
            name: "abc".to_owned(),
            contacts: [FIRST, SECOND].map(id),
            facts: facts.iter().map(|contact| fact(contact)).collect(),
            gone: None,
        }
    }

    fn erased_person() -> Gone {
        Gone {
            before: customer(FIRST, &[FIRST]),
            facts: vec![fact(FIRST)],
            late: None,
            operation: None,
            at: at(10),
            refused: vec![404],
            struck: 0,
        }
    }

    #[test]
    fn wrong_contacts_of_a_person_are_detected() {
        let merged = || vec![customer(FIRST, &[FIRST, SECOND])];
        let apart = || vec![customer(FIRST, &[FIRST]), customer(SECOND, &[SECOND])];
        let both = [FIRST, SECOND];
        for (fate, customers, fine) in [
            (Fate::Merged, merged(), true),
            (Fate::Undone, apart(), true),
            (Fate::Merged, apart(), false),
            (Fate::Undone, merged(), false),
            (Fate::Merged, vec![customer(FIRST, &[FIRST])], false),
            (Fate::Merged, Vec::new(), false),
        ] {
            let found = check(&person_after_storm(fate, &both), &customers);
            assert_eq!(found.is_empty(), fine, "{fate:?}: {found:?}");
        }
    }

    #[test]
    fn erased_person_who_is_still_known_is_detected() {
        let back = || customer(NEW, &[NEW]);
        let other = || customer(SECOND, &[SECOND]);
        for (fate, facts, customers, fine) in [
            (Fate::Erased, &[NEW, SECOND][..], vec![back(), other()], true),
            (
                Fate::Erased,
                &[FIRST, SECOND],
                vec![customer(FIRST, &[FIRST]), other()],
                false,
            ),
            (Fate::Erased, &[NEW], vec![back()], false),
            (Fate::MergedAndErased, &[NEW], vec![back()], true),
            (Fate::MergedAndErased, &[NEW, SECOND], vec![back(), other()], false),
            (Fate::MergedAndErased, &[], Vec::new(), false),
        ] {
            let mut lived = person_after_storm(fate, facts);
            lived.gone = Some(erased_person());
            let found = check(&lived, &customers);
            assert_eq!(found.is_empty(), fine, "{fate:?}: {found:?}");
        }
        let mut forgetful = back();
        forgetful.contact.consent = Wishes::NONE;
        let mut answered = erased_person();
        answered.refused = vec![404, 201];
        for (customer, gone) in [(forgetful, erased_person()), (back(), answered)] {
            let mut lived = person_after_storm(Fate::MergedAndErased, &[NEW]);
            lived.gone = Some(gone);
            assert_eq!(check(&lived, &[customer]).len(), 1);
        }
    }

    #[test]
    fn lost_doubled_and_moved_rows_are_detected() {
        let facts = [FIRST, SECOND];
        let all = || customer(FIRST, &facts);
        let broken = |change: &dyn Fn(&mut Customer)| {
            let mut customer = all();
            change(&mut customer);
            check(&person_after_storm(Fate::Merged, &facts), &[customer]).len()
        };
        assert_eq!(broken(&|_| {}), 0);
        // A missing row is missing twice: as itself, and in the number of rows.
        assert_eq!(broken(&|customer| drop(customer.messages.pop())), 2);
        assert_eq!(broken(&|customer| customer.messages.push(message(FIRST))), 2);
        assert_eq!(broken(&|customer| customer.messages.push(message(NEW))), 1);
        assert_eq!(broken(&|customer| drop(customer.consent.pop())), 1);
        assert_eq!(broken(&|customer| customer.consent.push(refusal())), 1);
        let mut moved = person_after_storm(Fate::Merged, &facts);
        moved.facts[1].of = Some(id(FIRST));
        assert_eq!(check(&moved, &[all()]).len(), 1);
    }

    #[test]
    fn message_that_is_sent_after_an_erasure_is_detected() {
        let id = message(FIRST).id;
        let sent = |contact: &str, second: i64| {
            let message = message(contact).id;
            let sent = json!({
                "tenant": "1", "channel": "sms", "via": "twilio", "to": "+971501234567", "body": "Hello",
                "key": format!("{contact}.{OWN}.1"), "accepted_at": at(second), "statuses": [],
            });
            let sent = serde_json::from_value(sent).expect("an entry of the outbox");
            Outbox::from([((message, Channel::Sms), vec![sent])])
        };
        // It had begun at 10 seconds.
        for (contact, second, late, broken) in [
            (FIRST, 9, None, 0),
            (FIRST, 30, None, 0),
            (FIRST, 31, None, 1),
            (SECOND, 31, None, 0),
            (FIRST, 12, Some((id, at(11))), 1),
            (FIRST, 9, Some((id, at(8))), 0),
        ] {
            let gone = Gone {
                late,
                ..erased_person()
            };
            let found = sent_afterwards(&gone, &sent(contact, second));
            assert_eq!(found.len(), broken, "{second}: {found:?}");
        }
    }

    #[test]
    fn each_fate_meets_somebody() {
        let lives = |seed: u64| plans(8, &mut Random::new(seed)).expect("numbers");
        assert_eq!(lives(7), lives(7));
        for fate in Fate::ALL {
            assert_eq!(lives(7).iter().filter(|plan| plan.fate == fate).count(), 2, "{fate:?}");
        }
        let numbers: BTreeSet<Phone> = lives(7).into_iter().flat_map(|plan| plan.numbers).collect();
        assert_eq!(numbers.len(), 16);
    }
}
