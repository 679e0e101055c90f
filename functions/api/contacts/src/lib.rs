//! Contacts: people who call or write to a tenant, or whom it adds itself.

mod archives;
mod bulk;
mod consent;
mod conversions;
mod duplicates;
mod identities;
mod merging;
mod models;
mod notes;
mod preferences;
mod proof;
mod records;
mod timeline;

use api::{
    Allowed, AllowedOrRun, Api, AuditedReads, Body, ContactOut, Created, IfMatch, Listed, NoContent, OperationOut,
    Paging, Patch, Path, Query, RACES, References, Setback, Tagged, With, itself, permits, position, require_found,
    start_and_answer,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json, Router};
use domain::accounts::permits::Permit;
use domain::people::{Contact, EraseContact, Field, Identity, Linked, Person, PersonIn, Profile, RESTORABLE_FOR};
use domain::terms::{ContactId, Fault, FaultCode, Operation, OperationId, Phone};
use kit::{Bus, ConfigError, Env, Files, Pages, Problem};
use store::contacts::{Brought, Fields, PersonError};
use store::reports::Stored;
use store::table::rates::Limit;
use store::{Store, StoreError, TenantScope, Versioned};

use crate::models::{ContactQuery, Order, PhoneIn};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    Ok(served
        .layer(Extension(Bus::new(env)?))
        .layer(Extension(Files::new(env)?))
        .layer(Extension(AuditedReads::default()))
        .layer(Extension(Pages::new(env)?)))
}

