//! Drafts of replies, in the partition of the conversation's contact, so that they are erased with it. They name no author, so that the
//! audit log has nothing of them.

use domain::inbox::Draft;
use domain::terms::{ContactId, ConversationId, UserId};
use jiff::Timestamp;

use crate::table::keys;
use crate::table::row::{self, Condition, Row, Write};
use crate::{Store, StoreError, TenantScope, Versioned};

impl Store {
    /// A person's draft in a conversation, if there is one.
    pub async fn draft(
        &self,
        scope: &TenantScope,
        id: ConversationId,
        author: UserId,
        now: Timestamp,
    ) -> Result<Option<Draft>, StoreError> {
        const DOING: &str = "read a draft";
        let item = self.database.get(&keys::draft(scope, id, author), DOING).await?;
        let found: Option<Versioned<Draft>> = row::read_versioned(item, Some(now), DOING)?;
        Ok(found.map(|found| found.value))
    }

    /// Writes a person's draft over the one before. `holder`: the conversation's contact, or the one that survived a merge. The check of it
    /// holds until the draft is written, so that nothing of an erased contact stays behind. Write units for the draft (2 per KB), and 2 for
    /// the check.
    ///
    /// # Errors
    /// A conflict after a lost race, or if the contact is deleted or was merged into another.
    pub async fn write_draft(
        &self,
        scope: &TenantScope,
        id: ConversationId,
        author: UserId,
        holder: ContactId,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write a draft";
        let row = Row::new(
            &keys::draft(scope, id, author),
            "draft",
            draft,
            Condition::Always,
            DOING,
        )?;
        let writes = vec![
            Write::Put(row.expires(now, Draft::RETAINED)),
            Write::Shown(keys::contact(scope, holder)),
        ];
        self.database.transact_writes(writes, DOING).await
    }

    /// Deletes a person's draft in a conversation, if there is one.
    pub async fn delete_draft(
        &self,
        scope: &TenantScope,
        id: ConversationId,
        author: UserId,
    ) -> Result<(), StoreError> {
        let key = keys::draft(scope, id, author);
        self.database.delete(&key, "delete a draft").await
    }
}
