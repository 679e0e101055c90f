//! Connections: a tenant's numbers and accounts at its providers. Credentials can be written but never read. Secrets that are
//! created here are shown once.

mod lines;
mod models;
mod secrets;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use access::{Kms, Secrets, SecretsError};
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, OnceIf, Paging, Patch, Path, Query, RACES, Setback,
    Tagged, limit_reached, permits, require_found,
};
use axum::{Extension, Router};
use domain::tenants::{
    Connection, Credentials, Generated, Health, Kept, NewConnection, Sealed, SecretPurpose, SendSecrets, VerifySecrets,
};
use domain::terms::{ConnectionId, Fault, FaultCode, RotationId, TenantId};
use jiff::Timestamp;
use kit::http::Target;
use kit::{ConfigError, Env, Problem};
use providers::aircall::AircallClient;
use providers::exotel::ExotelClient;
use providers::http::Http;
use providers::plivo::PlivoClient;
use providers::twilio::client::TwilioClient;
use providers::vonage::VonageClient;
use providers::whatsapp::client::GraphClient;
use store::tenants::{ConnectionError, Proof};
use store::{StoreError, TenantScope, Versioned};

use crate::models::{
    ConnectionMade, ConnectionOut, ConnectionSettings, CredentialsQuery, OneOf, SecretRotationIn, SecretRotationOut,
    WebhookAddress, WebhookAddresses,
};
use crate::secrets::Shown;
use crate::trial::{Providers, Trial};

/// A connection with its version.
type Found = Versioned<Connection>;

/// A caller who may change connections.
type Writer = Allowed<permits::ConnectionsWrite>;

/// State of the function, created once per process.
struct Context {
    api: Api,
    secrets: Secrets,
    providers: Providers,
    public_base_url: Option<String>,
    /// Whether tenants share a Meta app, which verifies WhatsApp's webhooks of connections without an app secret.
    shared_app: bool,
}

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let config = env.config();
    let verify = config.text("KMS_VERIFY_KEY_ID")?.to_owned();
    let send = config.text("KMS_SEND_KEY_ID")?.to_owned();
    let timeout = Duration::try_from(config.seconds("PROVIDER_TIMEOUT")?)
        .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
    let http = Http::new(env.user_agent(), timeout);
    let context = Arc::new(Context {
        api: Api::new(env)?,
        secrets: Secrets::new(Kms::new(env.kms(), Some(verify), Some(send))),
        providers: Providers {
            graph: GraphClient::new(
                http.clone(),
                config.url("GRAPH_API_URL")?,
                config.text("GRAPH_API_VERSION")?,
            ),
            twilio: TwilioClient::new(http.clone(), config.url("TWILIO_API_URL")?),
            aircall: AircallClient::new(http.clone(), config.url("AIRCALL_API_URL")?),
            vonage: VonageClient::new(http.clone(), config.url("VONAGE_API_URL")?),
            exotel: ExotelClient::new(
                http.clone(),
                config.url("EXOTEL_API_URL")?,
                config.url("EXOTEL_INDIA_API_URL")?,
            ),
            plivo: PlivoClient::new(http, config.url("PLIVO_API_URL")?),
        },
        public_base_url: config.optional_url("PUBLIC_BASE_URL")?.map(str::to_owned),
        shared_app: config.optional("META_APP_SECRET_ID").is_some(),
    });
    Ok(api::serve(operations(), context.api.clone()).layer(Extension(context)))
}

