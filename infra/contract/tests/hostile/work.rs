//! Counts the work of a computation.

use allocation_counter::AllocationInfo;
use serde_json::Value;

/// Allocations, which are the same on every machine and under any load.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Work {
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    /// Peak number of bytes.
    pub(crate) peak: f64,
}

/// Runs it on this thread and counts.
pub(crate) fn measure_work<T>(work: impl FnOnce() -> T) -> (T, Work) {
    let mut done = None;
    let info: AllocationInfo = allocation_counter::measure(|| done = Some(work()));
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let work = Work {
        allocations: info.count_total as f64,
        bytes: info.bytes_total as f64,
        peak: info.bytes_max as f64,
    };
    (done.expect("it was done"), work)
}

/// Work of parsing a body of this length once without a schema: short texts in a list.
pub(crate) fn of_reading(length: usize) -> Work {
    let item = r#""+97145550001""#;
    let items = vec![item; length / (item.len() + 1)];
    let body = format!("[{}]", items.join(","));
    measure_work(|| serde_json::from_str::<Value>(&body).expect("it is JSON")).1
}

impl Work {
    fn combine_with(self, other: Self, of: fn(f64, f64) -> f64) -> Self {
        Self {
            allocations: of(self.allocations, other.allocations),
            bytes: of(self.bytes, other.bytes),
            peak: of(self.peak, other.peak),
        }
    }

    /// The work beyond this.
    pub(crate) fn without(self, usual: Self) -> Self {
        self.combine_with(usual, |own, usual| (own - usual).max(0.0))
    }

    pub(crate) fn in_units_of(self, unit: Self) -> Self {
        self.combine_with(unit, |own, unit| own / unit)
    }

    pub(crate) fn max(self, other: Self) -> Self {
        self.combine_with(other, f64::max)
    }

    pub(crate) fn is_within(self, most: Self) -> bool {
        self.max(most) == most
    }
}