api::operations! {
    "contacts": "Contacts of a tenant: people who call or write to it, or whom it adds itself." {
        /// Create a contact
        ///
        /// A contact needs a name, a telephone number or an e-mail address. Callers and people who write become contacts by
        /// themselves. If another contact has a number or an address, the answer is 409 `taken`: search for it with `phone` or
        /// `email`.
        POST "/api/v1/contacts" => create_contact, "The contact";

        /// List or search contacts
        ///
        /// Without conditions, oldest first. With conditions, contacts that fulfil all of them, in the order of the list that one of
        /// them reads: of `digits` by number, of `field` by value, of `name` by word, of `stage` by the time of reaching it, of
        /// `tag` by time of creation. A name is found by its first five different words. A page can hold fewer contacts than
        /// `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/contacts" => list_contacts, "A page of contacts";

        /// Get a contact
        ///
        /// The `ETag` changes with the fields that can be updated, not with calls and messages.
        GET "/api/v1/contacts/{contact_id}" => get_contact, "The contact", problems "merged";

        /// Update a contact
        ///
        /// `phones`, `emails` and `tags` are replaced as a whole, `fields` are merged. A removed number or address no longer leads to
        /// the contact. If the contact refuses messages, the number or address is on the suppression list from then on, so that whoever
        /// gets it refuses them, too.
        PATCH "/api/v1/contacts/{contact_id}" => update_contact, "The updated contact",
            problems "merged";

        /// Delete a contact
        ///
        /// The contact is hidden: lists no longer show it, except with `deleted`. For 30 days it can be restored, and it is back if the
        /// person calls or writes. Then it is erased by an operation.
        DELETE "/api/v1/contacts/{contact_id}" => delete_contact, "The contact is deleted",
            problems "merged";

        /// Restore a contact
        ///
        /// Restores a deleted contact. Restoring one that is not deleted changes nothing.
        POST "/api/v1/contacts/{contact_id}/restore" => restore_contact, "The contact",
            problems "merged";

        /// Erase a contact
        ///
        /// Deletes the contact now, and everything of it within an hour: calls, messages, notes, identities, consent. An erased
        /// contact cannot be restored. The answer is the operation that does it; its result says what was deleted. Hashes of the
        /// identities are kept, so that no import brings the person back, and refusals of messages with them: if the person calls or
        /// writes again, a new contact is created, which still refuses them. A deleted contact can be erased, too. An erasure that
        /// was cancelled or failed begins anew. A tenant can erase 1,000 an hour one by one.
        POST "/api/v1/contacts/{contact_id}/erase" => erase_contact, "The operation that erases the contact",
            problems "merged";

        /// Archive a contact
        ///
        /// Starts the operation that writes all that is known of the contact to a file, for the person who asks for it: the contact, its
        /// consent with the ledger, notes, conversions, merges, calls and messages, including those of contacts that were merged into it.
        /// A deleted contact can be archived, too, but not a contact that is being erased (409). A contact has one such operation at a
        /// time: if it is running already, it is the answer.
        POST "/api/v1/contacts/{contact_id}/archive" => archives::archive_contact, "The operation that archives the contact",
            with "Location" "Path of the archive", problems "merged" "too_many_operations";

        /// Get an archive of a contact
        ///
        /// Shows its progress and, once it is done, a link to the file that is valid for five minutes. The file is JSON, and deleted after
        /// seven days, or when the contact is erased. The audit log says who got a link, once a day.
        GET "/api/v1/contacts/{contact_id}/archive/{operation_id}" => archives::get_contact_archive, "The archive",
            problems "merged";

        /// Change or delete many contacts
        ///
        /// Changes up to 1,000 named contacts, or the contacts of a segment. The answer is the operation that does it. Its result counts
        /// contacts as `changed`, `unchanged` (already as wanted) or `failed`; `failures` names the first 50 of them with a reason:
        /// `not_found`, `too_many_tags`, `too_large` or `busy`. The operation goes through a segment contact by contact, and changes
        /// each contact that belongs to the segment then, none twice. Contacts that were created after its start are left alone.
        /// Cancelling it keeps what has changed. A tenant can start 100 an hour.
        POST "/api/v1/contacts/changes" => bulk::change_contacts, "The operation that changes the contacts",
            problems "segment_unusable" "too_many_operations";

        /// Add a telephone number to a contact
        ///
        /// A contact has at most four. A number that the contact has already becomes the preferred one if `preferred` is
        /// true.
        POST "/api/v1/contacts/{contact_id}/phones" => add_phone, "The contact",
            problems "merged";

        /// Remove a telephone number from a contact
        ///
        /// The number no longer leads to the contact. If the contact refuses messages, the number is on the suppression list from then
        /// on, so that whoever gets it refuses them, too.
        DELETE "/api/v1/contacts/{contact_id}/phones/{phone}" => remove_phone, "The number is removed",
            problems "merged";

        /// Merge another contact into a contact
        ///
        /// Both are one person from then on. The values of the contact in the path win unless they are empty; tags, telephone numbers,
        /// e-mail addresses and WhatsApp ids are united; the refusals of both hold, and opt-ins only if the other contact refused nothing
        /// of it since. The other contact no longer exists by its own id: requests with it get the problem `merged`, which names the
        /// survivor. Its messages on the way arrive at the survivor. With `dry_run`, nothing is changed, and the answer shows the result
        /// of a merge. A merge can be undone for 24 hours. At most three contacts can be merged into one.
        POST "/api/v1/contacts/{contact_id}/merge" => merging::merge_contact, "The merge and its result",
            problems "merged";

        /// Undo a merge
        ///
        /// Possible for 24 hours after the merge, the newest first. Both contacts are as they were before. Later changes stay with the
        /// survivor: values, calls, messages and notes. A refusal since the merge holds for both, an opt-in for neither. Undoing a merge
        /// that is undone changes nothing.
        POST "/api/v1/contacts/{contact_id}/unmerge" => merging::unmerge_contact, "Both contacts",
            problems "merged";

        /// Get the duplicates of a contact
        ///
        /// At most 20 contacts that are probably the same person, the most probable first, with the reasons: a provider reported the
        /// identities of both as one person's, they have one telephone number or e-mail address in two forms, or the same name and
        /// numbers that end alike. Contacts that a provider's report concerns are listed with `duplicates` in the list of contacts.
        GET "/api/v1/contacts/{contact_id}/duplicates" => duplicates::get_duplicates, "The duplicates",
            problems "merged";

        /// Add an e-mail address to a contact
        ///
        /// A contact has at most four. An address that the contact has already becomes the preferred one if `preferred`
        /// is true.
        POST "/api/v1/contacts/{contact_id}/emails" => identities::add_email, "The contact",
            problems "merged";

        /// Remove an e-mail address from a contact
        ///
        /// The address no longer leads to the contact. If the contact refuses messages, the address is on the suppression list from then
        /// on, so that whoever gets it refuses them, too.
        DELETE "/api/v1/contacts/{contact_id}/emails/{email}" => identities::remove_email, "The address is removed",
            problems "merged";

        /// Remove a WhatsApp id from a contact
        ///
        /// The id no longer leads to the contact, unless the contact refuses messages. Ids are learnt from what the person writes by
        /// WhatsApp, and cannot be added: if the person writes again, the contact gets the id back, or a new contact does.
        DELETE "/api/v1/contacts/{contact_id}/whatsapp-ids/{whatsapp_id}" => identities::remove_whatsapp_id, "The id is removed",
            problems "merged";

        /// Get the timeline of a contact
        ///
        /// Lists calls, messages, changes of consent, notes, conversions and merges, each with the sentence of its decision or state: the
        /// newest first, or the oldest first, from the end or from an entry. A page can hold fewer entries than `limit` without being the
        /// last one: only a `next_cursor` of `null` ends the list. The audit log says once a day who read the first page.
        GET "/api/v1/contacts/{contact_id}/timeline" => timeline::get_timeline, "A page of the timeline",
            problems "merged";

        /// Get the consent of a contact
        ///
        /// Returns the refusals and opt-ins that the contact holds, and a page of its ledger, newest first. A message is
        /// refused if any refusal covers its channel and category. Also possible for a deleted contact, because it is back if
        /// the person calls or writes.
        GET "/api/v1/contacts/{contact_id}/consent" => consent::get_consent, "The consent and a page of the ledger",
            problems "merged";

        /// Record consent of a contact
        ///
        /// Records a refusal, an opt-in, or that earlier refusals no longer hold. A refusal ends only by a later wish of the same
        /// party: `customer` records what the person said, `business` what the tenant decided. Every opt-in needs `wording` or
        /// `evidence`, and so does any other entry of the `customer` that makes more messages possible. All contacts that are known
        /// to be the same person get the wish. Messages that are already planned are checked again when they are sent. A wish of a
        /// deleted contact can be recorded, too.
        POST "/api/v1/contacts/{contact_id}/consent" => consent::record_consent, "The entry of the ledger",
            problems "merged";

        /// Get the proof of consent of a contact
        ///
        /// Returns the identities of the contact, the refusals and opt-ins that it holds, and the newest 400 entries of its
        /// ledger, as one document for an authority. The audit log says once a day who read it.
        GET "/api/v1/contacts/{contact_id}/consent/proof" => consent::get_consent_proof, "The proof",
            problems "merged";

        /// Get the proof of consent of a contact as a page
        ///
        /// The proof of consent in HTML, to be read, printed or saved as PDF. The audit log says once a day who read
        /// it.
        GET "/api/v1/contacts/{contact_id}/consent/proof/page" => consent::get_consent_proof_page, "The page",
            problems "merged";

        /// Create a link to the preference page of a contact
        ///
        /// On the page, the contact sees the messages that the business may send on each channel, and changes that without logging
        /// in. The link is valid for an hour, as long as the user or API key that created it may write contacts, and each request
        /// creates another one: at most 30 an hour. The audit log and the choices made on the page name its creator. Links in
        /// messages, by `preferences.link` of rules and templates, are valid for 180 days.
        POST "/api/v1/contacts/{contact_id}/preference-link" => preferences::create_preference_link, "The link, which is shown once",
            problems "merged";

        /// List the notes that mention the caller
        ///
        /// The latest mention first. A page can hold fewer notes than `limit` without being the last one. Notes mention no
        /// API keys, so they get an empty list.
        GET "/api/v1/contacts/mentions" => notes::list_mentions, "A page of notes";

        /// Create a note
        ///
        /// A contact has at most 500 notes. A note can mention users who may write conversations.
        POST "/api/v1/contacts/{contact_id}/notes" => notes::create_note, "The note",
            problems "merged";

        /// List notes
        ///
        /// Newest first.
        GET "/api/v1/contacts/{contact_id}/notes" => notes::list_notes, "A page of notes",
            problems "merged";

        /// Get a note
        GET "/api/v1/contacts/{contact_id}/notes/{note_id}" => notes::get_note, "The note",
            problems "merged";

        /// Update a note
        ///
        /// Possible only for its author, managers and admins.
        PATCH "/api/v1/contacts/{contact_id}/notes/{note_id}" => notes::update_note, "The updated note",
            problems "merged";

        /// Delete a note
        ///
        /// Possible only for its author, managers and admins.
        DELETE "/api/v1/contacts/{contact_id}/notes/{note_id}" => notes::delete_note, "The note is deleted",
            problems "merged";

        /// Record a conversion
        ///
        /// A conversion is a success of the tenant with this contact, such as an order or a booking. It is counted on the day of
        /// recording, and cannot be changed. Send an `Idempotency-Key`, so that a repeated request is not counted twice. A contact
        /// has at most 1,000 conversions.
        POST "/api/v1/contacts/{contact_id}/conversions" => conversions::create_conversion, "The conversion",
            problems "merged";

        /// List conversions
        ///
        /// Newest first.
        GET "/api/v1/contacts/{contact_id}/conversions" => conversions::list_conversions, "A page of conversions",
            problems "merged";

        /// Get a conversion
        GET "/api/v1/contacts/{contact_id}/conversions/{conversion_id}" => conversions::get_conversion, "The conversion",
            problems "merged";
    }
}