api::operations! {
    "connections": "Connections to WhatsApp, Twilio and telephone systems." {
        /// Create a connection
        ///
        /// Connects a number or an account, and tests the connection at once. The connection is created in any case, and
        /// `last_test` holds the result. Generated secrets and verify tokens are shown in this response only. A
        /// tenant can have at most 50 connections.
        ///
        /// The first connection also creates the first line. If there is exactly one line, its empty fields are filled from the
        /// new connection.
        POST "/api/v1/connections" => create_connection, "The connection, with the URLs to configure at the provider",
            problems "number_connected" "number_taken";

        /// List connections
        GET "/api/v1/connections" => list_connections, "A page of connections, oldest first";

        /// Get a connection
        ///
        /// Includes its current health.
        GET "/api/v1/connections/{connection_id}" => get_connection, "The connection";

        /// Update a connection
        ///
        /// A JSON merge patch of its name, numbers and call handling. The identity of the account at the provider cannot change:
        /// create another connection instead.
        ///
        /// A changed `voice` already answers Twilio's next call. As on creation, new numbers or senders create the first line, or fill
        /// the empty fields of the only line.
        PATCH "/api/v1/connections/{connection_id}" => update_connection, "The updated connection";

        /// Delete a connection
        ///
        /// Its webhooks are refused within five minutes, and its credentials are deleted.
        DELETE "/api/v1/connections/{connection_id}" => delete_connection, "The connection is deleted";

        /// Replace the credentials of a connection
        ///
        /// Send all credentials of the kind. Webhooks signed with the old ones are refused within five minutes.
        /// Credentials that are used for testing only are kept if you omit them. To change a webhook secret without a gap,
        /// rotate it instead. The connection is tested with the new credentials, and `last_test` holds the result.
        ///
        /// With `if_accepted`, the provider is asked first. If it refuses the credentials, or cannot be asked now, nothing is stored: the
        /// field `credentials` has the fault `wrong_secret` or `invalid` (422), whose `detail` says why. Credentials that no API can check
        /// are stored. So are credentials that the provider accepts, even if something else is missing, such as a number.
        PUT "/api/v1/connections/{connection_id}/credentials" => set_connection_credentials, "The updated connection",
            problems "secret_is_generated";

        /// Begin rotating a webhook secret
        ///
        /// The new secret is valid at once, together with the old ones, until the rotation is finished. For `telephony` and
        /// `exotel` it is generated and shown in this response only. For other kinds, send the provider's new secret as `secret`. A
        /// `whatsapp` connection without `secret` gets a new verify token in place of the old one. Meta asks for the token only
        /// when a callback URL is set, so existing webhooks continue to work.
        POST "/api/v1/connections/{connection_id}/rotate" => rotate_connection_secret, "The new secret is valid",
            problems "nothing_to_rotate" "too_many_secrets";

        /// Finish rotating a webhook secret
        ///
        /// Older secrets stop working within five minutes. If no rotation has begun, the problem is `not_rotating`.
        POST "/api/v1/connections/{connection_id}/finish-rotation" => finish_connection_rotation, "The updated connection",
            problems "not_rotating";

        /// Test a connection
        ///
        /// Asks the provider whether the connection works; no message is sent. `last_test` holds the result. Errors of WhatsApp and
        /// Twilio also change the connection's health, as they do when a message is sent. If the provider says that a WhatsApp
        /// number is not the tenant's, or refuses its token, other tenants can connect the number until a test passes again.
        /// Aircall, Vonage, Exotel and Plivo are asked if the connection has credentials for their API. A passed test proves these;
        /// the first reported call proves the webhook. Without such credentials, and for `telephony`, `shopify` and `woocommerce`, the
        /// result is `waiting`.
        POST "/api/v1/connections/{connection_id}/test" => test_connection, "The connection, with the result in `last_test`";

        /// List the webhook URLs of a connection
        ///
        /// The URLs to configure at the provider. `{secret}` stands for the secret that was shown when the connection was created or last
        /// rotated. Meta's verify token was also shown then; `POST …/rotate` creates a new one. For `whatsapp`, `refused` lists the hours
        /// of the last day when requests to its URL were refused, and why.
        GET "/api/v1/connections/{connection_id}/webhooks" => list_connection_webhooks, "The addresses";
    }
}

