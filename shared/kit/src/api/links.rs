//! Links in mails.

use crate::{Env, Problem, http::Target, log::chain};

/// The URL of a page for people with a one-time token: under `APP_URL`, else `PUBLIC_BASE_URL`, else the host that was called.
///
/// # Errors
/// When a variable is no URL.
pub fn link(env: &Env, target: &Target, page: &str, token: &str) -> Result<String, Problem> {
    let url = |name: &str| {
        env.config().optional_url(name).map_err(|error| {
            tracing::error!(error = chain(&error), "links cannot be made");
            Problem::internal()
        })
    };
    let base = match url("APP_URL")? {
        Some(app) => Some(app),
        None => url("PUBLIC_BASE_URL")?,
    };
    Ok(format!("{}/{page}?token={token}", target.origin(base)))
}
