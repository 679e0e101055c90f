//! Tags, by which a tenant sorts its contacts.

use domain::{base::text::fingerprint, contacts::tag::Tag};

use crate::{Owned, Part, Pointer, TenantScope};

impl Owned for Tag {
    const KIND: &'static str = "tag";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "TAG#";
    const MAX: u32 = Self::MAX;
    const UNIQUE: &'static str = "name";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, Self::KIND, &fingerprint(self.name.as_str()), &self.id);
        pointer.into_iter().collect()
    }
}
