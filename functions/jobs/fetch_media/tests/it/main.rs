//! Fetching media and uploading assets, in process against the emulator and a provider's side of files.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

mod fetching;
mod uploading;
mod world;
