//! Settings of a tenant's orders.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::terms::Whole;

/// Settings of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OrderSettings {
    /// Hours for which a paid order may wait to be shipped before it is late, and the message for `order.late` tells whoever ordered.
    /// 0: no order is late. Default: 48. A longer time, or 0, also applies to orders that wait already, a shorter one once they are reported
    /// on again.
    #[cfg_attr(feature = "schema", schemars(example = 48))]
    pub late_after_hours: Whole<0, 720>,
}

impl Default for OrderSettings {
    /// Two days.
    fn default() -> Self {
        Self {
            late_after_hours: Whole::nearest(48),
        }
    }
}

impl OrderSettings {
    /// Time for which a paid order may wait to be shipped. `None`: however long.
    pub fn late_after(&self) -> Option<SignedDuration> {
        let hours = self.late_after_hours.get();
        (hours > 0).then(|| SignedDuration::from_hours(hours.into()))
    }
}
