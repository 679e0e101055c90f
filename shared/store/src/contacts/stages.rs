//! Stages, the steps that a tenant's leads pass through.

use domain::{base::text::fingerprint, contacts::stage::Stage};

use crate::{Owned, Part, Pointer, TenantScope};

impl Owned for Stage {
    const KIND: &'static str = "stage";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "STAGE#";
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
