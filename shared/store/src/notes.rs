//! Notes on contacts, in the contacts' partitions. They are read, changed and deleted as [owned](crate::owned) rows are, but
//! belong to a contact: one that does not exist has none and gets none.

use domain::{
    actor::Stamp,
    ids::{ContactId, NoteId},
    note::Note,
};

use crate::{
    Page, Store, StoreError, TenantScope, Versioned, keys,
    owned::Unwritten,
    row::{self, Condition, Row, Write},
};

/// The reason why a note cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// There is no such contact.
    #[error("there is no such contact")]
    NoContact,
    /// The contact has the maximum number.
    #[error("the contact has as many notes as it may")]
    Full,
    /// The table; [`StoreError::Conflict`] if the id exists.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn note_row(
    scope: &TenantScope,
    note: &Note,
    condition: Condition,
    version: u64,
    stamp: &Stamp,
) -> Result<Row, StoreError> {
    let row = Row::new(&keys::note(scope, note.id), "note", note, condition, "write a note")?;
    Ok(row.version(version).stamped(stamp))
}

// Indices in `create_writes`.
const ROW: usize = 0;
const COUNT: usize = 1;
const CONTACT: usize = 2;

fn create_writes(scope: &TenantScope, note: &Note, stamp: &Stamp) -> Result<Vec<Write>, StoreError> {
    let contact = note.id.contact();
    Ok(vec![
        Write::Put(note_row(scope, note, Condition::NewOrGone, 1, stamp)?),
        Write::CountBelow(keys::note_count(scope, contact), Note::MOST),
        Write::Exists(keys::contact(scope, contact)),
    ])
}

impl Store {
    /// A note with its version; `None` if the contact does not exist. One request of two rows.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note(&self, scope: &TenantScope, id: NoteId) -> Result<Option<Versioned<Note>>, StoreError> {
        const DOING: &str = "read a note";
        let (contact, note) = (keys::contact(scope, id.contact()), keys::note(scope, id));
        let mut found = self.database.get_many(&[contact.clone(), note.clone()], DOING).await?;
        if !found.get(&contact).is_some_and(row::live) {
            return Ok(None);
        }
        row::versioned(found.remove(&note), None, DOING)
    }

    /// One page of a contact's notes, the newest first; `None` if the contact does not exist. `after` is the cursor of the
    /// previous page. A page may hold fewer notes than `limit`: those deleted within the last day are left out.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn notes(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        after: Option<NoteId>,
        limit: i32,
    ) -> Result<Option<Page<Versioned<Note>>>, StoreError> {
        const DOING: &str = "list the notes of a contact";
        let partition = keys::contact_partition(scope, contact);
        let after = after.map(|id| keys::note(scope, id).sk);
        let (exists, (rows, more)) = tokio::try_join!(
            Box::pin(self.has_contact(scope, contact, DOING)),
            Box::pin(
                self.database
                    .page(&partition, keys::NOTE, after.as_deref(), limit, true, DOING)
            )
        )?;
        if !exists {
            return Ok(None);
        }
        let last = rows.last().and_then(|item| row::string(item, "sk"));
        let last = last.filter(|_| more).and_then(|sk| keys::note_of(&partition, sk));
        let next = last.map(|id| id.to_string());
        let notes = rows
            .into_iter()
            .filter_map(|item| row::versioned(Some(item), None, DOING).transpose());
        let items = notes.collect::<Result<_, _>>()?;
        Ok(Some(Page { items, next }))
    }

    /// Creates a note, unless the contact does not exist or has the maximum number. One transaction and no read: write units
    /// for the row (2 per KB), 2 for the counter, and 2 for the check that the contact exists. It holds until the note is
    /// written, so that no note of a deleted contact stays behind.
    ///
    /// # Errors
    /// [`NoteError`].
    pub async fn create_note(&self, scope: &TenantScope, note: &Note, stamp: &Stamp) -> Result<(), NoteError> {
        const DOING: &str = "create a note";
        let lost = match self.settled(create_writes(scope, note, stamp)?, DOING).await {
            Ok(()) => return Ok(()),
            Err(Unwritten::Store(error)) => return Err(error.into()),
            Err(Unwritten::Lost(lost)) => lost,
        };
        let refused = |write: usize| lost.refused.contains(&write);
        Err(if refused(CONTACT) {
            NoteError::NoContact
        } else if refused(COUNT) && !refused(ROW) {
            NoteError::Full
        } else {
            StoreError::Conflict { doing: DOING }.into()
        })
    }

    /// Changes a note under the condition of the version that was read. Returns its new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn change_note(
        &self,
        scope: &TenantScope,
        before: &Versioned<Note>,
        after: &Note,
        stamp: &Stamp,
    ) -> Result<u64, StoreError> {
        let (condition, version) = (Condition::Version(before.version), before.version + 1);
        let row = note_row(scope, after, condition, version, stamp)?;
        self.database.put(row, "change a note").await?;
        Ok(version)
    }

    /// Deletes a note under the condition of the version that was read: it is hidden, and removed after a day.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn remove_note(
        &self,
        scope: &TenantScope,
        before: &Versioned<Note>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "delete a note";
        let (note, condition) = (&before.value, Condition::Version(before.version));
        let row = note_row(scope, note, condition, before.version + 1, stamp)?;
        let writes = vec![
            Write::Put(row.gone(stamp.at)),
            Write::CountDown(keys::note_count(scope, note.id.contact())),
        ];
        match self.settled(writes, DOING).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error),
            Err(Unwritten::Lost(_)) => Err(StoreError::Conflict { doing: DOING }),
        }
    }
}
