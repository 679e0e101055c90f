//! Fetching media and uploading assets, in process against the emulator and a provider's side of files.

mod fetching;
mod uploading;
mod world;
