//! Media: pictures, sound, video and documents of messages, and the files that a tenant uploads to send them.

pub mod asset;
pub mod file;
pub mod medium;
pub mod sniff;
