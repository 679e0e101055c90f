//! A function's configuration: its environment, read once, with errors that name the variable.

use std::collections::BTreeMap;

use domain::live::PushServices;
use domain::tenants::BulkWorkers;
use domain::terms::Timers;
use jiff::SignedDuration;

use crate::Clock;

/// Variable of the seconds that the local stack's time is ahead of the machine's. `cargo stack clock` writes it.
const CLOCK_OFFSET: &str = "CLOCK_OFFSET_SECONDS";
/// Its maximum: ten years.
const MAX_OFFSET: u32 = 10 * 365 * 24 * 60 * 60;

/// Maximum of a timer.
const MAX_TIMER: SignedDuration = SignedDuration::from_hours(24);

/// Stage of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Local,
    /// A shared AWS deployment for trials.
    Dev,
    Prod,
}

impl Stage {
    /// Name of the stage in the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }
}

/// A function cannot start with its configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable}: {problem}")]
pub struct ConfigError {
    variable: String,
    problem: String,
}

impl ConfigError {
    /// An error about a variable's value.
    pub fn new(variable: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            problem: problem.into(),
        }
    }
}

/// The environment at the start.
#[derive(Clone)]
pub struct Config {
    variables: BTreeMap<String, String>,
    stage: Stage,
}

impl Config {
    /// The environment of the process.
    ///
    /// # Errors
    /// When the stage is not one of the three; when the local stage is not in an emulator; or when a setting for tests (crash points,
    /// lifted limits, URLs without TLS) is used outside the local stage.
    pub fn from_process() -> Result<Self, ConfigError> {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_variables(std::env::vars_os().filter_map(utf8))
    }

