//! Fields that a tenant defines for its contacts.

use domain::field::Field;

use crate::{Owned, Part, Pointer, Share, TenantScope};

impl Owned for Field {
    const KIND: &'static str = "field";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "FIELD#";
    const MOST: u32 = Self::MOST;
    const UNIQUE: &'static str = "key";
    const SHARE: Option<Share> = Some(Share {
        name: "searchable field",
        most: Self::MOST_SEARCHABLE,
    });

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, Self::KIND, self.key.as_str(), &self.id);
        pointer.into_iter().collect()
    }

    fn is_of_share(&self) -> bool {
        self.searchable
    }
}
