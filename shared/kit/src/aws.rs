//! AWS clients, configured from the environment only: Lambda provides region and credentials there, so no profile file is read
//! and no metadata service is called.

use std::time::Duration;

use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_sqs::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{
    BehaviorVersion, ConfigBag, Credentials, IdentityCache, Intercept, Region, RuntimeComponents, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use crate::{Config, ConfigError};

/// State that all clients share.
pub(crate) struct Aws {
    region: Region,
    credentials: Credentials,
    endpoint: Option<String>,
    http: SharedHttpClient,
}

macro_rules! client {
    ($aws:expr, $sdk:ident) => {{
        let mut builder = $sdk::config::Builder::new();
        builder.set_endpoint_url($aws.endpoint.clone());
        builder
            .behavior_version(BehaviorVersion::latest())
            .region($aws.region.clone())
            .credentials_provider($aws.credentials.clone())
            // They stay valid for the lifetime of the process.
            .identity_cache(IdentityCache::no_cache())
            .http_client($aws.http.clone())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts($aws.endpoint.is_some()))
            // An attempt's time-out covers its whole answer, except for streams (S3's objects).
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(CountCalls)
    }};
}

/// Maximum time for handing a message to a client's connection.
const SOCKET_ATTEMPT: Duration = Duration::from_secs(1);

/// Well below a function's own time-out, so that a retry still fits in. An emulator shares its machine with all that asks it, and is one
/// process: it answers late rather than never.
fn timeouts(emulated: bool) -> TimeoutConfig {
    let factor = if emulated { 10 } else { 1 };
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1) * factor)
        .operation_attempt_timeout(Duration::from_secs(4) * factor)
        .build()
}

/// Certificate authorities of AWS's endpoints. Reading the machine's own store of about 140 roots would take several milliseconds
/// of every cold start and two megabytes.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// Prefixes of regions outside AWS's public partition, whose endpoints may use other authorities.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "us-gov-", "us-iso", "eu-iso"];

fn trust_store_for(region: &str, endpoint: Option<&str>) -> TrustStore {
    let public = !OTHER_PARTITIONS.iter().any(|prefix| region.starts_with(prefix));
    // Without TLS, none is used.
    let own = endpoint.is_some_and(|url| !url.starts_with("http://"));
    if public && !own {
        TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
    } else {
        TrustStore::default()
    }
}

impl Aws {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let region = config.text("AWS_REGION")?;
        // The template never sets it; an emulator does, for whichever stage runs there.
        let endpoint = config.optional("AWS_ENDPOINT_URL").map(|url| url.trim_end_matches('/'));
        let tls = TlsContext::builder()
            .with_trust_store(trust_store_for(region, endpoint))
            .build()
            .map_err(|error| ConfigError::new("AWS_REGION", format!("no TLS for its endpoints: {error}")))?;
        let credentials = Credentials::new(
            config.text("AWS_ACCESS_KEY_ID")?,
            config.text("AWS_SECRET_ACCESS_KEY")?,
            config.optional("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        Ok(Self {
            region: Region::new(region.to_owned()),
            credentials,
            endpoint: endpoint.map(str::to_owned),
            http: aws_smithy_http_client::Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(tls)
                .build_https(),
        })
    }

    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(client!(self, aws_sdk_dynamodb).build())
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::from_conf(client!(self, aws_sdk_sqs).build())
    }

    pub(crate) fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::from_conf(client!(self, aws_sdk_eventbridge).build())
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        // An emulator has one host for all buckets.
        let path_style = self.endpoint.is_some();
        let builder = client!(self, aws_sdk_s3)
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().build())
            // Otherwise, the parts of an upload have checksums that its completion must repeat. TLS protects what is sent.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .force_path_style(path_style);
        aws_sdk_s3::Client::from_conf(builder.build())
    }

    pub(crate) fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::from_conf(client!(self, aws_sdk_kms).build())
    }

    /// Client with its own endpoint, which is not the emulator's. SES has no idempotency key, so requests are not repeated in
    /// process: a repeated one would be a second mail.
    pub(crate) fn ses(&self, endpoint: Option<&str>) -> aws_sdk_sesv2::Client {
        let mut builder = client!(self, aws_sdk_sesv2).retry_config(RetryConfig::disabled());
        builder.set_endpoint_url(endpoint.map(str::to_owned));
        aws_sdk_sesv2::Client::from_conf(builder.build())
    }

    /// Client of the connections of a WebSocket API, which are at an address of their own. Requests are not repeated in process: whoever
    /// is not reached soon is told later.
    pub(crate) fn connections(&self, url: &str) -> aws_sdk_apigatewaymanagement::Client {
        let times = timeouts(self.endpoint.is_some());
        let attempt = SOCKET_ATTEMPT * if self.endpoint.is_some() { 3 } else { 1 };
        let mut builder = client!(self, aws_sdk_apigatewaymanagement)
            .retry_config(RetryConfig::disabled())
            .timeout_config(times.to_builder().operation_attempt_timeout(attempt).build());
        builder.set_endpoint_url(Some(url.to_owned()));
        aws_sdk_apigatewaymanagement::Client::from_conf(builder.build())
    }

    pub(crate) fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::from_conf(client!(self, aws_sdk_secretsmanager).build())
    }
}

