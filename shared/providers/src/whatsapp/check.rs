//! Checks whether a WhatsApp number works: Meta's data of it, that it belongs to the account, and that an app receives its events.
//! Source: developers.facebook.com, "Business phone numbers" and "Subscribed apps".

use domain::tenants::{MarketingTerms, Quality};
use domain::terms::{Api, Phone};
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use super::client::{GraphClient, bearer, is_id};
use super::{error, quality};
use crate::check::CheckError;
use crate::http::Query;

const PROVIDER: &str = "WhatsApp";

const FIELDS: &str = "display_phone_number,verified_name,quality_rating,throughput,code_verification_status,\
                      whatsapp_business_manager_messaging_limit";

/// An account's numbers. One that is not among the first thousand is not found; Meta lists twenty by default.
const NUMBERS: &str = "phone_numbers.limit(1000){id}";

/// An account's numbers and the state of its terms. Nobody has seen an older version of the Graph API answer the field of the terms.
const NUMBERS_AND_TERMS: &str = "marketing_messages_onboarding_status,phone_numbers.limit(1000){id}";

/// Meta's data of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberState {
    /// Its name, as customers see it.
    pub verified_name: Option<String>,
    /// The number, if it can be read.
    pub number: Option<Phone>,
    pub quality: Option<Quality>,
    /// Messages a second, in and out.
    pub messages_per_second: Option<u32>,
    /// Customers that the business may write to first within 24 hours; 0: no limit.
    pub customers_per_day: Option<u32>,
    /// True if the number belongs to the account. `None` if it is not on the first page of its numbers, and there are more, or Meta shows
    /// none.
    pub of_account: Option<bool>,
    /// Names of apps that receive the account's events.
    pub apps: Vec<String>,
    /// State of Meta's terms for marketing messages.
    pub marketing_terms: Option<MarketingTerms>,
}

impl GraphClient {
    /// Reads a number, its account with its numbers, and the apps that receive the account's events, all at once.
    ///
    /// # Errors
    /// When one of them is refused or not answered.
    pub async fn check(
        &self,
        access_token: &str,
        waba_id: &str,
        phone_number_id: &str,
    ) -> Result<NumberState, CheckError> {
        let number_path = phone_number_id.to_owned();
        let apps_path = format!("{waba_id}/subscribed_apps");
        if !is_id(waba_id) || !is_id(phone_number_id) {
            return Err(CheckError::of_refusal(
                "The ids of the account and the number are not valid ones of Meta.",
            ));
        }
        let number = self.look(access_token, number_path, &[("fields", FIELDS)], |id| {
            format!(
                "WhatsApp shows the access token no number of the id {id}. Check `phone_number_id`, and that the token's \
                 system user is assigned to the account."
            )
        });
        let no_account = |_: &str| {
            format!(
                "WhatsApp shows the access token no account of the id {waba_id}. Check `waba_id`, and that the token's \
                 system user is assigned to it."
            )
        };
        let account = self.account(access_token, waba_id, no_account);
        let apps = self.look(access_token, apps_path, &[], no_account);
        let (number, account, apps) = futures::join!(number, account, apps);
        // An error of the number's own request is reported first, because it must be fixed first. The first two show whose the number is; a
        // token that may not see the account's apps may still belong to the owner.
        let (number, account) = (number?, account?);
        let apps = apps.map_err(|error| error.that_denies(false))?;
        if number["id"] != phone_number_id || account["id"] != waba_id {
            return Err(CheckError::unreadable(PROVIDER));
        }
        let word = |name: &str| number[name].as_str();
        let numbers = &account["phone_numbers"];
        // A part that the token may not see is left out of an answer.
        let ids = numbers["data"].as_array();
        let is_listed = ids.is_some_and(|ids| ids.iter().any(|item| item["id"] == phone_number_id));
        Ok(NumberState {
            verified_name: word("verified_name").map(|name| name.chars().take(MAX_NAME_LENGTH).collect()),
            number: word("display_phone_number").and_then(phone),
            quality: word("quality_rating").map(quality),
            messages_per_second: number["throughput"]["level"].as_str().and_then(throughput),
            customers_per_day: word("whatsapp_business_manager_messaging_limit").and_then(limit),
            of_account: if is_listed {
                Some(true)
            } else {
                // Meta names the next page if there is one.
                let is_all = ids.is_some() && numbers["paging"]["next"].is_null();
                is_all.then_some(false)
            },
            apps: apps["data"].as_array().map(|apps| names(apps)).unwrap_or_default(),
            marketing_terms: account["marketing_messages_onboarding_status"].as_str().map(terms),
        })
    }

