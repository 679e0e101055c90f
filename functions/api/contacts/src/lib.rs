//! Contacts: the people who call or write to a tenant, or whom it adds itself.

mod models;
mod notes;
mod search;
mod timeline;

use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, OperationOut, Paging, Patch, Path, Query, Races, Setback,
    Tagged, With, found, permits,
};
use axum::{Extension, Json, Router, extract::State, http::StatusCode};
use domain::{
    account::Member,
    contact::{Contact, Identity, MOST_IDENTITIES, RESTORABLE},
    erasure::EraseContact,
    field::Field,
    ids::{ContactId, OperationId},
    operation::{Data, Operation, OperationKind},
    permission::permits::Permit,
    person::{Person, PersonIn},
    phone::Phone,
    profile::Profile,
    stage::Stage,
    tag::Tag,
};
use jobs::StartOperation;
use kit::{Bus, ConfigError, Env, Problem};
use store::{
    Versioned,
    people::{PersonError, Position},
};

use crate::{
    models::{ContactOut, ContactQuery, Order, PhoneIn},
    search::Search,
};

/// Routes of the function.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?).layer(Extension(Bus::new(env)?)))
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
        /// them reads: of `digits` by number, of `field` by value, of `name` by word, of `stage` by the time at which they reached
        /// it, of `tag` by time of creation. A page can hold fewer contacts than `limit`, or none, without being the last one: only
        /// a `next_cursor` of `null` ends the list.
        GET "/api/v1/contacts" => list_contacts, "A page of contacts";

        /// Get a contact
        ///
        /// The `ETag` changes with the fields that can be updated, not with calls and messages.
        GET "/api/v1/contacts/{contact_id}" => get_contact, "The contact";

        /// Update a contact
        ///
        /// `phones`, `emails` and `tags` are replaced as a whole, `fields` are merged. A removed number or address no longer leads to
        /// the contact, unless the contact refuses messages.
        PATCH "/api/v1/contacts/{contact_id}" => update_contact, "The updated contact";

        /// Delete a contact
        ///
        /// The contact is hidden: lists no longer show it, except with `deleted`. For 30 days it can be restored, and it is back if the
        /// person calls or writes. Then it is erased by an operation.
        DELETE "/api/v1/contacts/{contact_id}" => delete_contact, "The contact is deleted";

        /// Restore a contact
        ///
        /// Restores a deleted contact. Restoring one that is not deleted changes nothing.
        POST "/api/v1/contacts/{contact_id}/restore" => restore_contact, "The contact";

        /// Erase a contact
        ///
        /// Deletes the contact now, and everything of it within an hour: calls, messages, notes, identities, consent. It cannot be
        /// restored. The answer is the operation that does it, whose result says what was deleted. Hashes of the identities are
        /// kept, so that no import brings the person back. If the person calls or writes again, a new contact is created, which knows
        /// nothing of earlier refusals. A deleted contact can be erased, too.
        POST "/api/v1/contacts/{contact_id}/erase" => erase_contact, "The operation that erases the contact";

        /// Add a telephone number to a contact
        ///
        /// A contact has at most four. One that the contact has already becomes the preferred one if `preferred` is true.
        POST "/api/v1/contacts/{contact_id}/phones" => add_phone, "The contact";

        /// Remove a telephone number from a contact
        ///
        /// The number no longer leads to the contact, unless the contact refuses messages.
        DELETE "/api/v1/contacts/{contact_id}/phones/{phone}" => remove_phone, "The number is removed";

        /// Get the timeline of a contact
        ///
        /// Calls, messages, changes of consent and notes, newest first, each with the sentence of its decision or state. A page can
        /// hold fewer entries than `limit` without being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/contacts/{contact_id}/timeline" => timeline::get_timeline, "A page of the timeline";

        /// Create a note
        ///
        /// A contact has at most 500 notes.
        POST "/api/v1/contacts/{contact_id}/notes" => notes::create_note, "The note";

        /// List notes
        ///
        /// Newest first.
        GET "/api/v1/contacts/{contact_id}/notes" => notes::list_notes, "A page of notes";

        /// Get a note
        GET "/api/v1/contacts/{contact_id}/notes/{note_id}" => notes::get_note, "The note";

        /// Update a note
        ///
        /// Only its author, managers and admins.
        PATCH "/api/v1/contacts/{contact_id}/notes/{note_id}" => notes::update_note, "The updated note";

        /// Delete a note
        ///
        /// Only its author, managers and admins.
        DELETE "/api/v1/contacts/{contact_id}/notes/{note_id}" => notes::delete_note, "The note is deleted";
    }
}

type Reading = Allowed<permits::ContactsRead>;
type Writing = Allowed<permits::ContactsWrite>;