async fn create_connection(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Extension(target): Extension<Target>,
    Body(input): Body<OneOf<NewConnection>>,
) -> Result<OnceIf<Created<ConnectionMade>>, Problem> {
    let kind = input.kind()?;
    let NewConnection {
        name,
        account,
        credentials,
    } = NewConnection::read(kind, &input)?;
    let problems = account.problems();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let generated = kind.generates().map(|what| secrets::generate(&context.api, what));
    let kept = credentials.keep(generated.transpose()?.into_iter().collect());
    context.require_app_secret(&kept)?;
    let id = ConnectionId::new(who.ulid());
    let (verify, send) = context.seal_all(who.scope(), id, &kept).await?;
    let connection = Connection {
        awaits_secret: context.awaits_secret(&kept.verify),
        ..Connection::new(id, name, account, verify, send)
    };
    let send = kept.asks_with();
    let (store, scope, stamp) = (context.api.store(), who.scope(), who.stamp());
    let known = RACES.until_won(
        async || match store.create_connection(scope, &connection, false, &stamp).await {
            Ok(()) => Ok(None),
            // A second try of a request that had its effect: the first one's secrets count.
            Err(ConnectionError::Store(lost)) if lost.is_conflict() => {
                let known = store.connection(scope, id).await?;
                known.map(Some).ok_or(Setback::Lost)
            }
            Err(error) => Err(connection_problem(error).into()),
        },
    );
    let (connection, verify) = match known.await? {
        None => (connection, kept.verify),
        Some(known) => {
            let verify = context.open_verify(scope, &known).await?;
            (known, verify)
        }
    };
    // It is made, and its secrets are shown now or never.
    lines::try_set_up(&context.api, &who, &connection).await;
    let tested = context.test(who.scope(), &connection, send.as_ref(), who.now()).await;
    let now = match tested {
        Ok(Some(now)) => now,
        // It is made, whatever its test came to.
        Ok(None) | Err(_) => Versioned {
            version: 1,
            value: connection,
        },
    };
    let shown = Shown::of(&verify);
    let answer = Created {
        location: format!("/api/v1/connections/{id}"),
        version: now.version,
        body: ConnectionMade {
            webhooks: context.webhooks(who.scope(), &now.value, &target, shown.secret.as_deref()),
            connection: ConnectionOut::from(&now.value),
            verify_token: shown.verify_token.clone(),
            secret: shown.secret.clone(),
        },
    };
    let shows = shown.is_any();
    Ok(OnceIf { shows, answer })
}

async fn list_connections(
    who: Allowed<permits::ConnectionsRead>,
    Extension(context): Extension<Arc<Context>>,
    paging: Paging,
) -> Result<Listed<ConnectionOut>, Problem> {
    let store = context.api.store();
    let page = store
        .page::<Connection>(who.scope(), paging.after(), paging.limit())
        .await?;
    Ok(Listed::of(page, |row| ConnectionOut::from(&row.value)))
}

async fn get_connection(
    who: Allowed<permits::ConnectionsRead>,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<ConnectionId>,
) -> Result<Tagged<ConnectionOut>, Problem> {
    Ok(Tagged::of(context.find(who.scope(), id).await?))
}

async fn update_connection(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<ConnectionId>,
    if_match: IfMatch,
    patch: Patch<ConnectionSettings>,
) -> Result<Tagged<ConnectionOut>, Problem> {
    let write = async |before: Versioned<Connection>, after: Connection| {
        let written = context.write(&who, after, before.version).await?;
        if lines::may_bring(&before.value, &written.value) {
            lines::try_set_up(&context.api, &who, &written.value).await;
        }
        Ok(written)
    };
    let read = || context.api.store().get(who.scope(), &id);
    let decide = |before: &Connection| patch.apply(&ConnectionSettings::of(before)?)?.onto(before);
    let changed = RACES.change(&if_match, read, decide, write).await?;
    Ok(Tagged::of(changed))
}

async fn delete_connection(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<ConnectionId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let removed = RACES.until_won(async || {
        let before = context.find_matching_version(who.scope(), id, &if_match).await?;
        let store = context.api.store();
        store.remove_connection(who.scope(), &before, &who.stamp()).await?;
        Ok(NoContent)
    });
    removed.await
}