/// Path of the contacts.
const CONTACTS: &str = "/api/v1/contacts";

type Reading = Allowed<permits::ContactsRead>;
type Writing = Allowed<permits::ContactsWrite>;

/// Fields that a receiver of events changes by a callback: whose contact it is, and its tags.
const BY_CALLBACK: [&str; 2] = ["owner", "tags"];

async fn create_contact(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<PersonIn>,
) -> Result<Created<ContactOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let definitions = definitions(&api, &who).await?;
    let id = ContactId::new(who.ulid());
    let nobody = Person {
        contact: Contact::new(id, who.now()),
        profile: Profile::default(),
    };
    let person = fields.onto(&nobody, &definitions, who.now())?;
    references(&api, &who, &nobody, &person).await?;
    let most = who.principal().limits().contacts();
    api.take_room(&who, Stored::Contacts, 1, most.into(), "contacts")
        .await?;
    let (new, nobody, who) = (&person, &nobody, &who);
    let created = RACES.until_won(|| async move {
        let (person, brought) = with_refusals(store, who, nobody, new.clone()).await?;
        match store.create_person(scope, &person, &brought, &who.stamp()).await {
            Ok(()) => Ok(person),
            // Ids are nobody else's, so this is the one that the interrupted request created.
            Err(PersonError::Store(lost)) if lost.is_conflict() => {
                store.known_person(scope, id).await?.ok_or(Setback::Lost)
            }
            Err(error) => Err(Setback::Refused(refusal(error, &person))),
        }
    });
    let created = created.await;
    if created.is_err() {
        api.give_room_back(who, Stored::Contacts, 1).await;
    }
    let person = created?;
    Ok(Created {
        location: format!("{CONTACTS}/{id}"),
        version: PersonIn::of(&person, &definitions).version(),
        body: ContactOut::of(person, &definitions),
    })
}

