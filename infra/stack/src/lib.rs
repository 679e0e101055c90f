//! `cargo stack`: sets up the tools, runs the local AWS, builds, deploys, simulates calls and tests.
//!
//! [`running::Running`] is a whole stack; a command that needs one starts and stops it.

#![expect(
    clippy::disallowed_methods,
    reason = "a tool reads its own environment and the machine's clock"
)]

pub mod advisories;
pub mod api;
pub mod aws;
pub mod bench;
pub mod bill;
pub mod build;
pub mod business;
pub mod canary;
pub mod chaos;
pub mod checks;
pub mod clock;
pub mod console;
pub mod contract;
pub mod demo;
pub mod deploy;
pub mod endpoints;
pub mod fuzz;
pub mod iam;
pub mod inspect;
pub mod mails;
pub mod ministack;
pub mod people;
pub mod place;
pub mod play;
pub mod process;
pub mod proxy;
pub mod random;
pub mod report;
pub mod running;
pub mod samconfig;
pub mod secrets;
pub mod seed;
pub mod template;
pub mod tenant;
pub mod test;
pub mod tools;
pub mod totp;
pub mod trial;
pub mod up;
pub mod vendors;
pub mod why;
