//! Variants of a broadcast: other contents, each for a part of the audience.
//!
//! A contact's variant follows from the ids of both, so it is known wherever the contact is, and stored nowhere. Whatever the variant is, the
//! contact's message is one.

use sha2::{Digest as _, Sha256};

use crate::campaigns::{Campaign, CampaignMessage, CampaignType, Variant, VariantNumber};
use crate::messages::{Declared, MessageRequest};
use crate::terms::{Category, Channel, ContactId, Phone};

impl Campaign {
    /// The variant that a contact gets. `None`: it is to be chosen.
    pub fn variant_of(&self, contact: ContactId) -> Option<VariantNumber> {
        self.drawn_variant(contact).or(self.winner)
    }

    /// The variant that a contact drew. `None`: the contact waits for the choice, or waited.
    pub fn drawn_variant(&self, contact: ContactId) -> Option<VariantNumber> {
        if self.variants.is_empty() {
            return Some(0);
        }
        let drawn = Sha256::digest(format!("variant#{contact}#{}", self.id));
        let drawn = drawn
            .iter()
            .take(8)
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte))
            % 100;
        let mut until = self.hold_percent.map_or(0, |held| u64::from(held.get()));
        if drawn < until {
            return None;
        }
        let place = self.variants.iter().position(|variant| {
            until += u64::from(variant.percent.get());
            drawn < until
        });
        Some(place.map_or(0, |place| place + 1))
    }

    /// Whether a part of its audience waits for a choice.
    pub fn holds(&self) -> bool {
        self.hold_percent.is_some() && self.winner.is_none()
    }

    /// The campaign as if `message` were chosen for those who wait.
    #[must_use]
    pub fn with_message_chosen(&self) -> Self {
        Self {
            winner: self.winner.or(Some(0)),
            ..self.clone()
        }
    }

    /// A variant's message as a request for one recipient, to see what it looks like there. `None`: it has no such variant, or it is a drip,
    /// whose messages are steps.
    pub fn trial(
        &self,
        number: VariantNumber,
        contact: Option<ContactId>,
        phone: Option<Phone>,
    ) -> Option<MessageRequest> {
        if self.kind != CampaignType::Broadcast || number > self.variants.len() {
            return None;
        }
        let says = self.with_variant(number).message;
        let category = match says.category {
            Category::Marketing => Declared::Marketing,
            Category::Utility | Category::Service | Category::Authentication => Declared::Utility,
        };
        let channels: Vec<Channel> = says.channels.iter().copied().collect();
        let by = |channel: Channel| channels.contains(&channel);
        Some(MessageRequest {
            contact_id: contact,
            phone,
            line_id: says.line,
            basis: format!("Test of the campaign {}", self.name.as_str()).parse().ok(),
            template: says.template.filter(|_| by(Channel::WhatsApp)),
            sms_text: says.sms_text.filter(|_| by(Channel::Sms)),
            channels: channels.clone().into(),
            fallback_after_seconds: Some(says.fallback_after_seconds),
            ..MessageRequest::empty(category)
        })
    }

    /// The campaign with the content of a variant, and no others.
    #[must_use]
    pub fn with_variant(&self, number: VariantNumber) -> Self {
        let mut all = self.variants.iter();
        let variant = number.checked_sub(1).and_then(|place| all.nth(place));
        let message = variant.map_or_else(|| self.message.clone(), |variant| variant.of(&self.message));
        self.saying(&message)
    }

    /// Groups these items by the variant of their contact, each with the campaign as it speaks to them. Contacts who wait are left out.
    pub fn by_variant<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        contact: impl Fn(&T) -> ContactId,
    ) -> Vec<(Self, Vec<T>)> {
        let mut parts: Vec<Vec<T>> = (0..=self.variants.len()).map(|_| Vec::new()).collect();
        for item in items {
            let number = self.variant_of(contact(&item));
            if let Some(part) = number.and_then(|number| parts.get_mut(number)) {
                part.push(item);
            }
        }
        let parts = parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty());
        parts.map(|(number, part)| (self.with_variant(number), part)).collect()
    }

    /// Percent of the audience who get its message, and no variant, at once.
    pub fn percent_of_message(&self) -> u32 {
        let others: u32 = self.variants.iter().map(|variant| variant.percent.get()).sum();
        let held = self.hold_percent.map_or(0, |held| held.get());
        100_u32.saturating_sub(others).saturating_sub(held)
    }

    /// The messages of its variants, each with its number. Of a drip, none.
    pub(crate) fn variant_messages(&self) -> impl Iterator<Item = (&Variant, CampaignMessage)> {
        let all = self.variants.iter().filter(|_| self.kind == CampaignType::Broadcast);
        all.map(|variant| (variant, variant.of(&self.message)))
    }
}