async fn list_contacts(
    who: Reading,
    State(api): State<Api>,
    Query(query): Query<ContactQuery>,
    paging: Paging,
) -> Result<Listed<ContactOut>, Problem> {
    let backwards = query.order == Some(Order::Desc);
    let (api, who, query, paging) = (&api, &who, &query, &paging);
    let home = if query.names_a_national_number() {
        let tenant = api.store().tenant(who.scope()).await?;
        tenant.and_then(|tenant| tenant.default_region?.parse().ok())
    } else {
        None
    };
    let found = api.by_fields(who, |definitions| async move {
        let search = query.clone().search(&definitions, home)?;
        let after = position(paging, &search)?;
        let store = api.store();
        let found = store.search_contacts_as_of(who.scope(), &search, after.as_ref(), paging.limit(), backwards);
        Ok(found.await?)
    });
    let (page, definitions) = found.await?;
    Ok(Listed::of(page, |person| ContactOut::of(person, &definitions)))
}

async fn get_contact(
    who: AllowedOrRun<permits::ContactsRead>,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
) -> Result<Tagged<ContactOut>, Problem> {
    let who = who.about(id)?;
    let (person, version) = api.store().known_as_of(who.scope(), id).await?;
    let person = require_existing(id, person)?;
    let definitions = api.fields_as_of(&who, version).await?;
    Ok(contact_with_etag(person, &definitions))
}

