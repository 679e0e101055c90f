//! Building blocks of the API's functions: guards, bodies, pages, replies, changes, idempotency, races, and operations as routes and
//! as a document.

mod audited_reads;
mod body;
mod change;
mod contacts;
mod content;
mod context;
mod describe;
mod document;
mod files;
mod guards;
mod history;
mod idempotency;
mod long_operations;
mod mail;
mod operation_schema;
mod operations;
mod owned;
mod paging;
mod patch;
mod period;
mod phone;
mod plain;
mod preview;
mod query;
mod races;
mod references;
mod replies;
mod reports;
mod schemas;
mod secrets;
mod segments;
mod texts;
mod timeline;
mod verdict;

pub use audited_reads::AuditedReads;
pub use body::{Body, Path, Query, parse_kept_body};
pub use change::{Patchable, require_found};
pub use contacts::{ContactOut, continuation_problem, itself};
pub use context::{Api, beyond_plan};
pub use describe::{Input, Output};
pub use document::{Described, Document, Row};
pub use files::{FileLinkOut, LINKS, UploadOut, has_files, not_signed};
pub use guards::{Allowed, AllowedOrRun, Anyone, Device, Guard, Kind, Person, Platform};
pub use history::{CallOut, ContactName, Failure, LineName, MediumOut, MessageOut, Showing, TemplateOut};
pub use long_operations::{OperationOut, start, start_and_answer};
pub use operation_schema::{AnswerHeader, OperationSchema};
pub use operations::{Operations, serve};
pub use owned::{fitting, limit_reached, setback};
pub use paging::{Paging, of_another_list, page_of};
pub use patch::Patch;
pub use phone::PhoneOut;
pub use preview::{ChannelOutlook, MessageCheck, MessageOutlook, SendCheckOutlook, Setting, Verdict};
pub use query::Takes;
pub use races::{RACES, Races, Setback};
pub use references::{References, able, absent};
pub use replies::{Created, Html, IfMatch, Listed, NoContent, Once, OnceIf, Tagged, With};
pub use reports::{
    CostOut, ExpectedCost, Report, ReportBy, ReportHeadOut, ReportLineOut, ReportPart, ReportPartOut, ReportQuery,
};
pub use secrets::LinkToken;
pub use segments::position;
pub use texts::{KnownPassword, NewPassword, SecretText};
pub use timeline::{EntryId, TimelineEntryOut, TimelineOrder, received_message};
pub use verdict::{FileScanner, ScanVerdict, ScannerProof, VerdictIn};

/// Permissions as types for guards.
pub use domain::accounts::permits;

#[doc(hidden)]
pub use axum::{Router, extract::State, http::Method};
#[doc(hidden)]
pub use guards::{Asked, Proven};
#[doc(hidden)]
pub use kit::{ConfigError, Env, Problem};
#[doc(hidden)]
pub use serde_json::Value;