    /// An environment of these variables.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let stage = match variables.get("STAGE").map(String::as_str) {
            Some("local") => Stage::Local,
            Some("dev") => Stage::Dev,
            Some("prod") => Stage::Prod,
            _ => return Err(ConfigError::new("STAGE", "must be local, dev or prod")),
        };
        let config = Self { variables, stage };
        match stage {
            Stage::Local => config.require_emulator()?,
            Stage::Dev | Stage::Prod => config.refuse_what_is_for_tests()?,
        }
        Ok(config)
    }

    /// The local stage has doors for tests, so it starts only where an emulator on the same machine stands in for AWS.
    fn require_emulator(&self) -> Result<(), ConfigError> {
        let endpoint = self.optional("AWS_ENDPOINT_URL").unwrap_or_default();
        let here = ["http://127.0.0.1:", "http://localhost:"];
        if here.iter().any(|here| endpoint.starts_with(here)) {
            return Ok(());
        }
        let problem =
            "the local stage starts only in an emulator, which AWS_ENDPOINT_URL names; on AWS it must be dev or prod";
        Err(ConfigError::new("STAGE", problem))
    }

    fn refuse_what_is_for_tests(&self) -> Result<(), ConfigError> {
        let stage = self.stage.as_str();
        if self.optional("CRASH_POINTS").is_some() {
            let problem = format!("only the local stage may have crash points, and this is {stage}");
            return Err(ConfigError::new("CRASH_POINTS", problem));
        }
        if self.optional(CLOCK_OFFSET).is_some() {
            let problem = format!("only the local stage may move the time, and this is {stage}");
            return Err(ConfigError::new(CLOCK_OFFSET, problem));
        }
        if self.optional("AUTH_LIMIT_FACTOR").is_some_and(|factor| factor != "1") {
            let problem =
                format!("must be 1: only the local stage may raise the limits of log-in, and this is {stage}");
            return Err(ConfigError::new("AUTH_LIMIT_FACTOR", problem));
        }
        // They are read by name where they are used. They are checked here so that no function starts with a value that another refuses.
        for variable in ["PUBLIC_BASE_URL", "LINK_BASE_URL", "APP_URL"] {
            self.optional_url(variable)?;
        }
        let services = PushServices::with(self.optional("PUSH_SERVICES").unwrap_or_default());
        if let Some(origin) = services.unsafe_origin() {
            let problem = format!(
                "{origin}: must begin with https:// and be a name: only the local stage takes http:// and addresses"
            );
            return Err(ConfigError::new("PUSH_SERVICES", problem));
        }
        Ok(())
    }

    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The machine's clock, moved as `cargo stack clock` says.
    ///
    /// # Errors
    /// When the offset is no whole number of seconds, or is longer than ten years.
    pub(crate) fn clock(&self) -> Result<Clock, ConfigError> {
        let Some(offset) = self.optional(CLOCK_OFFSET) else {
            return Ok(Clock::system());
        };
        match offset.parse::<u32>() {
            Ok(seconds) if seconds <= MAX_OFFSET => Ok(Clock::new_shifted(SignedDuration::from_secs(seconds.into()))),
            _ => Err(ConfigError::new(
                CLOCK_OFFSET,
                format!("must be a whole number of seconds, at most {MAX_OFFSET}"),
            )),
        }
    }

    /// A variable that may be missing or empty, which has the same meaning.
    pub fn optional(&self, variable: &str) -> Option<&str> {
        self.variables
            .get(variable)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A required variable.
    ///
    /// # Errors
    /// When it is missing or empty.
    pub fn text(&self, variable: &str) -> Result<&str, ConfigError> {
        self.optional(variable)
            .ok_or_else(|| ConfigError::new(variable, "must be set"))
    }

    /// An `https` URL without a trailing slash. In the local stage it may be `http`.
    ///
    /// # Errors
    /// When it is there and something else.
    pub fn optional_url(&self, variable: &str) -> Result<Option<&str>, ConfigError> {
        let Some(url) = self.optional(variable) else {
            return Ok(None);
        };
        let plain = url.starts_with("http://");
        if plain && self.stage != Stage::Local {
            let problem = "must begin with https://: only the local stage takes http://";
            return Err(ConfigError::new(variable, problem));
        }
        if !(plain || url.starts_with("https://")) || url.ends_with('/') || url.contains(char::is_whitespace) {
            return Err(ConfigError::new(
                variable,
                "must be a URL with scheme and no slash at its end, such as https://api.example.com",
            ));
        }
        Ok(Some(url))
    }

    /// A required URL.
    ///
    /// # Errors
    /// When it is missing or not a URL.
    pub fn url(&self, variable: &str) -> Result<&str, ConfigError> {
        self.optional_url(variable)?
            .ok_or_else(|| ConfigError::new(variable, "must be set"))
    }

    /// Whole seconds above zero, if set.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_seconds(&self, variable: &str) -> Result<Option<SignedDuration>, ConfigError> {
        let Some(text) = self.optional(variable) else {
            return Ok(None);
        };
        match text.parse::<u32>() {
            Ok(seconds) if seconds > 0 => Ok(Some(SignedDuration::from_secs(seconds.into()))),
            _ => Err(ConfigError::new(
                variable,
                "must be a whole number of seconds above zero",
            )),
        }
    }

    /// Whole seconds above zero.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn seconds(&self, variable: &str) -> Result<SignedDuration, ConfigError> {
        self.optional_seconds(variable)?
            .ok_or_else(|| ConfigError::new(variable, "must be set"))
    }

    /// The number of workers of the queue `bulk-sends`, which `BULK_CONCURRENCY` says.
    ///
    /// # Errors
    /// When it says none, or not as many as an event source can have.
    pub fn bulk_workers(&self) -> Result<BulkWorkers, ConfigError> {
        const NAME: &str = "BULK_CONCURRENCY";
        let number = self.text(NAME)?.parse().ok().and_then(BulkWorkers::new);
        let [fewest, most] = BulkWorkers::RANGE;
        number.ok_or_else(|| ConfigError::new(NAME, format!("must be a whole number from {fewest} to {most}")))
    }

    /// The timers of sending. A function has those that it uses; the others have the template's defaults.
    ///
    /// # Errors
    /// When one is not a number of seconds, is longer than a day, or they are not in their order.
    pub fn timers(&self) -> Result<Timers, ConfigError> {
        const ORDER: [&str; 3] = ["PROVIDER_TIMEOUT", "CLAIM_SECONDS", "FIRST_DUE_SECONDS"];
        self.must_rise(&ORDER)?;
        self.must_rise(&["CLAIM_SECONDS", "UNKNOWN_DEADLINE_SECONDS"])?;
        let or = |variable, default| {
            let given = self.optional_seconds(variable)?;
            if given.is_some_and(|given| given > MAX_TIMER) {
                let most = MAX_TIMER.as_secs();
                return Err(ConfigError::new(variable, format!("must be at most {most} seconds")));
            }
            Ok(given.unwrap_or(SignedDuration::from_secs(default)))
        };
        Ok(Timers {
            provider_call: or("PROVIDER_TIMEOUT", 10)?,
            claim: or("CLAIM_SECONDS", 60)?,
            first_due: or("FIRST_DUE_SECONDS", 90)?,
            unknown_deadline: or("UNKNOWN_DEADLINE_SECONDS", 600)?,
            decide_call: or("DECIDE_CALL_SECONDS", 60)?,
            recheck: or("RECHECK_SECONDS", 300)?,
        })
    }

    fn must_rise(&self, variables: &[&str]) -> Result<(), ConfigError> {
        let mut before: Option<(&str, SignedDuration)> = None;
        for variable in variables {
            let Some(value) = self.optional_seconds(variable)? else {
                continue;
            };
            if let Some((name, shorter)) = before
                && value <= shorter
            {
                return Err(ConfigError::new(*variable, format!("must be longer than {name}")));
            }
            before = Some((variable, value));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Config {
    /// Prints names only, because AWS credentials are among the values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With an emulator, which another value of `AWS_ENDPOINT_URL` replaces.
    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let emulator = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
        Config::from_variables([emulator].iter().chain(variables).map(own))
    }

    #[test]
    fn a_missing_or_wrong_variable_is_named() {
        let config = config(&[("STAGE", "dev"), ("A", ""), ("B", "1.5"), ("C", "ftp://x")]).unwrap();
        let message = |error: ConfigError| error.to_string();
        assert_eq!(
            config.text("A").map_err(message),
            Err("environment variable A: must be set".to_owned())
        );
        assert!(
            config
                .seconds("B")
                .map_err(message)
                .unwrap_err()
                .contains("B: must be a whole number")
        );
        assert!(
            config
                .url("C")
                .map_err(message)
                .unwrap_err()
                .contains("C: must be a URL")
        );
        assert_eq!(config.optional_url("A"), Ok(None));
    }

    #[test]
    fn the_stage_must_be_known() {
        assert!(config(&[]).is_err());
        assert!(config(&[("STAGE", "staging")]).is_err());
    }

    #[test]
    fn crash_points_start_only_locally() {
        assert!(config(&[("STAGE", "local"), ("CRASH_POINTS", "a=1")]).is_ok());
        assert!(config(&[("STAGE", "prod"), ("CRASH_POINTS", "")]).is_ok());
        let error = config(&[("STAGE", "prod"), ("CRASH_POINTS", "a=1")]).unwrap_err();
        assert!(error.to_string().contains("CRASH_POINTS"));
    }

    #[test]
    fn local_stage_starts_only_in_an_emulator() {
        for endpoint in ["http://127.0.0.1:4566", "http://localhost:1"] {
            assert!(
                config(&[("STAGE", "local"), ("AWS_ENDPOINT_URL", endpoint)]).is_ok(),
                "{endpoint}"
            );
        }
        for elsewhere in [
            "",
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://127.0.0.1.example.com:80",
            "http://10.0.0.1:80",
        ] {
            let error = config(&[("STAGE", "local"), ("AWS_ENDPOINT_URL", elsewhere)])
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("STAGE") && error.contains("emulator"),
                "{elsewhere}: {error}"
            );
        }
    }

    #[test]
    fn time_is_moved_only_locally() {
        let moved = config(&[("STAGE", "local"), (CLOCK_OFFSET, "86400")]).unwrap();
        let ahead = moved.clock().unwrap().now().duration_since(Clock::system().now());
        assert!(ahead > SignedDuration::from_hours(23), "{ahead}");
        for wrong in ["-1", "1d", "315360001"] {
            let config = config(&[("STAGE", "local"), (CLOCK_OFFSET, wrong)]).unwrap();
            assert!(config.clock().is_err(), "{wrong}");
        }
        for stage in ["dev", "prod"] {
            let error = config(&[("STAGE", stage), (CLOCK_OFFSET, "60")])
                .unwrap_err()
                .to_string();
            assert!(error.contains(CLOCK_OFFSET), "{error}");
        }
    }

    #[test]
    fn lifted_limits_and_http_urls_start_only_locally() {
        for (variable, value) in [
            ("AUTH_LIMIT_FACTOR", "1000"),
            ("AUTH_LIMIT_FACTOR", "2"),
            ("PUBLIC_BASE_URL", "http://api.example.com"),
            ("LINK_BASE_URL", "http://go.example.com"),
            ("APP_URL", "http://app.example.com"),
            ("PUSH_SERVICES", "https://push.example.org,http://push.example.com"),
            ("PUSH_SERVICES", "https://169.254.169.254"),
            ("PUSH_SERVICES", "https://0x7f.1"),
            ("PUSH_SERVICES", "https://[::1]:8443"),
            ("PUSH_SERVICES", "https://localhost:8443"),
        ] {
            assert!(config(&[("STAGE", "local"), (variable, value)]).is_ok(), "{variable}");
            for stage in ["dev", "prod"] {
                let error = config(&[("STAGE", stage), (variable, value)]).unwrap_err().to_string();
                assert!(error.contains(variable), "{error}");
            }
        }
        let usual = [
            ("STAGE", "prod"),
            ("AUTH_LIMIT_FACTOR", "1"),
            ("PUBLIC_BASE_URL", "https://api.example.com"),
            ("APP_URL", ""),
            (
                "PUSH_SERVICES",
                "https://push.example.org,https://push.example.com:8443",
            ),
            ("GRAPH_API_URL", "http://graph.example.com"),
        ];
        let usual = config(&usual).unwrap();
        let error = usual.url("GRAPH_API_URL").unwrap_err().to_string();
        assert!(error.contains("https://"), "{error}");
    }

    #[test]
    fn timers_hold_their_order() {
        let good = config(&[("STAGE", "local"), ("CLAIM_SECONDS", "8"), ("FIRST_DUE_SECONDS", "10")]).unwrap();
        assert_eq!(good.timers().unwrap().claim, SignedDuration::from_secs(8));
        // Timers that a function is not given are not compared: the stack sets them for other functions.
        let part = config(&[("STAGE", "local"), ("FIRST_DUE_SECONDS", "10")]).unwrap();
        assert_eq!(part.timers().unwrap().first_due, SignedDuration::from_secs(10));
        let bad = config(&[("STAGE", "local"), ("PROVIDER_TIMEOUT", "2"), ("CLAIM_SECONDS", "2")]).unwrap();
        assert!(
            bad.timers()
                .unwrap_err()
                .to_string()
                .contains("longer than PROVIDER_TIMEOUT")
        );
        let doubt = [
            ("STAGE", "local"),
            ("CLAIM_SECONDS", "8"),
            ("UNKNOWN_DEADLINE_SECONDS", "8"),
        ];
        assert!(config(&doubt).unwrap().timers().is_err());
        for variable in ["UNKNOWN_DEADLINE_SECONDS", "DECIDE_CALL_SECONDS", "RECHECK_SECONDS"] {
            let of = |seconds| config(&[("STAGE", "local"), (variable, seconds)]).unwrap().timers();
            assert!(of("86400").is_ok(), "{variable}");
            let error = of("86401").unwrap_err().to_string();
            assert!(error.contains(variable) && error.contains("at most 86400"), "{error}");
        }
    }
}
