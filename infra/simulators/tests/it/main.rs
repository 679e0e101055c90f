//! The simulators against the fixtures and vectors of their clients' tests, and against the promises of their README.

mod clients;
mod faults;
mod graph;
mod mails;
mod ringback;
mod signing;
mod support;
mod telephony;
mod twilio;
mod vendors;
mod voice;
mod webhooks;