async fn set_connection_credentials(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<ConnectionId>,
    Query(query): Query<CredentialsQuery>,
    if_match: IfMatch,
    Body(input): Body<OneOf<Credentials>>,
) -> Result<Tagged<ConnectionOut>, Problem> {
    let replaced = RACES.until_won(async || {
        let before = context.find_matching_version(who.scope(), id, &if_match).await?;
        let given = context.complete_credentials(&who, &before.value, &input).await?;
        let connection = before.value;
        // Generated secrets stay, and with them a rotation that has begun.
        let (generates, _) = given.verify.generated();
        let keeps = matches!(generates, Some(Generated::Word | Generated::StandardWebhooks));
        let opens = connection.account.provider().verify_opens_api();
        let (verify, send) = context.seal_all(who.scope(), id, &given).await?;
        let after = Connection {
            verify,
            send: send.or(connection.send.filter(|_| !opens)),
            credentials_version: connection.credentials_version + 1,
            awaits_secret: context.awaits_secret(&given.verify),
            rotating_since: connection.rotating_since.filter(|_| keeps),
            // New credentials deserve a new chance.
            health: Health::Healthy,
            checkup: None,
            // Nothing was verified with the new ones yet.
            last_report_at: None,
            ..connection
        };
        let ask = async |connection: &Connection| {
            let send = given.asks_with();
            context.providers.ask(connection, send.as_ref(), who.now()).await
        };
        if query.if_accepted.unwrap_or_default() {
            let trial = ask(&after).await;
            trial.require_accepted()?;
            return Ok((context.write(&who, after, before.version).await?, trial));
        }
        let written = context.write(&who, after, before.version).await?;
        let trial = ask(&written.value).await;
        Ok((written, trial))
    });
    let (written, trial) = replaced.await?;
    let tested = context.note(who.scope(), &written.value, trial).await;
    Ok(Tagged::of(tested.ok().flatten().unwrap_or(written)))
}

async fn rotate_connection_secret(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Extension(target): Extension<Target>,
    Path(id): Path<ConnectionId>,
    if_match: IfMatch,
    Body(input): Body<SecretRotationIn>,
) -> Result<OnceIf<Tagged<SecretRotationOut>>, Problem> {
    let rotation = Some(RotationId::new(who.ulid()));
    let given = input.secret.map(String::from);
    let rotated = RACES.until_won(async || {
        let mut before = context.find(who.scope(), id).await?;
        let again = before.value.rotation == rotation;
        if !again {
            if_match.check(before.version)?;
        }
        let mut verify = context.open_verify(who.scope(), &before.value).await?;
        if again {
            // A second try of a request that had its effect: the first one's secret counts.
            let shown = if given.is_none() {
                Shown::of(&verify)
            } else {
                Shown::default()
            };
            return Ok((before, shown));
        }
        let shown = secrets::rotate(&context.api, &mut verify, given.clone())?;
        let since = match shown.verify_token {
            Some(_) => before.value.rotating_since,
            None => before.value.rotating_since.or(Some(who.now())),
        };
        before.value.rotation = rotation;
        Ok((context.write_verify(&who, before, &verify, since).await?, shown))
    });
    let (now, shown) = rotated.await?;
    let answer = Tagged {
        version: now.version,
        body: SecretRotationOut {
            webhooks: context.webhooks(who.scope(), &now.value, &target, shown.secret.as_deref()),
            connection: ConnectionOut::from(&now.value),
            verify_token: shown.verify_token.clone(),
            secret: shown.secret.clone(),
        },
    };
    let shows = shown.is_any();
    Ok(OnceIf { shows, answer })
}

async fn finish_connection_rotation(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<ConnectionId>,
    if_match: IfMatch,
) -> Result<Tagged<ConnectionOut>, Problem> {
    let finished = RACES.until_won(async || {
        let before = context.find_matching_version(who.scope(), id, &if_match).await?;
        if before.value.rotating_since.is_none() {
            let detail = "No rotation has begun, so there is none to finish.";
            return Err(Problem::conflict("not_rotating", detail).into());
        }
        let mut verify = context.open_verify(who.scope(), &before.value).await?;
        secrets::finish(&mut verify);
        context.write_verify(&who, before, &verify, None).await
    });
    Ok(Tagged::of(finished.await?))
}

async fn test_connection(
    who: Allowed<permits::ConnectionsWrite>,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<ConnectionId>,
) -> Result<Tagged<ConnectionOut>, Problem> {
    let mut connection = context.find(who.scope(), id).await?.value;
    let verify = context.open_verify(who.scope(), &connection).await?;
    // The deployment may have got or lost its shared app since the credentials were set.
    connection.awaits_secret = context.awaits_secret(&verify);
    let send: Option<SendSecrets> = match &connection.send {
        Some(sealed) => Some(context.open(who.scope(), id, SecretPurpose::Send, sealed).await?),
        None => verify.opens(),
    };
    let tested = context.test(who.scope(), &connection, send.as_ref(), who.now()).await?;
    tested.map(Tagged::of).ok_or_else(|| {
        let detail = "The credentials changed during the test. Test the connection again.";
        Problem::conflict("conflict", detail)
    })
}

