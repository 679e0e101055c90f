//! Segments, saved filters of contacts. Their contacts are found by [`Store::search_contacts`](crate::Store::search_contacts).

use domain::{base::text::fingerprint, contacts::segment::Segment};

use crate::{Owned, Part, Pointer, TenantScope};

impl Owned for Segment {
    const KIND: &'static str = "segment";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "SEGMENT#";
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
