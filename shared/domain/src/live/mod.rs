//! Live updates: [`event`]s about what changes, which clients follow from a [`cursor`] on, and the [`followers`] for whom they are kept. [`socket`]s are told at once, of
//! what their [`view`]s show, and devices by [`push`].

pub mod cursor;
pub mod event;
pub mod followers;
pub mod push;
pub mod socket;
pub mod view;
