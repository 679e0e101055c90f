//! Live updates: [`event`]s about what changes, which clients follow from a [`cursor`] on, and the [`followers`] for whom they are kept.

pub mod cursor;
pub mod event;
pub mod followers;
