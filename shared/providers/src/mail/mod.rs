//! E-mail through Amazon SES (API v2, `SendEmail`).

mod client;
mod error;

pub use client::{Letter, Mailer};
pub use error::{MailClass, MailError};