/// A contact that is not deleted.
async fn existing(store: &Store, scope: &TenantScope, id: ContactId) -> Result<Person, Problem> {
    require_existing(id, store.known_person(scope, id).await?)
}

/// Refuses a person that was read, unless it is this contact and is not deleted.
fn require_existing(id: ContactId, read: Option<Person>) -> Result<Person, Problem> {
    let person = read.ok_or_else(Problem::not_found)?;
    itself(id, &person.contact)?;
    if person.contact.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    Ok(person)
}

/// The answer, or if there is none because the contact was merged into another, which one.
async fn unless_merged<P: Permit, T>(
    api: &Api,
    who: &Allowed<P>,
    contact: ContactId,
    answer: Result<T, Problem>,
) -> Result<T, Problem> {
    match answer {
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            if let Some(read) = api.store().contact(who.scope(), contact).await? {
                itself(contact, &read)?;
            }
            Err(problem)
        }
        answer => answer,
    }
}

async fn update_contact(
    who: AllowedOrRun<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    if_match: IfMatch,
    patch: Patch<PersonIn>,
) -> Result<Tagged<ContactOut>, Problem> {
    let who = who.about(id)?;
    patch.refuse_callback_beyond(&who, &BY_CALLBACK)?;
    let definitions = definitions(&api, &who).await?;
    let change = |before: &Person| {
        let fields = patch.apply(&PersonIn::of(before, &definitions))?;
        Ok(fields.onto(before, &definitions, who.now())?)
    };
    let person = change_contact(&api, &who, id, &if_match, &definitions, change).await?;
    Ok(contact_with_etag(person, &definitions))
}

async fn delete_contact(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    begin_deletion(&api, &who, id, &if_match, Deletion::Restorable).await?;
    Ok(NoContent)
}

/// Contacts that a tenant erases per hour, one by one.
const ERASURES: Limit = Limit::per_hour(1_000);

async fn erase_contact(
    who: Allowed<permits::ContactsErase>,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<ContactId>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    api.limit(&who, "ERASURES", ERASURES).await?;
    let erasure = begin_deletion(&api, &who, id, &IfMatch::ANY, Deletion::Final).await?;
    Ok(start_and_answer(&who, &bus, erasure).await)
}

/// Kind of a deletion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deletion {
    /// It is erased later, unless it is restored.
    Restorable,
    /// It is erased now.
    Final,
}

/// Deletes a contact. Returns the operation that erases it.
async fn begin_deletion<P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    id: ContactId,
    if_match: &IfMatch,
    how: Deletion,
) -> Result<Operation, Problem> {
    let definitions = &definitions(api, who).await?;
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let params = EraseContact {
        contact: id,
        deleted_at: who.now(),
    };
    let erasure = params.wanted_by(stamp);
    let erasure = &match how {
        Deletion::Restorable => erasure.not_before(who.now() + RESTORABLE_FOR),
        Deletion::Final => erasure,
    };
    let removed = RACES.until_won(|| async move {
        let before = require_found(store.known_person(scope, id)).await?;
        itself(id, &before.contact)?;
        match before.contact.deleted_at {
            // A request that was interrupted, or another one. An erasure that was cancelled or failed begins anew: nothing else
            // can be done with the contact.
            Some(deleted_at) if how == Deletion::Final && before.contact.erasing => {
                let begun = EraseContact {
                    contact: id,
                    deleted_at,
                };
                let begun = store.operation(scope, begun.operation(), who.now()).await?;
                if let Some(begun) = begun.filter(|begun| !begun.value.state.is_end()) {
                    return Ok(begun.value);
                }
            }
            Some(_) if how == Deletion::Restorable => return Err(Problem::not_found().into()),
            _ => {}
        }
        if_match.check(PersonIn::of(&before, definitions).version())?;
        let mut after = before.clone();
        after.contact.deleted_at = Some(params.deleted_at);
        after.contact.erasing = how == Deletion::Final;
        match store.delete_person(scope, &before, &after, erasure, stamp).await {
            Ok(()) => Ok(erasure.clone()),
            Err(PersonError::Store(error)) => Err(error.into()),
            Err(error) => Err(Setback::Refused(refusal(error, &after))),
        }
    });
    removed.await
}

