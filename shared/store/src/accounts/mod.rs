//! People's accounts and sessions, members of tenants, API keys, the audit log, and notices to people.

mod account;
mod api_keys;
mod audit;
mod limited;
mod members;
mod notices;
mod security;

#[cfg(test)]
pub(crate) use account::{EmailOwner, SlugOwner};
pub use account::{Hold, SIGN_UP_LIFETIME};
pub(crate) use account::{account_row, confirmed_writes, email_row, taken_slug_row};
pub use api_keys::ApiKeyOwner;
pub use audit::{Recorded, Wanted, is_audit_position};
pub use limited::{Counted, People};
pub use members::{MAX_INVITATIONS, MAX_PEOPLE, MemberError};
pub(crate) use members::{caller_key, invitation_rows, nobody_row};
pub use notices::{DueNotice, DueNotices, Pending};
pub use security::{Noted, Whose};
