//! Who may do what: one table of permissions and roles.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a person or a key is to a tenant. Each may do all that the ones below it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Talks with customers.
    Agent,
    /// Runs the business: its settings and lines.
    Manager,
    /// Also decides who gets in.
    Admin,
}

impl Role {
    /// All, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Agent, Self::Manager, Self::Admin];

    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Agent => "agent",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// Whether it grants this.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }
}

/// A text that is no role.
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
        /// What may be done. The words are the scopes of API keys.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission {
            $(#[doc = $about] #[serde(rename = $word)] $name,)*
        }

        impl Permission {
            /// All, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the API and in the scopes of a key.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it lets do, in a sentence.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about.trim_ascii(),)* }
            }

            /// The least role that has it.
            #[must_use]
            pub const fn least_role(self) -> Role {
                match self { $(Self::$name => Role::$least,)* }
            }
        }
    };
}

// The table.
permissions! {
    /// See the tenant's profile, settings and set-up.
    TenantRead = "tenant:read", Viewer;
    /// Change them.
    TenantWrite = "tenant:write", Manager;
    /// See who belongs to the tenant.
    UsersRead = "users:read", Manager;
    /// Invite people, change their roles, let them go.
    UsersWrite = "users:write", Admin;
    /// See which keys there are, never their secrets.
    ApiKeysRead = "api_keys:read", Admin;
    /// Make, rotate and revoke keys.
    ApiKeysWrite = "api_keys:write", Admin;
    /// See the tenant's lines and whether they work.
    ConnectionsRead = "connections:read", Viewer;
    /// Connect, change, test and disconnect lines.
    ConnectionsWrite = "connections:write", Manager;
    /// See who changed what.
    AuditRead = "audit:read", Manager;
}

/// What a role with these scopes may do: all that the role may, where there are none.
pub fn granted(role: Role, scopes: &[Permission]) -> impl Iterator<Item = Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(move |permission| role.may(*permission) && (scopes.is_empty() || scopes.contains(permission)))
}

/// A text that is no permission.
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
    fn a_higher_role_may_all_that_a_lower_one_may() {
        for permission in Permission::ALL {
            let may = Role::ALL.map(|role| role.may(*permission));
            assert!(may.is_sorted(), "{permission}: {may:?}");
            assert!(Role::Admin.may(*permission), "{permission}");
        }
    }

    #[test]
    fn words_are_read_back() {
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