async fn restore_contact(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
) -> Result<Tagged<ContactOut>, Problem> {
    let definitions = definitions(&api, &who).await?;
    let restore = |before: &Person| {
        if before.contact.erasing {
            let detail = "The contact is being erased, so it cannot be restored. Create a new one.";
            return Err(Problem::conflict("conflict", detail));
        }
        let mut after = before.clone();
        after.contact.deleted_at = None;
        Ok(after)
    };
    let known = require_found(api.store().known_person(who.scope(), id)).await?;
    itself(id, &known.contact)?;
    let person = changed_of(&api, &who, id, true, &IfMatch::ANY, &definitions, restore).await?;
    if let Some(deleted_at) = known.contact.deleted_at {
        let params = EraseContact {
            contact: id,
            deleted_at,
        };
        not_erased(&api, &who, params.operation()).await?;
    }
    Ok(contact_with_etag(person, &definitions))
}

/// Cancels the erasure of a restored contact. It would erase nothing, but would be listed for 30 days.
async fn not_erased(api: &Api, who: &Writing, erasure: OperationId) -> Result<(), Problem> {
    match api.cancel_operation(who, erasure, |_| Ok(())).await {
        // It ended long ago.
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Ok(()),
        cancelled => cancelled.map(drop),
    }
}

async fn add_phone(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    Body(PhoneIn { phone, preferred }): Body<PhoneIn>,
) -> Result<Tagged<ContactOut>, Problem> {
    let add = |after: &mut Person| {
        let phones = &mut after.contact.phones;
        identities::add(phones, &phone, preferred, "telephone numbers")
    };
    edit_contact(&api, &who, id, add).await
}

async fn remove_phone(
    who: Writing,
    State(api): State<Api>,
    Path((id, phone)): Path<(ContactId, Phone)>,
) -> Result<NoContent, Problem> {
    let remove = |after: &mut Person| {
        identities::remove(&mut after.contact.phones, &phone)?;
        identities::still_somebody(after, "phone")
    };
    edit_contact(&api, &who, id, remove).await?;
    Ok(NoContent)
}

/// The person with the refusals of identities that are new to them: of the suppression list, or of somebody who was erased.
async fn with_refusals(
    store: &Store,
    who: &Writing,
    before: &Person,
    mut person: Person,
) -> Result<(Person, Brought), StoreError> {
    let new = Linked::between(&before.contact, &person.contact).new;
    let refusals = store.refusals_of(who.scope(), &new).await?;
    let brought = Brought::of(refusals, &mut person.contact, &who.stamp());
    Ok((person, brought))
}

fn contact_with_etag(person: Person, definitions: &[Field]) -> Tagged<ContactOut> {
    Tagged {
        version: PersonIn::of(&person, definitions).version(),
        body: ContactOut::of(person, definitions),
    }
}

async fn definitions<P: Permit>(api: &Api, who: &Allowed<P>) -> Result<Fields, Problem> {
    api.fields(who).await
}

/// Changes a contact that is not deleted, whatever its version.
async fn edit_contact(
    api: &Api,
    who: &Writing,
    id: ContactId,
    edit: impl Fn(&mut Person) -> Result<(), Problem>,
) -> Result<Tagged<ContactOut>, Problem> {
    let definitions = definitions(api, who).await?;
    let change = |before: &Person| {
        let mut after = before.clone();
        edit(&mut after)?;
        after.touch(before, who.now());
        Ok(after)
    };
    let person = change_contact(api, who, id, &IfMatch::ANY, &definitions, change).await?;
    Ok(contact_with_etag(person, &definitions))
}