    /// Reads an account with its numbers, and with the state of its terms if Meta knows the field.
    async fn account(
        &self,
        access_token: &str,
        waba_id: &str,
        unknown: impl Fn(&str) -> String + Copy,
    ) -> Result<Value, CheckError> {
        let read = |fields| async move {
            let query = [("fields", fields)];
            self.look(access_token, waba_id.to_owned(), &query, unknown).await
        };
        match read(NUMBERS_AND_TERMS).await {
            // The test does not fail for a field that is only shown.
            Err(CheckError::Refused {
                denies: false,
                retry_after: None,
                ..
            }) => read(NUMBERS).await,
            account => account,
        }
    }

    async fn look(
        &self,
        access_token: &str,
        path: String,
        query: &Query<'_>,
        unknown: impl Fn(&str) -> String,
    ) -> Result<Value, CheckError> {
        let Some(bearer) = bearer(access_token) else {
            return Err(CheckError::of_refusal("The access token is not a valid one of Meta."));
        };
        let url = format!("{}/{path}", self.base);
        let sent = self
            .http
            .send(|client| client.get(&url).header(AUTHORIZATION, bearer).query(query))
            .await;
        let answer = sent.map_err(|failure| CheckError::of_failure(Api::WhatsAppCloud, PROVIDER, &failure))?;
        if answer.is_success() {
            return serde_json::from_slice(&answer.body).map_err(|_| CheckError::unreadable(PROVIDER));
        }
        let (code, details) = error::read(&answer.body);
        // 100 with subcode 33: the object does not exist, or the token may not see it.
        if code == Some(33) || (code == Some(100) && error::subcode(&answer.body) == Some(33)) {
            let id = path.split('/').next().unwrap_or_default();
            return Err(CheckError::of_refusal(unknown(id)).that_denies(true));
        }
        let error = CheckError::of_answer(Api::WhatsAppCloud, PROVIDER, &answer, code, details.as_deref());
        Err(error.that_denies(code.is_some_and(error::denies)))
    }
}

const MAX_NAME_LENGTH: usize = 200;

/// Maximum number of apps that are named. A business has one or two.
const MAX_APPS: usize = 3;

/// The names of apps, or their ids if they have none.
fn names(apps: &[Value]) -> Vec<String> {
    let apps = apps.iter().take(MAX_APPS).map(|app| &app["whatsapp_business_api_data"]);
    let names = apps.map(|app| {
        app["name"]
            .as_str()
            .or_else(|| app["id"].as_str())
            .unwrap_or("without a name")
    });
    names.map(|name| name.chars().take(MAX_NAME_LENGTH).collect()).collect()
}

/// `ONBOARDED`, `ELIGIBLE`, `PENDING_VALID_PAYMENT_METHOD`, `INELIGIBLE_COUNTRY_NOT_SUPPORTED`.
fn terms(status: &str) -> MarketingTerms {
    match status {
        "ONBOARDED" => MarketingTerms::Accepted,
        _ if status.starts_with("INELIGIBLE") => MarketingTerms::Ineligible,
        _ => MarketingTerms::NotAccepted,
    }
}

/// Meta formats it for people, `+971 4 555 5001`, or writes only digits.
pub(super) fn phone(text: &str) -> Option<Phone> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    Phone::from_digits(&digits).ok()
}

/// Messages a second of a number at its highest throughput level.
pub(super) const HIGH_THROUGHPUT: u32 = 1_000;

fn throughput(level: &str) -> Option<u32> {
    match level {
        "STANDARD" => Some(80),
        "HIGH" => Some(HIGH_THROUGHPUT),
        _ => None,
    }
}

/// `TIER_250`, `TIER_2K`, `TIER_UNLIMITED`.
pub(super) fn limit(tier: &str) -> Option<u32> {
    let tier = tier.strip_prefix("TIER_")?;
    if tier == "UNLIMITED" {
        return Some(0);
    }
    match tier.strip_suffix('K') {
        Some(thousands) => thousands.parse::<u32>().ok()?.checked_mul(1_000),
        None => tier.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_limits_and_numbers_are_parsed() {
        for (tier, expected) in [
            ("TIER_250", Some(250)),
            ("TIER_2K", Some(2_000)),
            ("TIER_100K", Some(100_000)),
            ("TIER_UNLIMITED", Some(0)),
            ("TIER_NOT_SET", None),
            ("250", None),
            ("TIER_99999999K", None),
        ] {
            assert_eq!(limit(tier), expected, "{tier}");
        }
        assert_eq!(
            phone("+971 4 555 5001").map(|phone| phone.to_string()).as_deref(),
            Some("+97145555001")
        );
        assert_eq!(phone("none"), None);
        for (status, expected) in [
            ("ONBOARDED", MarketingTerms::Accepted),
            ("ELIGIBLE", MarketingTerms::NotAccepted),
            ("PENDING_INTERNAL_SETUP", MarketingTerms::NotAccepted),
            ("INELIGIBLE_INACTIVE_OR_RESTRICTED", MarketingTerms::Ineligible),
        ] {
            assert_eq!(terms(status), expected, "{status}");
        }
    }
}
