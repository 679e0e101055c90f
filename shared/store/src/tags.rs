//! Tags, by which a tenant sorts its contacts.

use domain::{tag::Tag, text::fingerprint};

use crate::{Owned, Part, Pointer, TenantScope};

impl Owned for Tag {
    const KIND: &'static str = "tag";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "TAG#";
    const MOST: u32 = Self::MOST;
    const UNIQUE: &'static str = "name";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, Self::KIND, &fingerprint(self.name.as_str()), &self.id);
        pointer.into_iter().collect()
    }
}