/// Changes a contact that is not deleted.
async fn change_contact(
    api: &Api,
    who: &Writing,
    id: ContactId,
    if_match: &IfMatch,
    definitions: &[Field],
    change: impl Fn(&Person) -> Result<Person, Problem>,
) -> Result<Person, Problem> {
    changed_of(api, who, id, false, if_match, definitions, change).await
}

/// Changes a contact, also a deleted one if so wanted.
async fn changed_of(
    api: &Api,
    who: &Writing,
    id: ContactId,
    or_deleted: bool,
    if_match: &IfMatch,
    definitions: &[Field],
    change: impl Fn(&Person) -> Result<Person, Problem>,
) -> Result<Person, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let read = || async move {
        let found = store.known_person(scope, id).await?;
        let found = found.filter(|person| or_deleted || person.contact.deleted_at.is_none());
        Ok(found.map(|person| Versioned {
            version: PersonIn::of(&person, definitions).version(),
            value: person,
        }))
    };
    // Whoever has the version of a merged contact is told the survivor's id first.
    let change = |before: &Person| {
        itself(id, &before.contact)?;
        if_match.check(PersonIn::of(before, definitions).version())?;
        change(before)
    };
    let write = |before: Versioned<Person>, after: Person| async move {
        references(api, who, &before.value, &after)
            .await
            .map_err(Setback::Refused)?;
        let (after, brought) = with_refusals(store, who, &before.value, after).await?;
        let changed = store.change_person(scope, &before.value, &after, &brought, stamp);
        match changed.await {
            Ok(()) => Ok(Versioned {
                version: PersonIn::of(&after, definitions).version(),
                value: after,
            }),
            Err(PersonError::Store(error)) => Err(error.into()),
            Err(error) => Err(Setback::Refused(refusal(error, &after))),
        }
    };
    let changed = RACES.change(&IfMatch::ANY, read, change, write).await?;
    Ok(changed.value)
}

/// Refuses tags, a stage or an owner that the change adds and that do not exist.
async fn references(api: &Api, who: &Writing, before: &Person, after: &Person) -> Result<(), Problem> {
    let (was, is) = (&before.profile, &after.profile);
    let stage = is.stage.map(|staged| staged.stage);
    let added = References {
        tags: ("tags", is.tags.difference(&was.tags).copied().collect()),
        stage: (
            "stage",
            stage.filter(|stage| was.stage.is_none_or(|staged| staged.stage != *stage)),
        ),
        owner: ("owner", is.owner.filter(|owner| was.owner != Some(*owner))),
    };
    let missing = api.missing(who, &added).await?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing.into())
    }
}

/// The answer to a refused write.
fn refusal(error: PersonError, person: &Person) -> Problem {
    let identity = match error {
        PersonError::Taken(identity) => identity,
        PersonError::TooMany(_) => {
            let detail =
                "This changes too many values, tags and numbers at once. Change some of them first, then the others.";
            return Problem::unprocessable(detail);
        }
        PersonError::Store(error) => return error.into(),
    };
    let place = |field: &str, place: Option<usize>| place.map_or(field.to_owned(), |place| format!("{field}[{place}]"));
    let (field, what) = match &identity {
        Identity::Phone(phone) => {
            let at = person.contact.phones.iter().position(|known| known == phone);
            (place("phones", at), "telephone number")
        }
        Identity::Email(email) => {
            let at = person.contact.emails.iter().position(|known| known == email);
            (place("emails", at), "e-mail address")
        }
        Identity::Bsuid(_) | Identity::Sip(_) | Identity::Sender(_) | Identity::Withheld(_) => {
            ("phones".to_owned(), "identity")
        }
    };
    let detail = format!(
        "Another contact has this {what}. Search for it, also with `deleted`, and change or restore that contact, or leave this out."
    );
    Problem::conflict("taken", &detail).about(field, Fault::new(FaultCode::Taken, detail))
}
