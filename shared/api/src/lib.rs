//! Building blocks of the API's functions: guards, bodies, pages, replies, idempotency, races, and operations as routes and as a
//! document.

mod body;
mod checks;
mod context;
mod document;
mod guards;
mod idempotency;
mod mail;
mod operations;
mod paging;
mod patch;
pub mod permits;
mod races;
mod replies;
mod secrets;
mod words;

pub use body::{Body, Path, Query, checked};
pub use checks::{language, one_line};
pub use context::Api;
pub use document::{Answer, AnswerHeader, Argument, Document, Entry, Handles};
pub use guards::{Allowed, Anyone, Device, Guard, Kind, Person, Platform};
pub use operations::{Operations, Takes, serve};
pub use paging::Paging;
pub use patch::Patch;
pub use races::{Races, Setback};
pub use replies::{Created, IfMatch, Listed, NoContent, Once, Tagged};
pub use secrets::LinkToken;
pub use words::{IpRangeText, LanguageText, OwnWordText, PermissionWord, PhoneText, RoleWord, ZoneText};

#[doc(hidden)]
pub use guards::{Asked, Proven};
#[doc(hidden)]
pub use pastey::paste;
