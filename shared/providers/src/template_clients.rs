//! Templates of a connection's account, whichever provider has it.

use domain::tenants::{Account, SendSecrets};

use crate::templates::{NamePage, TemplateError, TemplatePage};
use crate::twilio::client::Credentials;
use crate::twilio::content::ContentClient;
use crate::whatsapp::client::GraphClient;

/// The account of a connection, with its credentials, as far as it has templates.
#[derive(Clone, Copy)]
pub enum TemplateAccount<'a> {
    /// An account at Meta.
    Meta { waba_id: &'a str, access_token: &'a str },
    /// An account at Twilio.
    Twilio(Credentials<'a>),
}

impl<'a> TemplateAccount<'a> {
    /// The account of a connection; `None`: it has no templates, or no credentials.
    pub fn of(account: &'a Account, credentials: Option<&'a SendSecrets>) -> Option<Self> {
        match (account, credentials) {
            (Account::WhatsApp(account), Some(SendSecrets::WhatsApp(own))) => Some(Self::Meta {
                waba_id: &account.waba_id,
                access_token: &own.access_token,
            }),
            (Account::Twilio(account), Some(SendSecrets::Twilio(own))) => Some(Self::Twilio(Credentials {
                api_key_sid: &own.api_key_sid,
                api_key_secret: &own.api_key_secret,
                account_sid: &account.account_sid,
            })),
            _ => None,
        }
    }
}

/// The clients of both providers of templates.
#[derive(Debug, Clone)]
pub struct TemplateClients {
    pub graph: GraphClient,
    pub content: ContentClient,
}

impl TemplateClients {
    /// A page of an account's templates. `after`: [`TemplatePage::next`] of the page before.
    pub async fn page(&self, account: TemplateAccount<'_>, after: Option<&str>) -> Result<TemplatePage, TemplateError> {
        match account {
            TemplateAccount::Meta { waba_id, access_token } => {
                self.graph.template_page(access_token, waba_id, after).await
            }
            TemplateAccount::Twilio(credentials) => self.content.template_page(credentials, after).await,
        }
    }

    /// A page of the names and languages of an account's templates. `after`: [`NamePage::next`] of the page before.
    pub async fn names(&self, account: TemplateAccount<'_>, after: Option<&str>) -> Result<NamePage, TemplateError> {
        match account {
            TemplateAccount::Meta { waba_id, access_token } => {
                self.graph.template_names(access_token, waba_id, after).await
            }
            TemplateAccount::Twilio(credentials) => self.content.names(credentials, after).await,
        }
    }
}
