//! Merges of contacts, and their undoing.

use api::{Api, Body, ContactOut, Path};
use axum::Json;
use axum::extract::State;
use domain::people::{
    Conflict, ConsentEntry, Contact, Field, Merge, MergeShown, Merged, Resolution, Undo, Unmergeable, merge_people,
};
use domain::terms::{ContactId, MergeId};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::contacts::{Decided, PersonError};

use crate::{RACES, Writing, definitions, existing, require_found};

/// Another contact to be merged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeIn {
    /// The other contact. It becomes part of the one in the path.
    contact_id: ContactId,
    /// Whether to change nothing, and only to see the result.
    #[serde(default)]
    dry_run: bool,
}

/// A merge to be undone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnmergeIn {
    /// The merge, as in the answer to it or in the timeline.
    merge_id: MergeId,
}

/// A field with different values in two contacts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MergeConflict")]
pub(crate) struct ConflictOut {
    /// Name of the field. Values of the tenant's fields are `fields.` and their key.
    #[schemars(example = &"name")]
    field: String,
    /// `survivor`: the value of the contact in the path stays. `left_out`: values of the other contact are left out, since there is no
    /// room for them. `stricter`: the refusals of both hold, and opt-ins only if the other contact refused nothing of it since.
    decision: Resolution,
}

impl ConflictOut {
    /// A conflict with the key of the tenant's field; `None` if the field was deleted.
    fn of(conflict: Conflict, definitions: &[Field]) -> Option<Self> {
        let field = match conflict.tenants_field() {
            None => conflict.field,
            Some(id) => {
                let definition = definitions.iter().find(|definition| definition.id == id)?;
                format!("fields.{}", definition.key)
            }
        };
        let decision = conflict.decision;
        Some(Self { field, decision })
    }
}

/// The result of a merge.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MergeResult {
    /// The merge. `null` if nothing was changed.
    merge: Option<MergeShown>,
    /// The resulting contact.
    contact: ContactOut,
    /// Fields with different values in the contacts, and what was decided.
    conflicts: Vec<ConflictOut>,
}

/// Two contacts after a merge was undone.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnmergeResult {
    /// The contact in the path.
    contact: ContactOut,
    /// The contact that had been merged into it.
    other: ContactOut,
}

/// A request that was interrupted after it had merged the contacts finds its merge.
pub(crate) async fn merge_contact(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    Body(MergeIn { contact_id, dry_run }): Body<MergeIn>,
) -> Result<Json<MergeResult>, Problem> {
    let definitions = definitions(&api, &who).await?;
    let (store, scope, stamp, now) = (api.store(), who.scope(), &who.stamp(), who.now());
    let (merge_id, author) = (MergeId::new(id, who.ulid()), who.actor());
    let merged = RACES.until_won(|| async move {
        let survivor = existing(store, scope, id).await?;
        let Some(other) = store.known_person(scope, contact_id).await? else {
            let problem = Problem::not_found().about("contact_id", "There is no contact with this id.");
            return Err(problem.into());
        };
        let into = other.contact.id;
        if into != contact_id {
            let earlier = store.undoable(scope, merge_id, now).await?;
            let Some(earlier) = earlier.filter(|earlier| earlier.merge.value.other == contact_id) else {
                let detail = format!("The contact was merged into {into} already.");
                return Err(Problem::field("contact_id", detail).into());
            };
            let merge = earlier.merge.value;
            return Ok((Some(merge.clone()), survivor, merge.conflicts));
        }
        let Merged { person, conflicts } = merge_people(&survivor, &other, now).map_err(merge_problem)?;
        if dry_run {
            return Ok((None, person, conflicts));
        }
        let merge = Merge {
            id: merge_id,
            other: contact_id,
            by: author,
            at: now,
            conflicts: conflicts.clone(),
            undone: None,
        };
        let others = store.others_of(scope, &[&survivor.contact, &other.contact]).await?;
        let told: Vec<(Contact, Vec<ConsentEntry>)> = others
            .into_iter()
            .filter(|third| !third.erasing)
            .map(|mut third| {
                let refusals = third.share_refusals(&person.contact);
                (third, refusals)
            })
            .filter(|(_, refusals)| !refusals.is_empty())
            .collect();
        let undo = Undo {
            survivor,
            other,
            merged: person,
            conversations: Vec::new(),
        };
        let decided = Decided {
            undo: &undo,
            merge: &merge,
            told: &told,
        };
        match store.merge_people(scope, &decided, stamp).await {
            Ok(()) => Ok((Some(merge), undo.merged, conflicts)),
            Err(PersonError::Store(error)) => Err(error.into()),
            Err(_) => Err(too_many_rows().into()),
        }
    });
    let (merge, person, conflicts) = Box::pin(merged).await?;
    let conflicts = conflicts.into_iter();
    Ok(Json(MergeResult {
        merge: merge.map(MergeShown::from),
        contact: ContactOut::of(person, &definitions),
        conflicts: conflicts
            .filter_map(|conflict| ConflictOut::of(conflict, &definitions))
            .collect(),
    }))
}

fn merge_problem(why: Unmergeable) -> Problem {
    let detail = why.to_string();
    match why {
        Unmergeable::Same | Unmergeable::Hidden(_) => Problem::field("contact_id", detail),
        Unmergeable::Deleted(_) | Unmergeable::Erasing(_) => Problem::conflict("conflict", detail),
        Unmergeable::TooMany { .. } | Unmergeable::TooManyAliases { .. } => Problem::conflict("limit_reached", detail),
        Unmergeable::TooLarge(_) => Problem::unprocessable(detail),
    }
}

fn too_many_rows() -> Problem {
    let detail = "The contacts have too many values, tags, numbers and open conversations to be moved at once. Remove or close some of them first.";
    Problem::unprocessable(detail)
}

pub(crate) async fn unmerge_contact(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ContactId>,
    Body(UnmergeIn { merge_id }): Body<UnmergeIn>,
) -> Result<Json<UnmergeResult>, Problem> {
    let definitions = definitions(&api, &who).await?;
    let (store, scope, stamp, now) = (api.store(), who.scope(), &who.stamp(), who.now());
    let apart = RACES.until_won(|| async move {
        let survivor = existing(store, scope, id).await?;
        let undoable = match merge_id.contact() == id {
            true => store.undoable(scope, merge_id, now).await?,
            false => None,
        };
        let Some(undoable) = undoable else {
            let problem = Problem::not_found().about("merge_id", "The contact has no merge with this id.");
            return Err(problem.into());
        };
        let merge = &undoable.merge.value;
        if merge.undone.is_some() {
            let other = require_found(store.known_person(scope, merge.other)).await?;
            return Ok((survivor, other));
        }
        let Some(undo) = &undoable.undo else {
            let detail = "A merge can be undone for 24 hours, which are over.";
            return Err(Problem::conflict("conflict", detail).into());
        };
        if survivor.contact.aliases.last() != Some(&merge.other) {
            let detail = "Another contact has been merged into this one since. Undo that merge first.";
            return Err(Problem::conflict("conflict", detail).into());
        }
        let apart = undo.apply(&survivor, &undoable.leading);
        match store.unmerge_people(scope, &survivor, &apart, &undoable, stamp).await {
            Ok(()) => Ok((apart.survivor, apart.other)),
            Err(PersonError::Store(error)) => Err(error.into()),
            Err(_) => Err(too_many_rows().into()),
        }
    });
    let (contact, other) = Box::pin(apart).await?;
    Ok(Json(UnmergeResult {
        contact: ContactOut::of(contact, &definitions),
        other: ContactOut::of(other, &definitions),
    }))
}
