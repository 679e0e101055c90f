//! The simulators against the fixtures and vectors of their clients' tests, and against the promises of their README.

mod clients;
mod contents;
mod faults;
mod graph;
mod inbound;
mod mails;
mod media;
mod page;
mod receivers;
mod ringback;
mod signing;
mod support;
mod telephony;
mod templates;
mod twilio;
mod vendors;
mod voice;
mod webhooks;
