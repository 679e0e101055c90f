//! Media: pictures, sound, video and documents of messages, and the files that a tenant uploads to send them.

mod asset;
mod file;
mod medium;
mod sniff;

pub use asset::{Asset, AssetIn, AssetState, Attached, Handle, Turn, Upload, missing_file};
pub use file::{
    AssetUse, FileHash, FileName, MediaKind, MediaReason, MediaType, NotAFileName, NotAHash, NotTaken, content_type,
    file_ending, find_media_type, is_shown_inline, may_be_excuse, media_types, mime_essence, why_not_taken,
};
pub use medium::{InboundMedia, MAX_MEDIA, Medium, MediumState};
pub use sniff::{OCTETS, SNIFFED_BYTES};
pub(crate) use sniff::{OLE, Sniffed, is_animated, is_opus, sniff};
