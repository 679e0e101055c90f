//! People and invitations together: a tenant may have a limited number of them. No counter can tell how many invitations are open, since
//! they expire by themselves. So the caller counts first and writes under the condition that nobody was invited since: however many invite
//! at once, the limit holds. Everything else is counted by [`crate::table::owned`].

use domain::accounts::{Invitation, Member};
use domain::terms::Stamp;
use jiff::Timestamp;

use crate::accounts::invitation_rows;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row};
use crate::{Owned, Part, Store, StoreError, TenantScope, Versioned};

/// A count, valid until the next addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    pub found: T,
    /// The version that the next addition depends on.
    version: u64,
}

/// People who belong to a tenant or are invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// Number of members.
    pub members: usize,
    pub invitations: Vec<Versioned<Invitation>>,
}

fn addition(key: &Key, version: u64, doing: &'static str) -> Result<Row, StoreError> {
    let condition = match version {
        0 => Condition::New,
        known => Condition::Version(known),
    };
    Ok(Row::new(key, "additions", &(), condition, doing)?.version(version + 1))
}

impl Store {
    /// Counts the people who belong to the tenant or are invited. To be read before an invitation.
    pub async fn people(&self, scope: &TenantScope, now: Timestamp) -> Result<Counted<People>, StoreError> {
        const DOING: &str = "count a tenant's people";
        let added = self.database.get(&keys::additions(scope), DOING).await?;
        let version = added.as_ref().map(row::version_of).unwrap_or_default();
        let mut members = self.every(scope, Part::People, Member::PREFIX, DOING).await?;
        members.retain(row::live);
        let invited = self.every(scope, Part::People, Invitation::PREFIX, DOING).await?;
        let open = |item| row::read_versioned(Some(item), Some(now), DOING).transpose();
        Ok(Counted {
            found: People {
                members: members.len(),
                invitations: invited.into_iter().filter_map(open).collect::<Result<_, _>>()?,
            },
            version,
        })
    }

    /// Invites somebody, if nobody was invited since the people were counted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody was: count again.
    pub async fn invite_one_more(
        &self,
        scope: &TenantScope,
        counted: &Counted<People>,
        invitation: &Invitation,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "invite somebody";
        let mut rows = vec![addition(&keys::additions(scope), counted.version, DOING)?];
        rows.extend(invitation_rows(scope, invitation, stamp, DOING)?);
        self.database.transact(rows, DOING).await
    }
}
