//! Building blocks of the API's functions: guards, bodies, pages, replies, changes, idempotency, races, and operations as routes and
//! as a document.

mod body;
mod change;
mod context;
mod describe;
mod document;
mod guards;
mod idempotency;
mod mail;
mod operations;
mod owned;
mod paging;
mod patch;
mod query;
mod races;
mod replies;
mod schemas;
mod secrets;
mod sketch;
mod started;
mod texts;

pub use body::{Body, Path, Query, checked};
pub use change::{Patchable, found};
pub use context::Api;
pub use describe::{Input, Output};
pub use document::{Described, Document, Row};
pub use guards::{Allowed, Anyone, Device, Guard, Kind, Person, Platform};
pub use operations::{Operations, serve};
pub use owned::{limit_reached, setback};
pub use paging::Paging;
pub use patch::Patch;
pub use query::Takes;
pub use races::{Races, Setback};
pub use replies::{Created, IfMatch, Listed, NoContent, Once, OnceIf, Tagged, With};
pub use secrets::LinkToken;
pub use sketch::{AnswerHeader, Sketch};
pub use started::OperationOut;
pub use texts::{KnownPassword, NewPassword, SecretText};

/// Permissions as types for guards.
pub use domain::permission::permits;

#[doc(hidden)]
pub use axum::http::Method;
#[doc(hidden)]
pub use guards::{Asked, Proven};
#[doc(hidden)]
pub use serde_json::Value;
