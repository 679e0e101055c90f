//! Messages about events of orders: one for each event.

use domain::campaigns::EventMessage;

use crate::table::owned::Pointer;
use crate::{Owned, Part, TenantScope};

impl Owned for EventMessage {
    const KIND: &'static str = "event_message";
    const NAME: &'static str = "event message";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "EVENTMESSAGE#";
    const MAX: u32 = Self::MAX;
    const UNIQUE: &'static str = "event";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, Self::KIND, self.event.as_str(), &self.id);
        pointer.into_iter().collect()
    }
}
