//! Notes on contacts. They are read, listed and created as whatever is [recorded](crate::contacts::of_contact) about a contact, and changed
//! and deleted as [owned](crate::table::owned) rows are.

use domain::{
    base::{
        actor::Stamp,
        ids::{ContactId, NoteId},
    },
    contacts::note::Note,
};

use crate::{
    Store, StoreError, TenantScope, Versioned,
    contacts::of_contact,
    table::{
        owned::Unwritten,
        row::{Condition, Write},
    },
};

impl Store {
    /// A note of a contact, or of one that was merged into it, with its version, as [`Store::of_contact`].
    pub async fn note(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        id: NoteId,
    ) -> Result<Option<Versioned<Note>>, StoreError> {
        self.of_contact(scope, contact, (id.contact(), id.own())).await
    }

    /// Changes a note under the condition of the version that was read. Returns its new version.
    pub async fn change_note(
        &self,
        scope: &TenantScope,
        before: &Versioned<Note>,
        after: &Note,
        stamp: &Stamp,
    ) -> Result<u64, StoreError> {
        let (condition, version) = (Condition::Version(before.version), before.version + 1);
        let row = of_contact::row(scope, after, condition, version, stamp)?;
        self.database.put(row, "change a note").await?;
        Ok(version)
    }

    /// Deletes a note under the condition of the version that was read: it is hidden, and removed after a day.
    pub async fn remove_note(
        &self,
        scope: &TenantScope,
        before: &Versioned<Note>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "delete a note";
        let (note, condition) = (&before.value, Condition::Version(before.version));
        let row = of_contact::row(scope, note, condition, before.version + 1, stamp)?;
        let writes = vec![
            Write::Put(row.gone(stamp.at)),
            Write::CountDown(of_contact::count_key::<Note>(scope, note.id.contact())),
        ];
        match self.settled(writes, DOING).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error),
            Err(Unwritten::Lost(_)) => Err(StoreError::Conflict { doing: DOING }),
        }
    }
}