/// Counts every request, including retries, by the IAM action that it needs.
#[derive(Debug)]
struct CountCalls;

impl Intercept for CountCalls {
    fn name(&self) -> &'static str {
        "CountCalls"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        if let Some(operation) = config.load::<Metadata>()
            && operation.service() != "DynamoDB"
        {
            store::table::usage::count(&[action(operation.service(), operation.name())]);
        }
        Ok(())
    }
}

/// The IAM action of an operation.
fn action(service: &str, operation: &str) -> &'static str {
    match (service, operation) {
        ("SQS", "SendMessage" | "SendMessageBatch") => "sqs:SendMessage",
        ("SQS", "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch") => "sqs:ChangeMessageVisibility",
        ("SQS", "GetQueueAttributes") => "sqs:GetQueueAttributes",
        ("EventBridge", "PutEvents") => "events:PutEvents",
        ("S3", "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload") => "s3:PutObject",
        ("S3", "GetObject") => "s3:GetObject",
        ("S3", "DeleteObject" | "DeleteObjects") => "s3:DeleteObject",
        ("S3", "ListObjectsV2") => "s3:ListBucket",
        ("KMS", "Decrypt") => "kms:Decrypt",
        ("KMS", "Encrypt") => "kms:Encrypt",
        ("Secrets Manager", "GetSecretValue") => "secretsmanager:GetSecretValue",
        ("Secrets Manager", "PutSecretValue") => "secretsmanager:PutSecretValue",
        ("SESv2", "SendEmail") => "ses:SendEmail",
        ("ApiGatewayManagementApi", "PostToConnection" | "DeleteConnection") => "execute-api:ManageConnections",
        _ => {
            tracing::warn!(service, operation, "kit::aws has no IAM action for an AWS request");
            "aws:Other"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(region: &str) -> Aws {
        let variables = [
            ("STAGE", "prod"),
            ("AWS_REGION", region),
            ("AWS_ACCESS_KEY_ID", "none"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Aws::new(&Config::from_variables(variables).expect("a configuration")).expect("a region and credentials")
    }

    #[test]
    fn amazons_roots_are_used_only_in_public_regions() {
        assert_eq!(AMAZON_ROOTS.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        // Creating a client reads them, and panics if one cannot be read.
        let _client = aws("eu-west-1").dynamodb();
        let own = |region| format!("{:?}", trust_store_for(region, None)).contains("enable_native_roots: true");
        assert!(!own("eu-west-1"));
        assert!(own("cn-north-1"));
        assert!(
            format!("{:?}", trust_store_for("eu-west-1", Some("https://localhost")))
                .contains("enable_native_roots: true")
        );
        assert!(
            !format!("{:?}", trust_store_for("eu-west-1", Some("http://localhost")))
                .contains("enable_native_roots: true")
        );
    }
}
