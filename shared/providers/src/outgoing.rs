//! Content of a client's request.

use domain::messages::Content;
use domain::terms::{ErrorClass, ProviderRef};

use crate::outcome::Unsendable;

/// A message on its way to a provider.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub content: &'a Content,
    /// The provider's id of the message that it answers.
    pub reply_to: Option<&'a ProviderRef>,
    /// Where the provider finds the content's file: WhatsApp by the id that it gave the uploaded file, Twilio by a URL.
    pub file: Option<&'a str>,
    /// Whether WhatsApp gets it as a marketing message, which only a marketing template is.
    pub as_marketing: bool,
}

impl<'a> From<&'a Content> for Outgoing<'a> {
    /// Content without a file, which answers no message.
    fn from(content: &'a Content) -> Self {
        Self {
            content,
            reply_to: None,
            file: None,
            as_marketing: false,
        }
    }
}

impl<'a> Outgoing<'a> {
    /// The place of the content's file.
    ///
    /// # Errors
    /// If it is not known.
    pub(crate) fn file(&self) -> Result<&'a str, Unsendable> {
        self.file
            .filter(|file| !file.is_empty())
            .ok_or((ErrorClass::Bug, "the provider does not have the file"))
    }
}
