//! Messages about events of orders: what is said when an order was placed, is late, was packed, shipped, delivered or
//! cancelled.

use jiff::{SignedDuration, Timestamp};

use crate::campaigns::CampaignMessage;
use crate::messages::{Cause, CauseNews, Intent, OrderView, Says, Subject, Words};
use crate::people::{Contact, OrderEvent};
use crate::tenants::Tenant;
use crate::terms::{Category, Channel, EventMessageId, Narrowing, Purpose, QuietAction, QuietHours, SmsText, Whole};

resource! {
    /// The message about an event of orders.
    pub struct EventMessage of EventMessageId;

    /// The fields of a message about an event of orders.
    pub struct EventMessageIn {
        /// Event. There is one message for each.
        #[cfg_attr(feature = "schema", schemars(extend("x-unique" = true)))]
        pub event: OrderEvent,
        /// Whether it is sent.
        #[serde(default = "is_enabled")]
        pub enabled: bool,
        /// Seconds to wait after the event was reported.
        #[serde(default)]
        pub delay_seconds: Whole<0, 43_200>,
        /// Content, of the category `utility`. Its texts and templates can name values of the order, such as `{{order.number}}`. Left out:
        /// the usual text for the event by SMS, in English and Arabic (`x-usual`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-usual" = usual_texts()), example = serde_json::json!({
            "category": "utility", "channels": ["sms"], "sms_text": "{{tenant.name}}: your order {{order.number}} is on its way.",
        })))]
        pub message: Option<CampaignMessage>,
    }
}

const fn is_enabled() -> bool {
    true
}

impl EventMessage {
    /// Maximum event messages per tenant: one for each event.
    pub const MAX: u32 = OrderEvent::ALL.len() as u32;

    /// Its content: its own, or the usual one for the event.
    pub fn content(&self) -> CampaignMessage {
        self.message.clone().unwrap_or_else(|| usual_message(self.event))
    }

    /// The intent to tell news of an order to a contact. `content`: what [`EventMessage::content`] says.
    pub fn intent<'a>(
        &self,
        content: &'a CampaignMessage,
        news: CauseNews,
        view: OrderView<'a>,
        tenant: &Tenant,
        contact: &Contact,
        now: Timestamp,
    ) -> Intent<'a> {
        let words = |channel: Channel| match channel {
            Channel::WhatsApp => content.template.as_ref().map(Words::Template),
            Channel::Sms => content.sms_text.as_ref().map(Words::Text),
        };
        let says = content.channels.iter().map(|channel| Says {
            channel: *channel,
            words: words(*channel).unwrap_or(Words::None("the event message has no content for it")),
        });
        let action = if self.event.leaves_at_once() {
            QuietAction::Send
        } else {
            QuietAction::Defer
        };
        let cause = Cause::Order {
            news,
            contact: contact.id,
        };
        let by = format!("event message {:?}", self.event.as_str());
        Intent {
            narrowing: Narrowing {
                quiet: tenant.quiet_hours.map(|hours| QuietHours { action, ..hours }),
                fallback_after_seconds: content.fallback_after_seconds.get(),
                ..Narrowing::default()
            },
            line: content.line,
            says: says.collect(),
            subject: Subject::Order(view),
            not_before: now + SignedDuration::from_secs(self.delay_seconds.get().into()),
            ..Intent::new(cause, Purpose::Order, Category::Utility, contact.recipient(), &by, now)
        }
    }
}

/// The message for an event of a tenant who has written none.
fn usual_message(event: OrderEvent) -> CampaignMessage {
    let (english, arabic) = match event {
        OrderEvent::Created => (
            "{{tenant.name}}: thank you for your order {{order.number}} ({{order.total}}). We will tell you when it is on its way.",
            "{{tenant.name}}: شكرًا لطلبك {{order.number}} ({{order.total}}). سنخبرك عند إرساله.",
        ),
        OrderEvent::Late => (
            "{{tenant.name}}: your order {{order.number}} is taking longer than planned. We will tell you when it is on its way.",
            "{{tenant.name}}: يستغرق طلبك {{order.number}} وقتًا أطول من المتوقع. سنخبرك عند إرساله.",
        ),
        OrderEvent::Packed => (
            "{{tenant.name}}: your order {{order.number}} is being packed.",
            "{{tenant.name}}: يجري تجهيز طلبك {{order.number}}.",
        ),
        OrderEvent::Shipped => (
            "{{tenant.name}}: your order {{order.number}} is on its way. {{order.tracking_url|}}",
            "{{tenant.name}}: طلبك {{order.number}} في الطريق إليك. {{order.tracking_url|}}",
        ),
        OrderEvent::Delivered => (
            "{{tenant.name}}: your order {{order.number}} has arrived.",
            "{{tenant.name}}: وصل طلبك {{order.number}}.",
        ),
        OrderEvent::Cancelled => (
            "{{tenant.name}}: your order {{order.number}} was cancelled.",
            "{{tenant.name}}: تم إلغاء طلبك {{order.number}}.",
        ),
    };
    let texts = [("en", english), ("ar", arabic)].map(|(language, text)| (language.to_owned(), text.to_owned()));
    CampaignMessage {
        channels: vec![Channel::Sms].into(),
        category: Category::Utility,
        sms_text: Some(SmsText::ByLanguage(texts.into())),
        ..CampaignMessage::default()
    }
}

/// Usual texts by event and language, which the contract has as `x-usual`.
#[cfg(feature = "schema")]
fn usual_texts() -> serde_json::Value {
    let all = OrderEvent::ALL.into_iter();
    all.map(|event| (event.as_str(), serde_json::json!(usual_message(event).sms_text)))
        .collect()
}
