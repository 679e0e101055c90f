//! Roles and permissions in one table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Role of a user or key in a tenant. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Talks with customers.
    Agent,
    /// Manages the business: its settings and connections.
    Manager,
    /// Also decides who has access.
    Admin,
}

words! {
    /// Name of the role in the API.
    Role {
        Viewer = "viewer",
        Agent = "agent",
        Manager = "manager",
        Admin = "admin",
    }
}

impl Role {
    /// True if the role has the permission.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }

    /// True if the role has the permission, and these scopes of a key include it. No scopes: all that the role allows.
    pub fn grants(self, scopes: &[Permission], permission: Permission) -> bool {
        self.may(permission) && (scopes.is_empty() || scopes.contains(&permission))
    }
}

/// A text that is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of viewer, agent, manager, admin")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidRole)
    }
}

macro_rules! permissions {
    ($(#[doc = $about:literal] $name:ident = $word:literal, $least:ident;)*) => {
        /// A permission. Its name is a scope of API keys.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Permission {
            $(#[doc = $about] #[serde(rename = $word)] $name,)*
        }

        impl Permission {
            /// All permissions, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Name of the permission in the API and in the scopes of a key.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Description of the permission in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about.trim_ascii(),)* }
            }

            /// The lowest role that has the permission.
            pub const fn least_role(self) -> Role {
                match self { $(Self::$name => Role::$least,)* }
            }
        }

        /// Permissions as types, for guards that name them in a signature.
        pub mod permits {
            use super::Permission;

            /// A permission as a type.
            pub trait Permit: Send + Sync + 'static {
                const PERMISSION: Permission;
            }

            $(
                #[doc = $about]
                #[derive(Debug, Clone, Copy)]
                pub struct $name;

                impl Permit for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )*
        }
    };
}

