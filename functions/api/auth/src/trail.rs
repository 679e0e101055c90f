//! The security trail: the events of a person's log-in, for them to see, and a mail if they log in from a new device.
//!
//! A failure to record an event never fails the request. The trail then has a gap, which the log reports.

use std::sync::Arc;

use api::{Device, Listed, Paging, Person};
use axum::Extension;
use domain::accounts::SecurityEventKind::{self, LogInRefused, ProofRefused, TokenReused};
use domain::accounts::{Account, SecurityEvent};
use domain::terms::{Email, SessionId};
use jiff::Timestamp;
use jobs::Mail;
use kit::{Problem, metric};
use store::Versioned;
use store::accounts::Whose;

use crate::models::SecurityEventOut;
use crate::{Context, RACES, email_sha256};

/// Metric of refused passwords and codes, both at log-in and when a logged-in person must prove them again.
pub(crate) const REFUSED: &str = "log_in_refused";

/// Details of an entry besides its kind.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) at: Timestamp,
    pub(crate) device: &'a Device,
    pub(crate) session: Option<SessionId>,
}

impl Context {
    /// Records an event of this account, or of an address without an account.
    pub(crate) async fn note(&self, whose: Whose<'_>, what: SecurityEventKind, seen: Seen<'_>) {
        match what {
            LogInRefused | ProofRefused => metric::count(REFUSED, &[]),
            TokenReused => metric::count("token_reused", &[]),
            _ => {}
        }
        let event = SecurityEvent {
            what,
            at: seen.at,
            address: seen.device.address,
            device: seen.device.name.clone(),
            session: seen.session,
        };
        let noted = self.store().note_security_event(whose, &event, self.env().ids().ulid());
        if let Err(error) = noted.await {
            tracing::warn!(
                error = kit::chain(&error),
                what = what.as_str(),
                "a security event is not recorded"
            );
        }
    }

    /// Records an event that the person caused.
    pub(crate) async fn note_own(&self, who: &Person, what: SecurityEventKind) {
        let seen = Seen {
            at: who.now(),
            device: who.device(),
            session: Some(who.session()),
        };
        self.note(Whose::Person(who.account().value.id), what, seen).await;
    }

    /// Notifies a person who logs in from a new device or network, and remembers it. The first log-in of an account counts as
    /// known.
    pub(crate) async fn meet(&self, correlation_id: &str, account: &Account, device: &Device, at: Timestamp) {
        if account.devices.contains(&device.mark()) {
            return;
        }
        if !account.devices.is_empty() {
            let mail = Mail::NewDevice {
                device: device.name.clone(),
                address: device.address,
                at,
            };
            // Who could not be told is told the next time.
            let told = self.mail(correlation_id, &account.email, &account.language, mail).await;
            if told.is_err() {
                return;
            }
        }
        let (store, user) = (self.store(), account.id);
        let learnt = RACES.until_won(async || {
            let Some(Versioned { mut value, version }) = store.account(user).await? else {
                return Ok(());
            };
            if !value.learn(device.mark()) {
                store.write_account(&value, version).await?;
            }
            Ok(())
        });
        if let Err(problem) = learnt.await {
            tracing::warn!(status = problem.status().as_u16(), "a device is not remembered");
        }
    }
}

/// Owner of the trail for an attempt with this address.
pub(crate) enum Tried {
    Person(domain::terms::UserId),
    Nobody(String),
}

impl Tried {
    pub(crate) fn of(found: Option<&Versioned<Account>>, email: &Email) -> Self {
        found.map_or_else(
            || Self::Nobody(email_sha256(email)),
            |account| Self::Person(account.value.id),
        )
    }

    pub(crate) fn whose(&self) -> Whose<'_> {
        match self {
            Self::Person(user) => Whose::Person(*user),
            Self::Nobody(email_sha256) => Whose::Nobody(email_sha256),
        }
    }
}

pub(crate) async fn list_security_events(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    paging: Paging,
) -> Result<Listed<SecurityEventOut>, Problem> {
    let user = who.account().value.id;
    let store = context.store();
    let page = store
        .security_events(user, paging.after(), paging.limit(), who.now())
        .await?;
    Ok(Listed::of(page, SecurityEventOut::from))
}
