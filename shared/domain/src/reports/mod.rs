//! Reports: what is counted of calls and messages, also for caps and costs; the periods of reports, the filters of lists, and exports.

mod capped;
mod costs;
mod counting;
mod export;
mod list_filter;
mod metrics;

pub use capped::{
    Priced, all_caps_of, applying_caps, caps_of, count_money, price_entry, priced_attempts, takes_of_caps,
};
pub(crate) use costs::services_of;
pub use costs::{Costs, Spent, Unpriced, expected_cost, foreseen_cost};
pub use counting::{
    CLICKED, Carrier, Counter, DELIVERED, FAILED, FOLLOWED_UP, Listed, READ, RECOVERED, REPLIED, REPLY_TIMES, Raise,
    SENT, STATES, STOPPED, UNANSWERED, UNDONE, count_answered_templates, count_call, count_decided,
    count_decided_again, count_message, count_received, count_refused, count_templates, is_written_after,
    purpose_words, reply_bucket, reply_time,
};
pub(crate) use counting::{Charge, charge_of};
pub use export::{ExportData, ExportResult, Exported, FileFormat};
pub use list_filter::{CallFilter, MessageFilter};
pub use metrics::{Length, MAX_METRICS_DAYS, Period, Replies, median_reply_time};
