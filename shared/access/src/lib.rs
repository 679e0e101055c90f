//! Who is asking, and for which tenant: the only crate that mints a [`store::TenantScope`].

#![expect(
    clippy::disallowed_methods,
    reason = "the one crate that mints scopes and reads what is read before a scope exists"
)]

pub mod job;
