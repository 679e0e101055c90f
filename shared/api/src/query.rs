//! The query of a request: which parts of it a handler reads, and its decoded parameters.

use axum::http::Extensions;
use domain::terms::{Fault, FaultCode};
use kit::Problem;
use kit::http::Target;

/// The parameters of a list's page.
pub(crate) const PAGING: [&str; 2] = ["limit", "cursor"];

/// Parts of the query that a handler reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Takes {
    /// Parameters of its own.
    pub query: bool,
    /// `limit` and `cursor`.
    pub paging: bool,
}

impl Takes {
    /// Parts that two arguments read together.
    pub const fn and(self, other: Self) -> Self {
        Self {
            query: self.query || other.query,
            paging: self.paging || other.paging,
        }
    }
}

/// Refuses any query, for handlers that read none.
pub(crate) fn no_query(extensions: &Extensions) -> Result<(), Problem> {
    match pairs(extensions)?.first() {
        Some((name, _)) => {
            let fault = Fault::new(FaultCode::Unknown, "Unknown parameter, expected none.");
            Err(Problem::field(name, fault))
        }
        None => Ok(()),
    }
}

/// The decoded pairs of the query.
pub(crate) fn pairs(extensions: &Extensions) -> Result<Vec<(String, String)>, Problem> {
    let query = extensions.get::<Target>().map_or("", Target::query);
    serde_urlencoded::from_str(query).map_err(|_| Problem::bad_request("The query cannot be read."))
}
