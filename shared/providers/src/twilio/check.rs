//! Checks whether a Twilio account works: its status, and its numbers. Source: twilio.com/docs/iam/api/account and
//! twilio.com/docs/phone-numbers/api/incomingphonenumber-resource.

use domain::terms::{Api, Phone};
use serde_json::Value;

use super::client::{Credentials, TwilioClient, is_sid};
use super::error;
use crate::check::CheckError;
use crate::http::Query;

const PROVIDER: &str = "Twilio";

/// Maximum page size of Twilio. Further numbers of an account are not searched.
const MAX_NUMBERS: &str = "1000";

/// State of an account at Twilio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// `active`, `suspended` or `closed`. `None` if the API key may not read it.
    pub status: Option<String>,
    pub numbers: Vec<AccountNumber>,
}

/// A number of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNumber {
    pub number: Phone,
    /// True if it can receive calls.
    pub voice: bool,
    /// True if it can send SMS.
    pub sms: bool,
}

impl TwilioClient {
    /// Reads an account and its numbers, both at once.
    ///
    /// # Errors
    /// When the request for the numbers is refused or not answered. A standard API key may not read the account itself.
    pub async fn check(&self, credentials: Credentials<'_>) -> Result<AccountState, CheckError> {
        let sid = credentials.account_sid;
        if !is_sid(sid) {
            return Err(CheckError::of_refusal("The account SID is not a valid one of Twilio."));
        }
        let account = self.look(credentials, format!("Accounts/{sid}.json"), &[]);
        let query = [("PageSize", MAX_NUMBERS)];
        let numbers = self.look(credentials, format!("Accounts/{sid}/IncomingPhoneNumbers.json"), &query);
        let (account, numbers) = futures::join!(account, numbers);
        let numbers = numbers?;
        let listed = numbers["incoming_phone_numbers"].as_array();
        let listed = listed.ok_or_else(|| CheckError::unreadable(PROVIDER))?;
        let number = |item: &Value| {
            Some(AccountNumber {
                number: item["phone_number"].as_str()?.parse().ok()?,
                voice: item["capabilities"]["voice"] == true,
                sms: item["capabilities"]["sms"] == true,
            })
        };
        Ok(AccountState {
            status: account
                .ok()
                .and_then(|account| Some(account["status"].as_str()?.to_owned())),
            numbers: listed.iter().filter_map(number).collect(),
        })
    }

    async fn look(&self, credentials: Credentials<'_>, path: String, query: &Query<'_>) -> Result<Value, CheckError> {
        let url = format!("{}/2010-04-01/{path}", self.base);
        let sent = self
            .http
            .send(|client| {
                let request = client.get(&url).query(query);
                request.basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret))
            })
            .await;
        let answer = sent.map_err(|failure| CheckError::of_failure(Api::Twilio, PROVIDER, &failure))?;
        if answer.is_success() {
            return serde_json::from_slice(&answer.body).map_err(|_| CheckError::unreadable(PROVIDER));
        }
        let code = error::code(&answer.body);
        if answer.status == 404 {
            return Err(CheckError::of_refusal(
                "Twilio knows no such account, or not by this API key. Check `account_sid`.",
            ));
        }
        Err(CheckError::of_answer(Api::Twilio, PROVIDER, &answer, code, None))
    }
}
