//! A person's preferences for user interfaces. They belong to the person, whatever the tenant and the device.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::terms::{Language, LocalTime};

/// Preferences of a person for user interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InterfacePreferences {
    /// Language of the user interface. Default: that of mails.
    pub language: Option<Language>,
    /// Digits of numbers in texts.
    pub numerals: Numerals,
    /// Times of day.
    pub clock: Clock,
    /// Colors.
    pub theme: Theme,
    /// Height of rows.
    pub density: Density,
    /// Key that sends a message.
    pub send_key: SendKey,
    /// Notifications.
    pub notifications: Notifications,
}

impl InterfacePreferences {
    /// Settings of a person who has none yet.
    pub const USUAL: Self = Self {
        language: None,
        numerals: Numerals::Auto,
        clock: Clock::Auto,
        theme: Theme::System,
        density: Density::Regular,
        send_key: SendKey::Enter,
        notifications: Notifications::USUAL,
    };

    /// Whether they are the usual ones.
    pub fn are_usual(&self) -> bool {
        *self == Self::USUAL
    }

    /// Reads stored preferences. Preferences of a newer version must not lock a person out: they count as the usual ones.
    ///
    /// # Errors
    /// If nothing can be read at all.
    pub(crate) fn read_stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Value::deserialize(deserializer)?;
        Ok(serde_json::from_value(stored).unwrap_or_default())
    }
}

impl Default for InterfacePreferences {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Digits of numbers in texts. Telephone numbers, codes, times and tables always have 0 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Numerals {
    /// As usual in the language's region.
    #[default]
    Auto,
    /// 0 to 9.
    Latin,
    /// ٠ to ٩.
    Arabic,
}

/// Form of times of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Clock {
    /// As usual in the language's region.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// 2:05 pm.
    #[serde(rename = "12h")]
    Twelve,
    /// 14:05.
    #[serde(rename = "24h")]
    TwentyFour,
}

/// Colors of a user interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the device is set.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Height of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// Many rows on a screen.
    #[default]
    Regular,
    /// Higher rows, with more space between them.
    Comfortable,
}

/// Key that sends a message. Control or Command with Enter always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SendKey {
    /// Enter sends, and Shift with Enter begins a new line.
    #[default]
    Enter,
    /// The other way round.
    ShiftEnter,
}

/// Notifications that a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Notifications {
    /// Messages in conversations that are assigned to the person.
    pub mine: bool,
    /// Messages in conversations that nobody has taken.
    pub unassigned: bool,
    /// Notes that mention the person.
    pub mentions: bool,
    /// Calls that no message follows.
    pub calls: bool,
    /// Matters that somebody must attend to, such as a connection that the provider refuses.
    pub attention: bool,
    /// Whether a notification shows the text of a message, not only its sender.
    pub texts: bool,
    /// Hours of each day without notifications, in the tenant's time zone. Mails come at any hour.
    pub quiet_hours: Option<QuietTime>,
    /// Mails about what somebody must attend to. Managers and admins get them, and agents those about customers who wait.
    pub mails: NoticeMails,
}

/// Mails about what somebody must attend to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "NotificationMails")
)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeMails {
    /// The provider refuses the credentials or the account of a connection.
    pub connection_refused: bool,
    /// WhatsApp paused, disabled or rejected a template that an active automation uses.
    pub template_paused: bool,
    /// An active automation matched no call for seven days, although there were calls.
    pub automation_unmatched: bool,
    /// Four fifths of what a cap allows in an hour, a day or a month were sent.
    pub cap_nearly_reached: bool,
    /// A campaign paused itself, such as when a cap was reached, its template was paused, or many of its messages failed.
    pub campaign_paused: bool,
    /// Nobody has read a customer's message for ten minutes, or as long as the inbox of the tenant allows. Agents get these, too.
    pub customers_wait: bool,
    /// An endpoint of webhooks has failed for a day, or is disabled because it went on failing.
    pub webhook_failing: bool,
    /// An order is paid, and was not shipped in the time that the tenant's `orders` allow. Agents get these, too, at most once a day.
    pub orders_late: bool,
}

impl NoticeMails {
    /// Settings of a person who has set nothing.
    pub const USUAL: Self = Self {
        connection_refused: true,
        template_paused: true,
        automation_unmatched: true,
        cap_nearly_reached: true,
        campaign_paused: true,
        customers_wait: true,
        webhook_failing: true,
        orders_late: true,
    };
}

impl Default for NoticeMails {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Hours of each day without notifications. If `to` is not after `from`, they end on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietTime {
    /// Local start time.
    #[cfg_attr(feature = "schema", schemars(example = "21:00"))]
    pub from: LocalTime,
    /// Local end time.
    #[cfg_attr(feature = "schema", schemars(example = "07:30"))]
    pub to: LocalTime,
}

impl Notifications {
    /// Settings of a person who has set nothing.
    pub const USUAL: Self = Self {
        mine: true,
        unassigned: true,
        mentions: true,
        calls: true,
        attention: true,
        texts: false,
        quiet_hours: None,
        mails: NoticeMails::USUAL,
    };
}

impl Default for Notifications {
    fn default() -> Self {
        Self::USUAL
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "InterfacePreferences::read_stored")]
        preferences: InterfacePreferences,
    }

    fn preferences_of_row(row: Value) -> InterfacePreferences {
        serde_json::from_value::<Row>(row).unwrap().preferences
    }

    #[test]
    fn what_is_not_set_is_as_usual() {
        assert_eq!(preferences_of_row(json!({})), InterfacePreferences::USUAL);
        let set = json!({
            "language": "ar-AE", "clock": "12h", "theme": "dark", "send_key": "shift_enter",
            "notifications": {
                "calls": false, "quiet_hours": {"from": "21:00", "to": "07:30"}, "mails": {"template_paused": false},
            },
        });
        let read = preferences_of_row(json!({ "preferences": set }));
        assert_eq!((read.clock, read.numerals), (Clock::Twelve, Numerals::Auto));
        assert!(!read.notifications.calls && read.notifications.mine);
        let mails = read.notifications.mails;
        assert!(!mails.template_paused && mails.connection_refused);
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(preferences_of_row(json!({ "preferences": written })), read);
    }

    #[test]
    fn preferences_of_a_newer_version_lock_nobody_out() {
        for newer in [
            json!({"theme": "sepia"}),
            json!({"fonts": "large"}),
            json!(7),
            Value::Null,
        ] {
            assert_eq!(
                preferences_of_row(json!({ "preferences": newer })),
                InterfacePreferences::USUAL
            );
        }
    }
}