impl Variant {
    /// The message with this content.
    fn of(&self, message: &CampaignMessage) -> CampaignMessage {
        let mut message = message.clone();
        if let Some(template) = &self.template {
            message.template = Some(template.clone());
        }
        if let Some(text) = &self.sms_text {
            message.sms_text = Some(text.clone());
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::samples::at;
    use crate::terms::{Resource as _, Whole};

    fn campaign(variants: &serde_json::Value, number: u128) -> Campaign {
        let fields = json!({
            "type": "broadcast", "name": "Offer", "variants": variants,
            "message": {"channels": ["sms"], "sms_text": "20% off until Sunday"},
        });
        let fields = serde_json::from_value(fields).unwrap();
        Campaign::new(Ulid::from_parts(7, number), fields, at("2026-11-20T12:00:00Z"))
    }

    #[test]
    fn audience_is_divided_by_lot_as_the_percents_say() {
        let variants = json!([
            {"name": "Shorter", "percent": 20, "sms_text": "20% off"},
            {"name": "Longer", "percent": 30, "sms_text": "20% off until Sunday, in all shops"},
        ]);
        let (first, other) = (campaign(&variants, 1), campaign(&variants, 2));
        assert_eq!(first.percent_of_message(), 50);
        let contacts = || (0..4_000).map(|number| ContactId::new(Ulid::from_parts(5, number)));
        let mut counts = BTreeMap::new();
        for contact in contacts() {
            *counts.entry(first.variant_of(contact).unwrap()).or_insert(0_i32) += 1;
        }
        for (number, percent) in [(0, 50), (1, 20), (2, 30)] {
            assert!((counts[&number] - percent * 40).abs() < 120, "{counts:?}");
        }
        let same = contacts().filter(|contact| first.variant_of(*contact) == other.variant_of(*contact));
        assert!(same.count() < 2_000, "each campaign draws anew");

        let parts = first.by_variant(contacts(), |contact| *contact);
        let said = parts.iter().map(|(campaign, part)| {
            assert!(campaign.variants.is_empty());
            let text = json!(campaign.message.sms_text);
            (text.as_str().unwrap().to_owned(), i32::try_from(part.len()).unwrap())
        });
        let said: Vec<_> = said.collect();
        let texts = ["20% off until Sunday", "20% off", "20% off until Sunday, in all shops"];
        let expected = texts
            .into_iter()
            .enumerate()
            .map(|(number, text)| (text.to_owned(), counts[&number]));
        assert_eq!(said, expected.collect::<Vec<_>>());
        let trial = |number| first.trial(number, Some(parts[0].1[0]), None);
        let trials: Vec<_> = (0..=3).filter_map(trial).map(|one| json!(one.sms_text)).collect();
        assert_eq!(trials, texts, "each as a message of its own");
        assert_eq!(trial(1).unwrap().category, Declared::Marketing);
        assert_eq!(
            parts[1].0.cause(parts[1].1[0]),
            first.cause(parts[1].1[0]),
            "one message, whatever it says"
        );
    }

    /// Contacts who got something keep it.
    #[test]
    fn a_part_waits_for_the_choice_of_a_variant() {
        let mut campaign = campaign(&json!([{"name": "Shorter", "percent": 10, "sms_text": "20% off"}]), 1);
        campaign.hold_percent = Some(Whole::nearest(80));
        assert_eq!(campaign.percent_of_message(), 10);
        let contacts = || (0..4_000).map(|number| ContactId::new(Ulid::from_parts(5, number)));
        let of = |campaign: &Campaign| {
            contacts()
                .map(|contact| campaign.variant_of(contact))
                .collect::<Vec<_>>()
        };
        let before = of(&campaign);
        let waiting = before.iter().filter(|variant| variant.is_none()).count();
        assert!((3_080..3_320).contains(&waiting), "{waiting}");
        let parts = campaign.by_variant(contacts(), |contact| *contact);
        assert_eq!(parts.iter().map(|(_, part)| part.len()).sum::<usize>(), 4_000 - waiting);
        assert!(campaign.holds() && !campaign.with_message_chosen().holds());
        campaign.winner = Some(1);
        let expected: Vec<_> = before.into_iter().map(|variant| variant.or(Some(1))).collect();
        assert_eq!(of(&campaign), expected);
    }
}
