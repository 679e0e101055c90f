//! Canned replies of a tenant.

use domain::{base::text::fingerprint, inbox::canned::CannedReply};

use crate::{Owned, Part, Pointer, TenantScope};

impl Owned for CannedReply {
    const KIND: &'static str = "canned_reply";
    const NAME: &'static str = "canned reply";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "CANNED#";
    const MAX: u32 = Self::MAX;
    const UNIQUE: &'static str = "name";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, "canned", &fingerprint(self.name.as_str()), &self.id);
        pointer.into_iter().collect()
    }
}
