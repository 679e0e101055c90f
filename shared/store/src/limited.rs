//! People, together with those who are invited: a tenant may have only so many. No counter can tell how many invitations are open,
//! since they lapse by themselves. So whoever invites somebody counts first and writes under the condition that nobody else
//! invited somebody since: however many invite at once, the limit holds. All else is counted by [`crate::owned`].

use domain::{
    account::{Invitation, Member},
    actor::Stamp,
};
use jiff::Timestamp;

use crate::{
    Owned, Part, Store, StoreError, TenantScope, Versioned,
    keys::{self, Key},
    members,
    row::{self, Condition, Row},
};

/// A tenant has at most this many people, counting those who are deactivated and those who are invited.
pub const MOST_PEOPLE: usize = 500;

/// At most this many invitations are open.
pub const MOST_INVITATIONS: usize = 100;

/// What somebody counted, valid until somebody else adds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// What there is.
    pub found: T,
    /// What the next addition is conditioned on.
    version: u64,
}

/// Who belongs to a tenant or is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// How many have a place.
    pub members: usize,
    /// The open invitations.
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
    /// Who belongs to the tenant or is invited: to be read before somebody is invited.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn people(&self, scope: &TenantScope, now: Timestamp) -> Result<Counted<People>, StoreError> {
        const DOING: &str = "count a tenant's people";
        let added = self.database.get(&keys::additions(scope), DOING).await?;
        let version = added.as_ref().map(row::version_of).unwrap_or_default();
        let mut members = self.every(scope, Part::People, Member::PREFIX, DOING).await?;
        members.retain(row::live);
        let invited = self.every(scope, Part::People, Invitation::PREFIX, DOING).await?;
        let open = |item| row::versioned(Some(item), Some(now), DOING).transpose();
        Ok(Counted {
            found: People {
                members: members.len(),
                invitations: invited.into_iter().filter_map(open).collect::<Result<_, _>>()?,
            },
            version,
        })
    }

    /// Invites somebody, if nobody else was invited since the people were counted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody was: count again.
    pub async fn invite_one_more(
        &self,
        scope: &TenantScope,
        counted: &Counted<People>,
        invitation: &Invitation,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "invite somebody";
        let mut rows = vec![addition(&keys::additions(scope), counted.version, DOING)?];
        rows.extend(members::invitation_rows(scope, invitation, stamp, DOING)?);
        self.database.transact(rows, DOING).await
    }
}