async fn list_connection_webhooks(
    who: Allowed<permits::ConnectionsRead>,
    Extension(context): Extension<Arc<Context>>,
    Extension(target): Extension<Target>,
    Path(id): Path<ConnectionId>,
) -> Result<Tagged<WebhookAddresses>, Problem> {
    let (store, scope) = (context.api.store(), who.scope());
    let refused = async { Ok(store.refused_webhooks(scope, id, who.now()).await?) };
    let (found, refused) = tokio::try_join!(context.find(scope, id), refused)?;
    Ok(Tagged {
        version: found.version,
        body: WebhookAddresses {
            refused,
            webhooks: context.webhooks(who.scope(), &found.value, &target, None),
        },
    })
}

fn connection_problem(error: ConnectionError) -> Problem {
    match error {
        ConnectionError::Full => limit_reached::<Connection>(),
        // Never whose.
        ConnectionError::NumberTaken => {
            let detail = "This WhatsApp number is already connected to another business. Disconnect it there first.";
            Problem::conflict("number_taken", detail)
        }
        ConnectionError::NumberTwice(other) => {
            let detail = format!("The connection {other} already has this WhatsApp number. Use that one.");
            Problem::conflict("number_connected", detail)
        }
        ConnectionError::Store(error) => error.into(),
    }
}

fn key_service_problem(error: &SecretsError) -> Problem {
    tracing::error!(error = kit::chain(error), "the key service failed");
    Problem::unavailable()
}

impl Context {
    async fn find(&self, scope: &TenantScope, id: ConnectionId) -> Result<Found, Problem> {
        require_found(self.api.store().get(scope, &id)).await
    }

    /// The connection, if its version is the one that the caller knows.
    async fn find_matching_version(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        if_match: &IfMatch,
    ) -> Result<Found, Problem> {
        let found = self.find(scope, id).await?;
        if_match.check(found.version)?;
        Ok(found)
    }

    /// The credentials of a body, completed by the stored ones that the connection keeps.
    async fn complete_credentials(
        &self,
        who: &Writer,
        connection: &Connection,
        body: &OneOf<Credentials>,
    ) -> Result<Kept, Problem> {
        let kind = connection.account.provider();
        if body.kind()? != kind {
            let detail = format!(
                "The connection is of the kind {}. Send credentials of that kind.",
                kind.as_str()
            );
            let fault = Fault::new(FaultCode::NotApplicable, detail).and("kind", kind.as_str());
            return Err(Problem::field("kind", fault));
        }
        if !kind.takes_credentials() {
            let detail = "The secret of this kind is generated by Ringback. Rotate it to get a new one.";
            return Err(Problem::conflict("secret_is_generated", detail));
        }
        let credentials = Credentials::read(kind, body)?;
        let generated = match kind.generates() {
            // The provider has them already.
            Some(_) => self.open_verify(who.scope(), connection).await?.generated().1.to_vec(),
            None => Vec::new(),
        };
        let kept = credentials.keep(generated);
        self.require_app_secret(&kept)?;
        Ok(kept)
    }

    /// Whether no webhook of a connection with these secrets is accepted.
    fn awaits_secret(&self, verify: &VerifySecrets) -> bool {
        verify.is_empty() || (verify.needs_shared_app() && !self.shared_app)
    }

    /// Refuses credentials without a Meta app's secret where no app is shared: replies and STOP would be refused.
    fn require_app_secret(&self, kept: &Kept) -> Result<(), Problem> {
        if self.shared_app || !kept.verify.needs_shared_app() {
            return Ok(());
        }
        let detail = "This field is required: it verifies customers' replies and STOP. At developers.facebook.com, your app has it under \
            App settings > Basic.";
        Err(Problem::field(
            "credentials.app_secret",
            Fault::new(FaultCode::Required, detail),
        ))
    }