/// Attempts of a change that loses races, before the caller gets a conflict.
const RACES: Races = Races::most(24);

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
    let person = match store.create_person(scope, &person, &who.stamp()).await {
        Ok(()) => person,
        // Ids are nobody else's, so this is the one that the interrupted request created.
        Err(PersonError::Store(lost)) if lost.is_conflict() => found(store.known(scope, id)).await?,
        Err(error) => return Err(refusal(error, &person)),
    };
    Ok(Created {
        location: format!("/api/v1/contacts/{id}"),
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
    let definitions = definitions(&api, &who).await?;
    let backwards = query.order == Some(Order::Desc);
    let Search { filter, driver } = Search::of(query, &definitions)?;
    let after = paging.after().map(|text| {
        Position::read(text, &driver).ok_or_else(|| {
            Problem::bad_request(
                "The cursor belongs to another list. Send `next_cursor` of the previous page with the same conditions, \
                 or no cursor for the first page.",
            )
        })
    });
    let after = after.transpose()?;
    let wanted = (&filter, &driver);
    let page = api
        .store()
        .search_contacts(who.scope(), wanted, after.as_ref(), paging.limit(), backwards);
    Ok(Listed::of(page.await?, |person| ContactOut::of(person, &definitions)))
}

async fn get_contact(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
) -> Result<Tagged<ContactOut>, Problem> {
    let definitions = definitions(&api, &who).await?;
    let person = found(api.store().known(who.scope(), id)).await?;
    if person.contact.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    Ok(tagged(person, &definitions))
}

async fn update_contact(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    if_match: IfMatch,
    patch: Patch<PersonIn>,
) -> Result<Tagged<ContactOut>, Problem> {
    let definitions = definitions(&api, &who).await?;
    let change = |before: &Person| {
        let fields = patch.apply(&PersonIn::of(before, &definitions))?;
        Ok(fields.onto(before, &definitions, who.now())?)
    };
    let person = changed(&api, &who, id, &if_match, &definitions, change).await?;
    Ok(tagged(person, &definitions))
}

async fn delete_contact(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    deleted(&api, &who, id, &if_match, Deletion::Restorable).await?;
    Ok(NoContent)
}

async fn erase_contact(
    who: Allowed<permits::ContactsErase>,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<ContactId>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    let erasure = deleted(&api, &who, id, &IfMatch::ANY, Deletion::Final).await?;
    let start = StartOperation::of(who.scope().tenant(), &erasure);
    // If the bus does not answer, the due index starts it.
    if let Err(error) = bus.start(&[start]).await {
        tracing::warn!(
            error = kit::chain(&error),
            "the event that starts an erasure was not put on the bus"
        );
    }
    Ok(With(Json(erasure.into())))
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
async fn deleted<P: Permit>(
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
    let data = Data::of(&params).map_err(|_| Problem::internal())?;
    let (id_of_erasure, kind) = (params.operation(), OperationKind::EraseContact);
    let correlation_id = stamp.correlation_id.clone();
    let erasure = Operation::new(id_of_erasure, kind, data, who.actor(), correlation_id, who.now());
    let erasure = &match how {
        Deletion::Restorable => erasure.not_before(who.now() + RESTORABLE),
        Deletion::Final => erasure,
    };
    let removed = RACES.until_won(|| async move {
        let before = found(store.known(scope, id)).await?;
        match before.contact.deleted_at {
            // A request that was interrupted, or another one.
            Some(deleted_at) if how == Deletion::Final && before.contact.erasing => {
                let begun = EraseContact {
                    contact: id,
                    deleted_at,
                };
                let begun = found(store.operation(scope, begun.operation(), who.now())).await?;
                return Ok(begun.value);
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
    let known = found(api.store().known(who.scope(), id)).await?;
    let person = changed_of(&api, &who, (id, true), &IfMatch::ANY, &definitions, restore).await?;
    if let Some(deleted_at) = known.contact.deleted_at {
        let params = EraseContact {
            contact: id,
            deleted_at,
        };
        not_erased(&api, &who, params.operation()).await?;
    }
    Ok(tagged(person, &definitions))
}

/// Cancels the erasure of a restored contact. It would erase nothing, but would be listed for 30 days.
async fn not_erased(api: &Api, who: &Writing, erasure: OperationId) -> Result<(), Problem> {
    match api.cancel_operation(who, erasure).await {
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
    let definitions = definitions(&api, &who).await?;
    let add = |before: &Person| {
        let mut after = before.clone();
        let phones = &mut after.contact.phones;
        let known = phones.iter().position(|known| *known == phone);
        if known.is_none() && phones.len() == MOST_IDENTITIES {
            let advice = "Remove one first.";
            return Err(Problem::at_most(
                "limit_reached",
                MOST_IDENTITIES,
                "telephone numbers",
                advice,
            ));
        }
        match known {
            Some(place) if preferred => phones[..=place].rotate_right(1),
            Some(_) => {}
            None if preferred => phones.insert(0, phone.clone()),
            None => phones.push(phone.clone()),
        }
        after.touch(before, who.now());
        Ok(after)
    };
    let person = changed(&api, &who, id, &IfMatch::ANY, &definitions, add).await?;
    Ok(tagged(person, &definitions))
}

async fn remove_phone(
    who: Writing,
    State(api): State<Api>,
    Path((id, phone)): Path<(ContactId, Phone)>,
) -> Result<NoContent, Problem> {
    let definitions = definitions(&api, &who).await?;
    let remove = |before: &Person| {
        let mut after = before.clone();
        after.contact.phones.retain(|known| *known != phone);
        if after.contact.phones.len() == before.contact.phones.len() {
            return Err(Problem::not_found());
        }
        if after.is_nobody() {
            let detail = "A contact needs a name, a telephone number or an e-mail address. Delete the contact instead.";
            return Err(Problem::field("phone", detail));
        }
        after.touch(before, who.now());
        Ok(after)
    };
    changed(&api, &who, id, &IfMatch::ANY, &definitions, remove).await?;
    Ok(NoContent)
}

fn tagged(person: Person, definitions: &[Field]) -> Tagged<ContactOut> {
    Tagged {
        version: PersonIn::of(&person, definitions).version(),
        body: ContactOut::of(person, definitions),
    }
}

/// The tenant's fields.
async fn definitions<P: Permit>(api: &Api, who: &Allowed<P>) -> Result<Vec<Field>, Problem> {
    Ok(api.store().all::<Field>(who.scope()).await?)
}

/// Changes a contact that is not deleted.
async fn changed(
    api: &Api,
    who: &Writing,
    id: ContactId,
    if_match: &IfMatch,
    definitions: &[Field],
    change: impl Fn(&Person) -> Result<Person, Problem>,
) -> Result<Person, Problem> {
    changed_of(api, who, (id, false), if_match, definitions, change).await
}

/// Changes a contact, also a deleted one if so wanted.
async fn changed_of(
    api: &Api,
    who: &Writing,
    (id, or_deleted): (ContactId, bool),
    if_match: &IfMatch,
    definitions: &[Field],
    change: impl Fn(&Person) -> Result<Person, Problem>,
) -> Result<Person, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let read = || async move {
        let found = store.known(scope, id).await?;
        let found = found.filter(|person| or_deleted || person.contact.deleted_at.is_none());
        Ok(found.map(|person| Versioned {
            version: PersonIn::of(&person, definitions).version(),
            value: person,
        }))
    };
    let write = |before: Versioned<Person>, after: Person| async move {
        references(api, who, &before.value, &after)
            .await
            .map_err(Setback::Refused)?;
        match store.change_person(scope, &before.value, &after, stamp).await {
            Ok(()) => Ok(Versioned {
                version: PersonIn::of(&after, definitions).version(),
                value: after,
            }),
            Err(PersonError::Store(error)) => Err(error.into()),
            Err(error) => Err(Setback::Refused(refusal(error, &after))),
        }
    };
    let changed = RACES.change(if_match, read, change, write).await?;
    Ok(changed.value)
}

/// Refuses tags, a stage or an owner that the change adds and that do not exist.
async fn references(api: &Api, who: &Writing, before: &Person, after: &Person) -> Result<(), Problem> {
    let (store, scope) = (api.store(), who.scope());
    let (was, is) = (&before.profile, &after.profile);
    let tags = store.missing::<Tag>(scope, is.tags.difference(&was.tags)).await?;
    let stage = is.stage.map(|staged| staged.stage);
    let stage = stage.filter(|stage| was.stage.is_none_or(|staged| staged.stage != *stage));
    let stage = store.missing::<Stage>(scope, stage).await?;
    let owner = is.owner.filter(|owner| was.owner != Some(*owner));
    let owner = store.missing::<Member>(scope, owner).await?;
    let missing = [
        ("tags", tags, "There is no tag with the id"),
        ("stage", stage, "There is no stage with the id"),
        ("owner", owner, "There is no user with the id"),
    ];
    let mut wrong = Vec::new();
    for (field, ids, sentence) in missing {
        wrong.extend(
            ids.iter()
                .map(|id| domain::settings::FieldProblem::new(field, format!("{sentence} {id}."))),
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
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
        Identity::Bsuid(_) | Identity::Sip(_) | Identity::Withheld(_) => ("phones".to_owned(), "identity"),
    };
    let detail = format!(
        "Another contact has this {what}. Search for it, also with `deleted`, and change or restore that contact, or leave this out."
    );
    Problem::conflict("taken", &detail).about(field, detail)
}
