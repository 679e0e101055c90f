//! Campaigns: one message to all contacts of an audience, each of whom gets it once.
//!
//! A [`campaign`] is written as a draft; [`review`] says what it lacks and what is wrong with it. Once started, it goes through the
//! states of the table in [`state`] and cannot be changed any more. [`audience`] says whom it means, [`preflight`], what would become of
//! them; [`run`], what each of them gets, and how fast; [`watch`], when it is paused for what becomes of them, and [`report`], what became.
//!
//! A [`drip`] has [`steps`] instead of one message, between which people [`wait`], and that they enter by themselves by a [`trigger`], or
//! when one of their [`dates`] comes round.

pub mod audience;
pub mod campaign;
pub mod dates;
pub mod drip;
pub mod preflight;
pub mod report;
pub mod review;
pub mod run;
pub mod state;
pub mod steps;
pub mod trigger;
pub mod variants;
pub mod wait;
pub mod watch;