    async fn write(&self, who: &Writer, after: Connection, version: u64) -> Result<Found, StoreError> {
        let store = self.api.store();
        let version = store
            .configure_connection(who.scope(), &after, version, &who.stamp())
            .await?;
        Ok(Versioned { value: after, version })
    }

    /// Writes new webhook secrets, and since when older ones are among them.
    async fn write_verify(
        &self,
        who: &Writer,
        before: Found,
        verify: &VerifySecrets,
        rotating_since: Option<Timestamp>,
    ) -> Result<Found, Setback> {
        let connection = before.value;
        let after = Connection {
            verify: self
                .seal(who.scope(), connection.id, SecretPurpose::Verify, verify)
                .await?,
            credentials_version: connection.credentials_version + 1,
            rotating_since,
            awaits_secret: self.awaits_secret(verify),
            // What was said while nothing verified is not true any more.
            checkup: connection.checkup.filter(|_| !connection.awaits_secret),
            ..connection
        };
        Ok(self.write(who, after, before.version).await?)
    }

    async fn seal(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        purpose: SecretPurpose,
        credentials: &impl serde::Serialize,
    ) -> Result<Sealed, Problem> {
        let sealed = self.secrets.seal(scope.tenant(), id, purpose, credentials).await;
        sealed.map_err(|error| key_service_problem(&error))
    }

    async fn seal_all(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        kept: &Kept,
    ) -> Result<(Sealed, Option<Sealed>), Problem> {
        let send = async {
            match &kept.send {
                Some(send) => self.seal(scope, id, SecretPurpose::Send, send).await.map(Some),
                None => Ok(None),
            }
        };
        tokio::try_join!(self.seal(scope, id, SecretPurpose::Verify, &kept.verify), send)
    }

    async fn open<T: serde::de::DeserializeOwned>(
        &self,
        scope: &TenantScope,
        id: ConnectionId,
        purpose: SecretPurpose,
        sealed: &Sealed,
    ) -> Result<T, Problem> {
        let opened = self.secrets.open(scope.tenant(), id, purpose, sealed).await;
        opened.map_err(|error| key_service_problem(&error))
    }

    async fn open_verify(&self, scope: &TenantScope, connection: &Connection) -> Result<VerifySecrets, Problem> {
        self.open(scope, connection.id, SecretPurpose::Verify, &connection.verify)
            .await
    }

    /// Tests the connection and records the result. `None` if the credentials have changed since.
    async fn test(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        send: Option<&SendSecrets>,
        now: Timestamp,
    ) -> Result<Option<Found>, Problem> {
        let trial = self.providers.ask(connection, send, now).await;
        self.note(scope, connection, trial).await
    }

    /// Records the result of a test. `None` if the credentials have changed since.
    async fn note(&self, scope: &TenantScope, connection: &Connection, trial: Trial) -> Result<Option<Found>, Problem> {
        match self.note_test(scope, connection, &trial, trial.proof).await {
            Ok(noted) => Ok(noted),
            // Its events go to whoever was first, so it cannot be said to work.
            Err(ConnectionError::NumberTaken | ConnectionError::NumberTwice(_)) => {
                let noted = self
                    .note_test(scope, connection, &trial.with_number_taken(), Proof::Unclear)
                    .await;
                noted.map_err(connection_problem)
            }
            Err(error) => Err(connection_problem(error)),
        }
    }

    async fn note_test(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        trial: &Trial,
        proof: Proof,
    ) -> Result<Option<Found>, ConnectionError> {
        let store = self.api.store();
        let noted = store::RACES.until_won(|| store.note_test(scope, connection, proof, |row| trial.judge(row)));
        noted.await
    }

    fn webhooks(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        target: &Target,
        secret: Option<&str>,
    ) -> Vec<WebhookAddress> {
        let origin = target.origin(self.public_base_url.as_deref());
        let tenant: TenantId = scope.tenant();
        let webhooks = connection.account.webhooks(tenant, connection.id).into_iter();
        let shown = webhooks.map(|webhook| {
            let path = match secret {
                Some(secret) => webhook.path.replace("{secret}", secret),
                None => webhook.path,
            };
            WebhookAddress {
                what: webhook.what,
                method: webhook.method,
                url: format!("{origin}{path}"),
            }
        });
        shown.collect()
    }
}
