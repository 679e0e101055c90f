//! Twilio: REST messages with signed callbacks, contents, media, voice and recordings.

mod account;
mod contents;
mod errors;
mod media;
mod messages;
mod overrides;
mod recordings;
mod twiml;
mod voice;
mod webhooks;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::config::{Config, Tenant, TwilioAccount};
use crate::faults::{Api, Event};
use crate::interference;
use crate::world::Sims;

pub(crate) use contents::{Contents, review};
use errors::TwilioError;
pub(crate) use media::{fetch_media, receive};
pub(crate) use overrides::Overrides;
pub(crate) use recordings::Recording;
pub(crate) use voice::place;
pub(crate) use webhooks::{key_of, reply, status_webhook};

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route(
            "/2010-04-01/Accounts/{account}/Messages.json",
            get(messages::list_messages).post(messages::create_message),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Messages/{sid}",
            get(messages::fetch_message),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Messages/{sid}/Media/{media}",
            get(media::download_media),
        )
        .route("/twilio-files/{media}", get(media::serve_file))
        .merge(contents::routes())
        .route(
            "/2010-04-01/Accounts/{account}/Recordings/{sid}",
            get(recordings::fetch_recording).delete(recordings::delete_recording),
        )
        .route("/2010-04-01/Accounts/{account}", get(account::fetch_account))
        .route(
            "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json",
            get(account::list_numbers),
        )
}

struct Access<'a> {
    tenant: &'a Tenant,
    account: &'a TwilioAccount,
}

impl<'a> Access<'a> {
    fn event(&self, number: Option<&'a str>) -> Event<'a> {
        Event::new(Api::Twilio, &self.tenant.id, number)
    }
}

/// Basic auth with an API key of the account, or its SID and auth token. Another account's credentials are treated as wrong
/// ones.
fn authorise<'a>(
    world: &Sims,
    config: &'a Config,
    headers: &HeaderMap,
    account_sid: &str,
) -> Result<Access<'a>, TwilioError> {
    authorise_if(world, config, headers, |account| account.account_sid == account_sid)
}

/// The caller, if its account is one of those that are meant.
fn authorise_if<'a>(
    world: &Sims,
    config: &'a Config,
    headers: &HeaderMap,
    meant: impl Fn(&TwilioAccount) -> bool,
) -> Result<Access<'a>, TwilioError> {
    let refused = || TwilioError::new(20003);
    let given = interference::basic(headers).ok_or_else(refused)?;
    let access = config.tenants.iter().find_map(|tenant| {
        let account = tenant.twilio.as_ref().filter(|account| meant(account))?;
        let good = [
            format!("{}:{}", account.api_key_sid, account.api_key_secret),
            format!("{}:{}", account.account_sid, account.auth_token),
        ];
        good.contains(&given).then_some(Access { tenant, account })
    });
    let access = access.ok_or_else(refused)?;
    if interference::credentials_refused(world, access.event(None)) {
        Err(refused())
    } else {
        Ok(access)
    }
}

/// Twilio's dates: `Sat, 31 Oct 2026 09:20:00 +0000`.
fn date(at: Timestamp) -> String {
    rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).expect("a date between the years 0 and 9999")
}
