//! Base types, which every room uses: ids, telephone numbers, texts and lists with limits, times as people write them, faults and
//! facts. None knows what the business does.

#[macro_use]
pub mod resource;
#[macro_use]
pub(crate) mod schema;
#[macro_use]
pub mod facts;

pub mod actor;
pub mod bounded;
pub(crate) mod by_code;
pub mod country;
pub mod external;
pub mod fault;
pub mod folding;
pub mod ids;
pub mod ip_range;
pub mod language_tag;
pub mod line_type;
pub mod local;
pub mod number_forms;
pub mod numbering;
pub mod operation;
pub mod phone;
pub mod text;
pub mod zone;
