//! Credentials for sending, opened and cached for five minutes.

use std::sync::{Arc, Mutex, PoisonError};

use domain::tenants::{Connection, SecretPurpose, SendSecrets};
use domain::terms::{ConnectionId, TenantId};
use jiff::{SignedDuration, Timestamp};
use store::TenantScope;

use crate::remembered::Remembered;
use crate::webhook::REREAD;
use crate::{Secrets, SecretsError};

/// Lifetime of opened credentials.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Maximum number of cached credentials.
const MAX: usize = 1_000;

type Key = (TenantId, ConnectionId);

/// Credentials for sending, by connection.
pub struct SendCredentials {
    secrets: Secrets,
    known: Mutex<Remembered<Key, (u64, Arc<SendSecrets>)>>,
}

impl SendCredentials {
    /// Opened with these keys.
    pub fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            known: Mutex::new(Remembered::new(LIFETIME, MAX)),
        }
    }

    /// The connection's credentials. Changed ones are opened at once, because their version differs. `None` if it has none.
    ///
    /// # Errors
    /// When they do not open.
    pub async fn of(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Option<Arc<SendSecrets>>, SecretsError> {
        let Some(sealed) = &connection.send else {
            return Ok(None);
        };
        let key = (scope.tenant(), connection.id);
        if let Some((_, (version, known))) = self.lock().get(&key, now)
            && version == connection.credentials_version
        {
            return Ok(Some(known));
        }
        let opened: SendSecrets = self.secrets.open(key.0, key.1, SecretPurpose::Send, sealed).await?;
        let opened = Arc::new(opened);
        self.lock()
            .put(key, (connection.credentials_version, Arc::clone(&opened)), now);
        Ok(Some(opened))
    }

    /// Reports that the provider refused the credentials: they are opened again at the next use, at most once per 30 s. Returns
    /// whether they will be, so that the caller also reads the connection's row again.
    pub fn doubt(&self, scope: &TenantScope, connection: ConnectionId, now: Timestamp) -> bool {
        let key = (scope.tenant(), connection);
        let mut known = self.lock();
        match known.get(&key, now) {
            Some((since, _)) if now.duration_since(since) < REREAD => false,
            _ => {
                known.forget(&key);
                true
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered<Key, (u64, Arc<SendSecrets>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use domain::tenants::{Account, Sealed, telephony, whatsapp};

    use super::*;
    use crate::job;
    use crate::secrets::tests::{Plain, connection, tenant};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn credentials_are_opened_once_until_they_change_age_or_fail() {
        let keys = Arc::new(Plain::default());
        let secrets = Secrets::new(Arc::clone(&keys));
        let token = SendSecrets::WhatsApp(whatsapp::Send {
            access_token: "t".to_owned(),
        });
        let sealed = secrets
            .seal(tenant(), connection(), SecretPurpose::Send, &token)
            .await
            .unwrap();
        let account = Account::Telephony(telephony::Account { numbers: vec![] });
        let verify = Sealed(String::new());
        let mut row = Connection::new(connection(), String::new(), account, verify, Some(sealed));
        let scope = job::scope(tenant());
        let credentials = SendCredentials::new(secrets);
        let opened = || keys.opened.load(Ordering::Relaxed);

        for second in [0, 1, 299] {
            assert!(credentials.of(&scope, &row, at(second)).await.unwrap().is_some());
        }
        assert_eq!(opened(), 1);
        row.credentials_version = 2;
        credentials.of(&scope, &row, at(299)).await.unwrap();
        assert_eq!(opened(), 2, "changed");
        credentials.of(&scope, &row, at(599)).await.unwrap();
        assert_eq!(opened(), 3, "aged");
        assert!(!credentials.doubt(&scope, row.id, at(610)), "at most once per 30 s");
        credentials.of(&scope, &row, at(611)).await.unwrap();
        assert_eq!(opened(), 3);
        assert!(credentials.doubt(&scope, row.id, at(629)));
        credentials.of(&scope, &row, at(629)).await.unwrap();
        assert_eq!(opened(), 4, "failed");
        row.send = None;
        assert!(credentials.of(&scope, &row, at(630)).await.unwrap().is_none());
    }
}
