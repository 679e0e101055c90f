//! Settings of a connection that can change.

use domain::destinations::Confirmed;
use domain::tenants::exotel::{Cluster, MAX_SOURCES};
use domain::tenants::twilio::{SERVICE_SID, VoiceSettings};
use domain::tenants::vonage::UUID;
use domain::tenants::{CallingCode, Connection, Letters, MAX_NUMBERS, given_numbers_or_letters};
use domain::terms::{IpRange, MAX_NAME_LENGTH, OneLine, Phone};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Changes to a connection. Each kind has some of the fields. The identity of the account never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionSettings {
    /// Display name.
    #[schemars(example = "Front desk")]
    name: OneLine<1, MAX_NAME_LENGTH>,
    /// `whatsapp`: phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_number: Option<Phone>,
    /// All telephone systems and `twilio`: numbers of this connection. Empty: all numbers that it reports.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_numbers_or_letters"
    )]
    #[schemars(length(max = MAX_NUMBERS))]
    numbers: Option<Vec<Phone>>,
    /// `twilio`: Messaging Service that sends SMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SERVICE_SID))]
    messaging_service_sid: Option<String>,
    /// `twilio`: letters that send SMS to a country, whatever sends to others. Nobody can reply to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    letters: Option<Letters>,
    /// `twilio`: number that sends WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp_sender: Option<Phone>,
    /// `twilio`: rules of countries for SMS that no longer apply to it, because it is registered as they demand, or the provider
    /// has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_rules: Option<Confirmed>,
    /// `twilio`: call handling.
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<VoiceSettings>,
    /// `vonage`: Voice application. `null`: any application of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = UUID))]
    application_id: Option<String>,
    /// `exotel`: region of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<Cluster>,
    /// `exotel`: calling code of its national numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<CallingCode>,
    /// `exotel`: IP addresses that may report events. Empty: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_SOURCES))]
    sources: Option<Vec<IpRange>>,
}

/// The name of the field that is not the account's.
const NAME: &str = "name";

/// The settings of a connection, as JSON.
pub(super) fn of(connection: &Connection) -> Map<String, Value> {
    let (_, mut settings) = connection.account.parts();
    settings.insert(NAME.to_owned(), connection.name.as_str().into());
    settings
}

impl ConnectionSettings {
    pub(crate) fn of(connection: &Connection) -> Result<Self, Problem> {
        let mut settings = of(connection);
        settings.insert(NAME.to_owned(), "-".into());
        let settings: Self = serde_json::from_value(Value::Object(settings)).map_err(|_| Problem::internal())?;
        // Whatever the rules for names were when it was stored: a change can make it right.
        let name = OneLine::from_stored(&connection.name);
        Ok(Self { name, ..settings })
    }

    /// The connection with these settings. Fields that its kind does not have, or requires, are reported.
    pub(crate) fn onto(self, before: &Connection) -> Result<Connection, Problem> {
        let Ok(Value::Object(mut settings)) = serde_json::to_value(&self) else {
            return Err(Problem::internal());
        };
        settings.remove(NAME);
        let account = before.account.with_changed_settings(settings)?;
        let still_tested = account.is_tested_as(&before.account);
        Ok(Connection {
            name: self.name.into(),
            account,
            checkup: before.checkup.clone().filter(|_| still_tested),
            ..before.clone()
        })
    }
}
