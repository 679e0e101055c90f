//! Environment of a function: configuration, time, ids and AWS clients.

use std::sync::{Arc, OnceLock};

use store::Store;

use crate::aws::Aws;
use crate::proxy::TrustedProxy;
use crate::{Clock, Config, ConfigError, Ids, Stage};

/// Environment of a function. Cheap to clone. AWS clients are created on first use and shared.
#[derive(Clone)]
pub struct Env(Arc<Inner>);

struct Inner {
    function: &'static str,
    config: Config,
    proxy: Option<TrustedProxy>,
    clock: Clock,
    ids: Ids,
    aws: Aws,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    eventbridge: OnceLock<aws_sdk_eventbridge::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    ses: OnceLock<aws_sdk_sesv2::Client>,
}

impl Env {
    /// The environment of the process.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_process(function: &'static str) -> Result<Self, ConfigError> {
        let config = Config::from_process()?;
        let clock = config.clock()?;
        Self::new(function, config, clock.clone(), Ids::random(clock))
    }

    /// An environment of these parts, for tests.
    ///
    /// # Errors
    /// When only half of a proxy is configured; when AWS's region, endpoint or credentials are missing or wrong.
    pub fn new(function: &'static str, config: Config, clock: Clock, ids: Ids) -> Result<Self, ConfigError> {
        // Here and not where it is first used, so that no function starts without the proxy that it should trust.
        let proxy = TrustedProxy::of(&config)?;
        let aws = Aws::new(&config)?;
        Ok(Self(Arc::new(Inner {
            function,
            config,
            proxy,
            clock,
            ids,
            aws,
            dynamodb: OnceLock::new(),
            sqs: OnceLock::new(),
            eventbridge: OnceLock::new(),
            s3: OnceLock::new(),
            kms: OnceLock::new(),
            secrets: OnceLock::new(),
            ses: OnceLock::new(),
        })))
    }

    /// Name of the function.
    pub fn function(&self) -> &'static str {
        self.0.function
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub fn stage(&self) -> Stage {
        self.0.config.stage()
    }

    /// The proxy that is trusted to name the viewer, if there is one.
    pub(crate) fn trusted_proxy(&self) -> Option<&TrustedProxy> {
        self.0.proxy.as_ref()
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The source of new ids.
    pub fn ids(&self) -> &Ids {
        &self.0.ids
    }

    /// User agent for providers. Locally it names the process, so that the simulators can kill the caller.
    pub fn user_agent(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self.stage() {
            Stage::Local => format!("ringback/{version} (pid {})", std::process::id()),
            Stage::Dev | Stage::Prod => format!("ringback/{version}"),
        }
    }

    /// Endpoint of AWS, if it is not AWS itself.
    pub fn aws_endpoint(&self) -> Option<&str> {
        self.0.aws.endpoint()
    }

    /// Client of the table. `store` counts its calls itself.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.0.dynamodb.get_or_init(|| self.0.aws.dynamodb()).clone()
    }

    /// The table, `TABLE_NAME`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn store(&self) -> Result<Store, ConfigError> {
        Ok(Store::new(self.dynamodb(), self.config().text("TABLE_NAME")?))
    }

    /// Shows every request to the table, the queues, the buckets, the event bus and the secrets to this observer, unless a client exists already. Tests
    /// compare them with the function's role.
    pub fn observed_by(self, observer: impl aws_sdk_dynamodb::config::Intercept + Clone + 'static) -> Self {
        let aws = &self.0.aws;
        let config = aws.dynamodb().config().to_builder().interceptor(observer.clone());
        let _made_before = self.0.dynamodb.set(aws_sdk_dynamodb::Client::from_conf(config.build()));
        let config = aws.sqs().config().to_builder().interceptor(observer.clone());
        let _made_before = self.0.sqs.set(aws_sdk_sqs::Client::from_conf(config.build()));
        let config = aws.s3().config().to_builder().interceptor(observer.clone());
        let _made_before = self.0.s3.set(aws_sdk_s3::Client::from_conf(config.build()));
        let config = aws.eventbridge().config().to_builder().interceptor(observer.clone());
        let client = aws_sdk_eventbridge::Client::from_conf(config.build());
        let _made_before = self.0.eventbridge.set(client);
        let config = aws.secrets_manager().config().to_builder().interceptor(observer);
        let client = aws_sdk_secretsmanager::Client::from_conf(config.build());
        let _made_before = self.0.secrets.set(client);
        self
    }

    /// Client of the queues.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        self.0.sqs.get_or_init(|| self.0.aws.sqs()).clone()
    }

    /// Client of the event bus.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        self.0.eventbridge.get_or_init(|| self.0.aws.eventbridge()).clone()
    }

    /// Client of the bucket.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        self.0.s3.get_or_init(|| self.0.aws.s3()).clone()
    }

    /// Client of the KMS keys.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        self.0.kms.get_or_init(|| self.0.aws.kms()).clone()
    }

    /// Client of SES, at `SES_ENDPOINT_URL` if it is set.
    ///
    /// # Errors
    /// When the variable is not a URL, or missing in the local stack: mails of a test must not leave the machine.
    pub fn ses(&self) -> Result<aws_sdk_sesv2::Client, ConfigError> {
        let endpoint = self.config().optional_url("SES_ENDPOINT_URL")?;
        if endpoint.is_none() && self.stage() == Stage::Local {
            return Err(ConfigError::new("SES_ENDPOINT_URL", "must be set in the local stack"));
        }
        Ok(self.0.ses.get_or_init(|| self.0.aws.ses(endpoint)).clone())
    }

    /// A client of the connections of the WebSocket API with this URL.
    pub(crate) fn connections(&self, url: &str) -> aws_sdk_apigatewaymanagement::Client {
        self.0.aws.connections(url)
    }

    /// Client of the platform's own secrets.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        self.0.secrets.get_or_init(|| self.0.aws.secrets_manager()).clone()
    }
}
