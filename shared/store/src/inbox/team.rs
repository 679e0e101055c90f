//! Teams of a tenant.

use domain::{base::text::fingerprint, inbox::team::Team};

use crate::{Owned, Part, Pointer, TenantScope};

impl Owned for Team {
    const KIND: &'static str = "team";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "TEAM#";
    const MAX: u32 = Self::MAX;
    const UNIQUE: &'static str = "name";
    /// Cached with the configuration, by which conversations get their teams.
    const REMEMBERED: bool = true;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, "team", &fingerprint(self.name.as_str()), &self.id);
        pointer.into_iter().collect()
    }
}
