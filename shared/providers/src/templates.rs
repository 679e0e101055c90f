//! Answers of providers to the management of templates.

use domain::messages::{Stage, classify_error};
use domain::templates::{TemplateDefinition, TemplateStatus, reason_line};
use domain::terms::{Api, Category, ErrorClass};

use crate::http::{Answer, Failure};

/// A request about templates did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The credentials or an id cannot be those of the provider, so nothing was sent.
    #[error("templates: the credentials or the account id are not valid")]
    BadCredentials,
    /// There was no answer.
    #[error("templates: the provider did not answer")]
    NoAnswer(#[from] Failure),
    #[error("templates: the provider refused with HTTP {status}, code {code:?}, subcode {subcode:?}")]
    Refused {
        api: Api,
        status: u16,
        code: Option<i64>,
        subcode: Option<i64>,
        /// The provider's explanation for people, without anything that may be somebody's number.
        told: Option<String>,
    },
    /// The answer cannot be read.
    #[error("templates: the provider's answer is not the documented one")]
    Unreadable,
    /// A list does not end.
    #[error("templates: the list has more pages than an account can fill")]
    TooMany,
    /// The sample could not be read.
    #[error("templates: the sample could not be read")]
    NoSample,
}

/// Meta's codes and subcodes that say something about the request of a kind.
const THROTTLED: [i64; 3] = [4, 80007, 80008];
const EXISTS: i64 = 2_388_024;
const UNKNOWN_OBJECT: i64 = 33;
const NOT_FOUND: u16 = 404;

impl TemplateError {
    pub(crate) fn of_refusal(
        api: Api,
        answer: &Answer,
        code: Option<i64>,
        subcode: Option<i64>,
        told: Option<&str>,
    ) -> Self {
        Self::Refused {
            api,
            status: answer.status,
            code,
            subcode,
            told: told.and_then(reason_line),
        }
    }

    /// Whether the provider may have done what was asked for.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::BadCredentials | Self::TooMany | Self::NoSample => false,
            Self::NoAnswer(failure) => !failure.nothing_left(),
            Self::Refused { api, status, code, .. } => {
                classify_error(*api, Stage::Answer, Some(*status), *code).class == ErrorClass::WaitForStatus
            }
            Self::Unreadable => true,
        }
    }

    /// Whether the provider wants fewer requests.
    pub fn is_throttled(&self) -> bool {
        let Self::Refused { status, code, .. } = self else {
            return false;
        };
        *status == 429 || code.is_some_and(|code| THROTTLED.contains(&code))
    }

    /// Whether the provider refuses the credentials.
    pub fn denies(&self) -> bool {
        match self {
            Self::BadCredentials => true,
            Self::Refused { api, status, code, .. } => {
                classify_error(*api, Stage::Answer, Some(*status), *code).class == ErrorClass::TenantMustAct
            }
            _ => false,
        }
    }

    /// Whether a template of this name and language exists.
    pub fn exists(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                subcode: Some(EXISTS),
                ..
            }
        )
    }

    /// Whether the template does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Refused { status: NOT_FOUND, .. }
                | Self::Refused {
                    subcode: Some(UNKNOWN_OBJECT),
                    ..
                }
        )
    }

    /// The provider's explanation for people.
    pub fn words_for_people(&self) -> Option<&str> {
        match self {
            Self::Refused { told, .. } => told.as_deref(),
            _ => None,
        }
    }
}

/// The provider's answer to a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Meta's id of the template.
    pub id: Option<String>,
    pub status: TemplateStatus,
    /// Its category, which the provider may have corrected.
    pub category: Option<Category>,
}

/// A page of a provider's list of templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplatePage {
    /// The templates, in any state, that our definitions can represent.
    pub templates: Vec<TemplateDefinition>,
    /// Number of the others.
    pub skipped: u64,
    /// Position of the next page; `None`: there is none.
    pub next: Option<String>,
}

/// A page of a provider's list that only says what exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamePage {
    /// Names and languages, also of templates that our definitions cannot represent.
    pub names: Vec<(String, String)>,
    /// Twilio's ids of them.
    pub contents: Vec<String>,
    /// Position of the next page; `None`: there is none.
    pub next: Option<String>,
}

/// Maximum pages for looking for a template: an account at Meta has at most 6,000.
pub const MAX_PAGES: usize = 60;

/// Maximum pages of a whole list. A provider may fill its pages with fewer than requested, or with what was never submitted.
pub const MAX_LIST_LENGTH: usize = 1_000;

/// Maximum length of a position in characters. It is part of an operation's cursor.
pub const MAX_POSITION_LENGTH: usize = 2_000;
