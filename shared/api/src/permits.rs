//! Permissions as types for guards: one per permission of the table in [`domain::permission`].

use domain::permission::Permission;

/// A permission as a type.
pub trait Permit: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! permits {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("[`Permission::", stringify!($name), "`]")]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Permit for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )*

        #[cfg(test)]
        const ALL: &[Permission] = &[$(Permission::$name),*];
    };
}

permits! {
    TenantRead TenantWrite
    UsersRead UsersWrite
    ApiKeysRead ApiKeysWrite
    ConnectionsRead ConnectionsWrite
    AuditRead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_can_guard() {
        assert_eq!(ALL, Permission::ALL);
    }
}