// The table.
permissions! {
    /// Read the tenant's profile, settings and set-up, and the names of its users.
    TenantRead = "tenant:read", Viewer;
    /// Change the tenant's profile and settings.
    TenantWrite = "tenant:write", Manager;
    /// Read the users of the tenant and its invitations.
    UsersRead = "users:read", Manager;
    /// Invite users, change their roles, deactivate them.
    UsersWrite = "users:write", Admin;
    /// Read the API keys, but never their secrets.
    ApiKeysRead = "api_keys:read", Admin;
    /// Create, rotate and revoke API keys.
    ApiKeysWrite = "api_keys:write", Admin;
    /// Read the connections and their health.
    ConnectionsRead = "connections:read", Viewer;
    /// Create, change, test and delete connections.
    ConnectionsWrite = "connections:write", Manager;
    /// Read the endpoints of webhooks and their deliveries, but never their secrets.
    WebhooksRead = "webhooks:read", Manager;
    /// Create, change, test and delete endpoints of webhooks. Their events also need the permissions to read what they are about.
    WebhooksWrite = "webhooks:write", Manager;
    /// Read the lines.
    LinesRead = "lines:read", Viewer;
    /// Create, change and delete lines.
    LinesWrite = "lines:write", Manager;
    /// Read the automations and their earlier versions.
    AutomationsRead = "automations:read", Viewer;
    /// Create, change, order, archive, restore and delete automations.
    AutomationsWrite = "automations:write", Manager;
    /// Read and search the contacts, and read their history.
    ContactsRead = "contacts:read", Viewer;
    /// Create, change, merge, delete and restore contacts, and add consent, notes and other entries to their history.
    ContactsWrite = "contacts:write", Agent;
    /// Erase contacts for good.
    ContactsErase = "contacts:erase", Manager;
    /// Change and delete many contacts at once.
    ContactsBulk = "contacts:bulk", Manager;
    /// Read the calls, with the decisions about them and their grounds.
    CallsRead = "calls:read", Viewer;
    /// Listen to the recordings of calls.
    RecordingsRead = "recordings:read", Agent;
    /// Read the messages in both directions.
    MessagesRead = "messages:read", Viewer;
    /// See and hear the pictures, sound and other files that customers send, and attachments of replies.
    MediaRead = "media:read", Agent;
    /// Say whether a scanner has found something harmful in a file.
    MediaScan = "media:scan", Admin;
    /// Send messages, upload attachments for replies, cancel messages and send failed ones again.
    MessagesSend = "messages:send", Agent;
    /// Read the conversations of the inbox, with their messages, calls and notes.
    ConversationsRead = "conversations:read", Viewer;
    /// Mark conversations as read, keep drafts in them, change them, assign them, and say whether one is available.
    ConversationsWrite = "conversations:write", Agent;
    /// Follow what changes. Each event also needs the permission to read what it is about.
    LiveRead = "live:read", Viewer;
    /// Read the canned replies.
    CannedRepliesRead = "canned_replies:read", Viewer;
    /// Create, change and delete canned replies.
    CannedRepliesWrite = "canned_replies:write", Agent;
    /// Read the teams.
    TeamsRead = "teams:read", Viewer;
    /// Create, change and delete teams, and say who else is available.
    TeamsWrite = "teams:write", Manager;
    /// Read the imports of contacts and the files of refused rows.
    ImportsRead = "imports:read", Manager;
    /// Import contacts.
    ImportsWrite = "imports:write", Manager;
    /// Read the exports and download their files.
    ExportsRead = "exports:read", Manager;
    /// Export contacts, calls, messages and consent; with `audit:read`, also the audit log, and with `messages:read`, recipients of broadcasts.
    ExportsWrite = "exports:write", Manager;
    /// Read the products.
    ProductsRead = "products:read", Viewer;
    /// Create, change and delete products.
    ProductsWrite = "products:write", Manager;
    /// Read the orders.
    OrdersRead = "orders:read", Viewer;
    /// Record and update orders.
    OrdersWrite = "orders:write", Agent;
    /// Read the assets, and download their files.
    AssetsRead = "assets:read", Viewer;
    /// Upload, change and delete assets.
    AssetsWrite = "assets:write", Manager;
    /// Read the templates, their earlier versions and what uses them.
    TemplatesRead = "templates:read", Viewer;
    /// Write, submit, delete and sync templates.
    TemplatesWrite = "templates:write", Manager;
    /// Read the definitions of the contacts' fields.
    FieldsRead = "fields:read", Viewer;
    /// Create, change and delete definitions of the contacts' fields.
    FieldsWrite = "fields:write", Manager;
    /// Read the tags.
    TagsRead = "tags:read", Viewer;
    /// Create, change and delete tags.
    TagsWrite = "tags:write", Agent;
    /// Read the stages of leads.
    StagesRead = "stages:read", Viewer;
    /// Create, change and delete stages of leads.
    StagesWrite = "stages:write", Manager;
    /// Read and count the segments of contacts.
    SegmentsRead = "segments:read", Viewer;
    /// Create, change and delete segments of contacts.
    SegmentsWrite = "segments:write", Manager;
    /// Read the campaigns.
    CampaignsRead = "campaigns:read", Viewer;
    /// Create, change, start, pause, cancel and delete campaigns.
    CampaignsWrite = "campaigns:write", Manager;
    /// Read the suppression list.
    SuppressionsRead = "suppressions:read", Viewer;
    /// Change the suppression list.
    SuppressionsWrite = "suppressions:write", Manager;
    /// Read the caps of sending, and what is counted for them.
    CapsRead = "caps:read", Viewer;
    /// Set and remove caps of sending.
    CapsWrite = "caps:write", Manager;
    /// Read the operations: their progress and results.
    OperationsRead = "operations:read", Viewer;
    /// Cancel operations.
    OperationsWrite = "operations:write", Manager;
    /// Read the metrics: what was called, sent, answered and recovered, in numbers.
    MetricsRead = "metrics:read", Viewer;
    /// Read the usage: messages by purpose and state, and what they cost.
    UsageRead = "usage:read", Manager;
    /// Read the audit log.
    AuditRead = "audit:read", Manager;
}

/// Permissions of a role with these scopes: all that the role has, if there are none.
pub fn granted_permissions(role: Role, scopes: &[Permission]) -> impl Iterator<Item = Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(move |permission| role.grants(scopes, *permission))
}

/// A text that is not a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a permission such as connections:read")]
pub struct InvalidPermission;

impl FromStr for Permission {
    type Err = InvalidPermission;

    fn from_str(text: &str) -> Result<Self, InvalidPermission> {
        let found = Self::ALL.iter().find(|permission| permission.as_str() == text);
        found.copied().ok_or(InvalidPermission)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_role_includes_the_lower_ones() {
        for permission in Permission::ALL {
            let may = Role::ALL.map(|role| role.may(*permission));
            assert!(may.is_sorted(), "{permission}: {may:?}");
            assert!(Role::Admin.may(*permission), "{permission}");
        }
    }

    #[test]
    fn names_are_parsed_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
            let json = format!("\"{permission}\"");
            assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), *permission);
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("owner".parse::<Role>().is_err());
    }
}
